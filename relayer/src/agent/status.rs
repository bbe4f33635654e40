//! What the agent tells about itself: one structure behind `/status`, `/readyz` and `concord explain`.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The loop has to turn at least this often, or the agent is not alive.
pub const TURN_LONGEST: Duration = Duration::from_secs(60);

/// Where a switch stands against the height that was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The wave's earliest height, or the lease's if that came later.
    pub asked_height: u64,
    /// Height of the state on which the node left Armed.
    pub left_armed_height: u64,
    /// Their difference.
    pub skew_blocks: u64,
}

/// The daemon as the agent knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Its process.
    pub pid: u32,
    /// Digest of the file that it executes.
    pub executable: String,
}

/// A health check and its newest answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStatus {
    /// What is asked.
    pub name: String,
    /// It decides the trial; a wanted one is only shown.
    pub is_required: bool,
    /// `pass`, `fail` or `unknown`.
    pub answer: String,
    /// Why it is not a pass.
    pub why: Option<String>,
}

/// The state of the agent, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the agent.
    pub version: String,
    /// Whose node.
    pub operator: String,
    /// What it runs.
    pub component: String,
    /// Its name.
    pub node_id: String,
    /// The node's stage.
    pub stage: String,
    /// The rollout that it follows; 0 before the first.
    pub rollout: u64,
    /// The newest try; 0 before the first.
    pub attempt: u8,
    /// Why nothing happens now, as one word.
    pub waiting_on: String,
    /// The same, and what to do, in a sentence.
    pub sentence: String,
    /// Digest of the artifact that `current` points at.
    pub current: Option<String>,
    /// The daemon, while one runs.
    pub daemon: Option<DaemonStatus>,
    /// Newest block known.
    pub tip_height: u64,
    /// Height of the state that the last decision rested on.
    pub verified_height: u64,
    /// Every block up to here is applied.
    pub cursor_height: u64,
    /// Why the chain is not followed, if so.
    pub source: Option<String>,
    /// The newest switch.
    pub activation: Option<Activation>,
    /// Newest answers of the health checks; empty before the first trial.
    #[serde(default)]
    pub checks: Vec<CheckStatus>,
    /// The deployment's shortest spans are below those of production; `None` until the chain said.
    #[serde(default)]
    pub short_floors: Option<bool>,
    /// How long the daemon did not serve during the newest switch.
    pub downtime_ms: u64,
    /// Reports on their way to the chain.
    pub outbox: usize,
    /// What keeps reports from leaving.
    pub outbox_trouble: Option<String>,
    /// What needs the operator.
    pub fault: Option<String>,
}

impl Status {
    /// What keeps the agent from being ready; empty when it is.
    #[must_use]
    pub fn unready(&self) -> Vec<String> {
        let fault = self.fault.iter().map(|fault| format!("fault: {fault}"));
        let source = self.source.iter().map(|source| format!("chain: {source}"));
        let daemon = self.daemon.is_none().then(|| "the daemon is not running".to_owned());
        fault.chain(source).chain(daemon).collect()
    }
}

/// The status, and when the loop last turned.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The newest status.
    pub status: Status,
    /// When it was made.
    pub turned: Instant,
}

/// Where the loop leaves its status and the pages find it.
#[derive(Debug)]
pub struct Board {
    shown: watch::Sender<Shown>,
}

impl Board {
    /// A board with a first status.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self { shown: watch::channel(Shown { status, turned: Instant::now() }).0 }
    }

    /// Shows a newer status.
    pub fn show(&self, status: Status) {
        self.shown.send_replace(Shown { status, turned: Instant::now() });
    }

    /// The newest one.
    #[must_use]
    pub fn read(&self) -> Shown {
        self.shown.borrow().clone()
    }
}

#[cfg(test)]
impl Status {
    /// A status of a node that is armed.
    pub(crate) fn sample() -> Self {
        Self {
            version: "0.0.0".to_owned(),
            operator: "wasm1operator".to_owned(),
            component: "feeder".to_owned(),
            node_id: "node-1".to_owned(),
            stage: "armed".to_owned(),
            rollout: 1,
            attempt: 0,
            waiting_on: "view".to_owned(),
            sentence: "the first facts of the chain".to_owned(),
            current: None,
            daemon: None,
            tip_height: 9,
            verified_height: 8,
            cursor_height: 7,
            source: None,
            activation: None,
            checks: Vec::new(),
            short_floors: None,
            downtime_ms: 1_500,
            outbox: 0,
            outbox_trouble: None,
            fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unready_agent_says_every_reason() {
        let mut status = Status::sample();
        assert_eq!(status.unready(), ["the daemon is not running"]);
        status.daemon = Some(DaemonStatus { pid: 1, executable: String::new() });
        assert!(status.unready().is_empty());
        status.fault = Some("`current` is missing".to_owned());
        status.source = Some("no node answers".to_owned());
        assert_eq!(status.unready(), ["fault: `current` is missing", "chain: no node answers"]);
    }
}
