//! The contract's log as it grows: read block by block, kept whole, waited on by acts and read by the judge.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use concord_schema::event::{TYPE, read_entry};
use concord_schema::log::Entry;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::error::DemoError;
use crate::chain::{Address, Chain, Rpc};
use crate::cli::output::short;

/// From one look at the tip to the next: less than half a block.
const INTERVAL: Duration = Duration::from_millis(40);
/// More entries than this are not kept; the demo writes a few hundred.
const ENTRIES_MAX: usize = 20_000;

/// The log so far; its reader ends with it.
#[derive(Debug)]
pub(crate) struct History {
    entries: Arc<Mutex<Vec<Entry>>>,
    read_to: watch::Receiver<u64>,
    reader: AbortHandle,
}

impl Drop for History {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl History {
    /// Starts to read from block `from_height` on.
    #[must_use]
    pub(crate) fn start(rpc: Rpc, contract: Address, from_height: u64) -> Self {
        let entries = Arc::new(Mutex::new(Vec::new()));
        let (told, read_to) = watch::channel(from_height.saturating_sub(1));
        let reader = tokio::spawn(read(rpc, contract, Arc::clone(&entries), told)).abort_handle();
        Self { entries, read_to, reader }
    }

    /// All entries so far.
    #[must_use]
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `found` finds something in the entries.
    ///
    /// # Errors
    /// [`DemoError::Late`] after `within`.
    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        within: Duration,
        mut found: impl FnMut(&[Entry]) -> Option<T>,
    ) -> Result<T, DemoError> {
        let mut read_to = self.read_to.clone();
        let waited = tokio::time::timeout(within, async {
            loop {
                let answer = found(&self.entries.lock().unwrap_or_else(PoisonError::into_inner));
                if let Some(answer) = answer {
                    return Some(answer);
                }
                read_to.changed().await.ok()?;
            }
        });
        let late = || DemoError::Late {
            what: what.to_owned(),
            seconds: within.as_secs(),
            last: self.entries().last().map_or_else(|| "the log is empty".to_owned(), line),
        };
        waited.await.ok().flatten().ok_or_else(late)
    }
}

/// An entry in one line.
#[must_use]
pub(crate) fn line(entry: &Entry) -> String {
    let fields: Vec<String> =
        entry.fields.iter().map(|(name, value)| format!("{name} {}", short(value))).collect();
    format!("{} at height {}: {}", entry.kind, entry.height, fields.join(", "))
}

async fn read(rpc: Rpc, contract: Address, entries: Arc<Mutex<Vec<Entry>>>, told: watch::Sender<u64>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A failing call is made again in a moment: who waits on the log has a limit of his own.
        let Ok(head) = rpc.head().await else { continue };
        let mut height = *told.borrow();
        while height < head.height {
            let Ok(events) = rpc.block_events(height.saturating_add(1), &contract).await else { break };
            let kind = format!("wasm-{TYPE}");
            let ours = events.iter().filter(|event| event.kind == kind);
            // What cannot be read is missing here, and then `log verify` fails.
            let new: Vec<Entry> = ours.filter_map(|event| read_entry(&event.attributes).ok()).collect();
            let mut kept = entries.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len().saturating_add(new.len()) <= ENTRIES_MAX {
                kept.extend(new);
            }
            drop(kept);
            height = height.saturating_add(1);
            if told.send(height).is_err() {
                return;
            }
        }
    }
}

/// An entry's field.
#[must_use]
pub(crate) fn field<'e>(entry: &'e Entry, name: &str) -> Option<&'e str> {
    entry.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// An entry's field as a number.
#[must_use]
pub(crate) fn number(entry: &Entry, name: &str) -> Option<u64> {
    field(entry, name)?.parse().ok()
}

/// Is it an entry of this kind and rollout?
#[must_use]
pub(crate) fn is_of(entry: &Entry, kind: &str, rollout: u64) -> bool {
    entry.kind == kind && number(entry, "rollout") == Some(rollout)
}
