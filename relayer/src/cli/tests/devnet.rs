//! The commands against a real devnet: a genesis file, a few accounts, loopback only.

use std::path::PathBuf;

use super::*;
use crate::chain::keys::{Key, Kind};

const EXAMPLE: &str = include_str!("../../../../docs/genesis.example.json");

/// A devnet with the example's genesis, whose accounts have keys in a folder.
pub(super) struct Stage {
    pub(super) folder: tempfile::TempDir,
    pub(super) devnet: concord_devnet::Devnet,
    pub(super) settings: PathBuf,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With a change of the genesis.
    async fn with(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = EXAMPLE.to_owned();
        let example: Value = serde_json::from_str(EXAMPLE).unwrap();
        for (index, name) in ["member", "auditor", "guardian", "operator", "hot"].into_iter().enumerate() {
            let key = Key::generate(Kind::Secp256k1).unwrap();
            key.create(&folder.path().join(name), "wasm").unwrap();
            let old = example["accounts"][index]["address"].as_str().unwrap();
            text = text.replace(old, key.address("wasm").unwrap().text());
        }
        let signing = Key::generate(Kind::Ed25519).unwrap();
        signing.create(&folder.path().join("signing"), "wasm").unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let setup = &mut value["instantiate"];
        setup["auditors"][0]["key"] = serde_json::to_value(attest::signing_key(&signing)).unwrap();
        for span in ["deliberation", "voting_min", "timelock"] {
            setup["rules"]["standard"][span] = json!({"seconds": 1, "blocks": 1});
        }
        change(&mut value);
        text = value.to_string();
        let genesis = folder.path().join("genesis.json");
        std::fs::write(&genesis, text).unwrap();
        let line = format!("devnet --listen 127.0.0.1:0 --block-time-ms 50 --genesis {}", genesis.display());
        let Command::Devnet(args) = parsed(&line).command else { panic!("{line}") };
        let (devnet, answer) = super::super::devnet::start(&args, None).await.unwrap();
        assert!(answer.short_floors);
        let settings = folder.path().join("concord.toml");
        let text = format!(
            "[chain]\nrpc = [{}]\nchain_id = {}\ncontract = {}\n[gas]\nprice = {}\ndenom = {}\n",
            answer.json["rpc"],
            answer.json["chain_id"],
            answer.json["contract"],
            answer.json["gas_price"],
            answer.json["gas_denom"]
        );
        std::fs::write(&settings, text).unwrap();
        Self { folder, devnet, settings }
    }

