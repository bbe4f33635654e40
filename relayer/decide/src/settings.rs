//! What an operator sets and the machine goes by.

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// Settings of one agent. They never weaken what a plan demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The host's platform, in the words of release metadata: `x86_64-linux`.
    pub platform: String,
    /// The largest artifact that is taken, in bytes.
    pub artifact_bytes_max: u64,
    /// How long a daemon may take until its first passed probe, in milliseconds; failed probes count from then on.
    pub boot_ms: u64,
    /// How often a release is started before it counts as failed. At least one.
    pub tries: u8,
    /// How often an artifact is fetched and checked before the node refuses.
    pub fetch_tries: u8,
    /// The shortest trial in milliseconds: lengthens the plan's, never shortens it.
    pub trial_ms_min: u64,
    /// The same in blocks.
    pub trial_blocks_min: u64,
    /// Milliseconds between two probes where no plan says it.
    pub probe_interval_ms: u64,
    /// Milliseconds until a request or report without visible consequence is sent again; as many blocks as in
    /// `again_blocks` must have passed too.
    pub again_ms: u64,
    /// See `again_ms`.
    pub again_blocks: u64,
    /// How long each work may take.
    pub limits: Limits,
}

impl Settings {
    /// Settings for a platform that suit most hosts.
    #[must_use]
    pub fn new(platform: &str) -> Self {
        Self {
            platform: platform.to_owned(),
            artifact_bytes_max: 4 << 30,
            boot_ms: 30_000,
            tries: 2,
            fetch_tries: 5,
            trial_ms_min: 0,
            trial_blocks_min: 0,
            probe_interval_ms: 1_000,
            again_ms: 2_000,
            again_blocks: 5,
            limits: Limits::default(),
        }
    }
}
