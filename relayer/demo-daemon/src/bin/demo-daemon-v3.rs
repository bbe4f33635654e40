//! Release 3.0.0: a bad upgrade that looks good at first.

use std::process::ExitCode;
use std::time::Duration;

use demo_daemon::Release;

static RELEASE: Release = Release {
    version: "3.0.0",
    greeting: "hello for a moment",
    unhealthy_after: Some(Duration::from_secs(1)),
};

fn main() -> ExitCode {
    demo_daemon::run(&RELEASE)
}
