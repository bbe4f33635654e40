//! Samples of the nouns, as JSON: each goes through its type before it is written anywhere.

use concord_schema::proposal::{Action, Content, Draft, content_digest};
use concord_schema::release::Release;
use concord_schema::rules::Rules;
use serde_json::{Value, json};

use crate::error::ExportError;

/// Accounts of the docs' genesis.
pub const MEMBER: &str = "wasm1qyqszqgpqyqszqgpqyqszqgpqyqszqgpc0styh";
/// An auditor.
pub const AUDITOR: &str = "wasm1qgpqyqszqgpqyqszqgpqyqszqgpqyqszftkw0p";
/// A guardian.
pub const GUARDIAN: &str = "wasm1qvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrgmh09q";
/// An operator.
pub const OPERATOR: &str = "wasm1qszqgpqyqszqgpqyqszqgpqyqszqgpqygts2zu";
/// A hot key.
pub const HOT_KEY: &str = "wasm1q5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9fm3tga";
/// The coordinator.
pub const CONTRACT: &str = "wasm1pszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszq7tsh0k";
/// The component of all samples.
pub const COMPONENT: &str = "oracle-feeder";
/// The block time of all samples, in seconds.
pub const TIME: u64 = 1_790_000_000;
/// The height of all samples.
pub const HEIGHT: u64 = 1_200;

/// What the samples have in common.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The instantiate message of the docs' genesis.
    pub instantiate: Value,
    /// The docs' example of a proposal.
    pub draft: Value,
    /// Its release.
    pub release: Value,
    /// Its plan.
    pub plan: Value,
    /// The rules of the genesis.
    pub rules: Value,
    /// Digest of the draft.
    pub draft_digest: String,
    /// Digest of the release.
    pub release_digest: String,
    /// Digest over the release's platforms.
    pub platforms_digest: String,
    /// Digest of the component's baseline.
    pub baseline_digest: String,
    /// Digest of the rules.
    pub rules_digest: String,
}

impl Samples {
    /// Reads the docs' examples.
    ///
    /// # Errors
    /// [`ExportError`] where one of them is not what it must be.
    pub fn read() -> Result<Self, ExportError> {
        let told = |what: &str| {
            let what = what.to_owned();
            move |error| ExportError::Sample { what, error }
        };
        let genesis: Value = serde_json::from_str(include_str!("../../../docs/genesis.example.json"))
            .map_err(told("docs/genesis.example.json"))?;
        let instantiate = genesis.get("instantiate").cloned().unwrap_or_default();
        let rules = instantiate.get("rules").cloned().unwrap_or_default();
        let typed: Rules = serde_json::from_value(rules.clone()).map_err(told("rules"))?;
        let baseline: Release = serde_json::from_value(
            instantiate.pointer("/components/0/baseline").cloned().unwrap_or_default(),
        )
        .map_err(told("baseline"))?;
        let draft: Draft = toml::from_str(include_str!("../../../docs/proposal.example.toml"))
            .map_err(ExportError::Proposal)?;
        let encoded = serde_json::to_vec(&Content::of(&draft)).map_err(told("content"))?;
        let started = draft.actions.iter().find_map(|action| match action {
            Action::StartRollout { release, plan } => Some((release.as_ref().clone(), plan.as_ref().clone())),
            _ => None,
        });
        let (release, plan) = started.unzip();
        let (release_digest, platforms_digest) = release
            .as_ref()
            .map(|release: &Release| (release.digest().to_string(), release.platforms_digest().to_string()))
            .unwrap_or_default();
        Ok(Self {
            rules_digest: typed.digest().to_string(),
            baseline_digest: baseline.digest().to_string(),
            draft_digest: content_digest(&encoded).to_string(),
            release: serde_json::to_value(&release).map_err(told("release"))?,
            plan: serde_json::to_value(&plan).map_err(told("plan"))?,
            draft: serde_json::to_value(&draft).map_err(told("draft"))?,
            instantiate,
            rules,
            release_digest,
            platforms_digest,
        })
    }

