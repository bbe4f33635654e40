//! What is believed, what is not, and who is asked next.

use std::sync::Arc;

use concord::chain::light::{LightSettings, read_accepted};
use concord::chain::{Chain as _, Head, LightChain, RpcError};
use concord_decide::Distrust;
use serde_json::{Value, json};

use crate::maker::{Chain, Plan, time_at, voters};
use crate::served::{Served, checksum, contract, plan, rpc, settings, state};

pub(crate) async fn begun(chain: &Chain, nodes: &[&Served], settings: LightSettings) -> (LightChain, Head) {
    LightChain::begin(rpc(nodes), settings, chain.anchor(10), "a test").await.unwrap()
}

/// What is not proved, by the name of its reason.
fn unproved<T: std::fmt::Debug>(result: Result<T, RpcError>) -> String {
    match result {
        Err(RpcError::Unproved(reason)) => reason.name(),
        other => panic!("expected an unproved one, found {other:?}"),
    }
}

pub(crate) fn distrusted<T: std::fmt::Debug>(result: Result<T, RpcError>) -> (Distrust, String) {
    match result {
        Err(RpcError::Distrusted { cause, why }) => (cause, why),
        other => panic!("expected distrust, found {other:?}"),
    }
}

#[tokio::test]
async fn the_newest_state_is_the_one_before_the_newest_witnessed_header() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let (light, head) = begun(&chain, &[&one, &two], settings(folder.path())).await;
    let time_nanos = |height| u64::try_from(time_at(height).unix_timestamp_nanos()).unwrap();
    assert_eq!((head.height, head.time_nanos), (19, Some(time_nanos(19))));
    let contract = contract();
    let read = async |key: &[u8], height| light.raw(&contract, key, height).await.unwrap();
    assert_eq!(read(b"tip", 19).await.as_deref(), Some(&b"19"[..]));
    assert_eq!(read(b"none", 19).await, None);
    assert_eq!(read(b"tip", 14).await.as_deref(), Some(&b"14"[..]));
    assert_eq!(light.block_time_nanos(14).await.unwrap(), time_nanos(14));
    // What one node alone has is not there yet.
    one.grow(25);
    assert_eq!(light.head().await.unwrap().height, 19);
    two.grow(25);
    assert_eq!(light.head().await.unwrap().height, 24);
    assert_eq!(read(b"tip", 24).await.as_deref(), Some(&b"24"[..]));
    // State 25 is under no header yet.
    assert_eq!(unproved(light.raw(&contract, b"tip", 25).await), "ahead");
}

#[tokio::test]
async fn a_node_that_lies_about_its_height_moves_nothing() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    one.lies(|method, mut answer| {
        if method == "status" {
            answer["result"]["sync_info"]["latest_block_height"] = json!("9999");
        }
        answer
    });
    let folder = tempfile::tempdir().unwrap();
    let (light, head) = begun(&chain, &[&one, &two], settings(folder.path())).await;
    assert_eq!(head.height, 19);
    two.grow(23);
    one.grow(23);
    assert_eq!(light.head().await.unwrap().height, 22);
}

#[tokio::test]
async fn a_witness_with_a_header_that_it_cannot_prove_is_no_witness_and_rests() {
    let chain = Arc::new(plan().make());
    let forged = Arc::new(Plan { voters: Box::new(|_| voters(900, 4)), ..plan() }.make());
    let (one, two, liar) =
        (Served::start(&chain, 20).await, Served::start(&chain, 20).await, Served::start(&forged, 20).await);
    let folder = tempfile::tempdir().unwrap();
    // Two that do not agree prove nothing, whoever of them lies.
    let alone = LightChain::begin(rpc(&[&one, &liar]), settings(folder.path()), chain.anchor(10), "").await;
    assert_eq!(unproved(alone.map(drop)), "no_witness");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is kept of what did not begin");
    let (light, head) = begun(&chain, &[&one, &liar, &two], settings(folder.path())).await;
    assert_eq!(head.height, 19);
    let asked = liar.asked("commit");
    for node in [&one, &two, &liar] {
        node.grow(22);
    }
    assert_eq!(light.head().await.unwrap().height, 21);
    assert_eq!(liar.asked("commit"), asked, "it rests");
}

fn with_another_value(method: &str, mut answer: Value) -> Value {
    if method == "abci_query" {
        answer["result"]["response"]["value"] = json!("OTk5");
    }
    answer
}

#[tokio::test]
async fn a_value_that_is_not_the_proved_one_is_refused_and_the_next_node_asked() {
    let chain = Arc::new(plan().make());
    let (liar, one, two) =
        (Served::start(&chain, 20).await, Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let (light, _) = begun(&chain, &[&liar, &one, &two], settings(folder.path())).await;
    liar.lies(with_another_value);
    let before = one.asked("abci_query");
    let read = light.raw(&contract(), b"tip", 19).await.unwrap();
    assert_eq!(read.as_deref(), Some(&b"19"[..]));
    let asked = liar.asked("abci_query");
    assert_eq!(one.asked("abci_query"), before + 1);
    assert_eq!(light.raw(&contract(), b"k", 19).await.unwrap().as_deref(), Some(&b"{\"n\":1}"[..]));
    assert_eq!(liar.asked("abci_query"), asked, "it rests");
    // Where all lie, nothing is known.
    one.lies(with_another_value);
    two.lies(with_another_value);
    assert_eq!(unproved(light.raw(&contract(), b"tip", 19).await), "value_differs");
}

#[tokio::test]
async fn a_node_that_does_not_prove_is_told_apart_from_an_absent_key() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let (light, _) = begun(&chain, &[&one, &two], settings(folder.path())).await;
    for node in [&one, &two] {
        node.lies(|method, mut answer| {
            if method == "abci_query" {
                answer["result"]["response"]["proofOps"] = Value::Null;
                answer["result"]["response"]["value"] = Value::Null;
            }
            answer
        });
    }
    assert_eq!(unproved(light.raw(&contract(), b"tip", 19).await), "proof_missing");
}

