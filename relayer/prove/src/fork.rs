//! The evidence of a fork.

use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::trust::Trusted;

/// Two blocks of one height, both verified from one trusted header: somebody signed twice. It is kept whole, as it is
/// what a chain's own evidence is made of, and what operators show each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The header from which both were verified.
    pub common: Trusted,
    /// What the first source showed.
    pub first: Block,
    /// Who that was: host and port.
    pub first_source: String,
    /// What a witness showed.
    pub second: Block,
    /// Who that was: host and port.
    pub second_source: String,
}

impl Evidence {
    /// The height of the two blocks.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.first.height()
    }
}
