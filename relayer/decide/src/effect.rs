//! What the machine wants done (design 5, "Journal first"). Each effect is safe to repeat.

use concord_schema::release::Artifact;
use concord_schema::report::Report;
use concord_schema::rollout::Purpose;
use concord_schema::{Digest, RolloutId};
use serde::{Deserialize, Serialize};

/// Something to do. Digests of effects name *artifacts* (bytes), never releases.
///
/// Effects of a step are performed in order, after the step's memory is durable. Those with a [`Work`] answer by
/// exactly one input when they are over, with success or failure. `Fetch` and `Stage` may take long and run beside the
/// others, so that a daemon that dies meanwhile is started again; a newer one replaces an older one, whose answer is then
/// ignored. Of the rest at most one is asked for at a time. Those without a work have no answer. An answer that
/// does not come within [`crate::Limits`] is given up or said to be overdue, never waited for in silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Brings an artifact into the store. Answer: [`crate::Input::Fetched`].
    Fetch {
        /// Its digest, exact length and addresses.
        artifact: Artifact,
    },
    /// Hashes the stored artifact through one descriptor and runs its self-test from it. Answer: [`crate::Input::Staged`].
    Stage {
        /// Digest of the artifact.
        digest: Digest,
    },
    /// Takes the node out of service, the daemon running. Answer: [`crate::Input::Drained`].
    Drain,
    /// Puts the node back into service. Answer: [`crate::Input::Undrained`].
    Undrain,
    /// Ends the daemon and proves that it is dead. `Ok` also when none was alive. Answer: [`crate::Input::Stopped`].
    Stop {
        /// The run to end: the newest.
        run: u64,
    },
    /// Keeps what going back needs; nothing for `binary_only`. Answer: [`crate::Input::Snapshotted`].
    Snapshot,
    /// Points `current` at an artifact, and `previous` at what it pointed at. Answer: [`crate::Input::Switched`].
    Switch {
        /// Digest of the artifact.
        to: Digest,
    },
    /// Starts what `current` points at, from the descriptor that was hashed. The machine has seen that no daemon is
    /// alive, and the performer proves it again. Answer: [`crate::Input::Spawned`].
    Spawn {
        /// Number of the run; exits name it.
        run: u64,
        /// Digest that `current` must have.
        digest: Digest,
    },
    /// Looks at the links, the store and the daemon again. Answer: [`crate::Input::Looked`].
    Look,
    /// Probes the daemon every so often until told to stop, each by [`crate::Input::Probe`]. Replaces an earlier one.
    StartProbing {
        /// Milliseconds between two probes.
        interval_ms: u64,
    },
    /// No more probes.
    StopProbing,
    /// The new release is the node's own: what neither `current` nor `previous` needs may be removed.
    Commit,
    /// Into the outbox: a report.
    Report {
        /// In which rollout.
        rollout: RolloutId,
        /// What.
        report: Report,
    },
    /// Into the outbox: asks to be down. A repeat is a new request.
    AskLease {
        /// In which rollout.
        rollout: RolloutId,
        /// What for.
        purpose: Purpose,
    },
    /// Into the outbox: gives the lease back.
    ReturnLease {
        /// In which rollout.
        rollout: RolloutId,
        /// The try that ends with it.
        attempt: u8,
    },
    /// Into the outbox: persists what the phases already say. A repeat is a new request.
    Crank {
        /// In which rollout.
        rollout: RolloutId,
        /// Which.
        crank: Crank,
    },
}

/// A permissionless message that only persists what the rules already say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crank {
    /// Fixes the seed.
    Draw,
    /// Does the one thing that is due.
    Advance,
}

/// An effect that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// [`Effect::Fetch`].
    Fetch,
    /// [`Effect::Stage`].
    Stage,
    /// [`Effect::Drain`].
    Drain,
    /// [`Effect::Undrain`].
    Undrain,
    /// [`Effect::Stop`].
    Stop,
    /// [`Effect::Snapshot`].
    Snapshot,
    /// [`Effect::Switch`].
    Switch,
    /// [`Effect::Spawn`].
    Spawn,
    /// [`Effect::Look`].
    Look,
}

impl Effect {
    /// Which work it is; `None` if it has no answer.
    #[must_use]
    pub const fn work(&self) -> Option<Work> {
        match self {
            Self::Fetch { .. } => Some(Work::Fetch),
            Self::Stage { .. } => Some(Work::Stage),
            Self::Drain => Some(Work::Drain),
            Self::Undrain => Some(Work::Undrain),
            Self::Stop { .. } => Some(Work::Stop),
            Self::Snapshot => Some(Work::Snapshot),
            Self::Switch { .. } => Some(Work::Switch),
            Self::Spawn { .. } => Some(Work::Spawn),
            Self::Look => Some(Work::Look),
            Self::StartProbing { .. }
            | Self::StopProbing
            | Self::Commit
            | Self::Report { .. }
            | Self::AskLease { .. }
            | Self::ReturnLease { .. }
            | Self::Crank { .. } => None,
        }
    }

    /// Must it be performed again after a crash, if it is not known to be done? The rest follows from the stage, from
    /// the disk and from the chain.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        matches!(self, Self::Commit | Self::Report { .. } | Self::ReturnLease { .. })
    }

    /// Its word, as in the journal.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fetch { .. } => "fetch",
            Self::Stage { .. } => "stage",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::Stop { .. } => "stop",
            Self::Snapshot => "snapshot",
            Self::Switch { .. } => "switch",
            Self::Spawn { .. } => "spawn",
            Self::Look => "look",
            Self::StartProbing { .. } => "start_probing",
            Self::StopProbing => "stop_probing",
            Self::Commit => "commit",
            Self::Report { .. } => "report",
            Self::AskLease { .. } => "ask_lease",
            Self::ReturnLease { .. } => "return_lease",
            Self::Crank { .. } => "crank",
        }
    }
}
