//! Watches the validators from outside: which processes run, and what each signer signed last.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use concord::act::signer::Mark;
use concord_schema::Digest;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::error::{StoryError, step};
use super::process::{self, Process};
use super::settings::{Settings, VALIDATORS, now_ms};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(20);

/// One process of a validator, as far as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// The validator.
    pub(crate) node: usize,
    /// SHA-256 of what it executes; `None` for one that ended before that could be read.
    pub(crate) digest: Option<Digest>,
    /// First seen, in Unix milliseconds.
    pub(crate) from_ms: u64,
    /// Last seen.
    pub(crate) to_ms: u64,
    process: Process,
}

/// All that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// How many looks were taken.
    pub(crate) looks: u64,
    /// The processes, in order of their begin.
    pub(crate) lives: Vec<Life>,
    /// When two processes of one validator were alive at once.
    pub(crate) doubles: Vec<String>,
    /// When two validators, or more, were down at once, from the handover on.
    pub(crate) most_down: usize,
    /// Each signer's marks in the order in which they were seen, and when, in Unix milliseconds.
    pub(crate) marks: [Vec<(Mark, u64)>; VALIDATORS],
}

impl Seen {
    /// Marks that are older than the one before.
    pub(crate) fn went_back(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (node, marks) in self.marks.iter().enumerate() {
            for pair in marks.windows(2) {
                if let [(before, _), (after, _)] = pair
                    && after < before
                {
                    found.push(format!("validator {node} from {before} to {after}"));
                }
            }
        }
        found
    }

    /// The digests that a validator executed from a time on, in order.
    pub(crate) fn ran(&self, node: usize, from_ms: u64) -> Vec<Digest> {
        let lives = self.lives.iter().filter(|life| life.node == node && life.to_ms >= from_ms);
        let mut digests: Vec<Digest> = lives.filter_map(|life| life.digest).collect();
        digests.dedup();
        digests
    }

    /// When a signer first signed anything after a time.
    pub(crate) fn signed_after(&self, node: usize, after_ms: u64) -> Option<u64> {
        let marks = self.marks.get(node)?;
        marks.iter().map(|(_, at_ms)| *at_ms).find(|at_ms| *at_ms > after_ms)
    }

    /// When the process of a validator ended that ran at a time.
    pub(crate) fn stopped(&self, node: usize, at_ms: u64) -> Option<u64> {
        let of_node = |life: &&Life| life.node == node && life.from_ms <= at_ms && at_ms <= life.to_ms;
        let life = self.lives.iter().find(of_node)?;
        let later = self.lives.iter().any(|other| other.node == node && other.from_ms > life.to_ms);
        later.then_some(life.to_ms)
    }
}

/// As CometBFT writes it.
#[derive(Deserialize)]
struct State {
    height: String,
    round: u32,
    step: u8,
}

/// The witness at work; dropping it ends it.
pub(crate) struct Witness {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Witness {
    /// Begins to look, in a thread of its own: a busy runtime must not blind it.
    ///
    /// # Errors
    /// [`StoryError`] when the thread cannot be started.
    pub(crate) fn start(settings: &Settings) -> Result<Self, StoryError> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let homes: Vec<PathBuf> = (0..VALIDATORS).map(|node| settings.home(node)).collect();
        let signers: Vec<PathBuf> = (0..VALIDATORS).map(|node| settings.signer(node)).collect();
        let work = move || {
            let mut digests = BTreeMap::new();
            while !stopped.load(Ordering::Relaxed) {
                let marks: Vec<_> = signers.iter().map(mark).collect();
                let running = process::daemons(&homes);
                let executed: Vec<_> =
                    running.iter().map(|(_, process)| digest(process, &mut digests)).collect();
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                seen.look(&running, &executed, &marks, now_ms());
                drop(seen);
                std::thread::sleep(INTERVAL);
            }
        };
        let named = std::thread::Builder::new().name("witness".to_owned());
        named.spawn(work).map_err(step("start a thread"))?;
        Ok(Self { seen, stop })
    }

    /// All that was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Seen {
    fn look(
        &mut self,
        running: &[(usize, Process)],
        executed: &[Option<Digest>],
        marks: &[Option<Mark>],
        at_ms: u64,
    ) {
        self.looks = self.looks.saturating_add(1);
        for ((node, process), digest) in running.iter().zip(executed) {
            match self.lives.iter_mut().find(|life| life.node == *node && life.process == *process) {
                Some(life) => {
                    life.to_ms = at_ms;
                    life.digest = life.digest.or(*digest);
                }
                None => self.lives.push(Life {
                    node: *node,
                    digest: *digest,
                    from_ms: at_ms,
                    to_ms: at_ms,
                    process: *process,
                }),
            }
        }
        let mut down = 0;
        for node in 0..VALIDATORS {
            let alive: Vec<u32> =
                running.iter().filter(|(of, _)| *of == node).map(|(_, one)| one.pid).collect();
            down += usize::from(alive.is_empty());
            // One of them may have ended during the look.
            let still = running.iter().filter(|(of, one)| *of == node && one.is_alive()).count();
            if alive.len() > 1 && still > 1 {
                self.doubles.push(format!("validator {node} ran {alive:?} at once"));
            }
        }
        self.most_down = self.most_down.max(down);
        for (known, found) in self.marks.iter_mut().zip(marks) {
            if let Some(found) = found
                && known.last().map(|(mark, _)| mark) != Some(found)
            {
                known.push((*found, at_ms));
            }
        }
    }
}

fn mark(path: &PathBuf) -> Option<Mark> {
    let state: State = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(Mark { height: state.height.parse().ok()?, round: state.round, step: state.step })
}

/// Hashes each file once: it is read-only, and named by the process that executes it.
fn digest(process: &Process, known: &mut BTreeMap<PathBuf, Digest>) -> Option<Digest> {
    let path = process.executable()?;
    if let Some(digest) = known.get(&path) {
        return Some(*digest);
    }
    let mut file = std::fs::File::open(&path).ok()?;
    let mut hasher = Sha256::new();
    std::io::copy(&mut file, &mut hasher).ok()?;
    let digest = Digest(hasher.finalize().into());
    known.insert(path, digest);
    Some(digest)
}

#[cfg(test)]
impl Seen {
    /// A process of a validator was seen from one time to another.
    pub(crate) fn be(&mut self, node: usize, from_ms: u64, to_ms: u64) {
        let process = Process::of(std::process::id()).unwrap();
        self.lives.push(Life { node, digest: None, from_ms, to_ms, process });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark_of(height: u64, round: u32, step: u8) -> Option<Mark> {
        Some(Mark { height, round, step })
    }

    #[test]
    fn a_mark_that_goes_back_is_told_and_a_rising_one_is_not() {
        let mut seen = Seen::default();
        for (height, round, step) in [(7, 0, 2), (7, 0, 3), (7, 1, 1), (8, 0, 1)] {
            seen.look(&[], &[], &[mark_of(height, round, step), None], 1);
        }
        assert!(seen.went_back().is_empty());
        seen.look(&[], &[], &[mark_of(7, 1, 1), None], 2);
        assert_eq!(seen.went_back().len(), 1);
        assert_eq!(seen.most_down, 4);
    }
}
