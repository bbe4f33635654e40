//! Release 1.0.0: what the fleet runs at the beginning.

use std::process::ExitCode;

use demo_daemon::Release;

static RELEASE: Release = Release { version: "1.0.0", greeting: "hello", unhealthy_after: None };

fn main() -> ExitCode {
    demo_daemon::run(&RELEASE)
}
