//! The same on answers of a real chain: wasmd 0.61.14 with four validators, captured by `examples/capture.rs`.
//!
//! `skip` spans 1,001 blocks with a change of powers between, `next` is the very block after which the powers change, and
//! `halted` was asked of nodes that stood still at their `--halt-height`.

use concord_prove::{
    Reason, Root, Shown, StateKey, Time, Verdict, code_checksum, contract_code, read, read_status,
    read_value, state_gone, unbonding_seconds,
};
use serde_json::Value;

use super::mutation::change_everything;
use super::scene::Scene;
use super::world::{Node, run};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        Scene::captured("skip", include_str!("../fixtures/skip.json")),
        Scene::captured("next", include_str!("../fixtures/next.json")),
        Scene::captured("halted", include_str!("../fixtures/halted.json")),
    ]
}

#[test]
fn real_headers_and_values_are_proved_presence_and_absence_alike() {
    for scene in scenes() {
        let root = scene.honest_root();
        assert_eq!(root.height, scene.to);
        let (mut present, mut absent) = (0, 0);
        for (key, value) in &scene.reads {
            let found = run(read(&scene.node("a"), &scene.chain_id, key, &root)).unwrap();
            assert_eq!(found, *value, "{} {key:?}", scene.name);
            if found.is_some() { present += 1 } else { absent += 1 }
        }
        assert_eq!((present, absent), (5, 7), "{}", scene.name);
        let token = &scene
            .reads
            .iter()
            .find(|(key, _)| *key == StateKey::contract(&scene.contract, b"token_info"))
            .unwrap()
            .1;
        assert!(token.as_ref().unwrap().starts_with(br#"{"name":"proved""#));
        let staking = scene.reads.iter().find(|(key, _)| *key == StateKey::staking_params()).unwrap();
        assert_eq!(unbonding_seconds(staking.1.as_ref().unwrap()), Ok(21 * 86_400));
        let value_of = |key: StateKey| scene.reads.iter().find(|(own, _)| *own == key).unwrap().1.clone();
        let info = value_of(StateKey::contract_info(&scene.contract)).unwrap();
        let code = contract_code(&info).unwrap();
        let record = value_of(StateKey::code_info(code)).unwrap();
        assert_eq!(hex::encode(code_checksum(&record).unwrap())[..8], *"1da7691c");
        for wrong in [&[][..], &[0xff], &[0x0a, 1, 7]] {
            assert_eq!(contract_code(wrong).unwrap_err().name(), "malformed");
            assert_eq!(code_checksum(wrong).unwrap_err().name(), "malformed");
        }
    }
}

#[test]
fn one_changed_byte_of_a_real_answer_is_refused_for_its_own_reason() {
    let mut all = 0;
    for scene in scenes() {
        let count: usize = change_everything(&scene).values().sum();
        assert!(count >= 200, "{}: {count} changes", scene.name);
        all += count;
    }
    println!("{all} changed bytes of real answers");
}

#[test]
fn a_real_halted_node_proves_the_state_before_its_height_and_has_none_at_it() {
    for (text, asked, expected) in [
        (include_str!("../fixtures/halted-refusals.json"), "high", "state_ahead"),
        (include_str!("../fixtures/refusals.json"), "low", "state_pruned"),
        (include_str!("../fixtures/refusals.json"), "high", "state_ahead"),
    ] {
        let file: Value = serde_json::from_str(text).unwrap();
        let height = file[asked].as_u64().unwrap();
        let key = hex::decode(file["key"].as_str().unwrap()).unwrap();
        let key = StateKey::raw("wasm", &key).unwrap();
        let answer = |name: &str| file["answers"][name].to_string();
        let shown = read_value(answer(&key.question(height).name()).as_bytes(), key.bytes(), height);
        assert_eq!(shown, Ok(Shown::Gone));
        let standing = read_status(answer("status").as_bytes(), "prove-1").unwrap();
        assert_eq!(state_gone(height, &standing).name(), expected);
        let source = Node::from_answers("a", |question| answer(&question.name()));
        let root = Root { height: height + 1, time: Time::unix_epoch(), app_hash: [0; 32] };
        let verdict = Verdict::of(run(read(&source, "prove-1", &key, &root)));
        assert_eq!(matches!(verdict, Verdict::NotYet(_)), expected == "state_ahead", "{verdict:?}");
    }
    let file: Value = serde_json::from_str(include_str!("../fixtures/refusals.json")).unwrap();
    let answer = file["answers"]["commit-99999"].to_string();
    let ahead = concord_prove::read_commit(answer.as_bytes(), 99_999);
    assert!(matches!(ahead, Err(Reason::Ahead { asked: 99_999, latest: 1_000.. })), "{ahead:?}");
}
