//! `concord`: the agent beside every node, and everyone else's command line.

use std::process::ExitCode;

use concord::cli;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(cli) => {
            cli::trace(&cli);
            cli::run(&cli)
        }
        Err(code) => code,
    }
}
