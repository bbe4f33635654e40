//! The guard of a validator's signatures (design 5, "Cosmos driver", `signer = local`): no daemon is started on a signer's
//! state that is older than one that was seen here before, since it could sign a height for the second time.
//!
//! CometBFT keeps the last height, round and step that it signed in `priv_validator_state.json`. The agent never writes
//! that file; it remembers the highest mark in a file of its own, durably, after each stop and before each start.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::durable::{DiskError, replace_file};

mod turn;

pub use turn::Turn;

/// No state is longer than this: it holds one vote and its signature.
const STATE_BYTES_MAX: u64 = 1 << 20;
const MODE: u32 = 0o600;

/// The last vote that was signed. Marks are ordered as votes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Its height.
    pub height: u64,
    /// Its round.
    pub round: u32,
    /// 1 for a proposal, 2 for a prevote, 3 for a precommit.
    pub step: u8,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "height {}, round {}, step {}", self.height, self.round, self.step)
    }
}

/// Why nothing may be started.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The file cannot be read.
    #[error("cannot read the signer's state {}; without it nothing is started", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The file does not say what was signed.
    #[error("expected a signer's state in {}: {why}; nothing is started", path.display())]
    Unclear {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The state is older than one that was seen before.
    #[error(
        "the signer's state {} went back: expected at least {kept}, found {found}; nothing is started, as it could sign \
         twice; bring the newer file back, or remove {} if this key signed nothing above that",
        path.display(), memory.display()
    )]
    WentBack {
        /// The state.
        path: PathBuf,
        /// What the agent remembers.
        memory: PathBuf,
        /// The highest mark that was seen.
        kept: Mark,
        /// The mark of now.
        found: Mark,
    },
    /// The mark cannot be remembered.
    #[error("the signer's mark was not kept; nothing is started")]
    NotKept(#[from] DiskError),
}

/// As CometBFT writes it.
#[derive(Deserialize)]
struct State {
    #[serde(default)]
    height: Option<String>,
    round: u32,
    step: u8,
}

/// A validator that signs on this host.
#[derive(Clone, Debug)]
pub struct Signer {
    /// What must hold before it is started.
    pub guard: SignerGuard,
    /// When it is best stopped, where that is to be waited for.
    pub turn: Option<Turn>,
}

/// The guard of one validator.
#[derive(Clone, Debug)]
pub struct SignerGuard {
    state: PathBuf,
    memory: PathBuf,
}

impl SignerGuard {
    /// A guard over the file `state`, that remembers in the file `memory`.
    #[must_use]
    pub fn new(state: PathBuf, memory: PathBuf) -> Self {
        Self { state, memory }
    }

    /// Compares the state with the highest mark so far, and keeps the higher one durably.
    ///
    /// # Errors
    /// [`SignerError`]: nothing may be started.
    pub fn check(&self) -> Result<Mark, SignerError> {
        let found = self.read_state()?;
        match self.read_memory()? {
            Some(kept) if found < kept => Err(SignerError::WentBack {
                path: self.state.clone(),
                memory: self.memory.clone(),
                kept,
                found,
            }),
            Some(kept) if found == kept => Ok(found),
            Some(_) | None => {
                let text = serde_json::to_vec(&found).map_err(|error| unclear(&self.memory, error))?;
                replace_file(&self.memory, &text, MODE)?;
                Ok(found)
            }
        }
    }

    fn read_state(&self) -> Result<Mark, SignerError> {
        let bytes = read(&self.state)
            .map_err(|source| SignerError::Unreadable { path: self.state.clone(), source })?;
        let state: State = serde_json::from_slice(&bytes).map_err(|error| unclear(&self.state, error))?;
        // CometBFT leaves the height out of the state of a key that has signed nothing.
        let height = state.height.as_deref().unwrap_or("0").parse();
        let height = height.map_err(|error| unclear(&self.state, error))?;
        Ok(Mark { height, round: state.round, step: state.step })
    }

    fn read_memory(&self) -> Result<Option<Mark>, SignerError> {
        match read(&self.memory) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| unclear(&self.memory, error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SignerError::Unreadable { path: self.memory.clone(), source }),
        }
    }
}

fn unclear(path: &Path, error: impl std::fmt::Display) -> SignerError {
    SignerError::Unclear { path: path.to_path_buf(), why: error.to_string() }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(STATE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(folder: &Path) -> SignerGuard {
        SignerGuard::new(folder.join("priv_validator_state.json"), folder.join("signer.json"))
    }

    fn sign(folder: &Path, height: u64, round: u32, step: u8) {
        let text =
            format!(r#"{{"height": "{height}", "round": {round}, "step": {step}, "signature": "AA=="}}"#);
        std::fs::write(folder.join("priv_validator_state.json"), text).unwrap();
    }

    #[test]
    fn a_state_that_went_back_by_height_round_or_step_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(folder.path());
        for (height, round, step, good) in [
            (7, 0, 3, true),
            (7, 0, 3, true),
            (7, 0, 2, false),
            (6, 9, 3, false),
            (7, 1, 1, true),
            (7, 0, 3, false),
            (8, 0, 1, true),
            (7, 1, 3, false),
            (8, 0, 1, true),
        ] {
            sign(folder.path(), height, round, step);
            let checked = guard.check();
            assert_eq!(checked.is_ok(), good, "{height}/{round}/{step}: {checked:?}");
            if let Err(error) = checked {
                assert!(matches!(error, SignerError::WentBack { .. }), "{error}");
            }
        }
    }

    #[test]
    fn a_state_that_is_gone_or_says_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(folder.path());
        let state = folder.path().join("priv_validator_state.json");
        assert!(matches!(guard.check(), Err(SignerError::Unreadable { .. })));
        for text in [
            "",
            "{}",
            r#"{"height": "x", "round": 0, "step": 0}"#,
            r#"{"height": "1", "round": -1, "step": 0}"#,
        ] {
            std::fs::write(&state, text).unwrap();
            assert!(matches!(guard.check(), Err(SignerError::Unclear { .. })), "{text}");
        }
        // As `init` of a chain writes it.
        std::fs::write(&state, r#"{"height": "0", "round": 0, "step": 0}"#).unwrap();
        assert_eq!(guard.check().unwrap(), Mark { height: 0, round: 0, step: 0 });
    }

    #[test]
    fn a_memory_that_is_broken_is_no_permission() {
        let folder = tempfile::tempdir().unwrap();
        sign(folder.path(), 7, 0, 3);
        std::fs::write(folder.path().join("signer.json"), "{").unwrap();
        assert!(matches!(guard(folder.path()).check(), Err(SignerError::Unclear { .. })));
    }
}
