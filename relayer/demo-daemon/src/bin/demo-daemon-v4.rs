//! Release 4.0.0: the upgrade that follows the bad one.

use std::process::ExitCode;

use demo_daemon::Release;

static RELEASE: Release = Release { version: "4.0.0", greeting: "hello for good", unhealthy_after: None };

fn main() -> ExitCode {
    demo_daemon::run(&RELEASE)
}
