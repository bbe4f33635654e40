//! Lies that are more than a byte: other blocks, other proofs, other heights, parts left out. And the list of all
//! reasons, each of which some case must find.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord_prove::{Question, Reason, Root, StateKey, Verdict, read_value, verify_alone};
use ics23::commitment_proof::Proof;
use ics23::{BatchProof, CommitmentProof};
use prost::Message;
use serde_json::{Value, json};

use super::maker::{CHAIN_ID, CONTRACT, Chain, Plan, key, voter, voters};
use super::mutation::{change_everything, scenes};
use super::scene::Scene;
use super::tree;
use super::world::{Node, after, run, terms};

mod blocks;
mod order;
mod values;

use blocks::block_lies;
use order::order_lies;
use values::value_lies;

fn edit(body: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut answer: Value = serde_json::from_str(body).unwrap();
    change(&mut answer["result"]);
    answer.to_string()
}

/// A case: what it is, which question is lied about, and the lie.
struct Case {
    what: &'static str,
    about: String,
    lie: String,
    expected: &'static str,
}

#[test]
fn each_lie_is_refused_for_its_own_reason_and_every_reason_is_found() {
    let chain = Plan::new().make();
    let scene = Scene::made("lies", &chain, 1, 40);
    let root = scene.honest_root();
    let mut found = BTreeSet::new();
    let cases: Vec<Case> = block_lies(&chain, &scene).into_iter().chain(value_lies(&chain)).collect();
    assert!(cases.len() >= 85, "{} cases", cases.len());
    for Case { what, about, lie, expected } in cases {
        let reason = scene.refusal(&about, &lie, &root);
        let name = reason.as_ref().map(Reason::name).unwrap_or_default();
        assert_eq!(name, expected, "{what} ({about}): {reason:?}");
        found.insert(name);
    }
    let mut changes = 0;
    for scene in scenes() {
        let refused = change_everything(&scene);
        let count: usize = refused.values().sum();
        assert!(count >= 200, "{}: {count} changes", scene.name);
        changes += count;
        found.extend(refused.into_keys());
    }
    assert!(changes >= 900, "{changes} changes");
    // Found by the tests beside this one, by name.
    let elsewhere = [
        "anchor_hash",
        "app_hash",
        "forked",
        "future",
        "height",
        "height_back",
        "no_answer",
        "no_witness",
        "parent_hash",
        "sources",
        "state_ahead",
        "succession",
        "time_back",
        "too_far_back",
        "too_many_blocks",
        "trust_expired",
        "went_back",
        "witness_unproved",
    ];
    found.extend(elsewhere.map(ToOwned::to_owned));
    println!("{changes} changed bytes");
    let missing: Vec<&str> = ALL.into_iter().filter(|name| !found.contains(*name)).collect();
    // A vote without a signature does not come through the reader; the verifier asks for it all the same.
    assert_eq!(missing, ["signature_missing"]);
    assert_eq!(found.len() + 1, ALL.len(), "{found:?}");
}

const ALL: [&str; 63] = [
    "absence",
    "ahead",
    "anchor_hash",
    "answer_height",
    "answer_key",
    "app_hash",
    "block_pruned",
    "catching_up",
    "chain_id",
    "commit_empty",
    "commit_height",
    "commit_length",
    "forked",
    "future",
    "header_hash",
    "header_height",
    "height",
    "height_back",
    "malformed",
    "next_validators_hash",
    "nil_signature",
    "no_answer",
    "no_witness",
    "oversize",
    "parent_hash",
    "power",
    "presence",
    "proof_form",
    "proof_key",
    "proof_kinds",
    "proof_missing",
    "proof_size",
    "proof_store",
    "proof_unreadable",
    "query_refused",
    "refused",
    "signature",
    "signature_missing",
    "signer_place",
    "signer_twice",
    "signer_unknown",
    "sources",
    "state_ahead",
    "state_pruned",
    "store_root",
    "succession",
    "time_back",
    "too_far_back",
    "too_many_blocks",
    "truncated",
    "trust_expired",
    "validator_address",
    "validator_power",
    "validator_twice",
    "validators_hash",
    "validators_height",
    "validators_incomplete",
    "validators_too_many",
    "value_differs",
    "value_missing",
    "value_with_absence",
    "went_back",
    "witness_unproved",
];

