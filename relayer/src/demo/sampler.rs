//! Watches every daemon from outside, every 50 ms: never two of one node, never one of unknown bytes (NODE-2, NODE-4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use concord_schema::Digest;

use super::error::{DemoError, system};
use super::proc::{Process, Scanner, Seen};
use super::stopwatch::Stopwatch;

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(50);
/// The most violations that are remembered: one is enough to fail.
const VIOLATIONS_MAX: usize = 100;

/// A daemon over its whole life, as far as it was sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// The node's place in the fleet.
    pub(crate) node: usize,
    /// The process.
    pub(crate) process: Process,
    /// SHA-256 of what it executes.
    pub(crate) digest: Digest,
    /// First seen, in Unix milliseconds.
    pub(crate) from_ms: u64,
    /// Last seen.
    pub(crate) to_ms: u64,
}

/// What must never be, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Two daemons of one node at once.
    Two {
        /// The node's place in the fleet.
        node: usize,
        /// Their processes.
        pids: Vec<u32>,
        /// When.
        at_ms: u64,
    },
    /// A daemon of bytes that nobody decided on.
    Unknown {
        /// The node's place in the fleet.
        node: usize,
        /// Its digest.
        digest: Digest,
        /// When.
        at_ms: u64,
    },
}

/// All that was sampled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    /// How many looks were taken.
    pub(crate) looks: u64,
    /// Every daemon that was seen.
    pub(crate) lives: Vec<Life>,
    /// What must never be.
    pub(crate) violations: Vec<Violation>,
}

impl Samples {
    /// The digests that a node ran in `[from, to)`, in order.
    #[must_use]
    pub(crate) fn ran(&self, node: usize, from_ms: u64, to_ms: u64) -> Vec<Digest> {
        let lives = self.lives.iter();
        let of_node = lives.filter(|life| life.node == node && life.to_ms >= from_ms && life.from_ms < to_ms);
        let mut digests: Vec<Digest> = of_node.map(|life| life.digest).collect();
        digests.dedup();
        digests
    }

    /// The daemon of a node that was seen last.
    #[must_use]
    pub(crate) fn newest(&self, node: usize) -> Option<Life> {
        self.lives.iter().filter(|life| life.node == node).max_by_key(|life| life.to_ms).copied()
    }

    /// Takes one look. `alive` is asked again about two daemons of one node: one may have ended during the look.
    fn take(
        &mut self,
        seen: &[Seen],
        ports: &[u16],
        known: &BTreeSet<Digest>,
        at_ms: u64,
        alive: impl Fn(&Process) -> bool,
    ) {
        self.looks = self.looks.saturating_add(1);
        let mut of_node: BTreeMap<usize, Vec<Process>> = BTreeMap::new();
        for one in seen {
            let Some(node) = ports.iter().position(|port| *port == one.port) else { continue };
            of_node.entry(node).or_default().push(one.process);
            // One whose file could not be read any more has ended.
            if let Some(digest) = one.digest {
                self.note(node, one.process, digest, known, at_ms);
            }
        }
        for (node, processes) in of_node {
            let alive: Vec<u32> = if processes.len() < 2 {
                continue;
            } else {
                processes.iter().filter(|one| alive(one)).map(|one| one.pid).collect()
            };
            if alive.len() > 1 {
                self.violate(Violation::Two { node, pids: alive, at_ms });
            }
        }
    }

    fn note(&mut self, node: usize, process: Process, digest: Digest, known: &BTreeSet<Digest>, at_ms: u64) {
        let same = |life: &&mut Life| life.node == node && life.process == process && life.digest == digest;
        if let Some(life) = self.lives.iter_mut().find(same) {
            life.to_ms = at_ms;
            return;
        }
        self.lives.push(Life { node, process, digest, from_ms: at_ms, to_ms: at_ms });
        if !known.contains(&digest) {
            self.violate(Violation::Unknown { node, digest, at_ms });
        }
    }

    fn violate(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        }
    }
}

