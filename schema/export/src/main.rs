//! Writes the interface of the coordinator, or checks what is there. Called by `scripts/schemas.sh`.

use std::path::PathBuf;
use std::process::ExitCode;

use concord_export::error::ExportError;
use concord_export::folder::{self, Mode};
use concord_export::sample::Samples;
use concord_export::{documents, fact, page};

fn run(json: PathBuf, integrators: PathBuf, mode: Mode) -> Result<(), ExportError> {
    folder::settle(&json, &documents()?, mode)?;
    page::settle(&integrators, &fact::all(&Samples::read()?)?, mode)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (json, integrators, mode) = match arguments.as_slice() {
        [json, integrators] => (json, integrators, Mode::Write),
        [json, integrators, "--check"] => (json, integrators, Mode::Check),
        _ => {
            eprintln!("usage: concord-export FOLDER PAGE [--check]");
            return ExitCode::from(2);
        }
    };
    match run(json.into(), integrators.into(), mode) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            let mut told = Vec::new();
            while let Some(error) = cause {
                told.push(error.to_string());
                cause = error.source();
            }
            eprintln!("{}", told.join(": "));
            ExitCode::FAILURE
        }
    }
}
