//! The interface says what the contract does: keys, values, and files that are never out of date unseen.

#![expect(clippy::unwrap_used, reason = "a test that has no interface has nothing to say")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use concord_coordinator::state;
use concord_coordinator::stored::{Item, Map};
use concord_export::document::{self, Document};
use concord_export::error::ExportError;
use concord_export::fact::{self, Fact, INNER};
use concord_export::folder::{self, Mode};
use concord_export::sample::{AUDITOR, COMPONENT, HOT_KEY, MEMBER, OPERATOR, Samples};
use concord_export::{documents, page};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn facts() -> BTreeMap<&'static str, Fact> {
    fact::all(&Samples::read().unwrap()).unwrap().into_iter().map(|fact| (fact.name, fact)).collect()
}

/// A key, and what the contract makes of a value.
type Stored = (Vec<u8>, fn(&Value) -> Value);

/// Reads a sample as the contract's own type does, and writes it again.
fn as_stored<T: Serialize + DeserializeOwned>(value: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(value.clone()).unwrap()).unwrap()
}

fn item<T: Serialize + DeserializeOwned>(item: &Item<T>) -> Stored {
    (item.as_slice().to_vec(), as_stored::<T>)
}

fn map<'a, K, T>(map: &Map<K, T>, key: K) -> Stored
where
    K: cw_storage_plus::PrimaryKey<'a>,
    T: Serialize + DeserializeOwned,
{
    (map.key(key).to_vec(), as_stored::<T>)
}

/// Every row of the table, as the contract's own store says it.
fn bound(release: &str) -> Vec<(&'static str, Stored)> {
    let feeder = COMPONENT;
    vec![
        ("config", item(&state::CONFIG)),
        ("rules_head", item(&state::RULES_HEAD)),
        ("rules", map(&state::RULES_ALL, (1, state::RULES_WHOLE))),
        ("class_rules", map(&state::RULES, (1, "s"))),
        ("members", (state::MEMBERS.key(MEMBER).to_vec(), as_stored::<cosmwasm_std::Uint128>)),
        ("members_total", (concord_schema::keys::MEMBERS_TOTAL.into(), as_stored::<cosmwasm_std::Uint128>)),
        ("auditors", map(&state::AUDITORS, AUDITOR)),
        ("guardians", item(&state::GUARDIANS)),
        ("brakes", map(&state::BRAKES, "*")),
        ("log_head", item(&state::LOG_HEAD)),
        ("proposal_count", item(&state::PROPOSAL_COUNT)),
        ("proposals", map(&state::PROPOSALS, 3)),
        ("drafts", map(&state::DRAFTS, 3)),
        ("tallies", map(&state::TALLIES, 3)),
        ("ballots", map(&state::BALLOTS, (3, MEMBER))),
        ("ballots_of", map(&state::BALLOTS_OF, (MEMBER, 3))),
        ("attestations", map(&state::ATTESTATIONS, (3, 0, AUDITOR))),
        ("approvals", map(&state::APPROVALS, 3)),
        ("comments", map(&state::COMMENTS, (3, MEMBER))),
        ("claimable", map(&state::CLAIMABLE, MEMBER)),
        ("liabilities", map(&state::LIABILITIES, "ucosm")),
        ("treasury", map(&state::TREASURY, "ucosm")),
        ("components", map(&state::COMPONENTS, feeder)),
        ("operators", map(&state::OPERATORS, (OPERATOR, feeder))),
        ("down", map(&state::DOWN, feeder)),
        ("releases", map(&state::RELEASES, release)),
        ("standings", map(&state::STANDINGS, release)),
        ("rollout_count", item(&state::ROLLOUT_COUNT)),
        ("rollouts", map(&state::ROLLOUTS, 2)),
        ("progress", map(&state::PROGRESS, 2)),
        ("ready_by_lot", map(&state::READY_BY_LOT, (2, 1 << 60, 4))),
        ("seats", map(&state::SEATS, 4)),
        ("node_count", item(&state::NODE_COUNT)),
        ("nodes", map(&state::NODES, 4)),
        ("node_names", map(&state::NODE_NAMES, (OPERATOR, feeder, "feeder-a"))),
        ("nodes_by_power", map(&state::NODES_BY_POWER, (feeder, 40, 4))),
        ("hot_keys", map(&state::HOT_KEYS, HOT_KEY)),
    ]
}

#[test]
fn keys_and_values_are_those_of_the_contracts_store() {
    let facts = facts();
    let release = Samples::read().unwrap().release_digest;
    let bound = bound(&release);
    assert_eq!(bound.len(), facts.len(), "a row is missing here");
    for (name, (key, stored)) in bound {
        let fact = &facts[name];
        assert_eq!(fact.key(), key, "key of {name}");
        assert_eq!(&stored(fact.value()), fact.value(), "value of {name}");
    }
}

