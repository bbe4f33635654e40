//! All the ways in which an artifact does not arrive.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use concord_schema::Digest;
use thiserror::Error;

use crate::act::store::StoreError;

/// Why one try of one address gave no artifact.
#[derive(Debug, Error)]
pub enum Miss {
    /// It is no address this agent fetches from.
    #[error(
        "unusable address: expected https://, http:// or file:///absolute/path without a user name, found {found:?}"
    )]
    Address {
        /// What is wrong about it.
        found: String,
    },
    /// No connection, or it broke.
    #[error("the network failed after {received} bytes")]
    Network {
        /// Bytes that had arrived.
        received: u64,
        /// What the client says.
        #[source]
        source: reqwest::Error,
    },
    /// The host answered something else than 200.
    #[error("the host answered {status}, expected 200")]
    Status {
        /// The answer.
        status: u16,
    },
    /// The host points where nobody is followed to, or on and on.
    #[error(
        "the host answered {status} and points to {}: at most {} redirects are followed, from https to https or within one http host and port",
        to.as_deref().unwrap_or("nowhere"),
        super::REDIRECTS_MAX
    )]
    Redirect {
        /// The answer.
        status: u16,
        /// Where it points, shortened to 200 characters.
        to: Option<String>,
    },
    /// Nothing arrived for too long.
    #[error("nothing arrived for {} ms after {received} bytes", waited.as_millis())]
    Silent {
        /// Bytes that had arrived.
        received: u64,
        /// The bound.
        waited: Duration,
    },
    /// It keeps arriving, but at a rate at which it would never be there.
    #[error(
        "{bytes} bytes arrived in {} ms, fewer than {bytes_per_second_min} a second, after {received} bytes in all", waited.as_millis()
    )]
    Drips {
        /// Bytes that had arrived.
        received: u64,
        /// Those of the newest window.
        bytes: u64,
        /// How long they were waited for.
        waited: Duration,
        /// The bound.
        bytes_per_second_min: u64,
    },
    /// All that it may take of the time for the whole artifact is over.
    #[error("not finished after {} ms", waited.as_millis())]
    Slow {
        /// Its share of that time.
        waited: Duration,
    },
    /// It ended too early, or announced so.
    #[error("it has {found} bytes, the release declares {expected}")]
    Truncated {
        /// Bytes that arrived or were announced.
        found: u64,
        /// Bytes that the release declares.
        expected: u64,
    },
    /// It is longer than declared, or announced so. No more than the declared bytes were written.
    #[error("it is longer than the {expected} bytes that the release declares")]
    TooLong {
        /// Bytes that the release declares.
        expected: u64,
    },
    /// As long as declared, but other bytes.
    #[error("its digest is {found}, the release declares {expected}")]
    WrongDigest {
        /// What arrived.
        found: Digest,
        /// What the release declares.
        expected: Digest,
    },
    /// A `file://` address names a file of other bytes. Which ones is for its owner alone.
    #[error("the file is not the artifact {expected} that the release declares")]
    OtherFile {
        /// What the release declares.
        expected: Digest,
    },
    /// A `file://` address names nothing that can be read as an ordinary file.
    #[error("{} cannot be read as an ordinary file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

impl Miss {
    /// Whether asking the same address again may help.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Network { .. } | Self::Silent { .. } | Self::Truncated { .. } => true,
            Self::Status { status } => *status >= 500 || matches!(*status, 408 | 429),
            // It would be slow again, and the next address has waited long enough.
            Self::Drips { .. } | Self::Slow { .. } => false,
            Self::Address { .. }
            | Self::Redirect { .. }
            | Self::TooLong { .. }
            | Self::WrongDigest { .. }
            | Self::OtherFile { .. }
            | Self::File { .. } => false,
        }
    }
}

/// One address and why it gave nothing, the last try of it.
#[derive(Debug)]
pub struct Missed {
    /// The address as declared, shortened to 200 characters.
    pub address: String,
    /// Why.
    pub miss: Miss,
}

/// Why an artifact is not in the store.
#[derive(Debug, Error)]
pub enum FetchError {
    /// No address gave it.
    #[error("artifact {digest} could not be fetched: {}", reasons(missed))]
    Missed {
        /// The artifact.
        digest: Digest,
        /// Each address with its reason, in order.
        missed: Vec<Missed>,
    },
    /// The release names no address for it.
    #[error(
        "artifact {digest} has no address: put it into the store with `concord init --adopt` or ask its author"
    )]
    NoAddress {
        /// The artifact.
        digest: Digest,
    },
    /// It declares a size that is not fetched.
    #[error(
        "artifact {digest} declares {found} bytes, expected 1 to {max}: raise the bound if that is right"
    )]
    Size {
        /// The artifact.
        digest: Digest,
        /// Its declared size.
        found: u64,
        /// The bound.
        max: u64,
    },
    /// There is too little space to begin.
    #[error("the store has {free} bytes free, {needed} are needed for this artifact: free some space")]
    NoSpace {
        /// Bytes that are free.
        free: u64,
        /// Bytes that are asked for.
        needed: u64,
    },
    /// The store failed.
    #[error("the store failed while fetching")]
    Store(#[from] StoreError),
    /// The HTTP client cannot be set up on this host.
    #[error("the http client could not be set up: check the host's certificates")]
    Client(#[source] reqwest::Error),
}

impl FetchError {
    /// Whether space is what is missing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::NoSpace { .. } => true,
            Self::Store(e) => e.is_full(),
            Self::Missed { .. } | Self::NoAddress { .. } | Self::Size { .. } | Self::Client(_) => false,
        }
    }
}

fn reasons(missed: &[Missed]) -> String {
    let texts: Vec<String> =
        missed.iter().map(|missed| format!("{}: {}", missed.address, missed.miss)).collect();
    texts.join("; ")
}
