//! One changed byte in each field of each answer: the table of what it is refused for.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof};
use prost::Message;
use serde_json::{Value, json};

use super::maker::{Ballot, Plan, voters};
use super::scene::Scene;

/// Questions about the anchor's block and the wanted one are judged by different checks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Anchor,
    Target,
    Any,
}

/// Question, field with its indices as `#`, and the reasons; none means that the field is not read at all.
type Row = (&'static str, Of, &'static str, &'static [&'static str]);

const ENVELOPE: [Row; 2] = [("", Of::Any, "/jsonrpc", &[]), ("", Of::Any, "/id", &[])];

const HEADER: [Row; 19] = [
    ("commit", Of::Any, "/header/height", &["header_height"]),
    ("commit", Of::Target, "/header/version/block", &["header_hash"]),
    ("commit", Of::Target, "/header/version/app", &["header_hash"]),
    ("commit", Of::Target, "/header/chain_id", &["header_hash"]),
    ("commit", Of::Target, "/header/time", &["header_hash"]),
    ("commit", Of::Target, "/header/last_block_id/hash", &["header_hash"]),
    ("commit", Of::Target, "/header/last_block_id/parts/total", &["header_hash"]),
    ("commit", Of::Target, "/header/last_block_id/parts/hash", &["header_hash"]),
    ("commit", Of::Target, "/header/last_commit_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/data_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/validators_hash", &["validators_hash"]),
    ("commit", Of::Target, "/header/next_validators_hash", &["next_validators_hash"]),
    ("commit", Of::Target, "/header/consensus_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/app_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/last_results_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/evidence_hash", &["header_hash"]),
    ("commit", Of::Target, "/header/proposer_address", &["header_hash"]),
    ("commit", Of::Any, "/canonical", &[]),
    // All other fields of the anchor's header: its hash is known beforehand.
    ("commit", Of::Anchor, "/header/*", &["anchor_hash"]),
];

const COMMIT: [Row; 9] = [
    ("commit", Of::Any, "/commit/height", &["commit_height"]),
    ("commit", Of::Any, "/commit/round", &["signature", "nil_signature"]),
    ("commit", Of::Any, "/commit/block_id/hash", &["header_hash"]),
    ("commit", Of::Any, "/commit/block_id/parts/total", &["signature"]),
    ("commit", Of::Any, "/commit/block_id/parts/hash", &["signature"]),
    // To a vote for nil: its signature is for the block. To an unknown kind, or to a vote without a signature.
    ("commit", Of::Any, "/commit/signatures/#/block_id_flag", &["nil_signature", "power", "malformed"]),
    ("commit", Of::Any, "/commit/signatures/#/validator_address", &["signer_unknown"]),
    // An absent validator's entry has the zero time and nothing else.
    ("commit", Of::Any, "/commit/signatures/#/timestamp", &["signature", "nil_signature", "malformed"]),
    ("commit", Of::Any, "/commit/signatures/#/signature", &["signature", "nil_signature"]),
];

const VALIDATORS: [Row; 8] = [
    ("validators", Of::Any, "/block_height", &["validators_height"]),
    ("validators", Of::Any, "/validators/#/address", &["validator_address"]),
    ("validators", Of::Any, "/validators/#/pub_key/type", &["malformed"]),
    ("validators", Of::Any, "/validators/#/pub_key/value", &["validator_address", "malformed"]),
    ("validators", Of::Any, "/validators/#/voting_power", &["validators_hash", "next_validators_hash"]),
    ("validators", Of::Any, "/validators/#/proposer_priority", &[]),
    ("validators", Of::Any, "/count", &[]),
    ("validators", Of::Any, "/total", &["validators_incomplete"]),
];

const VALUE: [Row; 11] = [
    ("abci_query", Of::Any, "/response/code", &["query_refused"]),
    ("abci_query", Of::Any, "/response/index", &[]),
    ("abci_query", Of::Any, "/response/key", &["answer_key"]),
    ("abci_query", Of::Any, "/response/value", &["value_differs", "value_with_absence"]),
    ("abci_query", Of::Any, "/response/height", &["answer_height"]),
    ("abci_query", Of::Any, "/response/proofOps/ops/0/type", &["proof_kinds"]),
    ("abci_query", Of::Any, "/response/proofOps/ops/0/key", &["proof_key"]),
    ("abci_query", Of::Any, "/response/proofOps/ops/1/type", &["proof_kinds"]),
    ("abci_query", Of::Any, "/response/proofOps/ops/1/key", &["proof_store"]),
    ("abci_query", Of::Any, "/response/info", &[]),
    ("abci_query", Of::Any, "/response/log", &[]),
];

const STATUS: [Row; 3] = [
    ("status", Of::Any, "/node_info/network", &["chain_id"]),
    ("status", Of::Any, "/sync_info/catching_up", &["catching_up"]),
    ("status", Of::Any, "/*", &[]),
];