    /// A document elsewhere.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({"digest": self.draft_digest, "uri": "https://forum.example/t/oracle-feeder-2"})
    }

    /// The draft as it is stored.
    #[must_use]
    pub fn content(&self) -> Value {
        json!({
            "v": 1, "title": self.draft.get("title"), "rationale": self.draft.get("rationale"), "actions": [],
            "start": {"place": 0, "release": self.release_digest, "plan": self.plan}
        })
    }

    /// The rules in force, in short.
    #[must_use]
    pub fn rules_head(&self) -> Value {
        json!({
            "v": 1, "version": 1, "digest": self.rules_digest, "brake_short": self.rules.get("brake_short"),
            "brake_full": self.rules.get("brake_full")
        })
    }

    /// An auditor's statement.
    #[must_use]
    pub fn statement(&self) -> Value {
        json!({
            "proposal": 3, "revision": 0, "release": self.release_digest, "platforms": self.platforms_digest,
            "claim": "built_reproducibly", "finding": "approves", "nonce": 7, "expires": TIME + 86_400
        })
    }

    /// Facts of a proposal that was executed.
    #[must_use]
    pub fn proposal(&self) -> Value {
        json!({
            "v": 1, "proposer": MEMBER, "class": "standard", "component": COMPONENT, "release": self.release_digest,
            "rules_version": 1, "rules": self.rules_digest, "revision": 0, "digest": self.draft_digest,
            "from": moment(0), "validated": true, "executed": true, "rollout": 2, "attempts": 1,
            "vote": {"from": moment(600), "snapshot_height": HEIGHT + 60, "total": "10", "braked": span(0)},
            "last_attempt": {"action": 0, "codespace": "wasm", "code": 5, "at": moment(900)},
            "deposit": {"denom": "ucosm", "amount": "1000000"}
        })
    }

    /// Facts of a rollout.
    #[must_use]
    pub fn rollout(&self) -> Value {
        json!({
            "v": 1, "proposal": 3, "component": COMPONENT, "group": COMPONENT, "release": self.release_digest,
            "version": "2.0.0",
            "previous": self.baseline_digest, "previous_version": "1.9.0", "reversibility": "binary_only", "plan": self.plan, "epoch": 2,
            "registered": 100, "draw_from": HEIGHT + 101
        })
    }

    /// Progress of a rollout whose second wave is open, with one failure.
    #[must_use]
    pub fn progress(&self) -> Value {
        json!({
            "v": 1, "d": {"s": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "f": moment(1_000)}, "r": 90,
            "n": 5, "w": [[10, 0], [80, 5]], "c": [4],
            "o": {"w": 1, "s": moment(1_200), "h": HEIGHT + 180, "l": 10, "t": 10, "y": 40, "of": ["operator-1"]},
            "l": 10, "u": 55, "fo": ["operator-2"]
        })
    }

    /// A component in a rollout.
    #[must_use]
    pub fn component(&self) -> Value {
        json!({
            "v": 1, "current": self.baseline_digest, "version": "1.9.0", "live": 2, "last": 1, "group": COMPONENT, "epoch": 2,
            "registered": 100, "largest": 40
        })
    }

    /// An auditor's attestation.
    #[must_use]
    pub fn attestation(&self) -> Value {
        json!({"v": 1, "statement": self.statement(), "organisation": "auditor-1", "signed": true})
    }

    /// The log's head.
    #[must_use]
    pub fn head(&self) -> Value {
        json!([1, 41, self.draft_digest, HEIGHT])
    }
}

/// So many seconds after the samples' time, and a tenth of it in blocks.
#[must_use]
pub fn moment(after_seconds: u64) -> Value {
    json!([TIME + after_seconds, HEIGHT + after_seconds / 10])
}

/// A span of so many seconds, and a tenth of it in blocks.
#[must_use]
pub fn span(seconds: u64) -> Value {
    json!({"seconds": seconds, "blocks": seconds / 10})
}

/// A member.
#[must_use]
pub fn member() -> Value {
    json!({"addr": MEMBER, "weight": "10"})
}

/// Approvals of a revision.
#[must_use]
pub fn approvals() -> Value {
    json!({"v": 1, "revision": 0, "auditors": 1, "organisations": ["auditor-1"]})
}

/// A tally that passes.
#[must_use]
pub fn tally() -> Value {
    json!({"yes": "7", "no": "1", "abstain": "2", "veto": "0", "decided": moment(700)})
}

