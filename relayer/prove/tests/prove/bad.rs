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
use super::world::{Node, after, run, terms};

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

/// Lies about blocks, told on the way from height 1 to 40 of one chain.
fn block_lies(chain: &Chain, scene: &Scene) -> Vec<Case> {
    let (commit, set) = ("commit-40", "validators-40-1");
    let of = |name: &str| scene.answers[name].clone();
    let case =
        |what, about: &str, expected, lie: String| Case { what, about: about.to_owned(), lie, expected };
    let commit_of = |chain: &Chain, height| chain.answer(Question::commit(height).body());
    let error = |data: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error", "data": data}}).to_string()
    };
    let signatures = |change: fn(&mut Vec<Value>)| {
        edit(&of(commit), |result| {
            change(result["signed_header"]["commit"]["signatures"].as_array_mut().unwrap());
        })
    };
    let members = |change: fn(&mut Vec<Value>)| {
        edit(&of(set), |result| {
            change(result["validators"].as_array_mut().unwrap());
            let count = result["validators"].as_array().unwrap().len();
            result["total"] = json!(count.to_string());
        })
    };
    let forged = Plan { voters: Box::new(|_| voters(900, 4)), ..Plan::new() }.make();
    let foreign = Plan { id: "made-2", ..Plan::new() }.make();
    vec![
        case("an older block", commit, "header_height", commit_of(chain, 39)),
        case(
            "a newer block",
            commit,
            "header_height",
            commit_of(&Plan { heights: 41, ..Plan::new() }.make(), 41),
        ),
        case("a block of other validators", commit, "validators_hash", commit_of(&forged, 40)),
        case("a block of another chain", commit, "chain_id", commit_of(&foreign, 40)),
        case("pruned", commit, "block_pruned", error("height 40 is not available, lowest height is 99")),
        case(
            "ahead",
            commit,
            "ahead",
            error("height 40 must be less than or equal to the current blockchain height 39"),
        ),
        case("an error", commit, "refused", error("out of luck")),
        case("half an answer", commit, "truncated", of(commit)[..of(commit).len() / 2].to_owned()),
        case("all but the last byte", commit, "truncated", of(commit)[..of(commit).len() - 1].to_owned()),
        case("nothing", commit, "truncated", String::new()),
        case("a page of html", commit, "malformed", "<html>502</html>".to_owned()),
        case("neither result nor error", commit, "malformed", r#"{"jsonrpc":"2.0","id":1}"#.to_owned()),
        case("no signed header", commit, "malformed", edit(&of(commit), |result| *result = json!({}))),
        case("too much", commit, "oversize", " ".repeat(concord_prove::BLOCK_BYTES_MAX + 1)),
        case("one signature left out", commit, "commit_length", signatures(|all| drop(all.pop()))),
        case("one signature more", commit, "commit_length", signatures(|all| all.push(all[0].clone()))),
        case("no signatures", commit, "commit_empty", signatures(Vec::clear)),
        case("only absences", commit, "commit_empty", signatures(|all| all.fill(absent_entry()))),
        case("half the signatures", commit, "power", signatures(|all| all[2..].fill(absent_entry()))),
        case("one signer twice", commit, "signer_twice", signatures(|all| all[1] = all[0].clone())),
        case("two signers swapped", commit, "signer_place", signatures(|all| all.swap(0, 1))),
        case(
            "two signatures swapped",
            commit,
            "signature",
            signatures(|all| {
                let one = all[0]["signature"].take();
                all[0]["signature"] = all[1]["signature"].take();
                all[1]["signature"] = one;
            }),
        ),
        case(
            "a signature of zeros",
            commit,
            "signature",
            signatures(|all| all[3]["signature"] = json!(BASE64.encode([0; 64]))),
        ),
        case(
            "a signature cut short",
            commit,
            "malformed",
            signatures(|all| all[3]["signature"] = json!(BASE64.encode([1; 65]))),
        ),
        case("a validator left out", set, "validators_hash", members(|all| drop(all.pop()))),
        case("a validator twice", set, "validator_twice", members(|all| all[1] = all[0].clone())),
        case(
            "a validator of no power",
            set,
            "validator_power",
            members(|all| all[1]["voting_power"] = json!("0")),
        ),
        case("a negative power", set, "malformed", members(|all| all[1]["voting_power"] = json!("-1"))),
        case(
            "powers beyond all bounds",
            set,
            "validator_power",
            members(|all| {
                all.iter_mut().for_each(|one| one["voting_power"] = json!(i64::MAX.to_string()));
            }),
        ),
        case(
            "a page cut short",
            set,
            "validators_incomplete",
            edit(&of(set), |result| drop(result["validators"].as_array_mut().unwrap().pop())),
        ),
        case(
            "a page too long",
            set,
            "validators_incomplete",
            edit(&of(set), |result| result["total"] = json!("3")),
        ),
        case("no validators at all", set, "validators_hash", members(Vec::clear)),
        case("a crowd", set, "validators_too_many", edit(&of(set), |result| result["total"] = json!("1001"))),
        case(
            "a crowd on one page",
            set,
            "validators_too_many",
            members(|all| *all = vec![all[0].clone(); 101]),
        ),
        case(
            "validators of another height",
            set,
            "validators_height",
            chain.answer(Question::validators(39, 1).body()),
        ),
        case("other validators", set, "validators_hash", forged.answer(Question::validators(40, 1).body())),
        case(
            "a key of another kind",
            set,
            "malformed",
            members(|all| all[0]["pub_key"]["type"] = json!("tendermint/PubKeySecp256k1")),
        ),
        case("half a page", set, "truncated", of(set)[..of(set).len() / 2].to_owned()),
        case("another chain's status", "status", "chain_id", foreign.answer(Question::status().body())),
        case("a status cut short", "status", "truncated", of("status")[..40].to_owned()),
        case(
            "a status without catching_up",
            "status",
            "malformed",
            edit(&of("status"), |result| {
                drop(result["sync_info"].as_object_mut().unwrap().remove("catching_up"))
            }),
        ),
        case(
            "catching up",
            "status",
            "catching_up",
            edit(&of("status"), |result| result["sync_info"]["catching_up"] = json!(true)),
        ),
    ]
}

