//! A decision that is carried to a machine without a network, and every way in which a carrier may change it.

use std::sync::Arc;

use concord::bundle::{Bundle, BundleError, Decided, Order, export, verify};
use concord::chain::Address;
use concord::chain::light::sources;
use concord_prove::{Anchor, Reason, Terms, Time};
use concord_schema::ProposalId;
use concord_tests::env::Setup;
use concord_tests::fleet::{Fleet, three_waves};
use cosmwasm_std::Order as Range;
use serde_json::Value;

use crate::maker::{CHAIN_ID, Chain, Plan, key, voter, voters};
use crate::served::{Served, contract, now, rpc};
use crate::tree::Pairs;

/// What the contract stores when its first proposal was executed.
fn executed() -> Pairs {
    let fleet = Fleet::started(Setup::default(), three_waves());
    let store = fleet.env.store();
    store.range(None, None, Range::Ascending).map(|(own, value)| (key(&own), value)).collect()
}

/// Its validators change at each of the last heights, so that the way there has headers between.
fn chain(state: &Pairs) -> Arc<Chain> {
    let state = state.clone();
    let changing = |height: u64| match u32::try_from(height).unwrap() {
        height @ 12..18 => (height..height + 4).map(|number| voter(number, 10)).collect(),
        height if height >= 18 => voters(18, 4),
        _ => voters(12, 4),
    };
    Arc::new(
        Plan { state: Box::new(move |_| state.clone()), voters: Box::new(changing), ..Plan::new() }.make(),
    )
}

fn terms() -> Terms {
    Terms::new(14 * 86_400, 10).unwrap()
}

fn order(chain: &Chain, proposal: u64) -> Order {
    Order {
        chain_id: CHAIN_ID.to_owned(),
        contract: contract(),
        proposal: ProposalId(proposal),
        anchor: chain.anchor(10),
        terms: terms(),
    }
}

async fn made(chain: &Arc<Chain>) -> Vec<u8> {
    let (one, two) = (Served::start(chain, 20).await, Served::start(chain, 20).await);
    let sources = sources(&rpc(&[&one, &two]));
    let (bundle, facts) = export(&sources, &order(chain, 1), now()).await.unwrap();
    assert_eq!((facts.decided, facts.height), (Decided::Yes, 19));
    bundle.bytes().unwrap()
}

async fn read(bytes: &[u8], contract: &Address, anchor: Anchor, now: Time) -> Result<Decided, BundleError> {
    verify(&Bundle::read(bytes)?, contract, anchor, terms(), now).await.map(|verified| verified.facts.decided)
}

#[tokio::test]
async fn a_decision_is_proved_without_any_node() {
    let chain = chain(&executed());
    let bytes = made(&chain).await;
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(value["path"].as_array().unwrap().len() > 1, "there are headers between: {}", value["path"]);
    let bundle = Bundle::read(&bytes).unwrap();
    let verified = verify(&bundle, &contract(), chain.anchor(10), terms(), now()).await.unwrap();
    let release = verified.facts.release.unwrap();
    assert_eq!(verified.facts.decided, Decided::Yes);
    assert_eq!(release.digest, release.release.digest());
    // Block 20 is 26 s old.
    assert_eq!(verified.age_seconds, 26);
}

#[tokio::test]
async fn a_reader_who_vouches_for_something_else_is_told() {
    let state = executed();
    let chain = chain(&state);
    let bytes = made(&chain).await;
    let (own, anchor) = (contract(), chain.anchor(10));
    let other = Address::new("wasm", &[9; 32]).unwrap();
    assert!(matches!(read(&bytes, &other, anchor, now()).await, Err(BundleError::Foreign { .. })));
    let above = chain.anchor(11);
    assert!(matches!(read(&bytes, &own, above, now()).await, Err(BundleError::Foreign { .. })));
    let reason = async |anchor, now| match read(&bytes, &own, anchor, now).await {
        Err(BundleError::Unproved { reason, .. }) => reason.name(),
        told => panic!("{told:?}"),
    };
    assert_eq!(reason(Anchor::new(10, [1; 32]).unwrap(), now()).await, "anchor_hash");
    let late = (now() + std::time::Duration::from_secs(15 * 86_400)).unwrap();
    assert_eq!(reason(anchor, late).await, "trust_expired");
}

#[tokio::test]
async fn what_was_never_decided_is_said_so() {
    let chain = chain(&executed());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let both = sources(&rpc(&[&one, &two]));
    let told = export(&both, &order(&chain, 99), now()).await.map(drop);
    assert!(matches!(&told, Err(BundleError::Absent { height: 19, .. })), "{told:?}");
    // A node that lies is passed over, and one that is alone will do for people who know that it has no witness.
    one.lies(|method, mut answer| {
        if method == "abci_query" {
            answer["result"]["response"]["value"] = Value::from("OTk5");
        }
        answer
    });
    assert_eq!(export(&both, &order(&chain, 1), now()).await.unwrap().1.decided, Decided::Yes);
    let alone = sources(&rpc(&[&two]));
    assert_eq!(export(&alone, &order(&chain, 1), now()).await.unwrap().1.decided, Decided::Yes);
}

#[tokio::test]
async fn whatever_a_carrier_changes_is_refused() {
    let chain = chain(&executed());
    let bytes = made(&chain).await;
    let (own, anchor) = (contract(), chain.anchor(10));
    let honest: Value = serde_json::from_slice(&bytes).unwrap();
    let names: Vec<String> = honest["answers"].as_object().unwrap().keys().cloned().collect();
    let mut refused = 0;
    for name in &names {
        // Without one answer, or with another question's, there is no proof.
        let mut without = honest.clone();
        without["answers"].as_object_mut().unwrap().remove(name);
        let mut swapped = honest.clone();
        let other = names.iter().find(|other| *other != name).unwrap();
        swapped["answers"][name] = honest["answers"][other].clone();
        for changed in [without, swapped] {
            let told = read(changed.to_string().as_bytes(), &own, anchor, now()).await;
            // The status is asked by the exporter alone.
            assert!(told.is_err() || name == "status", "{name}: {told:?}");
            refused += usize::from(told.is_err());
        }
        if name.starts_with("abci_query") {
            let mut lie = honest.clone();
            lie["answers"][name]["result"]["response"]["value"] = Value::from("e30=");
            let told = read(lie.to_string().as_bytes(), &own, anchor, now()).await;
            assert!(matches!(&told, Err(BundleError::Unproved { .. })), "{name}: {told:?}");
            refused += 1;
        }
    }
    assert!(refused > 30, "{refused}");
    // A shorter way is none: too few of the trusted validators signed.
    let mut short = honest.clone();
    short["path"] = Value::from(vec![20]);
    match read(short.to_string().as_bytes(), &own, anchor, now()).await {
        Err(BundleError::Unproved { reason, .. }) => {
            assert!(matches!(*reason, Reason::Power { .. }), "{reason}")
        }
        told => panic!("{told:?}"),
    }
    for (field, value) in
        [("version", Value::from(2)), ("path", Value::from(Vec::<u64>::new())), ("extra", Value::Null)]
    {
        let mut changed = honest.clone();
        changed[field] = value;
        let told = Bundle::read(changed.to_string().as_bytes()).map(drop);
        assert!(matches!(told, Err(BundleError::Form { .. } | BundleError::Unreadable(_))), "{field}");
    }
    assert!(Bundle::read(&bytes[..bytes.len() / 2]).is_err());
}
