//! The process beside a node: watches the chain, asks the machine, does what it says, and reports.
//!
//! `run` is the only loop. `follow` brings facts, `host` performs effects, `hold` keeps the next binary open, `mail` puts
//! reports into the outbox, `record` is what the journal holds, `book` keeps it, `retry` brings the owner's word, `status`,
//! `metrics` and `http` tell people.

mod adopted;
mod bar;
mod book;
mod error;
mod follow;
mod hold;
mod host;
pub mod http;
mod init;
mod mail;
mod metrics;
mod prober;
pub mod record;
mod retry;
mod run;
mod setup;
pub mod status;
mod upkeep;
mod view;

pub use error::AgentError;
pub use init::{Adopt, Adopted, init};
pub use retry::{RetryAsked, retry};
pub use run::run;
pub use view::{ViewError, Viewer};

/// The folder of the journal in the agent's own.
pub const JOURNAL: &str = "journal";
/// The folder of the outbox.
pub const OUTBOX: &str = "outbox";
/// The cursor's file.
pub const CURSOR: &str = "cursor.json";
/// The owner's request to try again, while it waits.
pub const RETRY: &str = "retry";
/// The highest mark of the signer's state that was seen.
pub const SIGNER: &str = "signer.json";
/// The folder of the daemon's output.
pub const LOGS: &str = "log";

/// Mode of the agent's folder and of those in it.
pub const FOLDER_MODE: u32 = 0o700;

/// Milliseconds since the host started: a clock that goes on over a restart of the agent and never goes back.
///
/// # Errors
/// None in practice; the type says that nothing is guessed.
fn now_ms() -> Result<u64, AgentError> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let negative =
        || AgentError::System(std::io::Error::other("the time since the host's start is negative"));
    let seconds = u64::try_from(time.tv_sec).map_err(|_| negative())?;
    let nanos = u64::try_from(time.tv_nsec).map_err(|_| negative())?;
    Ok(seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000))
}
