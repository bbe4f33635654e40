//! The small HTTP program that the demo upgrades, in four really different releases.
//!
//! It is the daemon that agents supervise in `concord demo`: it serves `GET /` and `GET /health` on loopback, starts in
//! a few milliseconds and ends at once on SIGTERM. Each binary compiles one [`Release`] in, so that the four differ in
//! their bytes, their digests and what they do.

mod arguments;
mod serve;

use std::process::ExitCode;
use std::time::Duration;

use arguments::Request;

/// What a binary of this crate is: compiled in, never configured.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Semantic version, as the proposal that brings it says.
    pub version: &'static str,
    /// What `GET /` says besides its counters.
    pub greeting: &'static str,
    /// From this long after its start on `GET /health` answers 503; never, if none.
    pub unhealthy_after: Option<Duration>,
}

/// Runs one release until SIGTERM or SIGINT: the whole of a binary's `main`.
#[must_use]
pub fn run(release: &'static Release) -> ExitCode {
    let listen = match arguments::read(std::env::args().skip(1)) {
        Ok(Request::Version) => {
            println!("demo-daemon {}", release.version);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Help) => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Serve { listen }) => listen,
        Err(error) => {
            eprintln!("{error}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match serve::until_told(release, listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {listen}: {error}; choose a free address with --listen");
            ExitCode::FAILURE
        }
    }
}
