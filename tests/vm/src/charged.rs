//! A store that charges what the chain's store charges.

use std::collections::BTreeMap;
use std::ops::Bound;

use concord_tests::counting::{GAS, PREFIX_BYTES};
use cosmwasm_std::{Order, Record};
use cosmwasm_vm::{BackendError, BackendResult, GasInfo, Storage};

/// What one unit of the chain's gas is in the machine's (wasmd, `x/wasm/types/gas_register.go`).
pub const GAS_MULTIPLIER: u64 = 140_000;

/// Records, as the chain keeps them.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// A range that is walked.
struct Walk {
    records: Vec<Record>,
    next: usize,
}

/// A store that charges (SDK 0.50 to 0.53, `store/gaskv`): each read, write and removal once and by the bytes of key and
/// value, the chain's prefix before the key included; and a range for each record that the chain looks at, one more than
/// are taken.
#[derive(Default)]
pub struct Charged {
    records: Records,
    walks: Vec<Walk>,
}

fn charge((once, byte): (u64, u64), bytes: usize) -> GasInfo {
    let bytes = u64::try_from(PREFIX_BYTES + bytes).unwrap_or(u64::MAX);
    GasInfo::with_externally_used(
        byte.saturating_mul(bytes).saturating_add(once).saturating_mul(GAS_MULTIPLIER),
    )
}

impl Walk {
    /// What it costs to stand before the next record.
    fn look(&self) -> GasInfo {
        match self.records.get(self.next) {
            Some((key, value)) => charge(GAS.next, key.len() + value.len()),
            None => GasInfo::with_externally_used(GAS.next.0 * GAS_MULTIPLIER),
        }
    }
}

impl Charged {
    /// A store of these records.
    #[must_use]
    pub fn of(records: Records) -> Self {
        Self { records, walks: Vec::new() }
    }

    /// Its records.
    #[must_use]
    pub fn into_records(self) -> Records {
        self.records
    }
}

impl Storage for Charged {
    fn get(&self, key: &[u8]) -> BackendResult<Option<Vec<u8>>> {
        let value = self.records.get(key).cloned();
        let gas = charge(GAS.read, key.len() + value.as_ref().map_or(0, Vec::len));
        (Ok(value), gas)
    }

    fn scan(&mut self, start: Option<&[u8]>, end: Option<&[u8]>, order: Order) -> BackendResult<u32> {
        let from = start.map_or(Bound::Unbounded, |key| Bound::Included(key.to_vec()));
        let to = end.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_vec()));
        let is_empty = matches!((start, end), (Some(start), Some(end)) if start >= end);
        let found = if is_empty { None } else { Some(self.records.range((from, to))) };
        let found = found.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
        let mut records: Vec<Record> = found.collect();
        if order == Order::Descending {
            records.reverse();
        }
        let walk = Walk { records, next: 0 };
        let gas = walk.look();
        self.walks.push(walk);
        (Ok(u32::try_from(self.walks.len()).unwrap_or(u32::MAX)), gas)
    }

    fn next(&mut self, id: u32) -> BackendResult<Option<Record>> {
        let place = usize::try_from(id).unwrap_or(usize::MAX).wrapping_sub(1);
        let Some(walk) = self.walks.get_mut(place) else {
            return (Err(BackendError::iterator_does_not_exist(id)), GasInfo::free());
        };
        let Some(record) = walk.records.get(walk.next).cloned() else {
            return (Ok(None), GasInfo::free());
        };
        walk.next += 1;
        (Ok(Some(record)), walk.look())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> BackendResult<()> {
        let gas = charge(GAS.write, key.len() + value.len());
        self.records.insert(key.to_vec(), value.to_vec());
        (Ok(()), gas)
    }

    fn remove(&mut self, key: &[u8]) -> BackendResult<()> {
        self.records.remove(key);
        (Ok(()), GasInfo::with_externally_used(GAS.remove * GAS_MULTIPLIER))
    }
}
