//! Why a command failed.

use std::path::PathBuf;

use concord_devnet::DevnetError;
use serde_json::{Value, json};

use super::deploy::DeployError;
use super::draft::DraftFileError;
use super::exit::Exit;
use super::log::LogError;
use crate::act::store::StoreError;
use crate::agent::AgentError;
use crate::bundle::BundleError;
use crate::causes::causes;
use crate::chain::keys::KeyError;
use crate::chain::send::SendError;
use crate::chain::{Refused, RpcError};
use crate::config::ConfigError;
use crate::demo::DemoError;

/// A command that failed. Causes are in the chain of sources, never repeated in the text.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration is not usable.
    #[error("the configuration is not usable")]
    Config(#[from] ConfigError),
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A proposal's file or flags, or a document, are not usable.
    #[error("the given content is not usable")]
    Draft(#[from] DraftFileError),
    /// A key is not usable.
    #[error("the key is not usable")]
    Key(#[from] KeyError),
    /// A key file is not usable.
    #[error("the key file {} is not usable", path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: KeyError,
    },
    /// A key is there already.
    #[error("expected no file at {} yet, found one; a key is never replaced, give another name", path.display())]
    KeyTaken {
        /// Where.
        path: PathBuf,
    },
    /// The chain could not be asked, or refused the question.
    #[error("the chain did not answer {what}")]
    Chain {
        /// What was asked.
        what: &'static str,
        /// Why not.
        #[source]
        source: RpcError,
    },
    /// The contract refused a question.
    #[error("refused: {text}")]
    NoAnswer {
        /// The contract's own words.
        text: String,
    },
    /// Nothing at the contract's address answers as a coordinator does.
    #[error(
        "expected a coordinator at {contract} on {chain_id}, found none: {text}; check the contract's address (--contract)"
    )]
    NoCoordinator {
        /// The address that was asked.
        contract: String,
        /// The chain that was asked.
        chain_id: String,
        /// What the chain said.
        text: String,
    },
    /// The contract answers another language than this program speaks.
    #[error(
        "expected {what} from contract, found something else; use the release of concord that fits the contract"
    )]
    Answer {
        /// What was asked.
        what: &'static str,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A transaction was not sent, or has no known outcome.
    #[error("{}", unsent(.0))]
    Send(#[from] SendError),
    /// A transaction was refused.
    #[error("refused: {}", .0.told())]
    Refused(Refused),
    /// A deployment did not come about, or is another than the expected one.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A transaction's timeout height passed and it is in no block.
    #[error("the transaction is in no block and never will be; send it again")]
    Expired,
    /// The log does not prove what the contract's state says.
    #[error("the log is not verified")]
    Log(#[from] LogError),
    /// The agent did not start, or cannot go on.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The demo could not be shown to its end.
    #[error("the demo was not shown to its end")]
    Demo(#[from] DemoError),
    /// The devnet did not start.
    #[error("the devnet did not start")]
    Devnet(#[from] DevnetError),
    /// The devnet's genesis file is not usable.
    #[error("expected a genesis file at {}: {detail}; docs/genesis.example.json is one", path.display())]
    Genesis {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// A bundle cannot be made, or does not prove what it should.
    #[error("the bundle proves nothing")]
    Bundle(#[from] BundleError),
    /// No agent answers on this host.
    #[error("no agent answers at {url}: {why}; start it, or correct http.listen")]
    NoAgent {
        /// Its page.
        url: String,
        /// Why not.
        why: String,
    },
    /// The system said no.
    #[error("cannot {action}")]
    System {
        /// What was tried.
        action: String,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// All was done, and what came out is not what was expected.
    #[error("{0}")]
    Unexpected(String),
}

impl CliError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Usage(_) | Self::Draft(_) | Self::Genesis { .. } => Exit::Usage,
            Self::Key(error) | Self::KeyFile { source: error, .. } => of_key(error),
            Self::KeyTaken { .. } => Exit::Key,
            Self::Deploy(DeployError::Other { .. }) => Exit::Unexpected,
            Self::Deploy(DeployError::NoCode { .. }) => Exit::Chain,
            Self::Deploy(_) => Exit::Usage,
            Self::Chain { source, .. } => of_rpc(source),
            Self::Answer { .. } | Self::NoCoordinator { .. } | Self::Send(SendError::Gas { .. }) => {
                Exit::Chain
            }
            Self::Send(SendError::Rpc(error)) => of_rpc(error),
            Self::Send(SendError::Key(error)) => of_key(error),
            Self::Send(SendError::Sign(_) | SendError::Address(_)) => Exit::Usage,
            Self::Send(SendError::NoAccount { .. }) | Self::Refused(_) | Self::NoAnswer { .. } => {
                Exit::Refused
            }
            Self::Send(SendError::Sequence { .. } | SendError::Pending { .. }) | Self::Expired => {
                Exit::Unsettled
            }
            Self::Log(LogError::Chain { source, .. }) => of_rpc(source),
            Self::Log(LogError::Beyond { .. }) => Exit::Usage,
            Self::Log(error) if error.is_mismatch() => Exit::Unexpected,
            Self::Log(_) => Exit::Chain,
            Self::Demo(_) => Exit::Failure,
            Self::Agent(error) => of_agent(error),
            Self::Devnet(DevnetError::Config { .. } | DevnetError::Genesis { .. }) => Exit::Usage,
            Self::Devnet(_) | Self::System { .. } => Exit::Failure,
            Self::NoAgent { .. } => Exit::Failure,
            Self::Bundle(BundleError::Unreadable(_) | BundleError::Form { .. }) => Exit::Usage,
            Self::Bundle(_) | Self::Unexpected(_) => Exit::Unexpected,
        }
    }

    /// A question without an answer: the contract's own words where it refused, else the way's.
    #[must_use]
    pub fn unanswered(what: &'static str, source: RpcError) -> Self {
        match source {
            RpcError::Query { log, .. } => Self::NoAnswer { text: own_words(&log).to_owned() },
            source => Self::Chain { what, source },
        }
    }

    /// The error as an object, for `--json`.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut causes = causes(self);
        let message = if causes.is_empty() { String::new() } else { causes.remove(0) };
        let exit = self.exit();
        json!({"error": {"kind": exit.word(), "message": message, "causes": causes, "exit_code": exit.code()}})
    }
}

/// What is known of a transaction that did not come to its end.
fn unsent(error: &SendError) -> &'static str {
    match error {
        SendError::Key(_)
        | SendError::Sign(_)
        | SendError::Address(_)
        | SendError::NoAccount { .. }
        | SendError::Gas { .. } => "the transaction was not sent",
        SendError::Rpc(_) | SendError::Sequence { .. } | SendError::Pending { .. } => {
            "the transaction was not settled"
        }
    }
}

/// What the contract said, without what wasmd and gRPC put around it.
fn own_words(log: &str) -> &str {
    let text = log.split_once("desc = ").map_or(log, |(_, rest)| rest);
    text.find(": query wasm contract failed").and_then(|end| text.get(..end)).unwrap_or(text)
}

fn of_agent(error: &AgentError) -> Exit {
    match error {
        AgentError::Key(error) => of_key(error),
        AgentError::Rpc(error) => of_rpc(error),
        AgentError::View(_) => Exit::Chain,
        AgentError::Store(StoreError::Unfit { .. } | StoreError::Unreadable { .. })
        | AgentError::NotInitialised { .. }
        | AgentError::NeverRan { .. }
        | AgentError::NotOwner { .. }
        | AgentError::Initialised { .. }
        | AgentError::NoPlatform { .. }
        | AgentError::Check(_) => Exit::Usage,
        AgentError::NotBaseline { .. } => Exit::Unexpected,
        _ => Exit::Failure,
    }
}

fn of_rpc(error: &RpcError) -> Exit {
    match error {
        RpcError::Query { .. } => Exit::Refused,
        RpcError::Endpoints { .. } => Exit::Usage,
        RpcError::Distrusted { .. } => Exit::Unexpected,
        _ => Exit::Chain,
    }
}

fn of_key(error: &KeyError) -> Exit {
    match error {
        KeyError::Address(_) => Exit::Usage,
        KeyError::File { .. }
        | KeyError::Mode { .. }
        | KeyError::Owner { .. }
        | KeyError::NoFile { .. }
        | KeyError::Sealed { .. }
        | KeyError::Passphrase { .. }
        | KeyError::PassphraseLength { .. }
        | KeyError::Content { .. } => Exit::Key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_refusal_of_a_question_comes_out_bare() {
        for (log, words) in [
            (
                "rpc error: code = Unknown desc = there is no proposal \"1\": query wasm contract failed: unknown request",
                "there is no proposal \"1\"",
            ),
            ("there is no node 3: query wasm contract failed", "there is no node 3"),
            ("codespace wasm code 22: no such contract", "codespace wasm code 22: no such contract"),
            ("", ""),
        ] {
            assert_eq!(own_words(log), words);
        }
        let query = RpcError::Query { codespace: "sdk".into(), code: 6, log: "no".into() };
        assert_eq!(CliError::unanswered("x", query).exit(), Exit::Refused);
        let behind = RpcError::Behind { endpoint: "n".into(), asked: 2, latest: 1 };
        assert_eq!(CliError::unanswered("x", behind).exit(), Exit::Chain);
    }

    #[test]
    fn causes_are_told_once_and_in_order() {
        let source = RpcError::Behind { endpoint: "n".into(), asked: 2, latest: 1 };
        let error = CliError::Send(SendError::Rpc(source));
        let texts =
            ["the transaction was not settled", "n is behind: asked for height 2, it has 1; wait for it"];
        assert_eq!(causes(&error), texts);
        assert_eq!(error.json()["error"]["causes"], json!([texts[1]]));
        assert_eq!(error.exit(), Exit::Chain);
    }
}