    pub(super) async fn run(&self, who: &str, line: &str) -> Result<Answer, CliError> {
        let (config, key) = (self.settings.display(), self.folder.path().join(who));
        answer(&format!("{line} --config {config} --key {}", key.display())).await
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Asks for an explanation until the phase is the wanted one.
    async fn until(&self, subject: &str, phase: &str) {
        let mut seen = String::new();
        for _ in 0..400 {
            let answer = self.run("member", &format!("explain {subject}")).await.unwrap();
            seen = answer.json["explanation"]["phase"].as_str().unwrap().to_owned();
            if seen == phase {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{subject} is {seen}, not {phase}");
    }

    pub(super) fn address(&self, who: &str) -> String {
        Key::load(&self.folder.path().join(who)).unwrap().address("wasm").unwrap().text().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_is_governed_from_the_command_line() {
    let stage = Stage::new().await;
    let hot = stage.address("hot");
    let line = format!("register --component oracle-feeder --node-id n1 --power 60 --hot-key {hot}");
    let registered = stage.run("operator", &line).await.unwrap();
    assert!(registered.short_floors);
    assert_eq!(registered.json["entries"][0]["kind"], "registered");
    assert!(registered.text.starts_with("registered: "), "{}", registered.text);

    let refused = stage.run("guardian", &line).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused, "{refused:?}");

    stage.run("guardian", "brake component:oracle-feeder").await.unwrap();
    let status = stage.run("member", "status").await.unwrap();
    assert!(status.text.contains("brake holds: component oracle-feeder"), "{}", status.text);
    assert!(status.text.contains("oracle-feeder  1.4.0"), "{}", status.text);
    assert_eq!(status.json["status"]["components"][0]["version"], "1.4.0");

    let zeros = "0".repeat(64);
    let line = format!(
        "propose --title lift --rationale-uri https://x --rationale-digest {zeros} --lift-brake component:oracle-feeder"
    );
    let proposed = stage.run("member", &line).await.unwrap();
    assert_eq!(proposed.json["proposal"], 1, "{}", proposed.text);
    let dry = stage.run("member", &format!("{line} --dry-run")).await.unwrap();
    assert_eq!(dry.json["digest"], proposed.json["digest"]);
    let why = stage.run("member", "explain proposal 1").await.unwrap();
    assert!(why.text.starts_with("deliberation (height "), "{}", why.text);
    assert_eq!(why.json["explanation"]["phase"], "deliberation");

    let early = stage.run("member", "vote 1 yes").await.unwrap_err();
    assert_eq!(early.exit(), Exit::Refused);
    let other = stage.run("member", &format!("vote 1 yes --expect-digest {zeros}")).await.unwrap_err();
    assert_eq!(other.exit(), Exit::Unexpected, "{other}");
    assert_eq!(stage.run("member", "explain proposal 9").await.unwrap_err().exit(), Exit::Refused);

    let verified = stage.run("member", "log verify --from 2").await.unwrap();
    // Registration, brake, proposal; entry 1 is written at genesis.
    assert_eq!(verified.json["log"]["count"], 3, "{}", verified.text);
    let beyond = stage.run("member", "log verify --from 5").await.unwrap_err();
    assert_eq!(beyond.exit(), Exit::Usage, "{beyond}");
    let hot = stage.address("hot");
    let elsewhere = stage.run("member", &format!("status --contract {hot}")).await.unwrap_err();
    assert!(
        matches!(&elsewhere, CliError::NoCoordinator { contract, .. } if *contract == hot),
        "{elsewhere}"
    );
    assert_eq!(elsewhere.exit(), Exit::Chain);
    let part = stage.run("member", "log verify --from 3").await.unwrap();
    assert_eq!(part.json["log"]["count"], 2);
    assert_eq!(part.json["log"]["head"], verified.json["log"]["head"]);
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_goes_from_draft_to_rollout_with_a_carried_signature() {
    let stage = Stage::new().await;
    let hot = stage.address("hot");
    let line = format!("register --component oracle-feeder --node-id n1 --power 60 --hot-key {hot}");
    stage.run("operator", &line).await.unwrap();
    let text = include_str!("../../../../docs/proposal.example.toml");
    std::fs::write(stage.path("p.toml"), text.replace("one_at_a_time = false", "one_at_a_time = true"))
        .unwrap();
    let proposed = stage.run("member", &format!("propose {}", stage.path("p.toml"))).await.unwrap();
    assert_eq!(proposed.json["deposit"]["amount"], "1000000");
    // The whole draft is in the entry: for programs as it is, for people its beginning.
    let draft = proposed.json["entries"][0]["fields"]["draft"].as_str().unwrap();
    assert!(draft.len() > 1_000 && !proposed.text.contains(draft), "{}", proposed.text);
    assert!(proposed.text.contains(&format!("… ({} bytes)", draft.len())), "{}", proposed.text);
    stage.until("proposal 1", "validation").await;

    let signing = format!("--claim reviewed --auditor-key {}", stage.path("signing"));
    let nameless = stage.run("member", &format!("attest 1 {signing}")).await.unwrap_err();
    assert_eq!(nameless.exit(), Exit::Usage, "an ed25519 key names no account");
    let zeros = "0".repeat(64);
    let other = stage
        .run("member", &format!("attest 1 --claim reviewed --expect-release {zeros}"))
        .await
        .unwrap_err();
    assert_eq!(other.exit(), Exit::Unexpected);
    let auditor = stage.address("auditor");
    let stranger = stage.run("member", &format!("attest 1 {signing} --auditor {hot}")).await.unwrap_err();
    assert_eq!(stranger.exit(), Exit::Refused, "{stranger}");
    let carried = stage.run("member", &format!("attest 1 {signing} --auditor {auditor}")).await.unwrap();
    let kinds: Vec<&str> = carried.json["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["attested", "vote_opened"]);

    let vote = format!("vote 1 yes --expect-digest {}", proposed.json["digest"].as_str().unwrap());
    let voted = stage.run("member", &vote).await.unwrap();
    assert!(voted.text.starts_with("Oracle feeder 2.0.0"), "{}", voted.text);
    stage.until("proposal 1", "ready").await;
    let executed = stage.run("hot", "execute 1").await.unwrap();
    assert!(executed.text.contains("rollout started: "), "{}", executed.text);
    let status = stage.run("member", "status --component oracle-feeder").await.unwrap();
    assert!(status.text.contains("rollout 1 of oracle-feeder to 2.0.0"), "{}", status.text);
    let claimed = stage.run("member", "claim --settle 1").await.unwrap();
    assert_eq!(claimed.json["answers"].as_array().unwrap().len(), 2);
    let verified = stage.run("member", "log verify").await.unwrap();
    assert_eq!(verified.json["log"]["from"], 1);
    stage.devnet.stop().await;
}

/// An execution that the contract records as failed was sent and included, and is no success all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_execution_is_told_with_its_action_and_the_contracts_words() {
    let stage = Stage::with(|genesis| {
        let hot = genesis["accounts"][4]["address"].clone();
        let setup = &mut genesis["instantiate"];
        setup["members"].as_array_mut().unwrap().push(json!({"addr": hot, "weight": "1"}));
        for (span, seconds) in [("deliberation", 1), ("voting_min", 1), ("voting", 2), ("timelock", 1)] {
            setup["rules"]["constitutional"][span] = json!({"seconds": seconds, "blocks": 1});
        }
    })
    .await;
    // The weights would sum to more than there can be, which no other decision mends.
    let heavy = json!({"addr": stage.address("hot"), "weight": u128::MAX.to_string()});
    let draft = json!({
        "title": "One member too heavy",
        "rationale": {"digest": "0".repeat(64), "uri": "https://x"},
        "actions": [{"change_members": {"set": [heavy], "remove": []}}],
    });
    std::fs::write(stage.path("p.json"), draft.to_string()).unwrap();
    stage.run("member", &format!("propose {}", stage.path("p.json"))).await.unwrap();
    stage.until("proposal 1", "validated").await;
    stage.run("member", "open-vote 1").await.unwrap();
    stage.run("member", "vote 1 yes").await.unwrap();
    stage.until("proposal 1", "ready").await;
    let failed = stage.run("member", "execute 1").await.unwrap_err();
    let text = failed.to_string();
    let begins = "the execution failed at action 0 with code 5, and nothing of it was done: attempt 1 of ";
    assert!(text.starts_with(begins), "{text}");
    assert_eq!((failed.exit(), &failed.json()["error"]["kind"]), (Exit::Unexpected, &json!("unexpected")));
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_chain_and_a_dead_one_end_with_their_own_code() {
    let stage = Stage::new().await;
    let error = stage.run("member", "status --chain-id other-1").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Chain, "{error:?}");
    let error = stage.run("member", "status --node ftp://x").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage, "{error:?}");
    let contract = stage.address("member");
    let error = stage.run("member", &format!("status --contract {contract}")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Chain, "{error:?}");
    let address = stage.devnet.rpc_address();
    stage.devnet.stop().await;
    let line = format!("status --node http://{address} --config {}", stage.settings.display());
    let error = answer(&line).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Chain, "{error:?}");
    let text = crate::causes::told(&error);
    assert!(text.contains(&address.to_string()) && text.contains("check that the node runs"), "{text}");
}

#[tokio::test]
async fn a_genesis_that_is_none_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let genesis = folder.path().join("g.json");
    std::fs::write(&genesis, EXAMPLE.replace("\"fee_denom\"", "\"fee_denoms\"")).unwrap();
    let error =
        answer(&format!("devnet --listen 127.0.0.1:0 --genesis {}", genesis.display())).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("unknown field `fee_denoms`"), "{error}");
    std::fs::write(&genesis, EXAMPLE.replace("\"threshold\": 1", "\"threshold\": 2")).unwrap();
    let error =
        answer(&format!("devnet --listen 127.0.0.1:0 --genesis {}", genesis.display())).await.unwrap_err();
    assert!(matches!(error, CliError::Devnet(_)), "{error:?}");
    assert_eq!(error.exit(), Exit::Usage);
}
