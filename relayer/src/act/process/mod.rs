//! The daemon as a process that outlives its agent. Never two of one node: invariant NODE-4.
//!
//! # How a killed agent's daemon is found again
//!
//! An agent may die at any instruction, also after the daemon was started and before its pid is in the journal. Three
//! marks close that gap, and each covers what the others miss:
//!
//! 1. **The lock.** The daemon's standard input is the slot's empty lock file, and the file is locked (`flock`) before the
//!    start. The child holds the lock from its very first instruction, because a descriptor is inherited by `fork`, and
//!    through `exec`, because standard input is not closed by it. Nothing has to be written down in time, and the kernel
//!    refuses a second start as long as any process of the first one has it.
//! 2. **The token.** A random [`RunToken`] is journaled before the start and put into the daemon's environment. It finds
//!    daemons that closed their standard input, and children that left the process group.
//! 3. **The artifact.** Whoever executes a file of the store is a daemon of this store.
//!
//! [`Slot::find`] looks for all three. Only when nobody bears one *and* the lock is free is the slot empty; a lock held
//! by somebody who cannot be seen is [`ProcessError::Unidentified`], which no agent may act on.
//!
//! # What is executed
//!
//! `/proc/self/fd/N` of the descriptor that was hashed, opened by the child between `fork` and `exec`: no name is looked up
//! again. Scripts cannot be started like this (their interpreter would have to open a closed descriptor) and are refused.
//! Every other descriptor that the agent opened is closed by `exec`. A daemon may execute something else afterwards: then
//! it runs on, but nobody can adopt it any more ([`Adoption::NotOurs`]).

mod output;
mod residents;
mod slot;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use concord_schema::Digest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::durable::DiskError;

pub use output::Output;
pub(crate) use residents::{boot_id, executing, started_at};
pub use slot::{Slot, check_program};

/// Why the agent could not do something to a process. None of them says that the daemon is dead.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// A daemon of this slot is alive, so no other one may be started.
    #[error("the slot {} is taken by {}: find and stop that daemon first", lock.display(), list(pids))]
    Occupied {
        /// The slot's lock file.
        lock: PathBuf,
        /// Who was seen; empty when only the lock says so.
        pids: Vec<u32>,
    },
    /// The slot's lock is held by a process that cannot be seen or does not start running its program.
    #[error("somebody who cannot be identified holds {}: look for it with `fuser`, and end it", lock.display())]
    Unidentified {
        /// The slot's lock file.
        lock: PathBuf,
    },
    /// The program is a script.
    #[error("artifact {digest} is a script: expected a program that the system executes by itself (ELF)")]
    Script {
        /// The artifact.
        digest: Digest,
    },
    /// The artifact is no program at all.
    #[error("artifact {digest} is no program: expected ELF, found a file that begins with {found:?}")]
    NoProgram {
        /// The artifact.
        digest: Digest,
        /// Its first bytes.
        found: String,
    },
    /// The open program is not the one that the run is about.
    #[error("the run is for artifact {expected}, the opened program is {found}: open that artifact")]
    OtherProgram {
        /// What was journaled.
        expected: Digest,
        /// What was opened.
        found: Digest,
    },
    /// A configured variable has a name that cannot be used.
    #[error("the daemon's environment cannot have a variable {name:?}: choose another name")]
    Variable {
        /// Its name.
        name: String,
    },
    /// The program could not be executed.
    #[error(
        "artifact {digest} could not be started: check that it is built for this platform and that its folder exists"
    )]
    Start {
        /// The artifact.
        digest: Digest,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// Processes outlived SIGKILL for as long as the proof may take.
    #[error("{} did not die of SIGKILL within {} ms: look what the system waits for there", list(pids), waited.as_millis())]
    Unkillable {
        /// Who is left.
        pids: Vec<u32>,
        /// How long after the first SIGKILL.
        waited: Duration,
    },
    /// A text is no run token.
    #[error("a run token is 32 lower-case hexadecimal digits, found {found:?}")]
    Token {
        /// What came, shortened to 40 characters.
        found: String,
    },
    /// The system did not answer about a process.
    #[error(
        "could not {action}: check that /proc is mounted and the agent may read its own user's processes"
    )]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// The daemon's files are not usable.
    #[error("the daemon's files are not usable")]
    Disk(#[from] DiskError),
}

fn list(pids: &[u32]) -> String {
    if pids.is_empty() {
        return "a process that is just starting or cannot be seen".to_owned();
    }
    let texts: Vec<String> = pids.iter().take(16).map(u32::to_string).collect();
    format!("pid {}", texts.join(", "))
}

fn system(action: &'static str) -> impl FnOnce(io::Error) -> ProcessError {
    move |source| ProcessError::System { action, source }
}

/// A random name of one start, in the journal before it and in the environment of every process of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunToken(String);

impl RunToken {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }
}

impl fmt::Display for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RunToken> for String {
    fn from(token: RunToken) -> Self {
        token.0
    }
}

impl TryFrom<String> for RunToken {
    type Error = ProcessError;

    fn try_from(text: String) -> Result<Self, ProcessError> {
        let fine = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fine {
            Ok(Self(text))
        } else {
            let found = text.chars().take(40).collect();
            Err(ProcessError::Token { found })
        }
    }
}

/// What is journaled before a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The name of this start.
    pub token: RunToken,
    /// What it executes.
    pub executable: Digest,
}