#[test]
fn every_name_of_the_store_is_in_the_table() {
    let told: BTreeSet<&str> =
        facts().values().map(|fact| fact.namespace).chain(INNER.iter().copied()).collect();
    let named: BTreeSet<&str> = include_str!("../../src/keys.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": &str = \"")?.1.strip_suffix("\";"))
        .collect();
    assert!(named.len() > 30, "the names of the store are found: {named:?}");
    assert_eq!(named, told);
}

#[test]
fn a_key_looks_as_the_page_for_integrators_says() {
    assert_eq!(
        hex(&facts()["ready_by_lot"].key()),
        "0004".to_owned()
            + "6c6f7473"
            + "0008"
            + "0000000000000002"
            + "0008"
            + "1000000000000000"
            + "0000000000000004"
    );
    let page = include_str!("../../../docs/INTEGRATORS.md");
    assert!(page.contains("0004 6c6f7473  0008 0000000000000002  0008 1000000000000000  0000000000000004"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_changed_a_missing_and_a_left_over_file_are_seen_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let all = documents().unwrap();
    folder::settle(folder.path(), &all, Mode::Write).unwrap();
    folder::settle(folder.path(), &all, Mode::Check).unwrap();

    let (changed, missing) = (folder.path().join("execute.json"), folder.path().join("facts/rules.json"));
    let left_over = folder.path().join("answers/gone.json");
    fs::write(&changed, "{}\n").unwrap();
    fs::remove_file(&missing).unwrap();
    fs::write(&left_over, "{}\n").unwrap();
    let stale = match folder::settle(folder.path(), &all, Mode::Check) {
        Err(ExportError::Stale { paths }) => paths,
        other => panic!("expected stale files, found {other:?}"),
    };
    let named: BTreeSet<String> = stale.into_iter().collect();
    let expected = [&changed, &missing, &left_over].map(|path| path.display().to_string());
    assert_eq!(named, expected.into_iter().collect());

    folder::settle(folder.path(), &all, Mode::Write).unwrap();
    folder::settle(folder.path(), &all, Mode::Check).unwrap();
}

#[test]
fn the_table_of_the_page_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.md");
    let facts: Vec<Fact> = facts().into_values().collect();
    let marks = "before\n<!-- keys: written by scripts/schemas.sh -->\n<!-- end of keys -->\nafter\n";
    fs::write(&path, marks).unwrap();
    assert!(matches!(page::settle(&path, &facts, Mode::Check), Err(ExportError::Stale { .. })));
    page::settle(&path, &facts, Mode::Write).unwrap();
    page::settle(&path, &facts, Mode::Check).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("before\n") && text.ends_with("after\n") && text.contains("| `seat`, node: u64")
    );
    fs::write(&path, "no place for it\n").unwrap();
    assert!(matches!(page::settle(&path, &facts, Mode::Write), Err(ExportError::Stale { .. })));
}

#[test]
fn a_sample_that_its_type_changes_or_refuses_is_no_example() {
    use concord_schema::clock::Span;
    let of = |sample: Value| document::of::<Span>("span", &[sample]);
    assert!(of(json!({"seconds": 1, "blocks": 1})).is_ok());
    assert!(matches!(of(json!({"seconds": 1})), Err(ExportError::Sample { .. })));
    let lossy =
        document::of::<concord_schema::node::NextPower>("next", &[json!({"power": 1, "epoch": 1, "x": 1})]);
    assert!(matches!(lossy, Err(ExportError::Lossy { .. })));
}

#[test]
fn a_variant_without_a_sample_is_named() {
    let schema = serde_json::to_value(schemars::schema_for!(concord_schema::brake::Scope)).unwrap();
    let (all, component) = (json!("all"), json!({"component": "feeder"}));
    assert!(document::cover("scope", &schema, [&all, &component].into_iter()).is_ok());
    match document::cover("scope", &schema, [&all].into_iter()) {
        Err(ExportError::Uncovered { variant, .. }) => assert_eq!(variant, "component"),
        other => panic!("expected an uncovered variant, found {other:?}"),
    }
}

#[test]
fn names_stand_in_order_whatever_made_them() {
    let document = Document { name: "x".into(), body: json!({"b": [{"d": 1, "c": 2}], "a": null}) };
    let text = document.text();
    let at = |name: &str| text.find(&format!("\"{name}\"")).unwrap();
    assert!(at("a") < at("b") && at("c") < at("d") && text.ends_with("}\n"));
}
