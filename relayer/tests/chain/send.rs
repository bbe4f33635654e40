use std::time::Duration;

use concord::chain::error::Cause;
use concord::chain::keys::{Key, Kind};
use concord::chain::send::{Outcome, Pricing, SendError, Sender};
use concord::chain::sign::Execute;
use serde_json::json;

use crate::mock::{Mock, Quirk, contract};

pub(crate) fn say(word: &str) -> Vec<Execute> {
    vec![Execute { contract: contract().text().into(), msg: json!({"say": word}), funds: vec![] }]
}

pub(crate) fn sender(mock: &Mock) -> Sender {
    let mut pricing = Pricing::new("0.025ucosm".parse().unwrap());
    pricing.poll = Duration::from_millis(5);
    pricing.patience = Duration::from_secs(8);
    let key = Key::from_bytes(Kind::Secp256k1, &[5; 32]).unwrap();
    Sender::new(mock.rpc(), key, "wasm", pricing).unwrap()
}

/// Makes a block every few milliseconds until dropped.
pub(crate) struct Minting(tokio::task::JoinHandle<()>);

impl Minting {
    pub(crate) fn start(mock: &Mock) -> Self {
        let mock = mock.clone();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(15)).await;
                mock.mint(1);
            }
        }))
    }
}

impl Drop for Minting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn a_message_ends_in_a_block() {
    let mock = Mock::start(40).await;
    let _minting = Minting::start(&mock);
    let outcome = sender(&mock).send(&say("hello")).await.unwrap();
    let Outcome::Included(included) = outcome else { panic!("{outcome:?}") };
    assert!(included.height > 40 && included.code == 0 && !included.events.is_empty());
    assert_eq!(mock.facts().sequence, 8);
}

#[tokio::test]
async fn gas_and_fee_follow_the_simulation() {
    let mock = Mock::start(40).await;
    let signed = sender(&mock).prepare(&say("hello"), 130).await.unwrap().unwrap();
    assert_eq!((signed.gas, signed.sequence, signed.timeout_height), (130_002, 7, 60));
}

#[tokio::test]
async fn a_wrong_sequence_is_read_again_at_a_newer_block() {
    let mock = Mock::start(40).await;
    mock.facts().check.extend([("sdk", 32, "account sequence mismatch, expected 9, got 7"); 4]);
    let _minting = Minting::start(&mock);
    assert!(matches!(sender(&mock).send(&say("hello")).await, Ok(Outcome::Included(_))));
    assert_eq!(mock.calls("broadcast_tx_sync"), 5);
    mock.facts().check.extend([("sdk", 32, "account sequence mismatch, expected 9, got 7"); 5]);
    let failed = sender(&mock).send(&say("hello")).await;
    assert!(matches!(failed, Err(SendError::Sequence { tries: 5 })), "{failed:?}");
}

#[tokio::test]
async fn a_contracts_refusal_is_told_in_its_words_wherever_it_comes_from() {
    let mock = Mock::start(40).await;
    let _minting = Minting::start(&mock);
    let log = "failed to execute message; message index: 0: no lease is held: execute wasm contract failed";
    mock.facts().verdict = (5, log);
    let Outcome::Refused(in_block) = sender(&mock).send(&say("x")).await.unwrap() else { panic!() };
    mock.facts().simulation = Some(log);
    let Outcome::Refused(in_simulation) = sender(&mock).send(&say("x")).await.unwrap() else { panic!() };
    for refused in [in_block, in_simulation] {
        assert_eq!((refused.text(), refused.cause()), ("no lease is held", Cause::Contract));
    }
    mock.facts().simulation = None;
    mock.facts().check.push_back(("sdk", 13, "insufficient fees; got: 1ucosm"));
    let Outcome::Refused(at_door) = sender(&mock).send(&say("x")).await.unwrap() else { panic!() };
    assert_eq!(at_door.cause(), Cause::Fee);
}