/// What is journaled after a start: one process, and never another one that happens to get its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The run it belongs to.
    pub run: Run,
    /// Its number, which is also that of its process group.
    pub pid: u32,
    /// Clock ticks between the host's start and the process's.
    pub start_ticks: u64,
    /// The host's start.
    pub boot_id: String,
}

/// How a daemon is started, besides the program itself.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What the daemon sees as its own name.
    pub name: String,
    /// Its arguments. Every user of the host can read them, so no secret may be among them.
    pub arguments: Vec<String>,
    /// Names of the agent's own variables that the daemon inherits; all others are withheld.
    pub environment_keep: Vec<String>,
    /// Variables besides; they win.
    pub environment: BTreeMap<String, String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Where its output goes.
    pub output: Output,
}

/// How long a stop may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
    /// From SIGKILL to giving up on a proof of death.
    pub proof: Duration,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was no child of this agent, so nobody told.
    Unknown,
}

/// What [`Daemon::wait`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// How the daemon's first process ended.
    pub exit: Exit,
    /// Processes of the run that are still alive: the daemon forked away. They must be ended before anything is started.
    pub left_behind: Vec<u32>,
}

/// A proven end: no process of the run is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How the daemon's first process ended.
    pub exit: Exit,
    /// Whether SIGKILL was needed.
    pub forced: bool,
}

/// What became of a journaled daemon.
#[derive(Debug)]
pub enum Adoption {
    /// It is alive and executes what the journal says.
    Adopted(Daemon),
    /// It is dead.
    Dead {
        /// Because the host was started anew.
        host_lost: bool,
        /// Processes of the run that are still alive.
        left_behind: Vec<u32>,
    },
    /// The process is the journaled one, but executes something else now.
    NotOurs {
        /// What it executes.
        found: Digest,
    },
}

/// What became of a run that the journal only knows the intent of.
#[derive(Debug)]
pub enum Found {
    /// Nobody is there, and the slot's lock is free: it was never started, or is over.
    Nobody,
    /// The daemon, started and running what was meant.
    Daemon(Daemon),
    /// Processes of this slot, but not the daemon that was meant: end them with [`Slot::end`].
    Strays(Vec<u32>),
}

/// A daemon that was started or adopted. Dropping it changes nothing for the process.
#[derive(Debug)]
pub struct Daemon {
    identity: Identity,
    pidfd: OwnedFd,
    exit: OnceLock<Exit>,
    slot: Slot,
}

impl Daemon {
    /// What to journal about it.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether its first process is alive right now.
    ///
    /// # Errors
    /// When the system does not answer; that is neither yes nor no.
    pub fn is_alive(&self) -> Result<bool, ProcessError> {
        is_alive(&self.pidfd)
    }

    /// Waits until its first process is dead, then looks for others that it left. Works for adopted daemons too.
    ///
    /// # Errors
    /// When the system does not answer.
    pub async fn wait(&self) -> Result<Exited, ProcessError> {
        self.leader_dead().await?;
        // The dead process still holds its number, and so the group's, until it is reaped.
        let left_behind = self.slot.alive(&self.identity.run, Some(&self.identity)).await?;
        Ok(Exited { exit: self.reap(), left_behind })
    }

    /// Sends SIGTERM to the whole process group, after the grace SIGKILL, and proves that no process of the run is left,
    /// also none that left the group. Repeating it is harmless.
    ///
    /// # Errors
    /// [`ProcessError::Unkillable`], [`ProcessError::Unidentified`], or when the system does not answer.
    pub async fn stop(&self, patience: Patience) -> Result<Ended, ProcessError> {
        let forced = self.slot.clear(&self.identity.run, Some(&self.identity), Some(self), patience).await?;
        Ok(Ended { exit: self.reap(), forced })
    }

    async fn leader_dead(&self) -> Result<(), ProcessError> {
        dead(&self.pidfd).await
    }

    fn reap(&self) -> Exit {
        *self.exit.get_or_init(|| {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let Ok(Some(status)) = waitid(WaitId::PidFd(self.pidfd.as_fd()), options) else {
                return Exit::Unknown;
            };
            let code = status.exit_status().map(Exit::Code);
            code.or(status.terminating_signal().map(Exit::Signal)).unwrap_or(Exit::Unknown)
        })
    }
}

fn is_alive(pidfd: &OwnedFd) -> Result<bool, ProcessError> {
    loop {
        let mut asked = [PollFd::new(pidfd, PollFlags::IN)];
        match poll(&mut asked, Some(&Timespec::default())) {
            Ok(ready) => return Ok(ready == 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(system("poll a process")(e.into())),
        }
    }
}

/// Waits until a process is dead; it need not be a child, and is not reaped.
pub(super) async fn dead(pidfd: &OwnedFd) -> Result<(), ProcessError> {
    // A second registration of one descriptor is refused, so every waiter brings its own.
    let watched = pidfd.try_clone().map_err(system("copy a process's descriptor"))?;
    #[expect(deprecated, reason = "the new form is unsafe to call; an OwnedFd keeps what that asks for")]
    let watched = AsyncFd::with_interest(watched, Interest::READABLE).map_err(system("watch a process"))?;
    while is_alive(pidfd)? {
        let mut ready = watched.readable().await.map_err(system("watch a process"))?;
        ready.clear_ready();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