/// The row of a field; the more exact rows stand first.
fn expected(name: &str, of: Of, field: &str) -> &'static [&'static str] {
    let rows = ENVELOPE.iter().chain(&HEADER).chain(&COMMIT).chain(&VALIDATORS).chain(&VALUE).chain(&STATUS);
    for (question, whose, pattern, reasons) in rows {
        let is_named = name.starts_with(question) && (*whose == Of::Any || *whose == of);
        let is_field = match pattern.strip_suffix('*') {
            Some(start) => field.starts_with(start),
            None => field == *pattern,
        };
        if is_named && is_field {
            return reasons;
        }
    }
    panic!("{name} {field}: no row says what a change of it leads to");
}

/// Every place of a JSON value that holds a word, number or nothing.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| leaves(item, &format!("{at}/{place}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

fn flip_digit(text: &str, at: usize, radix: u32) -> String {
    let digit = u32::from_str_radix(&text[at..=at], radix).unwrap();
    let other = char::from_digit((digit + 1) % radix, radix).unwrap().to_ascii_uppercase();
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// The same value with one byte changed, in the same form.
fn changed(value: &Value, field: &str) -> Option<Value> {
    Some(match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::Null if !field.ends_with("/value") => return None,
        Value::Null => json!("eA=="),
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            json!(flip_digit(text, text.len() - 1, 10))
        }
        Value::String(text) if text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            json!(flip_digit(text, text.len() / 2, 16))
        }
        Value::String(text) if text.ends_with('Z') && text.contains('T') => {
            json!(flip_digit(text, text.len() - 2, 10))
        }
        Value::String(text) => {
            let is_binary = ["/value", "/key", "/data", "/signature"].iter().any(|end| field.ends_with(end));
            match BASE64.decode(text) {
                Ok(mut bytes) if is_binary => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    json!(BASE64.encode(bytes))
                }
                _ => {
                    let (start, last) = text.split_at(text.len() - 1);
                    json!(format!("{start}{}", if last == "x" { "y" } else { "x" }))
                }
            }
        }
        _ => panic!("no leaf"),
    })
}

pub(crate) fn scenes() -> Vec<Scene> {
    let same = Plan::new().make();
    // The powers change at every height, so that the next validators are asked for too.
    let moving = Plan {
        voters: Box::new(|height| {
            let mut all = voters(0, 3);
            all.push(super::maker::voter(3, 10 + height));
            all
        }),
        ..Plan::new()
    };
    let torn = Plan {
        voters: Box::new(|_| voters(0, 9)),
        ballot: Box::new(|_, place| match place {
            2 => Ballot::Nil,
            7 => Ballot::Absent,
            _ => Ballot::Commit,
        }),
        heights: 4,
        ..Plan::new()
    };
    vec![
        Scene::made("same", &same, 1, 40),
        Scene::made("moving", &moving.make(), 5, 6),
        Scene::made("torn", &torn.make(), 2, 4),
    ]
}

/// Runs all one-byte changes of a scene; gives back how often each reason was found.
pub(crate) fn change_everything(scene: &Scene) -> BTreeMap<String, usize> {
    let root = scene.honest_root();
    let begun = scene.begin(scene.node("a")).unwrap();
    let mut found = BTreeMap::new();
    let asked = asked(scene);
    for name in &asked {
        let answer: Value = serde_json::from_str(&scene.answers[name]).unwrap();
        let is_anchors = *name == format!("commit-{}", scene.anchor.height());
        let of = if is_anchors { Of::Anchor } else { Of::Target };
        let mut fields = Vec::new();
        leaves(&answer, "", &mut fields);
        for at in fields.iter().filter(|at| !at.ends_with("/data")) {
            let Some(change) = changed(answer.pointer(at).unwrap(), at) else { continue };
            let mut lie = answer.clone();
            *lie.pointer_mut(at).unwrap() = change;
            let field = pattern(at, name);
            let reasons = expected(name, of, &field);
            let reason =
                scene.refusal_alone(&begun, name, &lie.to_string(), &root).map(|reason| reason.name());
            match &reason {
                None => {
                    assert!(reasons.is_empty(), "{} {name} {at}: believed, expected {reasons:?}", scene.name)
                }
                Some(reason) => {
                    assert!(
                        reasons.contains(&reason.as_str()),
                        "{} {name} {at}: {reason}, expected {reasons:?}",
                        scene.name
                    );
                    *found.entry(reason.clone()).or_default() += 1;
                }
            }
        }
    }
    for (key, _) in &scene.reads {
        let name = key.question(root.state_height()).name();
        for (lie, expected, what) in proof_changes(&serde_json::from_str(&scene.answers[&name]).unwrap()) {
            let reason =
                scene.refusal_alone(&begun, &name, &lie.to_string(), &root).map(|reason| reason.name());
            assert_eq!(reason.as_deref(), Some(expected), "{} {name} {what}", scene.name);
            *found.entry(expected.to_owned()).or_default() += 1;
        }
    }
    found
}

/// The questions of an honest way; further ones are recorded for those who are told that the validators change.
fn asked(scene: &Scene) -> BTreeSet<String> {
    let sources = [scene.node("a"), scene.node("b")];
    scene.climb(&sources).unwrap();
    let on_the_way = sources[0].asked();
    let names =
        scene.answers.keys().filter(|name| !name.starts_with("validators") || on_the_way.contains(name));
    names.cloned().collect()
}

