//! Lies about values and their proofs.

use super::*;

/// Lies about the contract's key `tip` in the state of height 39, and about a key that is not there.
pub(super) fn value_lies(chain: &Chain) -> Vec<Case> {
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
    let inner =
        CommitmentProof::decode(tree::bytes(&store_of(39).store("wasm").prove(tip.bytes()).1).as_slice())
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
                    json!(BASE64.encode(tree::bytes(&store_of(39).prove("bank"))));
            }),
        ),
        case(
            "another store's proof under our name",
            b"tip",
            "store_root",
            data(1, tree::bytes(&store_of(39).prove("bank"))),
        ),
        case(
            "a store root of another height",
            b"tip",
            "presence",
            data(0, {
                // The store's own proof is of height 38, the chain's of 39: the value was the same in both.
                tree::bytes(&CommitmentProof {
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
            response(&data(0, tree::bytes(&lie)), &|response| response["value"] = Value::Null)
        }),
        case("absence with neighbours that are none", &[b'k', 7], "absence", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let (_, far) = store_of(39).store("wasm").prove(&key(b"a"));
            let (Some(Proof::Nonexist(non)), Some(Proof::Nonexist(far))) = (&mut lie.proof, far.proof) else {
                panic!()
            };
            non.left = far.left.or(far.right);
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(tree::bytes(&lie)))
            })
        }),
        case("absence with no neighbour", &[b'k', 7], "absence", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let Some(Proof::Nonexist(non)) = &mut lie.proof else { panic!() };
            (non.left, non.right) = (None, None);
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(tree::bytes(&lie)))
            })
        }),
        case("a deep neighbour", &[b'k', 7], "proof_size", {
            let (_, mut lie) = store_of(39).store("wasm").prove(gap.bytes());
            let Some(Proof::Nonexist(non)) = &mut lie.proof else { panic!() };
            let left = non.left.as_mut().unwrap();
            left.path = vec![left.path[0].clone(); 97];
            response(&absent, &move |response| {
                response["proofOps"]["ops"][0]["data"] = json!(BASE64.encode(tree::bytes(&lie)))
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
            data(1, tree::bytes(&store_of(39).store("wasm").prove(gap.bytes()).1)),
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