fn absent_entry() -> Value {
    json!({"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": null})
}

/// Lies about the contract's key `tip` in the state of height 39, and about a key that is not there.
fn value_lies(chain: &Chain) -> Vec<Case> {
    let name = |own: &[u8]| StateKey::contract(&CONTRACT, own).question(39).name();
    let ask = |chain: &Chain, key: &StateKey, height: u64| chain.answer(key.question(height).body());
    let tip = StateKey::contract(&CONTRACT, b"tip");
    let gap = StateKey::contract(&CONTRACT, &[b'k', 7]);
    let case = |what, own: &[u8], expected, lie: String| Case { what, about: name(own), lie, expected };
    let honest = ask(chain, &tip, 39);
    let absent = ask(chain, &gap, 39);
    let response =
        |body: &str, change: &dyn Fn(&mut Value)| edit(body, |result| change(&mut result["response"]));
    // An honest proof of something else, dressed up as the answer to what was asked.
    let dressed = |body: String, asked: &[u8], height: u64| {
        response(&body, &|response| {
            response["key"] = json!(BASE64.encode(asked));
            response["height"] = json!(height.to_string());
            response["proofOps"]["ops"][0]["key"] = json!(BASE64.encode(asked));
        })
    };
    let data = |op: usize, bytes: Vec<u8>| {
        response(&honest, &move |response| {
            response["proofOps"]["ops"][op]["data"] = json!(BASE64.encode(&bytes))
        })
    };
    let proof = |form: Proof| CommitmentProof { proof: Some(form) }.encode_to_vec();
    let store_of = |height: u64| chain.state(height);
    let inner = CommitmentProof::decode(
        super::tree::bytes(&store_of(39).store("wasm").prove(tip.bytes()).1).as_slice(),
    )
    .unwrap();
    let Some(Proof::Exist(exist)) = inner.proof.clone() else { panic!() };
    let deep = {
        let mut deep = exist.clone();
        deep.path = vec![deep.path[0].clone(); 97];
        proof(Proof::Exist(deep))
    };
    let batch = proof(Proof::Batch(BatchProof {
        entries: vec![ics23::BatchEntry { proof: Some(ics23::batch_entry::Proof::Exist(exist.clone())) }],
    }));
    let compressed =
        ics23::compress(&CommitmentProof::decode(batch.as_slice()).unwrap()).unwrap().encode_to_vec();
    let other_contract = StateKey::contract(&[0xc1; 32], b"tip");
    let gone = |text: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "result": {"response": {"code": 18, "codespace": "sdk", "log": text, "height": "0"}}}).to_string()
    };
    let other_state = Plan {
        state: Box::new(|height| {
            vec![(key(b"tip"), height.to_string().into_bytes()), (key(b"a"), b"1".to_vec())]
        }),
        ..Plan::new()
    }
    .make();
    vec![
        case(
            "another key's proof",
            b"tip",
            "proof_key",
            dressed(ask(chain, &StateKey::contract(&CONTRACT, &[b'k', 6]), 39), tip.bytes(), 39),
        ),
        case(
            "another key's answer",
            b"tip",
            "answer_key",
            ask(chain, &StateKey::contract(&CONTRACT, &[b'k', 6]), 39),
        ),
        case(
            "another contract's proof",
            b"tip",
            "proof_key",
            dressed(ask(chain, &other_contract, 39), tip.bytes(), 39),
        ),
        case("another contract's answer", b"tip", "answer_key", ask(chain, &other_contract, 39)),
        case("another height's answer", b"tip", "answer_height", ask(chain, &tip, 38)),
        case("another height's proof", b"tip", "store_root", dressed(ask(chain, &tip, 38), tip.bytes(), 39)),
        case("a later height's proof", b"tip", "store_root", dressed(ask(chain, &tip, 40), tip.bytes(), 39)),
        case("another chain's proof", b"tip", "store_root", ask(&other_state, &tip, 39)),
        case(
            "another store's proof",
            b"tip",
            "proof_store",
            response(&honest, &|response| {
                response["proofOps"]["ops"][1]["key"] = json!(BASE64.encode("bank"));
                response["proofOps"]["ops"][1]["data"] =
                    json!(BASE64.encode(super::tree::bytes(&store_of(39).prove("bank"))));
            }),
        ),
        case(
            "another store's proof under our name",
            b"tip",
            "store_root",
            data(1, super::tree::bytes(&store_of(39).prove("bank"))),
        ),
        case(
            "a store root of another height",
            b"tip",
            "presence",
            data(0, {
                // The store's own proof is of height 38, the chain's of 39: the value was the same in both.
                super::tree::bytes(&CommitmentProof {
                    proof: Some(Proof::Exist({
                        let Some(Proof::Exist(mut old)) =
                            store_of(38).store("wasm").prove(tip.bytes()).1.proof
                        else {
                            panic!()
                        };
                        old.value.clone_from(&exist.value);
                        old
                    })),
                })
            }),
        ),
        case(
            "presence of what is absent",
            &[b'k', 7],
            "proof_key",
            dressed(ask(chain, &StateKey::contract(&CONTRACT, &[b'k', 6]), 39), gap.bytes(), 39),
        ),
        case("absence of what is present", b"tip", "proof_key", dressed(absent.clone(), tip.bytes(), 39)),
        case("absence, with the asked key written in", b"tip", "absence", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let Some(Proof::Nonexist(non)) = &mut lie.proof else { panic!() };
            non.key = tip.bytes().to_vec();
            response(&data(0, super::tree::bytes(&lie)), &|response| response["value"] = Value::Null)
        }),
        case("absence with neighbours that are none", &[b'k', 7], "absence", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let (_, far) = store_of(39).store("wasm").prove(&key(b"a"));
            let (Some(Proof::Nonexist(non)), Some(Proof::Nonexist(far))) = (&mut lie.proof, far.proof) else {
                panic!()
            };
            non.left = far.left.or(far.right);
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(super::tree::bytes(&lie)))
            })
        }),
        case("absence with no neighbour", &[b'k', 7], "absence", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let Some(Proof::Nonexist(non)) = &mut lie.proof else { panic!() };
            (non.left, non.right) = (None, None);
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(super::tree::bytes(&lie)))
            })
        }),
        case("a deep neighbour", &[b'k', 7], "proof_size", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let Some(Proof::Nonexist(non)) = &mut lie.proof else { panic!() };
            let left = non.left.as_mut().unwrap();
            left.path = vec![left.path[0].clone(); 97];
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(super::tree::bytes(&lie)))
            })
        }),
        case(
            "no value with a proof of presence",
            b"tip",
            "value_missing",
            response(&honest, &|response| response["value"] = Value::Null),
        ),
        case(
            "a value with a proof of absence",
            &[b'k', 7],
            "value_with_absence",
            response(&absent, &|response| response["value"] = json!("eA==")),
        ),
        case(
            "another value",
            b"tip",
            "value_differs",
            response(&honest, &|response| response["value"] = json!(BASE64.encode("40"))),
        ),
        case(
            "no proof",
            b"tip",
            "proof_missing",
            response(&honest, &|response| response["proofOps"] = Value::Null),
        ),
        case(
            "an empty proof",
            b"tip",
            "proof_missing",
            response(&honest, &|response| response["proofOps"]["ops"] = json!([])),
        ),
        case(
            "half a proof",
            b"tip",
            "proof_kinds",
            response(&honest, &|response| drop(response["proofOps"]["ops"].as_array_mut().unwrap().pop())),
        ),
        case(
            "one proof too many",
            b"tip",
            "proof_kinds",
            response(&honest, &|response| {
                let first = response["proofOps"]["ops"][0].clone();
                response["proofOps"]["ops"].as_array_mut().unwrap().push(first);
            }),
        ),
        case(
            "the proofs swapped",
            b"tip",
            "proof_kinds",
            response(&honest, &|response| response["proofOps"]["ops"].as_array_mut().unwrap().swap(0, 1)),
        ),
        case(
            "an old kind of proof",
            b"tip",
            "proof_kinds",
            response(&honest, &|response| response["proofOps"]["ops"][0]["type"] = json!("iavl:v")),
        ),
        case("a batch", b"tip", "proof_form", data(0, batch.clone())),
        case("a compressed proof", b"tip", "proof_form", data(0, compressed.clone())),
        case("an empty message", b"tip", "proof_form", data(0, Vec::new())),
        case("a batch for the store", b"tip", "proof_form", data(1, batch)),
        case("a compressed one for the store", b"tip", "proof_form", data(1, compressed)),
        case(
            "a store's absence",
            b"tip",
            "proof_form",
            data(1, super::tree::bytes(&store_of(39).store("wasm").prove(gap.bytes()).1)),
        ),
        case("no protobuf", b"tip", "proof_unreadable", data(0, vec![0xff; 64])),
        case("no protobuf for the store", b"tip", "proof_unreadable", data(1, vec![0xff; 64])),
        case(
            "a proof cut short",
            b"tip",
            "proof_unreadable",
            data(0, {
                let mut cut = proof(Proof::Exist(exist.clone()));
                cut.truncate(cut.len() - 1);
                cut
            }),
        ),
        case("a deep proof", b"tip", "proof_size", data(0, deep.clone())),
        case("a deep proof of the store", b"tip", "proof_size", data(1, deep)),
        case("a long proof", b"tip", "proof_size", data(0, vec![0; (1 << 20) + 1])),
        case(
            "pruned",
            b"tip",
            "state_pruned",
            gone("failed to load state at height 39; version does not exist (latest height: 40)"),
        ),
        case(
            "pruned, by its empty proof",
            b"tip",
            "state_pruned",
            gone("proof is unexpectedly empty; ensure height has not been pruned"),
        ),
        case(
            "an old node's missing version",
            b"tip",
            "state_pruned",
            response(&honest, &|response| {
                response["value"] = Value::Null;
                response["log"] = json!("version does not exist");
            }),
        ),
        case("refused", b"tip", "query_refused", gone("no such store")),
        case("too much", b"tip", "oversize", " ".repeat(concord_prove::VALUE_BYTES_MAX + 1)),
        case("half an answer", b"tip", "truncated", honest[..honest.len() / 2].to_owned()),
        case(
            "a value that is no base64",
            b"tip",
            "malformed",
            response(&honest, &|response| response["value"] = json!("%")),
        ),
        case("no response", b"tip", "malformed", edit(&honest, |result| *result = json!({}))),
    ]
}

