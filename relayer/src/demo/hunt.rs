//! Kills agents in the middle of a switch: follows their journals, and strikes on the intent record of an effect.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use concord_decide::Stage;
use rustix::process::Signal;
use tokio::sync::mpsc;

use super::error::{DemoError, system};
use super::fleet::Fleet;
use super::journals::{Follower, Newest};
use super::judge::{MIDDLE, Victim};
use super::proc::{Process, Scanner};

/// From one look at the journals to the next.
const INTERVAL: Duration = Duration::from_micros(500);
/// How long a stopped agent may take to stand still before its journal is read.
const STILL: Duration = Duration::from_millis(2);
/// Hunts of one act.
const STRIKES_MAX: usize = 8;

/// What a hunter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prey {
    /// The intent to point `current` at the new release: no daemon runs.
    Alone,
    /// The new release was started and is not up yet: its daemon dies with the agent.
    Together,
}

impl Prey {
    /// The intent on which to strike.
    #[must_use]
    pub(crate) fn intent(self) -> &'static str {
        match self {
            Self::Alone => "switch",
            Self::Together => "spawn",
        }
    }

    /// Is this the moment?
    fn is_due(self, newest: &Newest) -> bool {
        match self {
            Self::Alone => newest.effects.contains(&"switch"),
            // The record of the daemon's start follows its intent: only then is there one to be killed.
            Self::Together => newest.stage == Stage::Booting && newest.daemon,
        }
    }
}

/// What a hunter did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// It stopped an agent in the middle of its switch, and killed it.
    Hit {
        /// The node's place in the fleet.
        node: usize,
        /// Which prey it was.
        alone: bool,
        /// The victim.
        victim: Victim,
    },
    /// The agent was past it when it stood still, and goes on.
    Missed {
        /// The node's place in the fleet.
        node: usize,
    },
}

/// A hunt; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Hunt {
    stop: Arc<AtomicBool>,
    /// What was done, as it is done.
    pub(crate) strikes: mpsc::Receiver<Strike>,
}

impl Drop for Hunt {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Trail {
    node: usize,
    name: String,
    port: u16,
    agent: Process,
    follower: Follower,
}

impl Hunt {
    /// Starts to hunt one agent after the other of these nodes, for each prey once, in a thread of its own: the moment
    /// lasts for milliseconds.
    ///
    /// # Errors
    /// When the thread cannot be started, or a node has no agent.
    pub(crate) fn start(fleet: &Arc<Fleet>, nodes: &[usize], rollout: u64) -> Result<Self, DemoError> {
        let trail = |node: &usize| {
            let place = fleet.place(*node)?;
            let agent = fleet.agent(*node).ok_or_else(|| DemoError::Own {
                what: "fleet",
                reason: format!("found no agent of {}", place.node_id),
            })?;
            let (name, home): (String, &PathBuf) = (place.node_id.clone(), &place.home);
            Ok(Trail { node: *node, name, port: place.daemon_port, agent, follower: Follower::new(home) })
        };
        let trails = nodes.iter().map(trail).collect::<Result<Vec<_>, DemoError>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, strikes) = mpsc::channel(STRIKES_MAX);
        let stopped = Arc::clone(&stop);
        let shared = Arc::clone(fleet);
        let hunt = move || hunt(&shared, trails, rollout, &stopped, &told);
        std::thread::Builder::new()
            .name("demo-hunt".to_owned())
            .spawn(hunt)
            .map_err(system("start a thread"))?;
        Ok(Self { stop, strikes })
    }
}

fn hunt(
    fleet: &Fleet,
    mut trails: Vec<Trail>,
    rollout: u64,
    stopped: &AtomicBool,
    told: &mpsc::Sender<Strike>,
) {
    let mut wanted = vec![Prey::Together, Prey::Alone];
    let mut tried: BTreeSet<usize> = BTreeSet::new();
    while !stopped.load(Ordering::Relaxed) && !wanted.is_empty() && tried.len() < trails.len() {
        for trail in trails.iter_mut().filter(|trail| !tried.contains(&trail.node)).collect::<Vec<_>>() {
            // A journal that is being written may end in half a record: it is read again in a moment.
            let Ok(Some(newest)) = trail.follower.news() else { continue };
            let Some(prey) = wanted.last().copied() else { break };
            if newest.rollout != rollout || !prey.is_due(&newest) {
                continue;
            }
            // Whoever watches the agents must know before the agent is gone.
            fleet.expect_end(trail.node, true);
            let strike = trail.strike(prey);
            fleet.expect_end(trail.node, matches!(strike, Strike::Hit { .. }));
            tried.insert(trail.node);
            if matches!(strike, Strike::Hit { .. }) {
                wanted.pop();
            }
            if told.blocking_send(strike).is_err() {
                return;
            }
        }
        std::thread::sleep(INTERVAL);
    }
}

impl Trail {
    /// Stops the agent, reads where it is, and kills it if that is in the middle of its switch.
    fn strike(&self, prey: Prey) -> Strike {
        let missed = Strike::Missed { node: self.node };
        if self.agent.signal(Signal::STOP).is_err() {
            return missed;
        }
        let stopped = Instant::now();
        while stopped.elapsed() < STILL {
            std::hint::spin_loop();
        }
        let stage = self.follower.newest().ok().flatten().map(|newest| newest.stage.name());
        let daemon = self.daemon();
        let stage = stage.filter(|stage| MIDDLE.contains(stage));
        let (Some(stage), true) = (stage, daemon.is_some() == (prey == Prey::Together)) else {
            let _ = self.agent.signal(Signal::CONT);
            return missed;
        };
        let _ = self.agent.signal(Signal::KILL);
        if let Some(daemon) = daemon {
            let _ = daemon.signal(Signal::KILL);
        }
        let victim = Victim {
            node: self.name.clone(),
            stage: stage.to_owned(),
            intent: prey.intent().to_owned(),
            daemon: daemon.map(|daemon| daemon.pid),
        };
        Strike::Hit { node: self.node, alone: prey == Prey::Alone, victim }
    }

    fn daemon(&self) -> Option<Process> {
        let seen = Scanner::default().daemons(&[self.port]).unwrap_or_default();
        seen.first().map(|seen| seen.process)
    }
}

#[cfg(test)]
#[path = "hunt/tests.rs"]
mod tests;
