//! `log verify`: the chain of hashes, from the head that the contract's state holds back to its beginning (LOG-1).
//!
//! Every entry names the height of the one before, and is named by its hash in the one after. So the walk goes
//! backwards from the head: an entry is believed when its hash is the one that the next entry, already believed, was
//! chained to. The first one that is not is exactly the one that was changed.

use std::future::Future;

use concord_schema::event::{EventError, TYPE, read_entry};
use concord_schema::log::{Entry, Head};
use concord_schema::{Digest, keys};
use serde::Serialize;

use crate::chain::{Address, Chain, Rpc, RpcError};

/// Why the log is not verified.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The chain could not be asked.
    #[error("cannot read {what}")]
    Chain {
        /// What was asked for.
        what: String,
        /// Why there is no answer.
        #[source]
        source: RpcError,
    },
    /// The contract holds no head of a log.
    #[error(
        "expected the head of a log in the contract's state at height {height}, found none; check the contract's address"
    )]
    NoHead {
        /// The state that was read.
        height: u64,
    },
    /// The log is shorter than what is asked for.
    #[error(
        "expected a first entry of 1 to {seq}, the newest one, found {from}; give a lower one with --from"
    )]
    Beyond {
        /// The first entry that was asked for.
        from: u64,
        /// The newest entry.
        seq: u64,
    },
    /// The head is none of this language.
    #[error("expected the head of a log in the contract's state, found something else")]
    Head(#[source] serde_json::Error),
    /// The nodes removed blocks that hold entries.
    #[error(
        "block {height} with entry {seq} is pruned, the lowest block kept is {lowest}; use a node that keeps it, or verify from entry {from} on, which is proved"
    )]
    Pruned {
        /// The block.
        height: u64,
        /// The newest entry in it.
        seq: u64,
        /// The lowest block that any node keeps.
        lowest: u64,
        /// Entries from this one on are verified.
        from: u64,
    },
    /// An entry cannot be read.
    #[error("block {height} holds an event of the contract that is no entry")]
    Event {
        /// The block.
        height: u64,
        /// What is wrong with it.
        #[source]
        source: EventError,
    },
    /// An entry is not where the chain of hashes says.
    #[error("expected entry {seq} in block {height}, found {}", found.map_or("none".to_owned(), |seq| format!("entry {seq}")))]
    Missing {
        /// Its number.
        seq: u64,
        /// The block.
        height: u64,
        /// What stands in its place.
        found: Option<u64>,
    },
    /// An entry is not the one that was chained.
    #[error(
        "entry {seq} ({kind}) in block {height} hashes to {found}, expected {expected}: it is not what the contract wrote"
    )]
    Mismatch {
        /// Its number.
        seq: u64,
        /// The block.
        height: u64,
        /// Its kind, as found.
        kind: String,
        /// The hash that the entry after it, or the head, holds.
        expected: Digest,
        /// The hash of what was found.
        found: Digest,
    },
    /// The first entry follows something.
    #[error("expected entry 1 to follow nothing, found that it follows {prev} of block {prev_height}")]
    Beginning {
        /// What it claims to follow.
        prev: Digest,
        /// And where.
        prev_height: u64,
    },
}

impl LogError {
    /// All was read, and it is not the log that the contract wrote.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        match self {
            Self::Event { .. } | Self::Missing { .. } | Self::Mismatch { .. } | Self::Beginning { .. } => {
                true
            }
            Self::Chain { .. }
            | Self::NoHead { .. }
            | Self::Beyond { .. }
            | Self::Head(_)
            | Self::Pruned { .. } => false,
        }
    }

    /// The number of the entry that it is about.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Pruned { seq, .. } | Self::Missing { seq, .. } | Self::Mismatch { seq, .. } => Some(*seq),
            Self::Beginning { .. } => Some(1),
            Self::Chain { .. }
            | Self::NoHead { .. }
            | Self::Beyond { .. }
            | Self::Head(_)
            | Self::Event { .. } => None,
        }
    }
}

/// A verified log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Entries that were re-hashed.
    pub count: u64,
    /// The first of them; 1 for the whole log.
    pub from: u64,
    /// Number of the newest entry.
    pub seq: u64,
    /// The head's hash, read from the contract's state.
    pub head: Digest,
    /// The block of the newest entry.
    pub height: u64,
    /// Blocks that were read.
    pub blocks: u64,
}

/// Where a log is read from. A port, so that the walk is tried on fabricated chains.
pub trait LogSource: Sync {
    /// The head that the contract's state holds.
    ///
    /// # Errors
    /// [`LogError::Chain`], [`LogError::NoHead`], [`LogError::Head`].
    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send;

