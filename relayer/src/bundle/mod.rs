//! A decision to carry to a machine without a network: what nodes answered, so that the whole proof can be gone through
//! again there, from an anchor that its reader vouches for.
//!
//! A bundle believes nothing of its own: it holds answers by the names of their questions, and the same code judges them
//! that judges nodes. What it cannot hold is what happened after its height, and a witness: whoever exported it had one
//! or not.

mod export;
mod facts;
mod verify;

use std::collections::BTreeMap;

use concord_prove::{BLOCKS_MAX, Question, Reason, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use export::{Order, export};
pub use facts::{Decided, Facts};
pub use verify::{Verified, verify};

/// The form of bundles that this build writes and reads.
pub const VERSION: u32 = 1;
/// The longest bundle.
pub const BYTES_MAX: usize = 16 << 20;
/// The most answers in one: three for each block of the way, and some for facts.
const ANSWERS_MAX: usize = 4 * BLOCKS_MAX + 64;

/// Why a bundle cannot be made or believed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is no bundle.
    #[error("expected a bundle, found something else; export it anew")]
    Unreadable(#[source] serde_json::Error),
    /// It is too long or of another form.
    #[error("expected a bundle {expected}, found {found}; export it anew with this release")]
    Form {
        /// What this build reads.
        expected: String,
        /// As found.
        found: String,
    },
    /// It is about another deployment.
    #[error(
        "expected a bundle about {expected}, found one about {found}; export it from the right deployment"
    )]
    Foreign {
        /// What the reader named.
        expected: String,
        /// What the bundle names.
        found: String,
    },
    /// A step of the proof does not hold.
    #[error("the bundle does not prove {what}")]
    Unproved {
        /// What was to be proved.
        what: String,
        /// Why not.
        #[source]
        reason: Box<Reason>,
    },
    /// A fact that a proposal always has is proved to be absent, or there is no such proposal.
    #[error(
        "expected {what} in the state at height {height}, the chain proves that there is none; check the number"
    )]
    Absent {
        /// What.
        what: String,
        /// At which height.
        height: u64,
    },
    /// A proved fact that this release cannot read.
    #[error("{what} is proved and this release cannot read it; use the release that fits the contract")]
    Fact {
        /// What.
        what: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Facts that contradict each other.
    #[error("{0}")]
    Contradiction(String),
}

impl BundleError {
    fn unproved(what: impl Into<String>) -> impl FnOnce(Reason) -> Self {
        let what = what.into();
        move |reason| Self::Unproved { what, reason: Box::new(reason) }
    }
}

/// A bundle's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    version: u32,
    chain_id: String,
    contract: String,
    proposal: u64,
    /// The anchor's height: its hash is what the reader vouches for.
    anchor_height: u64,
    /// Heights of the headers from the anchor to the one that proves the state, in order.
    path: Vec<u64>,
    /// Answers of a node, by the names of their questions.
    answers: BTreeMap<String, Value>,
}

impl Bundle {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`BundleError::Unreadable`] and [`BundleError::Form`].
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let form = |expected: String, found: String| BundleError::Form { expected, found };
        if bytes.len() > BYTES_MAX {
            return Err(form(format!("of at most {BYTES_MAX} bytes"), format!("{} bytes", bytes.len())));
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(BundleError::Unreadable)?;
        if bundle.version != VERSION {
            return Err(form(format!("of form {VERSION}"), format!("form {}", bundle.version)));
        }
        let counts = (bundle.path.len(), bundle.answers.len());
        if counts.0 == 0 || counts.0 > BLOCKS_MAX || counts.1 > ANSWERS_MAX {
            let expected = format!("of 1 to {BLOCKS_MAX} headers and at most {ANSWERS_MAX} answers");
            return Err(form(expected, format!("{} and {}", counts.0, counts.1)));
        }
        Ok(bundle)
    }

    /// The bytes to write.
    ///
    /// # Errors
    /// [`BundleError::Form`] for a bundle that is too long.
    pub fn bytes(&self) -> Result<Vec<u8>, BundleError> {
        let bytes = serde_json::to_vec(self).map_err(BundleError::Unreadable)?;
        if bytes.len() > BYTES_MAX {
            let expected = format!("of at most {BYTES_MAX} bytes");
            return Err(BundleError::Form { expected, found: format!("{} bytes", bytes.len()) });
        }
        Ok(bytes)
    }
}

/// A bundle answers questions as the node did from which it was made.
impl Source for Bundle {
    fn label(&self) -> String {
        "the bundle".to_owned()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let name = question.name();
        let answer = self.answers.get(&name).ok_or_else(|| Reason::NoAnswer {
            why: format!("the bundle does not hold {}", name.chars().take(160).collect::<String>()),
        })?;
        Ok(answer.to_string().into_bytes())
    }
}