#[tokio::test]
async fn a_contract_with_code_that_nobody_accepted_is_not_acted_on() {
    let migrated = |height: u64| {
        let mut pairs = state(height);
        if height >= 22 {
            pairs.retain(|(key, _)| key.first() != Some(&0x02));
            pairs.extend(crate::served::records(8).into_iter().take(1));
        }
        pairs
    };
    let chain = Arc::new(Plan { state: Box::new(migrated), ..plan() }.make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let nodes = [&one, &two];
    let folder = tempfile::tempdir().unwrap();
    // A configured checksum is the operator's word: another code is not begun with.
    let strict = LightSettings { checksums: vec![checksum(8)], ..settings(folder.path()) };
    let told = LightChain::begin(rpc(&nodes), strict, chain.anchor(10), "").await.map(drop);
    assert_eq!(distrusted(told).0, Distrust::AgentTooOld);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let (light, _) = begun(&chain, &nodes, settings(folder.path())).await;
    assert_eq!(light.code().await, Some(checksum(7)));
    // Only what was begun with is kept: what the configuration accepts is accepted as long as it stands there.
    let other = tempfile::tempdir().unwrap();
    let both = LightSettings { checksums: vec![checksum(7), checksum(8)], ..settings(other.path()) };
    begun(&chain, &nodes, both).await;
    assert_eq!(read_accepted(other.path(), contract().text()).unwrap(), [checksum(7)]);
    assert!(read_accepted(other.path(), "another").unwrap().is_empty());
    for (latest, is_known) in [(22, true), (23, false), (24, false)] {
        one.grow(latest);
        two.grow(latest);
        match light.head().await {
            Ok(head) => assert!(is_known && head.height == latest - 1),
            told => {
                let (cause, why) = distrusted(told);
                assert_eq!((cause, is_known), (Distrust::AgentTooOld, false), "{latest}");
                assert!(why.contains(&hex::encode(checksum(8))) && why.contains("update the agent"), "{why}");
            }
        }
    }
    // A new agent knows both.
    let wide = LightSettings { checksums: vec![checksum(8)], ..settings(folder.path()) };
    let light = LightChain::open(rpc(&nodes), wide);
    assert_eq!(light.head().await.unwrap().height, 23);
    assert_eq!(unproved(light.raw(&contract(), b"tip", 24).await), "ahead");
}

#[tokio::test]
async fn no_contract_and_no_bound_on_trust_are_a_persons_matter() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let other = LightSettings {
        contract: concord::chain::Address::new("wasm", &[9; 32]).unwrap(),
        ..settings(folder.path())
    };
    let told = LightChain::begin(rpc(&[&one, &two]), other, chain.anchor(10), "").await.map(drop);
    let (cause, why) = distrusted(told);
    assert!(cause == Distrust::Unproved && why.contains("correct chain.contract"), "{why}");
    // 21 days of unbonding: 14 are two thirds.
    for (seconds, is_fit) in [(14 * 86_400, true), (14 * 86_400 + 1, false)] {
        let terms = concord_prove::Terms::new(seconds, 10).unwrap();
        let settings = LightSettings { terms, ..settings(folder.path()) };
        match LightChain::begin(rpc(&[&one, &two]), settings, chain.anchor(10), "").await {
            Ok(_) => assert!(is_fit),
            told => {
                let (cause, why) = distrusted(told.map(drop));
                assert!(!is_fit && cause == Distrust::Unproved, "{why}");
                assert!(
                    why.starts_with(
                        "chain.trusting_seconds: expected a trusting period of at most 1209600 s"
                    )
                );
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_said_in_both_directions() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let anchor = chain.anchor(10);
    let begin = async |clock| {
        let settings = LightSettings { clock, ..settings(folder.path()) };
        LightChain::begin(rpc(&[&one, &two]), settings, anchor, "").await.map(drop)
    };
    // Blocks of 5 s explain 15 s beyond the minute.
    for (clock, is_right) in [
        ((|| at(75)) as concord::chain::light::Clock, true),
        (|| at(76), false),
        (|| at(-9), true),
        (|| at(-10), false),
    ] {
        let told = begin(clock).await;
        if is_right {
            told.unwrap();
        } else {
            assert_eq!(distrusted(told).0, Distrust::ClockOff);
        }
    }
}

fn at(seconds: i64) -> concord_prove::Time {
    let span = std::time::Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { (time_at(20) - span).unwrap() } else { (time_at(20) + span).unwrap() }
}

#[tokio::test]
async fn an_anchor_is_proposed_by_nodes_that_agree_only() {
    let chain = Arc::new(plan().make());
    let other = Arc::new(Plan { salt: (15, 1), ..plan() }.make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let clients = rpc(&[&one, &two]);
    assert_eq!(LightChain::propose(&clients).await.unwrap(), chain.anchor(20));
    two.becomes(&other);
    assert_eq!(unproved(LightChain::propose(&clients).await), "anchor_hash");
    let alone = LightChain::propose(&rpc(&[&one])).await;
    assert_eq!(distrusted(alone).0, Distrust::Unproved);
    // Node two shows that anchor, and node one shows another header after it, as well signed.
    let folder = tempfile::tempdir().unwrap();
    let told = LightChain::begin(clients, settings(folder.path()), other.anchor(16), "").await.map(drop);
    assert_eq!(distrusted(told).0, Distrust::Forked);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
