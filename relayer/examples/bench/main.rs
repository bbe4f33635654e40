//! Measures what is promised of the agent and the devnet, on real processes, and what messages cost on the real chain:
//! `scripts/bench.sh`.
//!
//! One JSON object a figure on standard output. The exit code is 1 when a figure misses its bar or cannot be measured.

mod deployment;
mod error;
mod figure;
mod gap;
mod gas;
mod load;
mod node;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use concord::causes::told;
use error::BenchError;
use figure::Figure;

/// What is measured.
#[derive(Parser)]
struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How fast agent and devnet are
    Speed,
    /// What messages cost on a localnet of wasmd
    Gas(gas::GasArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let measured = match Bench::parse().what {
        What::Speed => speed().await,
        What::Gas(args) => {
            let mut missed = Vec::new();
            gas::measure(&args, |figure| {
                missed.extend(show(figure)?);
                Ok(())
            })
            .await
            .map(|()| missed)
        }
    };
    match measured {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            for why in missed {
                eprintln!("bench: {why}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// Measures and shows how fast everything is; gives the figures back that miss their bars.
async fn speed() -> Result<Vec<String>, BenchError> {
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
