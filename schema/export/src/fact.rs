//! Stored facts and their raw keys: what proofs prove.

use concord_schema::attestation::{Approvals, Attestation};
use concord_schema::brake::Brake;
use concord_schema::keys;
use concord_schema::log::Head;
use concord_schema::msg::{Auditor, Config, Guardians};
use concord_schema::node::{Component, Node, Operator};
use concord_schema::proposal::{Content, Proposal};
use concord_schema::release::{Release, ReleaseFacts};
use concord_schema::rollout::{Progress, Rollout, Seat};
use concord_schema::rules::{ClassRules, Rules, RulesHead};
use concord_schema::tally::{Ballot, Tally};
use concord_schema::units::Power;
use cosmwasm_std::{Coin, Empty, Uint128, Uint256};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::document::{self, Document, FACTS_VERSION};
use crate::error::ExportError;
use crate::sample::{self, AUDITOR, COMPONENT, HOT_KEY, MEMBER, OPERATOR, Samples};

/// A part of a key, with a sample.
#[derive(Clone, Debug)]
pub enum Part {
    /// A name, and its UTF-8.
    Text(&'static str, String),
    /// A name, and one byte.
    Byte(&'static str, u8),
    /// A name, and four bytes, big-endian.
    Short(&'static str, u32),
    /// A name, and eight bytes, big-endian.
    Number(&'static str, u64),
    /// A letter that is always the same.
    Letter(&'static str),
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(_, text) => text.clone().into_bytes(),
            Self::Byte(_, number) => vec![*number],
            Self::Short(_, number) => number.to_be_bytes().to_vec(),
            Self::Number(_, number) => number.to_be_bytes().to_vec(),
            Self::Letter(letter) => letter.as_bytes().to_vec(),
        }
    }

    fn told(&self) -> Value {
        match self {
            Self::Text(name, sample) => json!({"name": name, "bytes": "text", "example": sample}),
            Self::Byte(name, sample) => json!({"name": name, "bytes": "u8", "example": sample}),
            Self::Short(name, sample) => json!({"name": name, "bytes": "u32", "example": sample}),
            // A text, since readers of JSON round numbers above 2^53.
            Self::Number(name, sample) => {
                json!({"name": name, "bytes": "u64", "example": sample.to_string()})
            }
            Self::Letter(letter) => json!({"name": letter, "bytes": "letter", "example": letter}),
        }
    }
}

/// What is stored under one name.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name in the interface, and of its file.
    pub name: &'static str,
    /// The key's first part.
    pub namespace: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The other parts of the key; none for a single value.
    pub parts: Vec<Part>,
    /// The value's schema.
    pub document: Document,
}

impl Fact {
    /// The key of the sample.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self.parts.iter().map(Part::bytes).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        if parts.is_empty() { self.namespace.as_bytes().to_vec() } else { keys::map(self.namespace, &parts) }
    }

    /// The sample's value.
    #[must_use]
    pub fn value(&self) -> &Value {
        self.document.body.pointer("/examples/0").unwrap_or(&Value::Null)
    }
}

/// Names of the store that are no interface: the past of the weights, which snapshots need.
pub const INNER: &[&str] =
    &[keys::MEMBERS_LOG, keys::MEMBERS_CHECKS, keys::MEMBERS_TOTAL_LOG, keys::MEMBERS_TOTAL_CHECKS];

fn fact<T: JsonSchema + Serialize + DeserializeOwned + PartialEq>(
    name: &'static str,
    namespace: &'static str,
    what: &'static str,
    parts: Vec<Part>,
    value: Value,
) -> Result<Fact, ExportError> {
    let document = document::of::<T>(&format!("facts/{name}"), &[value])?;
    let fact = Fact { name, namespace, what, parts, document };
    let found = match fact.value() {
        Value::Object(fields) => fields.get("v"),
        Value::Array(items) if name == "log_head" => items.first(),
        _ => None,
    };
    match found.and_then(Value::as_u64) {
        Some(found) if found != u64::from(FACTS_VERSION) => {
            Err(ExportError::Version { namespace: namespace.to_owned(), found, expected: FACTS_VERSION })
        }
        _ => Ok(fact),
    }
}

/// Everything that is stored and is an interface.
///
/// # Errors
/// [`ExportError`] for a sample that is no such value.
pub fn all(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let mut all = deployment(samples)?;
    all.extend(governance(samples)?);
    all.extend(money()?);
    all.extend(fleet(samples)?);
    all.extend(nodes()?);
    Ok(all)
}

fn deployment(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let s = samples;
    let row = s.rules.get("standard").cloned().unwrap_or_default();
    let config = json!({"v": 1, "floors": s.instantiate.get("floors"), "since_height": 1});
    let auditor = sample::auditor(samples);
    let version = || Part::Short("version", 1);
    Ok(vec![
        fact::<Config>("config", keys::CONFIG, "Settings, fixed at instantiation.", vec![], config)?,
        fact::<RulesHead>(
            "rules_head",
            keys::RULES_HEAD,
            "The rules in force, in short.",
            vec![],
            s.rules_head(),
        )?,
        fact::<Rules>(
            "rules",
            keys::RULES,
            "Rules of a version, whole.",
            vec![version(), Part::Letter("a")],
            s.rules.clone(),
        )?,
        fact::<ClassRules>(
            "class_rules",
            keys::RULES,
            "Rules of a version for one class: r, s, c or k for routine, standard, critical, constitutional.",
            vec![version(), Part::Text("class_letter", "s".to_owned())],
            row,
        )?,
        fact::<Uint128>(
            "members",
            keys::MEMBERS,
            "A member's weight.",
            vec![text("addr", MEMBER)],
            json!("10"),
        )?,
        fact::<Uint128>("members_total", keys::MEMBERS_TOTAL, "Sum of all weights.", vec![], json!("10"))?,
        fact::<Auditor>("auditors", keys::AUDITORS, "An auditor.", vec![text("addr", AUDITOR)], auditor)?,
        fact::<Guardians>("guardians", keys::GUARDIANS, "The guardians.", vec![], sample::guardians())?,
        fact::<Brake>(
            "brakes",
            keys::BRAKES,
            "A brake, always there, off or on. Scope: `*` for everything, else a component's name.",
            vec![text("scope", "*")],
            sample::brake(),
        )?,
        fact::<Head>("log_head", keys::LOG_HEAD, "The log's newest entry.", vec![], s.head())?,
    ])
}

fn governance(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let mut facts = proposals(samples)?;
    facts.extend(decisions(samples)?);
    Ok(facts)
}

fn proposals(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let s = samples;
    let proposal = || Part::Number("proposal", 3);
    Ok(vec![
        fact::<u64>(
            "proposal_count",
            keys::PROPOSAL_COUNT,
            "Number of the newest proposal.",
            vec![],
            json!(3),
        )?,
        fact::<Proposal>(
            "proposals",
            keys::PROPOSALS,
            "Facts of a proposal.",
            vec![proposal()],
            s.proposal(),
        )?,
    ])
}

fn decisions(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let s = samples;
    let proposal = || Part::Number("proposal", 3);
    let attested = vec![proposal(), Part::Byte("revision", 0), text("auditor", AUDITOR)];
    Ok(vec![
        fact::<Content>("drafts", keys::DRAFTS, "Content of a proposal.", vec![proposal()], s.content())?,
        fact::<Tally>("tallies", keys::TALLIES, "Tally of a proposal.", vec![proposal()], sample::tally())?,
        fact::<(Ballot, Uint128)>(
            "ballots",
            keys::BALLOTS,
            "A ballot and its weight.",
            vec![proposal(), text("voter", MEMBER)],
            json!(["yes", "7"]),
        )?,
        fact::<Empty>(
            "ballots_of",
            keys::BALLOTS_OF,
            "That a voter cast a ballot.",
            vec![text("voter", MEMBER), proposal()],
            json!({}),
        )?,
        fact::<Attestation>(
            "attestations",
            keys::ATTESTATIONS,
            "An auditor's attestation of a revision.",
            attested,
            s.attestation(),
        )?,
        fact::<Approvals>(
            "approvals",
            keys::APPROVALS,
            "Approvals of the current revision.",
            vec![proposal()],
            sample::approvals(),
        )?,
        fact::<u32>(
            "comments",
            keys::COMMENTS,
            "Number of an account's comments.",
            vec![proposal(), text("addr", MEMBER)],
            json!(1),
        )?,
    ])
}

fn money() -> Result<Vec<Fact>, ExportError> {
    let denom = || vec![text("denom", "ucosm")];
    Ok(vec![
        fact::<Vec<Coin>>(
            "claimable",
            keys::CLAIMABLE,
            "What an account can claim.",
            vec![text("addr", MEMBER)],
            sample::coins(),
        )?,
        fact::<Uint256>(
            "liabilities",
            keys::LIABILITIES,
            "What the contract owes.",
            denom(),
            json!("1000000"),
        )?,
        fact::<Uint256>("treasury", keys::TREASURY, "Forfeited deposits.", denom(), json!("0"))?,
    ])
}

fn fleet(samples: &Samples) -> Result<Vec<Fact>, ExportError> {
    let s = samples;
    let rollout = || Part::Number("rollout", 2);
    let node = || Part::Number("node", 4);
    let named = || text("component", COMPONENT);
    let digest = || vec![Part::Text("digest", s.release_digest.clone())];
    let standing = json!({"v": 1, "standing": "rolled_back", "by": 2});
    let lot = vec![rollout(), Part::Number("lot", 1 << 60), node()];
    Ok(vec![
        fact::<Component>("components", keys::COMPONENTS, "A component.", vec![named()], s.component())?,
        fact::<Operator>(
            "operators",
            keys::OPERATORS,
            "An operator for a component.",
            vec![text("operator", OPERATOR), named()],
            sample::operator(),
        )?,
        fact::<Power>(
            "down",
            keys::DOWN,
            "Power that is down by lease, always there.",
            vec![text("group", COMPONENT)],
            json!(40),
        )?,
        fact::<Release>("releases", keys::RELEASES, "Metadata of a release.", digest(), s.release.clone())?,
        fact::<ReleaseFacts>("standings", keys::STANDINGS, "What a release may do.", digest(), standing)?,
        fact::<u64>("rollout_count", keys::ROLLOUT_COUNT, "Number of the newest rollout.", vec![], json!(2))?,
        fact::<Rollout>(
            "rollouts",
            keys::ROLLOUTS,
            "Fixed facts of a rollout.",
            vec![rollout()],
            s.rollout(),
        )?,
        fact::<Progress>(
            "progress",
            keys::PROGRESS,
            "Moving facts of a rollout.",
            vec![rollout()],
            s.progress(),
        )?,
        fact::<(Power, u8, String)>(
            "ready_by_lot",
            keys::READY_BY_LOT,
            "Power, wave and organisation of a ready node, in the order of lots.",
            lot,
            json!([40, 1, "operator-1"]),
        )?,
        fact::<Seat>("seats", keys::SEATS, "A node in its newest rollout.", vec![node()], sample::seat())?,
    ])
}

fn nodes() -> Result<Vec<Fact>, ExportError> {
    let node = || Part::Number("node", 4);
    let named = || text("component", COMPONENT);
    let by_power = vec![named(), Part::Number("power", 40), node()];
    let name = vec![text("operator", OPERATOR), named(), text("node_id", "feeder-a")];
    Ok(vec![
        fact::<u64>("node_count", keys::NODE_COUNT, "Number of the newest node.", vec![], json!(4))?,
        fact::<Node>("nodes", keys::NODES, "Facts of a node.", vec![node()], sample::node())?,
        fact::<u64>("node_names", keys::NODE_NAMES, "A node's number by its name.", name, json!(4))?,
        fact::<Empty>(
            "nodes_by_power",
            keys::NODES_BY_POWER,
            "That a node has a power.",
            by_power,
            json!({}),
        )?,
        fact::<Node>(
            "hot_keys",
            keys::HOT_KEYS,
            "Facts of a node by a hot key, also one that it used before.",
            vec![text("hot_key", HOT_KEY)],
            sample::node(),
        )?,
    ])
}

fn text(name: &'static str, sample: &str) -> Part {
    Part::Text(name, sample.to_owned())
}

/// The values' schemas, and the table of keys.
///
/// # Errors
/// [`ExportError`] for a sample that is no such value.
pub fn documents(samples: &Samples) -> Result<Vec<Document>, ExportError> {
    let all = all(samples)?;
    let rows: Vec<Value> = all
        .iter()
        .map(|fact| {
            let parts: Vec<Value> = fact.parts.iter().map(Part::told).collect();
            json!({
                "name": fact.name, "namespace": fact.namespace, "what": fact.what, "parts": parts,
                "value": format!("{}.json", fact.document.name), "example_key": hex::encode(fact.key())
            })
        })
        .collect();
    let mut body = document::head("keys");
    body.insert(
        "description".to_owned(),
        json!(
            "Raw keys of the store. A key without parts is its namespace. Else every part but the last stands behind \
             its length in two bytes, big-endian, the namespace first; the last part is bare. The value is JSON."
        ),
    );
    body.insert("keys".to_owned(), Value::Array(rows));
    let mut documents: Vec<Document> = all.into_iter().map(|fact| fact.document).collect();
    documents.push(Document { name: "keys".to_owned(), body: Value::Object(body) });
    Ok(documents)
}