#[tokio::test]
async fn what_no_block_takes_expires_and_is_not_said_to_be_lost_earlier() {
    let mock = Mock::start(40).await;
    mock.facts().withholds = true;
    let sender = sender(&mock);
    let signed = sender.prepare(&say("x"), 130).await.unwrap().unwrap();
    mock.rpc().broadcast(&signed.bytes).await.unwrap();
    let sent = (&signed).into();
    use concord::chain::send::Sighting;
    mock.mint(20);
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 60 }, "block 60 may still hold it");
    mock.mint(1);
    mock.facts().accounts_lag = 1;
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 61 }, "state 60 proves nothing");
    mock.facts().accounts_lag = 0;
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Settled(Outcome::Expired));
    // With its sequence used, an index that lags behind must not make it look dead.
    mock.facts().sequence = 8;
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 61 });
    mock.mint(4);
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 65 });
    mock.mint(1);
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Settled(Outcome::Expired));
}

#[tokio::test]
async fn a_simulation_that_asks_for_too_much_signs_nothing() {
    let mock = Mock::start(40).await;
    for (gas_max, fine) in [(130_002, true), (130_001, false)] {
        let mut pricing = sender(&mock).pricing().clone();
        pricing.gas_max = gas_max;
        let key = Key::from_bytes(Kind::Secp256k1, &[5; 32]).unwrap();
        let sender = Sender::new(mock.rpc(), key, "wasm", pricing).unwrap();
        match sender.prepare(&say("x"), 130).await {
            Ok(Ok(signed)) => assert!(fine && signed.gas == 130_002),
            Err(SendError::Gas { max: 130_001, found: 130_002 }) => assert!(!fine),
            other => panic!("{other:?}"),
        }
    }
}

/// A node without an index answers neither a look-up nor a search; the account's sequence answers for it.
#[tokio::test]
async fn without_an_index_the_sequence_tells_used_from_dead() {
    use concord::chain::send::Sighting;
    let mock = Mock::start(40).await;
    mock.facts().withholds = true;
    mock.stick("tx", Quirk::Error(200, "transaction indexing is disabled"));
    mock.stick("tx_search", Quirk::Error(200, "transaction indexing is disabled"));
    let sender = sender(&mock);
    let signed = sender.prepare(&say("x"), 130).await.unwrap().unwrap();
    let sent = (&signed).into();
    mock.mint(20);
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 60 });
    mock.mint(1);
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Settled(Outcome::Expired));
    mock.facts().sequence = 8;
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Used { height: 61 });
    mock.facts().accounts_lag = 1;
    assert_eq!(sender.sight(&sent).await.unwrap(), Sighting::Open { tip: 61 }, "state 60 proves nothing");
}

#[tokio::test]
async fn a_halted_chain_leaves_the_outcome_open() {
    let mock = Mock::start(40).await;
    let mut pricing = sender(&mock).pricing().clone();
    pricing.patience = Duration::from_millis(80);
    let key = Key::from_bytes(Kind::Secp256k1, &[5; 32]).unwrap();
    let sender = Sender::new(mock.rpc(), key, "wasm", pricing).unwrap();
    let failed = sender.send(&say("x")).await;
    assert!(matches!(failed, Err(SendError::Pending { timeout_height: 60, .. })), "{failed:?}");
}

#[tokio::test]
async fn an_answer_that_never_came_does_not_make_a_second_transaction() {
    let mock = Mock::start(40).await;
    mock.quirk("broadcast_tx_sync", Quirk::DoneThenStall);
    let sender = sender(&mock);
    let sending = tokio::spawn(async move { sender.send(&say("x")).await });
    crate::mock::until("it is in the mempool", async || !mock.facts().mempool.is_empty()).await;
    mock.mint(1);
    // The second try is refused for its sequence, which the first one used.
    let outcome = sending.await.unwrap().unwrap();
    assert!(matches!(outcome, Outcome::Included(_)), "{outcome:?}");
    assert_eq!(mock.facts().order.len(), 1);
}

#[tokio::test]
async fn a_stranger_is_told_to_get_coins() {
    let mock = Mock::start(40).await;
    mock.facts().known = false;
    assert!(matches!(sender(&mock).send(&say("x")).await, Err(SendError::NoAccount { .. })));
}
