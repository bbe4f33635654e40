//! Why nothing happens now, and what the operator can do about it (design 5, "Explain").

use core::fmt;

use concord_schema::rollout::SeatState;
use concord_schema::waiting::WaitingOn;
use concord_schema::{Digest, Height};
use serde::{Deserialize, Serialize};

use crate::effect::Work;

/// Something that needs a person. The agent stops acting and leaves the node as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// No link says what runs.
    #[error(
        "`current` is missing, expected it to point at {expected}: restore the link, nothing is started by guess"
    )]
    CurrentMissing {
        /// What it should point at.
        expected: Digest,
    },
    /// The link leads nowhere.
    #[error(
        "`current` cannot be followed ({why}), expected it to point at {expected}: restore it, nothing is started by guess"
    )]
    CurrentBroken {
        /// What it should point at.
        expected: Digest,
        /// How it is broken.
        why: String,
    },
    /// The link leads to what the journal never asked for (NODE-1).
    #[error("`current` points at {found}, the journal says {expected}: point it back")]
    CurrentForeign {
        /// What it should point at.
        expected: Digest,
        /// What it points at.
        found: Digest,
    },
    /// A daemon that the journal never asked for (NODE-1).
    #[error("the daemon executes {found}, the journal says {expected}: someone else started it; stop it")]
    DaemonForeign {
        /// What should run.
        expected: Digest,
        /// What runs.
        found: Digest,
    },
    /// The memory contradicts itself.
    #[error(
        "the journal says {stage} but names no release for it: keep a copy, then hand the node to `concord init --adopt`"
    )]
    NoTarget {
        /// The stage.
        stage: String,
    },
}

/// Why nothing that the chain shows is believed. The clock's ends with its cause, the others wait for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distrust {
    /// The newest verified header is older than the trusting period.
    TrustExpired,
    /// Two verified headers of one height.
    Forked,
    /// The host's clock and the chain's are too far apart.
    ClockOff,
    /// The contract runs code that this agent was not told to accept.
    AgentTooOld,
    /// What proofs rest on is missing, broken or wrongly set.
    Unproved,
}

impl Distrust {
    /// What an agent with such a chain waits on.
    #[must_use]
    pub fn waiting(self, why: String) -> AgentWaiting {
        match self {
            Self::TrustExpired => AgentWaiting::TrustExpired { why },
            Self::Forked => AgentWaiting::Forked { why },
            Self::ClockOff => AgentWaiting::ClockOff { why },
            Self::AgentTooOld => AgentWaiting::AgentTooOld { why },
            Self::Unproved => AgentWaiting::Unproved { why },
        }
    }
}

/// What the agent waits on. Its sentence is one line that completes "waiting on ...".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AgentWaiting {
    /// The first facts of the chain.
    View,
    /// A source that can be relied on.
    Source {
        /// Milliseconds since the last facts that counted.
        since_ms: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A new anchor: the trusting period is over.
    TrustExpired {
        /// Since when, and what to do.
        why: String,
    },
    /// A new anchor: the chain is forked.
    Forked {
        /// Where, and what to do.
        why: String,
    },
    /// A host's clock that agrees with the chain's.
    ClockOff {
        /// How far it is off.
        why: String,
    },
    /// A newer agent, or its operator's word that the contract's new code is right.
    AgentTooOld {
        /// Which code, and what to do.
        why: String,
    },
    /// A person: what proofs rest on is not there.
    Unproved {
        /// What, and what to do.
        why: String,
    },
    /// The owner's registration of this node.
    Registration,
    /// A newer rollout.
    Rollout {
        /// Version that is served meanwhile.
        serves: String,
    },
    /// Its own work in progress.
    Working {
        /// Which.
        on: Work,
    },
    /// Its own work, which takes longer than it may and cannot be given up: nothing else is begun before its end.
    Overdue {
        /// Which.
        on: Work,
        /// Milliseconds since it was begun.
        for_ms: u64,
        /// Milliseconds that it may take.
        limit_ms: u64,
    },
    /// The time until failed work is tried again.
    Retry {
        /// Which.
        on: Work,
        /// Milliseconds.
        left_ms: u64,
        /// How it failed.
        why: String,
    },
    /// The chain to show what was sent.
    Sent {
        /// The kind of report, or `lease`, or `return_lease`.
        what: String,
    },
    /// What the chain waits on.
    Chain {
        /// That.
        on: WaitingOn,
    },
    /// Facts at the tip: the ones that were read are older.
    Tip {
        /// Height of the facts.
        height: Height,
        /// The tip.
        tip: Height,
    },
    /// The first probe that passes.
    FirstPass {
        /// Milliseconds until failed probes count.
        left_ms: u64,
        /// What the last probe said.
        last: String,
    },
    /// The end of the trial.
    Trial {
        /// Probes that passed.
        passed: u64,
        /// Probes that failed.
        failed: u64,
        /// Milliseconds still to run.
        left_ms: u64,
        /// Blocks still to pass.
        left_blocks: u64,
        /// The probes so far do not yet prove health.
        undecided: bool,
    },
    /// A decision of the chain before the commit: the trial has passed.
    Commit {
        /// On what.
        on: WaitingOn,
    },
    /// The chain says that this node is past what its agent remembers.
    Seat {
        /// What it says.
        state: SeatState,
    },
    /// The operator, or a newer rollout.
    Operator {
        /// Why.
        why: String,
    },
    /// A person.
    Fault {
        /// What is wrong.
        fault: Fault,
    },
}