/// A node.
#[must_use]
pub fn node() -> Value {
    json!({
        "v": 1, "no": 4, "operator": OPERATOR, "component": COMPONENT, "node_id": "feeder-a",
        "organisation": "operator-1", "hot_key": HOT_KEY, "since": 1, "power": 40,
        "next": {"power": 30, "epoch": 3}
    })
}

/// An operator.
#[must_use]
pub fn operator() -> Value {
    json!({"v": 1, "organisation": "operator-1", "power": 100, "split": 40, "nodes": 1})
}

/// A seat of a node on trial.
#[must_use]
pub fn seat() -> Value {
    json!({
        "v": 1, "o": 2, "w": 1, "m": 0, "p": 40, "s": "trial", "a": 1, "l": moment(1_500), "d": true, "u": true,
        "r": ["r0f1e2d3c4b5a", "a5a4b3c2d1e0f"]
    })
}

/// A brake that is pulled.
#[must_use]
pub fn brake() -> Value {
    json!({
        "v": 1, "closed": span(600), "from": moment(300), "until": moment(3_900), "pulled_by": [0],
        "released_by": [], "spent_on": 2, "gap": span(30)
    })
}

/// An auditor.
#[must_use]
pub fn auditor(samples: &Samples) -> Value {
    json!({"v": 1, "organisation": "auditor-1", "key": {"ed25519": samples.release_digest}})
}

/// The guardians.
#[must_use]
pub fn guardians() -> Value {
    json!({"v": 1, "addrs": [GUARDIAN], "threshold": 1})
}

/// Amounts of two denominations.
#[must_use]
pub fn coins() -> Value {
    json!([{"denom": "ucosm", "amount": "1000000"}])
}

/// Every reason to wait, in the order of its type.
#[must_use]
pub fn waits() -> Vec<Value> {
    let left = span(120);
    vec![
        json!({"deliberation": {"left": left}}),
        json!({"attestations": {
            "auditors": 1, "auditors_min": 2, "organisations": 1, "organisations_min": 2, "left": left
        }}),
        json!("open_vote"),
        json!({"voting": {"left": left}}),
        json!({"timelock": {"left": left}}),
        json!({"execute": {"left": left}}),
        json!({"retry": {"left": left}}),
        json!({"live_rollout": {"rollout": 1}}),
        json!({"version": {"current": "1.9.0"}}),
        json!({"action": {
            "action": 0, "why": "a rollout that is Ended(Completed) cannot be resumed; allowed: halted"
        }}),
        json!({"brake": {"scope": "component"}}),
        json!({"draw": {"from": HEIGHT + 1}}),
        json!({"readiness": {"ready": 60, "registered": 100, "bar_bps": 9_000}}),
        json!({"wave": {"wave": 2, "open": 1}}),
        json!({"activation_height": {"height": HEIGHT + 180}}),
        json!("new_height"),
        json!({"deferred": {"until": TIME + 3_600}}),
        json!({"power": {"down": 20, "asked": 40, "bound_bps": 3_300}}),
        json!({"gate": {"wave": 1, "healthy": 40, "assigned": 80, "left": left}}),
        json!({"soak": {"wave": 1, "left": left}}),
        json!("advance"),
        json!({"halt_vote": {"cause": "failures", "left": left}}),
        json!({"going_back": {"power": 40, "left": left}}),
        json!("completion"),
        json!("node"),
        json!({"holder": {"left": left}}),
        json!("nothing"),
    ]
}

/// Every kind of report.
#[must_use]
pub fn reports(samples: &Samples) -> Vec<Value> {
    vec![
        json!({"ready": {"release": samples.release_digest}}),
        json!({"refused": {"reason": "unsupported platform"}}),
        json!({"deferred": {"until": TIME + 3_600}}),
        json!({"activated": {"attempt": 1, "height": HEIGHT + 180}}),
        json!({"healthy": {"attempt": 1, "height": HEIGHT + 240, "downtime_ms": 850}}),
        json!({"failed": {"attempt": 1, "reason": "health check http failed"}}),
        json!({"rolled_back": {"attempt": 1, "release": samples.baseline_digest}}),
        json!({"contained": {"attempt": 1, "reason": "held by its operator"}}),
    ]
}
