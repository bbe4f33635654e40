//! Versioned storage: what the chain holds now, and what it held at each of the last heights.
//!
//! [`VersionedStore`] lies under cw-multi-test on the chain's own thread. [`History`] is shared
//! with the readers, so a raw read never waits for a block that is being made.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cosmwasm_std::{Order, Record, Storage};
use thiserror::Error;

/// The last heights at which a raw read is answered.
pub(crate) const WINDOW_BLOCKS: u64 = 1_000;

/// One key and its value after a block; `None` is a deletion.
pub(crate) type Change = (Vec<u8>, Option<Vec<u8>>);

/// The storage under cw-multi-test: the current values, an undo log of the open transaction and
/// the values that the open block found under the keys it has written.
#[derive(Default)]
pub(crate) struct VersionedStore {
    current: BTreeMap<Vec<u8>, Vec<u8>>,
    before_block: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    undo: Option<Vec<Change>>,
}

impl VersionedStore {
    /// Opens a transaction; one that was open is kept and closed.
    pub(crate) fn begin(&mut self) {
        self.undo = Some(Vec::new());
    }

    /// Closes the open transaction and keeps what it wrote.
    pub(crate) fn keep(&mut self) {
        self.undo = None;
    }

    /// Closes the open transaction and restores every value it wrote, last write first.
    pub(crate) fn roll_back(&mut self) {
        for (key, value) in self.undo.take().unwrap_or_default().into_iter().rev() {
            match value {
                Some(value) => self.current.insert(key, value),
                None => self.current.remove(&key),
            };
        }
    }

    /// Ends the block: the keys whose values are other than before it, in key order. What a
    /// transaction wrote and took back is no change.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let before_block = std::mem::take(&mut self.before_block);
        before_block
            .into_iter()
            .filter(|(key, before)| self.current.get(key) != before.as_ref())
            .map(|(key, _)| {
                let value = self.current.get(&key).cloned();
                (key, value)
            })
            .collect()
    }

    fn write(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        let before = match value {
            Some(value) => self.current.insert(key.to_vec(), value),
            None => self.current.remove(key),
        };
        if let Some(undo) = &mut self.undo {
            undo.push((key.to_vec(), before.clone()));
        }
        if !self.before_block.contains_key(key) {
            self.before_block.insert(key.to_vec(), before);
        }
    }
}

impl Storage for VersionedStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.current.get(key).cloned()
    }

    fn range<'a>(
        &'a self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Record> + 'a> {
        // BTreeMap refuses a range that runs backwards, a contract may ask for one: it is empty.
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            return Box::new(std::iter::empty());
        }
        let start = start.map_or(Bound::Unbounded, Bound::Included);
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let rows =
            self.current.range::<[u8], _>((start, end)).map(|(key, value)| (key.clone(), value.clone()));
        match order {
            Order::Ascending => Box::new(rows),
            Order::Descending => Box::new(rows.rev()),
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.write(key, Some(value.to_vec()));
    }

    fn remove(&mut self, key: &[u8]) {
        self.write(key, None);
    }
}

/// Why a read at a height has no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum HistoryError {
    /// The height is older than the window.
    #[error(
        "failed to load state at height {height}; version does not exist (latest height: {latest}, lowest height: {lowest})"
    )]
    Pruned { height: u64, lowest: u64, latest: u64 },
    /// The height has not been reached.
    #[error(
        "cannot query with height in the future; please provide a valid height (asked: {height}, latest height: {latest})"
    )]
    Future { height: u64, latest: u64 },
}

/// The height that was read and the value after it.
pub(crate) type Reading = (u64, Option<Arc<[u8]>>);

type Versions = VecDeque<(u64, Option<Arc<[u8]>>)>;

#[derive(Default)]
struct HistoryRows {
    latest: u64,
    versions: HashMap<Arc<[u8]>, Versions>,
    changes: VecDeque<(u64, Vec<Arc<[u8]>>)>,
}

/// The versions of every key over the last [`WINDOW_BLOCKS`] heights, shared with the readers.
#[derive(Default)]
pub(crate) struct History {
    rows: RwLock<HistoryRows>,
}

impl History {
    /// Records the changes of block `height` and forgets what no height of the window needs.
    pub(crate) fn record(&self, height: u64, changes: Vec<Change>) {
        let mut rows = self.write();
        if !changes.is_empty() {
            let mut keys = Vec::with_capacity(changes.len());
            for (key, value) in changes {
                let key: Arc<[u8]> = key.into();
                rows.versions.entry(Arc::clone(&key)).or_default().push_back((height, value.map(Arc::from)));
                keys.push(key);
            }
            rows.changes.push_back((height, keys));
        }
        rows.latest = height;
        rows.prune();
    }

    /// The value of a key after block `height` was executed; `None` when it was absent.
    /// Without a height the latest is read. The height that was read comes back with the value.
    ///
    /// # Errors
    /// [`HistoryError`] when the height is outside of the window.
    pub(crate) fn read(&self, key: &[u8], height: Option<u64>) -> Result<Reading, HistoryError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let height = rows.resolve(height)?;
        let value = rows.versions.get(key).and_then(|versions| {
            let after = versions.partition_point(|(at, _)| *at <= height);
            let (_, value) = versions.get(after.checked_sub(1)?)?;
            value.clone()
        });
        Ok((height, value))
    }

    /// The latest height that readers see.
    pub(crate) fn latest(&self) -> u64 {
        self.read_rows().latest
    }

    fn read_rows(&self) -> RwLockReadGuard<'_, HistoryRows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HistoryRows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistoryRows {
    fn lowest(&self) -> u64 {
        self.latest.saturating_sub(WINDOW_BLOCKS - 1).max(1)
    }

    fn resolve(&self, height: Option<u64>) -> Result<u64, HistoryError> {
        let (latest, lowest) = (self.latest, self.lowest());
        match height {
            None | Some(0) => Ok(latest),
            Some(height) if height > latest => Err(HistoryError::Future { height, latest }),
            Some(height) if height < lowest => Err(HistoryError::Pruned { height, lowest, latest }),
            Some(height) => Ok(height),
        }
    }

    fn prune(&mut self) {
        let lowest = self.lowest();
        while let Some((height, keys)) = self.changes.pop_front_if(|(height, _)| *height <= lowest) {
            for key in keys {
                self.prune_key(&key, height);
            }
        }
    }

    /// A change at or below the lowest height hides every older version of its key from all
    /// heights that can still be asked for.
    fn prune_key(&mut self, key: &[u8], height: u64) {
        let Some(versions) = self.versions.get_mut(key) else {
            return;
        };
        while versions.pop_front_if(|(at, _)| *at < height).is_some() {}
        if versions.front().is_some_and(|(_, value)| value.is_none()) {
            versions.pop_front();
        }
        if versions.is_empty() {
            self.versions.remove(key);
        }
    }
}

/// The key under which cw-multi-test keeps one key of one contract: two length-prefixed
/// namespaces, `wasm` and `contract_data/<address>`, then the key itself.
pub(crate) fn contract_key(contract: &str, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(32 + contract.len() + key.len());
    for namespace in ["wasm".to_owned(), format!("contract_data/{contract}")] {
        // A contract's address is far below the 65,535 bytes that the prefix can tell.
        let length = u16::try_from(namespace.len()).unwrap_or(u16::MAX);
        full.extend_from_slice(&length.to_be_bytes());
        full.extend_from_slice(namespace.as_bytes());
    }
    full.extend_from_slice(key);
    full
}

#[cfg(test)]
mod tests;