#[test]
fn a_block_that_does_not_follow_the_trusted_one_is_told_why() {
    let names: Vec<(&str, String)> =
        order_lies().into_iter().map(|(what, reason)| (what, reason.name())).collect();
    assert_eq!(
        names,
        [
            ("the same height", "height_back".to_owned()),
            ("a lower height, later", "height_back".to_owned()),
            ("a lower height", "time_back".to_owned()),
            ("the trusted one again", "time_back".to_owned()),
            ("from a trusted one that is too old", "trust_expired".to_owned()),
            ("other validators right after", "succession".to_owned()),
        ]
    );
}

#[test]
fn a_set_that_never_overlaps_is_not_followed_for_ever() {
    // A whole new set at every height, over more heights than may be fetched.
    let plan = Plan {
        voters: Box::new(|height| vec![voter(u32::try_from(height).unwrap(), 1)]),
        heights: 150,
        state: Box::new(|_| vec![(key(b"tip"), b"0".to_vec())]),
        ..Plan::new()
    };
    let chain = plan.make();
    let sources = [Node::honest("a", &chain), Node::honest("b", &chain)];
    let begun =
        run(concord_prove::Light::begin(&sources, CHAIN_ID, chain.anchor(1), "", terms(), after(150)));
    let mut light = begun.verdict.proved().unwrap();
    let told = run(light.root(&sources, 150, after(150)));
    assert!(matches!(told.verdict, Verdict::Never(Reason::TooManyBlocks { .. })), "{:?}", told.verdict);
    assert!(matches!(run(light.root(&sources, 100, after(150))).verdict, Verdict::Yes(_)));
}

#[test]
fn without_an_app_hash_and_for_no_height_nothing_is_proved() {
    let chain = Plan { bare: true, heights: 3, ..Plan::new() }.make();
    let sources = [Node::honest("a", &chain), Node::honest("b", &chain)];
    let begun = run(concord_prove::Light::begin(&sources, CHAIN_ID, chain.anchor(1), "", terms(), after(3)));
    let told = run(begun.verdict.proved().unwrap().root(&sources, 3, after(3)));
    assert!(matches!(told.verdict, Verdict::Never(Reason::AppHash { height: 3, bytes: 0 })));
    let root = Root { height: u64::MAX, time: after(1), app_hash: [0; 32] };
    let asked = run(concord_prove::read(&sources[0], CHAIN_ID, &StateKey::code_info(1), &root));
    assert!(matches!(asked, Err(Reason::Height { .. })));
    assert!(read_value(b"", b"", 1).is_err());
}

#[test]
fn pages_that_do_not_agree_make_no_validator_set() {
    let chain = Plan { voters: Box::new(|_| voters(0, 180)), heights: 2, ..Plan::new() }.make();
    type Change = fn(&mut Value);
    let table: [(Change, &str); 4] = [
        (|result| result["total"] = json!("181"), "validators_incomplete"),
        (|result| result["total"] = json!("179"), "validators_incomplete"),
        (|result| drop(result["validators"].as_array_mut().unwrap().pop()), "validators_incomplete"),
        (
            |result| {
                let all = result["validators"].as_array_mut().unwrap();
                let first = all[0].clone();
                all.push(first);
            },
            "validators_incomplete",
        ),
    ];
    for (place, (change, expected)) in table.into_iter().enumerate() {
        let source = Node::honest("a", &chain)
            .tweaked(move |name, body| Ok(if name == "validators-2-2" { edit(&body, change) } else { body }));
        let reason = run(concord_prove::light_block(&source, 2)).unwrap_err();
        assert_eq!(reason.name(), expected, "{place}");
    }
    // A set that did not come in pages is bounded all the same.
    let body = chain.answer(Question::validators(1, 1).body());
    let member = concord_prove::read_validators(body.as_bytes(), 1).unwrap().members[0].clone();
    let crowd = concord_prove::assemble(vec![member; concord_prove::VALIDATORS_MAX + 1]);
    assert_eq!(crowd.unwrap_err().name(), "validators_too_many");
}