    /// The entries of one block, in the order of the chain.
    ///
    /// # Errors
    /// [`LogError::Chain`] and [`LogError::Event`]; a pruned block is [`RpcError::Pruned`] inside of it.
    fn entries(&self, height: u64) -> impl Future<Output = Result<Vec<Entry>, LogError>> + Send;
}

/// A contract's log on its chain.
struct OnChain<'c> {
    rpc: &'c Rpc,
    contract: &'c Address,
}

impl LogSource for OnChain<'_> {
    async fn head(&self) -> Result<Head, LogError> {
        let failed = |source| LogError::Chain { what: "the log's head".to_owned(), source };
        let height = self.rpc.head().await.map_err(failed)?.height;
        let key = keys::LOG_HEAD.as_bytes();
        let raw = self.rpc.raw(self.contract, key, height).await.map_err(failed)?;
        serde_json::from_slice(&raw.ok_or(LogError::NoHead { height })?).map_err(LogError::Head)
    }

    async fn entries(&self, height: u64) -> Result<Vec<Entry>, LogError> {
        let events = self
            .rpc
            .block_events(height, self.contract)
            .await
            .map_err(|source| LogError::Chain { what: format!("the results of block {height}"), source })?;
        let kind = format!("wasm-{TYPE}");
        let entries = events.iter().filter(|event| event.kind == kind);
        entries
            .map(|event| read_entry(&event.attributes).map_err(|source| LogError::Event { height, source }))
            .collect()
    }
}

/// Verifies the whole log of a contract.
///
/// # Errors
/// [`LogError`] names the exact entry or block.
pub async fn verify_log(rpc: &Rpc, contract: &Address) -> Result<LogReport, LogError> {
    verify_log_from(rpc, contract, 1, &mut |_| ()).await
}

/// Verifies a log from entry `from` on; `tell` hears the number of each verified entry, the newest one first.
///
/// # Errors
/// As [`verify_log`].
pub async fn verify_log_from(
    rpc: &Rpc,
    contract: &Address,
    from: u64,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<LogReport, LogError> {
    walk(&OnChain { rpc, contract }, from, tell).await
}

/// Verifies a log from any source.
///
/// # Errors
/// As [`verify_log`].
pub async fn walk(
    source: &impl LogSource,
    from: u64,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<LogReport, LogError> {
    let head = source.head().await?;
    if from == 0 || from > head.seq.max(1) {
        return Err(LogError::Beyond { from, seq: head.seq });
    }
    let mut report =
        LogReport { count: 0, from, seq: head.seq, head: head.hash, height: head.height, blocks: 0 };
    let mut step = Step { seq: head.seq, hash: head.hash, height: head.height };
    while step.seq >= from {
        let entries = source.entries(step.height).await.map_err(|error| pruned(error, step.seq))?;
        report.blocks += 1;
        step = step.through(&entries, from, &mut |seq| {
            report.count += 1;
            tell(seq);
        })?;
    }
    Ok(report)
}

/// What the walk expects next.
#[derive(Clone, Copy)]
struct Step {
    /// Number of the entry.
    seq: u64,
    /// Its hash.
    hash: Digest,
    /// Its block.
    height: u64,
}

impl Step {
    /// Believes the entries of one block, the newest one first; what is expected before them.
    fn through(mut self, entries: &[Entry], from: u64, tell: &mut dyn FnMut(u64)) -> Result<Self, LogError> {
        let block = self.height;
        let mut newest_first = entries.iter().rev();
        while self.seq >= from && self.height == block {
            let (seq, height) = (self.seq, block);
            let entry = newest_first.next().ok_or(LogError::Missing { seq, height, found: None })?;
            if entry.seq != seq {
                return Err(LogError::Missing { seq, height, found: Some(entry.seq) });
            }
            let found = entry.hash();
            if found != self.hash {
                let kind = entry.kind.chars().take(64).collect();
                return Err(LogError::Mismatch { seq, height, kind, expected: self.hash, found });
            }
            tell(seq);
            let (prev, prev_height) = (entry.prev, entry.prev_height);
            if seq == 1 && (prev != Digest::default() || prev_height != 0) {
                return Err(LogError::Beginning { prev, prev_height });
            }
            self = Self { seq: seq.saturating_sub(1), hash: prev, height: prev_height };
        }
        // What is left in the block was never chained. With `from` inside of the block it may be older entries.
        match newest_first.next() {
            Some(entry) if self.seq >= from || self.seq == 0 => {
                Err(LogError::Missing { seq: self.seq, height: self.height, found: Some(entry.seq) })
            }
            _ => Ok(self),
        }
    }
}

fn pruned(error: LogError, seq: u64) -> LogError {
    match error {
        LogError::Chain { source: RpcError::Pruned { height, lowest, .. }, .. } => {
            LogError::Pruned { height, seq, lowest, from: seq.saturating_add(1) }
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "log/tests.rs"]
mod tests;
