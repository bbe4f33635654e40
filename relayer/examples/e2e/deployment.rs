//! What is deployed and proposed: the coordinator of a fleet of validators, and the plan of its upgrade.

use std::path::Path;

use concord_schema::Digest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::{StoryError, other, step};
use super::people::People;
use super::settings::{AFTER, BEFORE, COMPONENT, Settings, Story, VALIDATORS};

/// A wasmd.
pub(crate) struct Program {
    /// SHA-256.
    pub(crate) digest: Digest,
    size_bytes: u64,
    uri: String,
}

impl Program {
    /// Hashes a program's file.
    ///
    /// # Errors
    /// [`StoryError`] when it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, StoryError> {
        let read = || format!("read {}", path.display());
        let path = path.canonicalize().map_err(step(read()))?;
        let mut file = std::fs::File::open(&path).map_err(step(read()))?;
        let mut hasher = Sha256::new();
        let size_bytes = std::io::copy(&mut file, &mut hasher).map_err(step(read()))?;
        Ok(Self {
            digest: Digest(hasher.finalize().into()),
            size_bytes,
            uri: format!("file://{}", path.display()),
        })
    }
}

/// The programs of a story.
pub(crate) struct Programs {
    /// What the fleet runs.
    pub(crate) before: Program,
    /// What it is upgraded to.
    pub(crate) after: Program,
    /// What one platform's artifact is in place of it.
    pub(crate) bad: Option<Program>,
}

/// The platform of most nodes.
fn platform() -> String {
    concord::config::platform()
}

/// The platform whose artifact is bad.
fn platform_bad() -> String {
    format!("{}-glibc2.31", concord::config::platform())
}

impl Programs {
    /// Hashes the programs.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) fn read(settings: &Settings) -> Result<Self, StoryError> {
        let bad = match settings.story {
            Story::Rolling => None,
            Story::BadRelease => {
                let path = settings.bad.as_deref();
                Some(Program::read(path.ok_or_else(|| other("--bad FILE for this story", "none"))?)?)
            }
        };
        Ok(Self { before: Program::read(&settings.before)?, after: Program::read(&settings.after)?, bad })
    }

    /// The node that gets the bad artifact.
    pub(crate) fn victim(&self) -> Option<usize> {
        self.bad.as_ref().map(|_| VALIDATORS - 1)
    }

    /// The platform that a node says it is.
    pub(crate) fn platform(&self, node: usize) -> String {
        if self.victim() == Some(node) { platform_bad() } else { platform() }
    }

    fn release(&self, version: &str, program: &Program, bad: Option<&Program>, from: &[&str]) -> Value {
        let artifact = |platform: String, program: &Program| {
            json!({
                "platform": platform,
                "digest": program.digest,
                "size_bytes": program.size_bytes,
                "uris": [program.uri],
            })
        };
        let mut artifacts = vec![artifact(platform(), program)];
        artifacts.extend(bad.map(|bad| artifact(platform_bad(), bad)));
        json!({
            "component": COMPONENT,
            "version": version,
            "artifacts": artifacts,
            "upgrades_from": from,
            "compatibility": [],
            "protocol": {"min": 1, "max": 1},
            "flags": [],
            "reversibility": "binary_only",
            "rollback_procedure": null,
        })
    }

    /// The message that instantiates the coordinator, made of the documented example.
    ///
    /// # Errors
    /// [`StoryError`] when the example cannot be read.
    pub(crate) fn instantiate(&self, people: &People<'_>, example: &Path) -> Result<Value, StoryError> {
        let text = std::fs::read_to_string(example).map_err(step("read the example of a genesis"))?;
        let example: Value = serde_json::from_str(&text).map_err(step("read the example of a genesis"))?;
        let mut msg = example.get("instantiate").cloned().unwrap_or_default();
        let bad = self.bad.as_ref().map(|_| &self.before);
        let numbered =
            |kind: &str, count: usize| (1..=count).map(|no| format!("{kind}-{no}")).collect::<Vec<_>>();
        let set = [
            (
                "components",
                json!([{"name": COMPONENT, "group": null, "baseline": self.release(BEFORE, &self.before, bad, &[])}]),
            ),
            (
                "members",
                numbered("member", 3).iter().map(|name| json!({"addr": people.account(name), "weight": "10"})).collect(),
            ),
            (
                "auditors",
                json!([{"addr": people.account("auditor-1"), "organisation": "auditor-1", "key": null}]),
            ),
            (
                "guardians",
                json!({
                    "addrs": numbered("guardian", 3).iter().map(|name| people.account(name)).collect::<Vec<_>>(),
                    "threshold": 2,
                }),
            ),
            (
                "operators",
                numbered("operator", VALIDATORS)
                    .iter()
                    .map(|name| {
                        json!({"addr": people.account(name), "organisation": name, "component": COMPONENT, "power": 100})
                    })
                    .collect(),
            ),
        ];
        for (key, value) in set {
            if let Some(place) = msg.get_mut(key) {
                *place = value;
            }
        }
        for class in ["routine", "standard", "critical", "constitutional"] {
            for span in ["deliberation", "voting_min", "timelock"] {
                if let Some(place) = msg.pointer_mut(&format!("/rules/{class}/{span}")) {
                    *place = json!({"seconds": 1, "blocks": 1});
                }
            }
        }
        Ok(msg)
    }

    /// The proposal: a lease for a quarter of the power, so for one of four. Where one artifact is bad, three of four are
    /// enough.
    pub(crate) fn proposal(&self) -> Value {
        let long = json!({"seconds": 300, "blocks": 150});
        let wave = |lot_bps: u16, power_max_bps: Option<u16>, healthy_bps: u16| {
            json!({
                "lot_bps": lot_bps,
                "power_max_bps": power_max_bps,
                "healthy_bps": healthy_bps,
                "soak": {"seconds": 1, "blocks": 1},
                "deadline": long,
            })
        };
        let waves = match self.bad {
            None => json!([wave(5_000, Some(5_000), 10_000), wave(10_000, None, 10_000)]),
            Some(_) => json!([wave(10_000, None, 7_500)]),
        };
        let release = self.release(AFTER, &self.after, self.bad.as_ref(), &[BEFORE]);
        let plan = json!({
            "method": "rolling",
            "ready_bps": 10_000,
            "preparation": long,
            "postponement": long,
            "notice_blocks": 2,
            "lease": {"seconds": 60, "blocks": 30},
            "lease_bps": 2_500,
            "one_at_a_time": false,
            "waves": waves,
            "trial": {"span": {"seconds": 3, "blocks": 2}, "probe_interval_ms": 30},
            "failure": {
                "wave_bps": 2_500,
                "rollout_bps": 2_500,
                "on_crossed": "halt",
                "halted": long,
                "rolling_back": long,
            },
        });
        json!({
            "title": format!("wasmd {AFTER}"),
            "rationale": {"digest": "0".repeat(64), "uri": "https://forum.example/wasmd"},
            "actions": [{"start_rollout": {"release": release, "plan": plan}}],
        })
    }
}