/// The sampler at work; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Sampler {
    samples: Arc<Mutex<Samples>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Sampler {
    /// Starts to look at the daemons of these ports, in a thread of its own: a busy runtime must not blind it.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(
        ports: Vec<u16>,
        known: BTreeSet<Digest>,
        stopwatch: Stopwatch,
    ) -> Result<Self, DemoError> {
        let samples = Arc::new(Mutex::new(Samples::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&samples), Arc::clone(&stop));
        let look = move || {
            let mut scanner = Scanner::default();
            while !stopped.load(Ordering::Relaxed) {
                // Without /proc nothing is sampled, and a judge who sees no look fails the demo.
                if let Ok(seen) = scanner.daemons(&ports) {
                    let mut samples = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    samples.take(&seen, &ports, &known, stopwatch.now_ms(), Process::is_alive);
                }
                std::thread::sleep(INTERVAL);
            }
        };
        std::thread::Builder::new()
            .name("demo-sampler".to_owned())
            .spawn(look)
            .map_err(system("start a thread"))?;
        Ok(Self { samples, stop })
    }

    /// All that was sampled so far.
    #[must_use]
    pub(crate) fn samples(&self) -> Samples {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: [u16; 2] = [71, 72];

    fn seen(pid: u32, port: u16, bytes: &[u8]) -> Seen {
        Seen { process: Process { pid, start_ticks: u64::from(pid) }, port, digest: Some(Digest::of(bytes)) }
    }

    fn known() -> BTreeSet<Digest> {
        [Digest::of(b"v1"), Digest::of(b"v2")].into()
    }

    #[test]
    fn two_of_one_node_are_a_violation_only_while_both_are_alive() {
        let both = [seen(1, 71, b"v1"), seen(2, 71, b"v2")];
        for (alive, violations) in [(vec![1, 2], 1), (vec![2], 0), (vec![], 0)] {
            let mut samples = Samples::default();
            samples.take(&both, &PORTS, &known(), 10, |process| alive.contains(&process.pid));
            assert_eq!(samples.violations.len(), violations, "{alive:?}");
        }
        let mut samples = Samples::default();
        samples.take(&[seen(1, 71, b"v1"), seen(2, 72, b"v1")], &PORTS, &known(), 10, |_| true);
        assert_eq!(samples.violations, []);
    }

    #[test]
    fn unknown_bytes_are_a_violation_once_a_process() {
        let mut samples = Samples::default();
        for at_ms in [10, 60] {
            samples.take(&[seen(1, 72, b"other")], &PORTS, &known(), at_ms, |_| true);
        }
        let digest = Digest::of(b"other");
        assert_eq!(samples.violations, [Violation::Unknown { node: 1, digest, at_ms: 10 }]);
    }

    #[test]
    fn lives_are_joined_and_asked_by_time() {
        let mut samples = Samples::default();
        samples.take(&[seen(1, 71, b"v1")], &PORTS, &known(), 10, |_| true);
        samples.take(&[seen(1, 71, b"v1")], &PORTS, &known(), 60, |_| true);
        samples.take(&[seen(2, 71, b"v2")], &PORTS, &known(), 110, |_| true);
        samples.take(&[seen(3, 71, b"v2")], &PORTS, &known(), 160, |_| true);
        let (v1, v2) = (Digest::of(b"v1"), Digest::of(b"v2"));
        assert_eq!(samples.lives.len(), 3);
        for (from_ms, to_ms, ran) in [
            (0, 200, vec![v1, v2]),
            (60, 61, vec![v1]),
            (61, 200, vec![v2]),
            (0, 10, vec![]),
            (161, 200, vec![]),
        ] {
            assert_eq!(samples.ran(0, from_ms, to_ms), ran, "{from_ms} to {to_ms}");
        }
        assert_eq!(samples.newest(0).map(|life| life.process.pid), Some(3));
        assert_eq!((samples.newest(1), samples.looks), (None, 4));
    }
}
