//! Release 2.0.0: a good upgrade.

use std::process::ExitCode;

use demo_daemon::Release;

static RELEASE: Release = Release { version: "2.0.0", greeting: "hello again", unhealthy_after: None };

fn main() -> ExitCode {
    demo_daemon::run(&RELEASE)
}