/// Blocks that are in order by themselves and must not follow the trusted one.
fn order_lies() -> Vec<(&'static str, Reason)> {
    let forged_next =
        Plan { voters: Box::new(|height| voters(if height < 11 { 0 } else { 900 }, 4)), ..Plan::new() };
    let honest = Plan::new().make();
    let step_from = |begun, from: u64, chain: &Chain, to: u64, now| {
        let sources = [Node::honest("a", &honest), Node::honest("b", &honest)];
        let light =
            run(concord_prove::Light::begin(&sources, CHAIN_ID, honest.anchor(from), "", terms(), begun));
        let light = light.verdict.proved().unwrap();
        let block = run(concord_prove::light_block(&Node::honest("x", chain), to)).unwrap();
        verify_alone(&block).unwrap();
        concord_prove::verify_header(light.latest(), &block, &terms(), now)
    };
    let step = |from: u64, chain: &Chain, to: u64, now| step_from(now, from, chain, to, now);
    let late = (honest.header(1).time + terms().trusting()).unwrap();
    let refused = |step: Result<concord_prove::Step, Reason>| step.unwrap_err();
    vec![
        (
            "the same height",
            refused(step(10, &Plan { salt: (10, 1), late: 1, ..Plan::new() }.make(), 10, after(40))),
        ),
        ("a lower height, later", refused(step(10, &Plan { late: 1, ..Plan::new() }.make(), 9, after(40)))),
        ("a lower height", refused(step(10, &honest, 9, after(40)))),
        ("the trusted one again", refused(step(10, &honest, 10, after(40)))),
        ("from a trusted one that is too old", refused(step_from(after(1), 1, &honest, 40, late))),
        ("other validators right after", refused(step(10, &forged_next.make(), 11, after(40)))),
    ]
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
