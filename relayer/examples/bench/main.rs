//! Measures what is promised of the agent and the devnet, on real processes: `scripts/bench.sh`.
//!
//! One JSON object a figure on standard output. The exit code is 1 when a figure misses its bar or cannot be measured.

mod deployment;
mod error;
mod figure;
mod gap;
mod load;
mod node;

use std::process::ExitCode;

use error::{BenchError, line};
use figure::Figure;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            for why in missed {
                eprintln!("bench: {why}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {}", line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Measures and shows all figures; gives those back that miss their bars.
async fn measure() -> Result<Vec<String>, BenchError> {
    let mut missed = Vec::new();
    for figure in gap::measure().await? {
        missed.extend(show(&figure)?);
    }
    missed.extend(show(&load::measure().await?)?);
    Ok(missed)
}

fn show(figure: &Figure) -> Result<Option<String>, BenchError> {
    println!("{}", figure.line()?);
    Ok(figure.missed())
}