impl fmt::Display for AgentWaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View => f.write_str("the first facts of the chain; the daemon is left as it is"),
            Self::Source { since_ms, why } => {
                write!(
                    f,
                    "the chain: {why}, no facts for {since_ms} ms; the node keeps running, look at the RPC"
                )
            }
            Self::TrustExpired { why }
            | Self::Forked { why }
            | Self::AgentTooOld { why }
            | Self::Unproved { why } => write!(f, "a person: {why}; the node keeps running"),
            Self::ClockOff { why } => write!(f, "the right time: {why}; the node keeps running"),
            Self::Registration => {
                f.write_str("the registration of this node: its owner runs `concord register`")
            }
            Self::Rollout { serves } => write!(f, "a newer rollout; {serves} serves"),
            Self::Working { on } => write!(f, "its own work: {}", doing(*on)),
            Self::Overdue { on, for_ms, limit_ms } => write!(
                f,
                "its own work: {} takes {for_ms} ms, expected at most {limit_ms} ms; look at the host and its disk, \
                 then restart the agent",
                doing(*on)
            ),
            Self::Retry { on, left_ms, why } => {
                write!(f, "another try at {} in {left_ms} ms: {why}", doing(*on))
            }
            Self::Sent { what } => write!(f, "the chain to take its {what}"),
            Self::Chain { on } => write!(f, "{on}"),
            Self::Tip { height, tip } => write!(f, "facts of the tip {tip}; it has read {height}"),
            Self::FirstPass { left_ms, last } => {
                write!(f, "the first passed probe; failures count in {left_ms} ms; last: {last}")
            }
            Self::Trial { passed, failed, left_ms, left_blocks, undecided } => {
                write!(
                    f,
                    "its trial: {left_ms} ms and {left_blocks} blocks left, {passed} probes passed, {failed} failed"
                )?;
                if *undecided { f.write_str(", not enough to tell") } else { Ok(()) }
            }
            Self::Commit { on } => write!(f, "{on}, before it commits: its trial has passed"),
            Self::Seat { state } => {
                write!(f, "its operator: the chain has it as {state:?}, which its journal knows nothing of")
            }
            Self::Operator { why } => write!(f, "its operator or a newer rollout: {why}"),
            Self::Fault { fault } => write!(f, "a person: {fault}"),
        }
    }
}

const fn doing(work: Work) -> &'static str {
    match work {
        Work::Fetch => "fetching the artifact",
        Work::Stage => "checking the artifact",
        Work::Drain => "draining",
        Work::Undrain => "taking work again",
        Work::Stop => "stopping the daemon",
        Work::Snapshot => "keeping what going back needs",
        Work::Switch => "switching `current`",
        Work::Spawn => "starting the daemon",
        Work::Look => "looking at the host",
    }
}