/// A pointer with its indices as `#` (but for the two proofs), without what all answers have around them.
fn pattern(at: &str, name: &str) -> String {
    let text = at.strip_prefix("/result").unwrap_or(at);
    let text = text.strip_prefix("/signed_header").unwrap_or(text);
    if name.starts_with("abci_query") {
        return text.to_owned();
    }
    let parts: Vec<&str> = text
        .split('/')
        .map(|part| if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) { "#" } else { part })
        .collect();
    parts.join("/")
}

type Change = Box<dyn Fn(&mut ExistenceProof)>;

/// One changed byte in each part of a proof of presence; the last field says whether key and value are named apart.
fn parts(proof: &ExistenceProof) -> Vec<(String, Change)> {
    let mut all: Vec<(String, Change)> = vec![
        ("key".into(), Box::new(|proof| proof.key[0] ^= 1)),
        ("value".into(), Box::new(|proof| proof.value[0] ^= 1)),
        ("leaf".into(), Box::new(|proof| proof.leaf = None)),
        ("leaf.hash".into(), Box::new(|proof| proof.leaf.as_mut().unwrap().hash += 1)),
        ("leaf.prehash_key".into(), Box::new(|proof| proof.leaf.as_mut().unwrap().prehash_key += 1)),
        ("leaf.prehash_value".into(), Box::new(|proof| proof.leaf.as_mut().unwrap().prehash_value -= 1)),
        ("leaf.length".into(), Box::new(|proof| proof.leaf.as_mut().unwrap().length += 1)),
        (
            "leaf.prefix".into(),
            Box::new(|proof| *proof.leaf.as_mut().unwrap().prefix.last_mut().unwrap() ^= 2),
        ),
        ("path, cut".into(), Box::new(|proof| drop(proof.path.pop()))),
        ("path, doubled".into(), Box::new(|proof| proof.path.push(proof.path.last().unwrap().clone()))),
    ];
    for (place, step) in proof.path.iter().enumerate() {
        all.push((format!("path {place} hash"), Box::new(move |proof| proof.path[place].hash += 1)));
        all.push((
            format!("path {place} prefix"),
            Box::new(move |proof| *proof.path[place].prefix.last_mut().unwrap() ^= 1),
        ));
        if !step.suffix.is_empty() {
            all.push((
                format!("path {place} suffix"),
                Box::new(move |proof| *proof.path[place].suffix.last_mut().unwrap() ^= 1),
            ));
        }
    }
    all
}

fn proof_changes(answer: &Value) -> Vec<(Value, &'static str, String)> {
    let at = |op: usize| format!("/result/response/proofOps/ops/{op}/data");
    let decoded = |op: usize| {
        let text = answer.pointer(&at(op)).unwrap().as_str().unwrap();
        CommitmentProof::decode(BASE64.decode(text).unwrap().as_slice()).unwrap()
    };
    let with = |op: usize, proof: Proof| {
        let mut lie = answer.clone();
        let bytes = CommitmentProof { proof: Some(proof) }.encode_to_vec();
        *lie.pointer_mut(&at(op)).unwrap() = json!(BASE64.encode(bytes));
        lie
    };
    let mut lies = Vec::new();
    let Some(Proof::Exist(outer)) = decoded(1).proof else { panic!("a store is there") };
    for (what, change) in parts(&outer) {
        let mut proof = outer.clone();
        change(&mut proof);
        lies.push((with(1, Proof::Exist(proof)), "store_root", format!("store: {what}")));
    }
    match decoded(0).proof.unwrap() {
        Proof::Exist(exist) => {
            for (what, change) in parts(&exist) {
                let mut proof = exist.clone();
                change(&mut proof);
                let reason = match what.as_str() {
                    "key" => "proof_key",
                    "value" => "value_differs",
                    _ => "presence",
                };
                lies.push((with(0, Proof::Exist(proof)), reason, what));
            }
        }
        Proof::Nonexist(absent) => {
            let mut other = absent.clone();
            other.key[0] ^= 1;
            lies.push((with(0, Proof::Nonexist(other)), "proof_key", "key".to_owned()));
            for is_left in [true, false] {
                let pick = |proof: &ics23::NonExistenceProof| {
                    if is_left { proof.left.clone() } else { proof.right.clone() }
                };
                let put = |neighbour: Option<ExistenceProof>| {
                    let mut proof = absent.clone();
                    *(if is_left { &mut proof.left } else { &mut proof.right }) = neighbour;
                    with(0, Proof::Nonexist(proof))
                };
                let Some(neighbour) = pick(&absent) else { continue };
                lies.push((put(None), "absence", format!("no neighbour, left: {is_left}")));
                for (what, change) in parts(&neighbour) {
                    let mut proof = neighbour.clone();
                    change(&mut proof);
                    lies.push((put(Some(proof)), "absence", format!("left: {is_left}, {what}")));
                }
            }
        }
        _ => panic!("a plain proof"),
    }
    lies
}
