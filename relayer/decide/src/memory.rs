//! What the machine remembers: journaled whole with each step that changes it.

use concord_schema::plan::Trial;
use concord_schema::release::{Artifact, Reversibility};
use concord_schema::report::Report;
use concord_schema::{Digest, Height, RolloutId};
use serde::{Deserialize, Serialize};

use crate::stage::Stage;

/// The most releases that a node denies by itself; the oldest is forgotten first.
pub const DENIED_MAX: usize = 64;

/// Orders what an agent is told to do: an older one never moves a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Generation {
    /// The rollout; 0 before the first.
    pub rollout: RolloutId,
    /// The node's try in it; 0 before the first lease.
    pub attempt: u8,
}

/// A release as it stands on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// Digest of the release.
    pub release: Digest,
    /// Its version.
    pub version: String,
    /// Digest of its artifact for this platform.
    pub artifact: Digest,
}

/// What a rollout asks of this node. Fixed when it is taken up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Digest of the release.
    pub release: Digest,
    /// Its version.
    pub version: String,
    /// Its artifact for this platform.
    pub artifact: Artifact,
    /// What the node served when it took the rollout up: where going back leads.
    pub previous: Served,
    /// What the rollout calls its release of before; a report that the node is back must name it.
    pub rollout_previous: Digest,
    /// How it can be undone.
    pub reversibility: Reversibility,
    /// The trial of the plan.
    pub trial: Trial,
}

/// How the node left Armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftArmed {
    /// Height of the facts that showed the lease.
    pub height: Height,
    /// That height, less the later of the wave's activation height and the lease's.
    pub skew_blocks: u64,
}

/// Time without service in the newest switch. Milliseconds of the caller's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// Not serving since then.
    pub from_ms: Option<u64>,
    /// All of it that is over.
    pub total_ms: u64,
}

/// A release that failed here, and does not come back by itself (NODE-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// Digest of the release.
    pub release: Digest,
    /// Digest of its artifact: the same bytes under another name are denied too.
    pub artifact: Digest,
}

/// Everything that a step may rest on and that must survive a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Version of this record.
    pub v: u8,
    /// Where the node is.
    pub stage: Stage,
    /// The newest it was told.
    pub generation: Generation,
    /// The release that the node serves or goes back to; on trial still the old one.
    pub serves: Served,
    /// What the newest rollout asks; none before the first.
    pub target: Option<Target>,
    /// Starts that are left to the release that is being started; counted down before each.
    pub tries_left: u8,
    /// Tries in this rollout that ended because the host started anew.
    pub hosts_lost: u8,
    /// Number of the newest run of the daemon; counted up before each start.
    pub run: u64,
    /// Tries up to this one are over for this node, whatever the chain still shows.
    pub closed_attempt: u8,
    /// The node is out of service, or may be.
    pub drained: bool,
    /// How it left Armed, this try.
    pub left_armed: Option<LeftArmed>,
    /// Time without service, this try.
    pub downtime: Downtime,
    /// What failed here.
    pub denied: Vec<Denied>,
    /// What it said in this rollout and try, in order: a repeat says exactly the same.
    pub said: Vec<Report>,
    /// Why it refused, failed or is contained, for people.
    pub why: Option<String>,
    /// The owner wants the refused rollout taken up again.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub retake: bool,
    /// The owner's newest request to try again, which was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Digest>,
}

impl Memory {
    /// The memory of a node that serves a release and was never told anything.
    #[must_use]
    pub fn new(serves: Served) -> Self {
        Self {
            v: 1,
            stage: Stage::Idle,
            generation: Generation::default(),
            serves,
            target: None,
            tries_left: 0,
            hosts_lost: 0,
            run: 0,
            closed_attempt: 0,
            drained: false,
            left_armed: None,
            downtime: Downtime::default(),
            denied: Vec::new(),
            said: Vec::new(),
            why: None,
            retake: false,
            retried: None,
        }
    }

    /// Does the node itself deny these bytes, or this release?
    #[must_use]
    pub fn denies(&self, release: &Digest, artifact: &Digest) -> bool {
        self.denied.iter().any(|denied| denied.release == *release || denied.artifact == *artifact)
    }
}
