//! Where a node is, as its agent journals it (design 5).

use core::fmt;

use serde::{Deserialize, Serialize};

/// Where a node is. A stage names what is done; what runs between two stages is an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// Serves; no rollout was ever taken up.
    Idle,
    /// A rollout is taken up, and its release may run here.
    Discovered,
    /// Its artifact is on its way.
    Fetching,
    /// Its artifact is in the store, with the digest and length that were decided.
    Verified,
    /// Its artifact was hashed again and has passed its self-test: the node can switch.
    Staged,
    /// The chain knows that the node is ready: only the lease is missing.
    Armed,
    /// The node may be down now.
    Leased,
    /// No new work comes to the daemon; the old release still runs.
    Draining,
    /// The old release has ended.
    Stopped,
    /// What going back needs is kept.
    Snapshotted,
    /// `current` points at the new release.
    Switched,
    /// The new release is being started, and has not passed a probe yet.
    Booting,
    /// The new release has passed a probe and serves on trial.
    OnTrial,
    /// The new release is the node's own.
    Committed,
    /// The old release comes up again, since the switch was called off before it happened.
    Restoring,
    /// The old release is being put back.
    RollingBack,
    /// The old release is back and has passed a probe.
    RolledBack,
    /// This node does not take part; the reason is in its memory.
    Refused,
    /// The rollout ended, or goes back, without this node having switched.
    Cancelled,
    /// Too few nodes got ready in time.
    Expired,
    /// It needs its operator; the reason is in its memory.
    Contained {
        /// Whether a daemon runs.
        running: bool,
    },
}

impl Stage {
    /// The words of all stages, in order, for metrics and help texts.
    pub const NAMES: [&'static str; 21] = [
        "idle",
        "discovered",
        "fetching",
        "verified",
        "staged",
        "armed",
        "leased",
        "draining",
        "stopped",
        "snapshotted",
        "switched",
        "booting",
        "on_trial",
        "committed",
        "restoring",
        "rolling_back",
        "rolled_back",
        "refused",
        "cancelled",
        "expired",
        "contained",
    ];

    /// Its word, as in the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Discovered => "discovered",
            Self::Fetching => "fetching",
            Self::Verified => "verified",
            Self::Staged => "staged",
            Self::Armed => "armed",
            Self::Leased => "leased",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
            Self::Snapshotted => "snapshotted",
            Self::Switched => "switched",
            Self::Booting => "booting",
            Self::OnTrial => "on_trial",
            Self::Committed => "committed",
            Self::Restoring => "restoring",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Contained { .. } => "contained",
        }
    }

    /// Does the node serve the release that it served before, with nothing of a switch begun? Then the daemon must be up
    /// in this stage, and a newer rollout may be taken up.
    #[must_use]
    pub const fn is_serving(self) -> bool {
        match self {
            Self::Idle
            | Self::Discovered
            | Self::Fetching
            | Self::Verified
            | Self::Staged
            | Self::Armed
            | Self::Committed
            | Self::RolledBack
            | Self::Refused
            | Self::Cancelled
            | Self::Expired
            | Self::Contained { .. } => true,
            Self::Leased
            | Self::Draining
            | Self::Stopped
            | Self::Snapshotted
            | Self::Switched
            | Self::Booting
            | Self::OnTrial
            | Self::Restoring
            | Self::RollingBack => false,
        }
    }

    /// Is there nothing left to do in the rollout that it took up last?
    #[must_use]
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Idle
            | Self::Committed
            | Self::RolledBack
            | Self::Refused
            | Self::Cancelled
            | Self::Expired
            | Self::Contained { .. } => true,
            Self::Discovered
            | Self::Fetching
            | Self::Verified
            | Self::Staged
            | Self::Armed
            | Self::Leased
            | Self::Draining
            | Self::Stopped
            | Self::Snapshotted
            | Self::Switched
            | Self::Booting
            | Self::OnTrial
            | Self::Restoring
            | Self::RollingBack => false,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contained { running: true } => f.write_str("contained, running"),
            Self::Contained { running: false } => f.write_str("contained, not running"),
            other => f.write_str(other.name()),
        }
    }
}

/// A step from one stage to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Move {
    /// From here.
    pub from: Stage,
    /// To here.
    pub to: Stage,
}
