//! What the agents' journals tell from outside: the newest stage and intent, and when a node was in its own switch.

use std::path::{Path, PathBuf};

use concord_decide::{Effect, Memory, Stage};

use super::outage::Window;
use crate::agent::JOURNAL;
use crate::agent::record::Record;
use crate::journal::{Journal, JournalError, Limits};

/// One agent's journal, read while the agent writes it.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    folder: PathBuf,
    /// Bytes of all segments when it was last read: a journal that did not grow says nothing new.
    bytes: u64,
}

/// The newest that a journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    /// The stage.
    pub(crate) stage: Stage,
    /// The rollout that it follows.
    pub(crate) rollout: u64,
    /// What is done next, in words.
    pub(crate) effects: Vec<&'static str>,
    /// The daemon that was started since.
    pub(crate) daemon: bool,
}

impl Follower {
    /// Follows the journal in an agent's folder.
    #[must_use]
    pub(crate) fn new(home: &Path) -> Self {
        Self { folder: home.join(JOURNAL), bytes: 0 }
    }

    /// All records.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub(crate) fn records(&self) -> Result<Vec<Record>, JournalError> {
        let contents = Journal::<Record>::inspect(&self.folder, Limits::default())?;
        Ok(contents.entries.into_iter().map(|entry| entry.record).collect())
    }

    /// What it says now; `None` before its first record.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub(crate) fn newest(&self) -> Result<Option<Newest>, JournalError> {
        Ok(newest(&self.records()?))
    }

    /// What it says now, if it has grown since the last call.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub(crate) fn news(&mut self) -> Result<Option<Newest>, JournalError> {
        let bytes = bytes_of(&self.folder);
        if bytes == self.bytes {
            return Ok(None);
        }
        self.bytes = bytes;
        self.newest()
    }
}

fn bytes_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "wal"))
        .filter_map(|file| file.metadata().ok())
        .map(|facts| facts.len())
        .sum()
}

fn newest(records: &[Record]) -> Option<Newest> {
    let step = |record: &Record| match record {
        Record::Step { memory, effects, .. } => {
            Some((memory.stage, memory.generation.rollout.0, names(effects)))
        }
        Record::Done { .. } | Record::Run { .. } | Record::Daemon { .. } => None,
    };
    let at = records.iter().rposition(|record| step(record).is_some())?;
    let (stage, rollout, effects) = step(records.get(at)?)?;
    let daemon = records.iter().skip(at).any(|record| matches!(record, Record::Daemon { .. }));
    Some(Newest { stage, rollout, effects, daemon })
}

fn names(effects: &[Effect]) -> Vec<&'static str> {
    effects.iter().map(Effect::name).collect()
}

/// When the node was in its own switches, going back included: from the intent to stop its daemon until a daemon has
/// passed a probe again. `ahead_ms` is what Unix milliseconds are ahead of the journal's clock.
#[must_use]
pub(crate) fn switches(records: &[Record], ahead_ms: u64) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for record in records {
        let Record::Step { at_ms, memory, effects } = record else { continue };
        let at_ms = at_ms.saturating_add(ahead_ms);
        let open = windows.last_mut().filter(|window| window.to_ms.is_none());
        let stops = effects.iter().any(|effect| matches!(effect, Effect::Stop { .. }));
        match open {
            Some(window) if is_up(memory) => window.to_ms = Some(at_ms),
            None if stops => windows.push(Window { from_ms: at_ms, to_ms: None }),
            _ => {}
        }
    }
    windows
}

/// Has the daemon of this stage passed a probe?
fn is_up(memory: &Memory) -> bool {
    memory.stage == Stage::OnTrial
        || (memory.stage.is_serving() && memory.stage != Stage::Contained { running: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_decide::Served;
    use concord_schema::Digest;

    fn step(at_ms: u64, stage: Stage, effects: Vec<Effect>) -> Record {
        let serves =
            Served { release: Digest::of(b"r"), version: "1.0.0".to_owned(), artifact: Digest::of(b"a") };
        let mut memory = Memory::new(serves);
        memory.stage = stage;
        Record::Step { at_ms, memory: Box::new(memory), effects }
    }

    #[test]
    fn a_switch_lasts_from_the_intent_to_stop_until_a_probe_passed() {
        let stop = || vec![Effect::Stop { run: 1 }];
        let records = [
            step(1, Stage::Armed, vec![]),
            step(10, Stage::Draining, stop()),
            step(20, Stage::Stopped, vec![Effect::Snapshot]),
            step(30, Stage::Booting, vec![]),
            step(40, Stage::OnTrial, vec![]),
            step(50, Stage::RollingBack, stop()),
            step(60, Stage::RolledBack, vec![]),
            step(70, Stage::Draining, stop()),
        ];
        let window = |from_ms, to_ms| Window { from_ms, to_ms };
        let expected = [window(1_010, Some(1_040)), window(1_050, Some(1_060)), window(1_070, None)];
        assert_eq!(switches(&records, 1_000), expected);
    }

    #[test]
    fn a_repeated_intent_does_not_open_a_second_switch_and_a_restored_node_is_up() {
        let stop = || vec![Effect::Stop { run: 1 }];
        let records = [
            step(10, Stage::Draining, stop()),
            step(20, Stage::Draining, stop()),
            step(30, Stage::Restoring, vec![]),
            step(40, Stage::Armed, vec![]),
        ];
        assert_eq!(switches(&records, 0), [Window { from_ms: 10, to_ms: Some(40) }]);
    }

    #[test]
    fn a_follower_tells_the_newest_intent_and_only_news() {
        let home = tempfile::tempdir().unwrap();
        let mut follower = Follower::new(home.path());
        assert_eq!(follower.news().unwrap(), None);
        let (mut journal, _) =
            Journal::<Record>::open(&home.path().join(JOURNAL), Limits::default()).unwrap();
        journal.append(&step(1, Stage::Snapshotted, vec![Effect::Switch { to: Digest::of(b"x") }])).unwrap();
        let newest = follower.news().unwrap().unwrap();
        assert_eq!(
            (newest.stage, newest.effects.as_slice(), newest.daemon),
            (Stage::Snapshotted, ["switch"].as_slice(), false)
        );
        assert_eq!(follower.news().unwrap(), None, "nothing new");
        journal.append(&Record::Done { effect: "switch".to_owned(), failed: None }).unwrap();
        assert_eq!(follower.news().unwrap().map(|newest| newest.stage), Some(Stage::Snapshotted));
    }
}
