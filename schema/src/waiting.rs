//! The typed reason why nothing happens now: "why?" always has an answer.

use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::brake::Hold;
use crate::clock::Span;
use crate::rollout::HaltCause;
use crate::units::{Bps, Height, Power, RolloutId, Seconds};

/// What a proposal, rollout, wave or lease waits on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WaitingOn {
    /// Both clocks of the deliberation.
    Deliberation {
        /// Still to run.
        left: Span,
    },
    /// Auditors' attestations.
    Attestations {
        /// Standing approvals.
        auditors: u8,
        /// Needed.
        auditors_min: u8,
        /// Organisations that they come from.
        organisations: u8,
        /// Needed.
        organisations_min: u8,
        /// Until the validation ends.
        left: Span,
    },
    /// Anyone's `open_vote`.
    OpenVote,
    /// Ballots, and both clocks of the vote.
    Voting {
        /// Still to run.
        left: Span,
    },
    /// Both clocks of the timelock.
    Timelock {
        /// Still to run.
        left: Span,
    },
    /// Anyone's `execute`.
    Execute {
        /// Until it expires.
        left: Span,
    },
    /// The span between two attempts.
    Retry {
        /// Still to run.
        left: Span,
    },
    /// The component's rollout in motion.
    LiveRollout {
        /// Which.
        rollout: RolloutId,
    },
    /// A current release of the component that the proposed one can replace.
    Version {
        /// What is current.
        current: String,
    },
    /// A change of what refuses an action. It is no attempt.
    Action {
        /// Its place in the proposal.
        action: u8,
        /// What refuses it.
        why: String,
    },
    /// The brake.
    Brake {
        /// Which scope holds.
        scope: Hold,
    },
    /// The block that fixes the seed.
    Draw {
        /// The first that may.
        from: Height,
    },
    /// Nodes' `ready`.
    Readiness {
        /// Ready power.
        ready: Power,
        /// Of all.
        registered: Power,
        /// The bar.
        bar_bps: Bps,
    },
    /// An earlier wave.
    Wave {
        /// The node's.
        wave: u8,
        /// The open one.
        open: u8,
    },
    /// The wave's activation height.
    ActivationHeight {
        /// Which.
        height: Height,
    },
    /// `advance` to fix a new height, since the old one passed under a brake.
    NewHeight,
    /// The time that the node named.
    Deferred {
        /// Block time.
        until: Seconds,
    },
    /// Room below the lease bound.
    Power {
        /// Down by lease.
        down: Power,
        /// What the node would add.
        asked: Power,
        /// The bound.
        bound_bps: Bps,
    },
    /// Healthy reports of the wave.
    Gate {
        /// The wave.
        wave: u8,
        /// Healthy power.
        healthy: Power,
        /// Assigned power.
        assigned: Power,
        /// Until it counts as stalled.
        left: Span,
    },
    /// The soak of a wave that is healthy.
    Soak {
        /// The wave.
        wave: u8,
        /// Still to run.
        left: Span,
    },
    /// `advance`, which is due.
    Advance,
    /// A vote to resume or roll back a halted rollout.
    HaltVote {
        /// Why it halted.
        cause: HaltCause,
        /// Until it is decided without one.
        left: Span,
    },
    /// Nodes on their way back.
    GoingBack {
        /// Their power.
        power: Power,
        /// Until the rest is unaccounted.
        left: Span,
    },
    /// The end of the waves, for a node that got ready late.
    Completion,
    /// The node: it may act, or must report.
    Node,
    /// A lease's holder: its report, its return, or the lease's end.
    Holder {
        /// Until the lease may be expired.
        left: Span,
    },
    /// Nothing: it has ended.
    Nothing,
}

struct Left<'a>(&'a Span);

impl fmt::Display for Left<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s and {} blocks left", self.0.seconds, self.0.blocks)
    }
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliberation { left } => write!(f, "the deliberation: {}", Left(left)),
            Self::Attestations { auditors, auditors_min, organisations, organisations_min, left } => write!(
                f,
                "attestations: {auditors} of {auditors_min} auditors, {organisations} of {organisations_min} organisations; {}",
                Left(left)
            ),
            Self::OpenVote => write!(f, "open_vote, which anyone may send"),
            Self::Voting { left } => write!(f, "ballots: {}", Left(left)),
            Self::Timelock { left } => write!(f, "the timelock: {}", Left(left)),
            Self::Execute { left } => write!(f, "execute, which anyone may send; {}", Left(left)),
            Self::Retry { left } => write!(f, "the next attempt: {}", Left(left)),
            Self::LiveRollout { rollout } => {
                write!(f, "rollout {rollout} of the same component to end")
            }
            Self::Version { current } => {
                write!(f, "a current release that the proposed one upgrades from; it is {current}")
            }
            Self::Action { action, why } => {
                write!(f, "a change of what refuses action {action}: {why}")
            }
            Self::Brake { scope: Hold::All } => write!(f, "the brake on everything"),
            Self::Brake { scope: Hold::Component } => write!(f, "the brake on this component"),
            Self::Draw { from } => write!(f, "draw, from height {from} on"),
            Self::Readiness { ready, registered, bar_bps } => {
                write!(f, "nodes to get ready: power {ready} of {registered}, bar {bar_bps} bps")
            }
            Self::Wave { wave, open } => write!(f, "wave {wave} to open; wave {open} is open"),
            Self::ActivationHeight { height } => write!(f, "height {height}"),
            Self::Deferred { until } => write!(f, "the time to which the node deferred, {until} s"),
            Self::NewHeight => write!(f, "advance to fix a new height: the old one passed under a brake"),
            Self::Power { down, asked, bound_bps } => {
                write!(f, "room to be down: power {down} is, {asked} more would pass {bound_bps} bps")
            }
            Self::Gate { wave, healthy, assigned, left } => {
                write!(f, "wave {wave} to be healthy: power {healthy} of {assigned}; {}", Left(left))
            }
            Self::Soak { wave, left } => write!(f, "the soak of wave {wave}: {}", Left(left)),
            Self::Advance => write!(f, "advance, which anyone may send"),
            Self::HaltVote { cause, left } => {
                write!(f, "a vote to resume or roll back, halted by {cause:?}; {}", Left(left))
            }
            Self::GoingBack { power, left } => {
                write!(f, "power {power} to go back; {}", Left(left))
            }
            Self::Completion => write!(f, "the last wave to pass"),
            Self::Node => write!(f, "the node itself, or its operator: nothing holds it up"),
            Self::Holder { left } => write!(f, "the lease's holder; {}", Left(left)),
            Self::Nothing => write!(f, "nothing: it has ended"),
        }
    }
}
