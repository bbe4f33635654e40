//! Why an agent does not start, or stops. The daemon is left as it is by all of them.

use std::path::PathBuf;

use super::http::HttpError;
use super::view::ViewError;
use crate::act::durable::DiskError;
use crate::act::fetch::FetchError;
use crate::act::probe::CheckError;
use crate::act::process::ProcessError;
use crate::act::store::StoreError;
use crate::chain::RpcError;
use crate::chain::keys::KeyError;
use crate::journal::{JournalError, LockError};
use crate::report::OutboxError;
use crate::watch::CursorError;

/// Why an agent does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The folder cannot be used.
    #[error("the agent's folder cannot be used")]
    Disk(#[from] DiskError),
    /// Another agent has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be used.
    #[error("the store of artifacts cannot be used")]
    Store(#[from] StoreError),
    /// The daemon's place cannot be used.
    #[error("the daemon cannot be looked after")]
    Process(#[from] ProcessError),
    /// The outbox cannot be used.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The cursor cannot be used.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The hot key cannot be used.
    #[error("the hot key cannot be used")]
    Key(#[from] KeyError),
    /// An endpoint is no address.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain's facts cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The pages cannot be served.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Fetching cannot be set up.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A check cannot be used.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Probing cannot be set up.
    #[error("probes cannot be set up")]
    Prober(#[source] reqwest::Error),
    /// Nobody handed the node to the agent.
    #[error("{folder} was never initialised; run `concord init --adopt PATH` with the binary that runs now")]
    NotInitialised {
        /// The agent's folder.
        folder: PathBuf,
    },
    /// There is no agent to ask.
    #[error(
        "no agent ever ran in {folder}: check node.home, or hand the node over with `concord init --adopt PATH`"
    )]
    NeverRan {
        /// The agent's folder.
        folder: PathBuf,
    },
    /// The agent could not read what this user leaves for it.
    #[error(
        "{folder} belongs to user {owner}, its agent's; expected to be run by that user, found user {found}"
    )]
    NotOwner {
        /// The agent's folder.
        folder: PathBuf,
        /// The number of the user that it belongs to.
        owner: u32,
        /// That of the user who asks.
        found: u32,
    },
    /// It was handed over before.
    #[error(
        "{folder} is initialised already, serving {digest}; an agent that has a history is not adopted again"
    )]
    Initialised {
        /// The agent's folder.
        folder: PathBuf,
        /// What `current` points at.
        digest: String,
    },
    /// The component's release has nothing for this host.
    #[error("release {version} of {component} has no artifact for {platform}; it has: {platforms}")]
    NoPlatform {
        /// The component.
        component: String,
        /// Its current version.
        version: String,
        /// This host's platform.
        platform: String,
        /// What there is.
        platforms: String,
    },
    /// The binary is not what the fleet runs.
    #[error(
        "{path} has digest {found}, expected {expected}, the digest of {release}: adopt the binary that the fleet runs"
    )]
    NotBaseline {
        /// The binary.
        path: PathBuf,
        /// Its digest.
        found: String,
        /// What the fleet runs, and on which platform.
        release: String,
        /// What it must be.
        expected: String,
    },
    /// A part of the agent ended, which none does by itself.
    #[error("the agent's {part} ended: {why}")]
    Ended {
        /// Which.
        part: &'static str,
        /// Why.
        why: String,
    },
    /// The system does not tell the time since its start.
    #[error("the system does not answer: {0}")]
    System(#[source] std::io::Error),
}
