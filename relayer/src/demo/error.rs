//! What keeps the demo from being shown at all. An outcome that is not the expected one is no error: it is told by the
//! report.

use std::path::PathBuf;

use concord_devnet::DevnetError;
use concord_schema::rules::RulesError;

use crate::chain::address::AddressError;
use crate::chain::keys::KeyError;
use crate::chain::send::SendError;
use crate::chain::sign::GasPriceError;
use crate::chain::{Refused, RpcError};

/// Why the demo could not be shown to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The daemons could not be built.
    #[error("building the daemons ended with {status}; its own words stand above")]
    Build {
        /// How cargo ended.
        status: String,
    },
    /// A daemon is neither built nor there.
    #[error("expected the daemon {name} at {}, found none; build it with `cargo build --release -p demo-daemon --bins` and put it beside this program", path.display())]
    NoDaemon {
        /// Its file name.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Two daemons that must differ do not.
    #[error(
        "expected four different daemons, found the same bytes in {first} and {second}; build them again"
    )]
    SameDaemon {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// The folder for `--keep` holds something.
    #[error("expected an empty or a new folder at {}, found one with files; choose another one for --keep", path.display())]
    Occupied {
        /// Which folder.
        path: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("cannot {verb} {}; check its folder, and the space on the disk", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// With which path.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The system refused something that has no path.
    #[error("cannot {verb}")]
    System {
        /// What was tried.
        verb: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The demo's own rules do not keep the schema's bounds.
    #[error("the demo's own {what} is refused: {reason}; this is a defect of the demo")]
    Own {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The rules do not keep the schema's bounds.
    #[error("the demo's own rules are refused; this is a defect of the demo")]
    Rules(#[from] RulesError),
    /// A key could not be made or kept.
    #[error("a key of the demo could not be made or kept")]
    Key(#[from] KeyError),
    /// An address could not be made.
    #[error("an address of the demo could not be made")]
    Address(#[from] AddressError),
    /// The price of gas could not be read.
    #[error("the demo's own price of gas is refused; this is a defect of the demo")]
    GasPrice(#[from] GasPriceError),
    /// The devnet did not start.
    #[error("the devnet did not start")]
    Devnet(#[from] DevnetError),
    /// The chain could not be asked.
    #[error("the devnet could not be asked")]
    Rpc(#[from] RpcError),
    /// What became of a transaction is not known.
    #[error("the outcome of {what} is not known")]
    Send {
        /// What was sent.
        what: &'static str,
        /// Why.
        #[source]
        source: SendError,
    },
    /// A transaction was refused.
    #[error("expected the chain to take {what}, found it refused: {refused}")]
    Refused {
        /// What was sent.
        what: &'static str,
        /// Why.
        refused: Refused,
    },
    /// A transaction expired.
    #[error("expected {what} in a block, found it in none before its timeout height")]
    Lost {
        /// What was sent.
        what: &'static str,
    },
    /// An answer of the contract does not have the expected form.
    #[error("the answer to {what} is not what this program knows; build contract and program from one tree")]
    Answer {
        /// What was asked.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A command of this program failed.
    #[error("{command} ended with {status}: {output}")]
    Command {
        /// Which command.
        command: String,
        /// How it ended.
        status: String,
        /// Its last words.
        output: String,
    },
    /// An agent ended by itself.
    #[error("the agent of {node} ended with {status}; its last words: {output}")]
    Agent {
        /// Of which node.
        node: String,
        /// How it ended.
        status: String,
        /// Its last words.
        output: String,
    },
    /// Something did not come in time.
    #[error("waited {seconds} s for {what}, in vain: {last}")]
    Late {
        /// For what.
        what: String,
        /// How long.
        seconds: u64,
        /// What was there instead.
        last: String,
    },
    /// No three free ports were found.
    #[error("expected {expected} free ports between {from} and {to}, found {found}; end what listens there")]
    Ports {
        /// How many are needed.
        expected: usize,
        /// How many were found.
        found: usize,
        /// The first one looked at.
        from: u16,
        /// The last one looked at.
        to: u16,
    },
    /// It was told to stop.
    #[error("stopped by a signal; every process of the demo has been ended")]
    Stopped,
}

/// Puts a path and a verb to an I/O error.
pub(super) fn file(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> DemoError {
    let path = path.into();
    move |source| DemoError::File { verb, path, source }
}

/// Puts a verb to an I/O error.
pub(super) fn system(verb: &'static str) -> impl FnOnce(std::io::Error) -> DemoError {
    move |source| DemoError::System { verb, source }
}
