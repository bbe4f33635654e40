//! Plays many seeds: `simulate --seeds FROM..TO`. Exits with 1 if a seed failed, with 2 for a wrong call.

use std::io::Write as _;
use std::process::ExitCode;

use concord_simulate::{Summary, simulate};

fn range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.split_once("..")?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from < to).then_some((from, to))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds = match arguments.as_slice() {
        [flag, seeds] if flag == "--seeds" => range(seeds),
        _ => None,
    };
    let mut out = std::io::stdout().lock();
    let Some((from, to)) = seeds else {
        let _ = writeln!(out, "usage: simulate --seeds FROM..TO, with FROM below TO, such as 0..5000");
        return ExitCode::from(2);
    };
    let mut failures = 0u64;
    let mut whole = Summary::default();
    for seed in from..to {
        match simulate(seed) {
            Ok(summary) => whole.add(&summary),
            Err(failure) => {
                failures = failures.saturating_add(1);
                let _ = writeln!(out, "{failure}\n");
            }
        }
    }
    let _ = writeln!(out, "{whole}");
    let _ = writeln!(out, "{} seeds played, {failures} failed", to.saturating_sub(from));
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
