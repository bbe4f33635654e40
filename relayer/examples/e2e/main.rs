//! End-to-end stories on real wasmd: `scripts/e2e.sh`.
//!
//! A chain of four validators is upgraded by the coordinator that lives on it, each validator by an agent that runs it.
//! One JSON object on standard output. The exit code is 1 when an expectation is not met, or the story has no end.

mod chain;
mod deployment;
mod error;
mod judge;
mod people;
mod process;
mod settings;
mod story;
mod validators;
mod witness;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use concord::causes::told;
use error::{StoryError, step};
use settings::Settings;
use story::Report;
use validators::Validators;

/// After this the story is ended.
const LONGEST: Duration = Duration::from_secs(240);

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Settings::parse()).await {
        Ok(report) => show(&report),
        Err(error) => {
            eprintln!("e2e: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<Report, StoryError> {
    std::fs::create_dir_all(&settings.dir).map_err(step("make the run's folder"))?;
    let mut validators = Validators::new(settings)?;
    let told = tokio::select! {
        told = story::tell(settings, &mut validators) => told,
        ended = stopped() => ended,
    };
    let ended = validators.end().await;
    let report = told?;
    ended?;
    Ok(report)
}

/// Comes back with the reason when the story must not go on.
async fn stopped() -> Result<Report, StoryError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(step("catch a signal"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(step("catch a signal"))?;
    tokio::select! {
        _ = terminate.recv() => Err(StoryError::Stopped),
        _ = interrupt.recv() => Err(StoryError::Stopped),
        () = tokio::time::sleep(LONGEST) => Err(StoryError::Late {
            what: "the story's end".to_owned(),
            seconds: LONGEST.as_secs(),
            found: "it still went on".to_owned(),
        }),
    }
}

fn show(report: &Report) -> ExitCode {
    match serde_json::to_string(report) {
        Ok(text) => println!("{text}"),
        Err(error) => {
            eprintln!("e2e: the report cannot be written: {error}");
            return ExitCode::FAILURE;
        }
    }
    match report.findings.iter().find(|finding| !finding.as_expected) {
        None => ExitCode::SUCCESS,
        Some(first) => {
            eprintln!("e2e: {}: expected {}, found {}", first.what, first.expected, first.observed);
            ExitCode::FAILURE
        }
    }
}
