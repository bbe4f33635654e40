//! A member and an auditor who decide at the command line, so that a rollout reaches a node the way it does everywhere.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use concord::chain::keys::{Key, Kind};
use concord::cli::devnet::Genesis;
use concord_schema::release::Artifact;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::Instant;

use super::LONGEST;
use super::deployment::{Deployment, GAS_PRICE, GENESIS};
use super::node::HOT_KEY;

/// Who the documented genesis names, with the place of their accounts in it.
const NAMES: [(usize, &str); 3] = [(0, "member"), (1, "auditor"), (4, HOT_KEY)];

/// They, and where their keys are.
pub(crate) struct People {
    folder: PathBuf,
}

impl People {
    /// Makes their keys, and the hot key of the node.
    pub(crate) fn new(folder: &Path) -> Self {
        for (_, name) in NAMES {
            Key::generate(Kind::Secp256k1).unwrap().create(&folder.join(name), "wasm").unwrap();
        }
        Self { folder: folder.to_owned() }
    }

    /// Puts them in the place of the genesis's own, under rules that take a second each.
    pub(crate) fn enter(&self, genesis: &mut Genesis) {
        let example: Value = serde_json::from_str(GENESIS).unwrap();
        let mut text = serde_json::to_string(genesis).unwrap();
        for (index, name) in NAMES {
            let key = Key::load(&self.folder.join(name)).unwrap();
            let old = example["accounts"][index]["address"].as_str().unwrap();
            text = text.replace(old, key.address("wasm").unwrap().text());
        }
        let mut changed: Value = serde_json::from_str(&text).unwrap();
        for span in ["deliberation", "voting_min", "timelock"] {
            changed["instantiate"]["rules"]["standard"][span] = json!({"seconds": 1, "blocks": 1});
        }
        *genesis = serde_json::from_value(changed).unwrap();
    }

    async fn ask(&self, chain: &Deployment, who: &str, line: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CONCORD_") {
                command.env_remove(name);
            }
        }
        command
            .args(line)
            .args(["--json", "--node", &chain.url(), "--chain-id", chain.chain_id()])
            .args(["--contract", chain.contract.text()])
            .arg("--key")
            .arg(self.folder.join(who))
            .env("CONCORD_GAS__PRICE", GAS_PRICE)
            .env("CONCORD_GAS__DENOM", &chain.denom)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        tokio::time::timeout(LONGEST, command.output()).await.unwrap().unwrap()
    }

    /// What a command answers, which must work.
    pub(crate) async fn does(&self, chain: &Deployment, who: &str, line: &[&str]) -> Value {
        let output = self.ask(chain, who, line).await;
        assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn until(&self, chain: &Deployment, phase: &str) {
        let began = Instant::now();
        loop {
            let answer = self.does(chain, "member", &["explain", "proposal", "1"]).await;
            if answer["explanation"]["phase"] == phase {
                return;
            }
            assert!(began.elapsed() < LONGEST, "expected {phase}, found {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Decides on a release with this artifact, from the proposal to the rollout's start. A trial of it takes so long.
    pub(crate) async fn roll_out(&self, chain: &Deployment, artifact: &Artifact, trial_seconds: u64) {
        let file = self.folder.join("proposal.json");
        std::fs::write(&file, proposal(&chain.component, artifact, trial_seconds).to_string()).unwrap();
        self.does(chain, "member", &["propose", &file.display().to_string()]).await;
        self.until(chain, "validation").await;
        self.does(chain, "auditor", &["attest", "1", "--claim", "reviewed"]).await;
        self.does(chain, "member", &["vote", "1", "yes"]).await;
        self.until(chain, "ready").await;
        self.does(chain, "member", &["execute", "1"]).await;
    }
}

fn proposal(component: &str, artifact: &Artifact, trial_seconds: u64) -> Value {
    let document = json!({"digest": "0".repeat(64), "uri": "https://forum.example/1"});
    let long = json!({"seconds": 600, "blocks": 6000});
    let release = json!({
        "component": component,
        "version": "2.0.0",
        "artifacts": [artifact],
        "upgrades_from": ["1.4.0"],
        "compatibility": [],
        "protocol": {"min": 3, "max": 3},
        "flags": [],
        "reversibility": "binary_only",
    });
    let plan = json!({
        "method": "rolling",
        "ready_bps": 5_000,
        "preparation": long,
        "postponement": long,
        "notice_blocks": 2,
        "lease": long,
        "lease_bps": 5_000,
        "one_at_a_time": true,
        "waves": [{
            "lot_bps": 10_000,
            "healthy_bps": 10_000,
            "soak": {"seconds": 1, "blocks": 1},
            "deadline": long,
        }],
        "trial": {"span": {"seconds": trial_seconds, "blocks": 1}, "probe_interval_ms": 20},
        "failure": {
            "wave_bps": 5_000,
            "rollout_bps": 2_000,
            "on_crossed": "halt",
            "halted": long,
            "rolling_back": long,
        },
    });
    json!({
        "title": "The next release",
        "rationale": document,
        "actions": [{"start_rollout": {"release": release, "plan": plan}}],
    })
}
