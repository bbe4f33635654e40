use std::path::Path;
use std::time::Duration;

use concord::chain::send::Outcome;
use concord::report::{Limits, Outbox, Put, State};
use tokio::task::JoinHandle;

use crate::mock::{Mock, Quirk, until};
use crate::send::{Minting, say, sender};

/// An agent's reporting half that can be killed.
struct Agent {
    outbox: Outbox,
    courier: JoinHandle<()>,
}

impl Agent {
    fn start(mock: &Mock, folder: &Path) -> Self {
        let (outbox, courier) = Outbox::open(folder, Limits::default()).unwrap();
        let sender = sender(mock);
        let courier = tokio::spawn(async move {
            courier.run(sender).await;
        });
        Self { outbox, courier }
    }

    async fn kill(self) {
        self.courier.abort();
        let _ = self.courier.await;
    }

    async fn until_done(&self, key: &str) -> Outcome {
        until("the report is done", async || {
            self.outbox.state(key).await.is_some_and(|state| state.is_done())
        })
        .await;
        match self.outbox.state(key).await {
            Some(State::Done { outcome }) => outcome,
            other => panic!("{other:?}"),
        }
    }

    async fn until_sent(&self, key: &str) {
        until("the report is sent", async || {
            matches!(self.outbox.state(key).await, Some(State::Sent { .. }))
        })
        .await;
    }
}

#[tokio::test]
async fn reports_leave_in_order_one_transaction_each() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let _minting = Minting::start(&mock);
    let agent = Agent::start(&mock, folder.path());
    for key in ["a", "b", "c"] {
        assert_eq!(agent.outbox.put(key, say(key)).await.unwrap(), Put::New);
    }
    let mut heights = vec![];
    for key in ["a", "b", "c"] {
        let Outcome::Included(included) = agent.until_done(key).await else { panic!() };
        heights.push(included.height);
    }
    assert!(heights.is_sorted());
    assert_eq!(mock.facts().order.len(), 3);
    assert!(matches!(agent.outbox.put("a", say("a")).await.unwrap(), Put::Known(State::Done { .. })));
}

#[tokio::test]
async fn a_sent_report_is_looked_up_after_a_restart_and_not_sent_twice() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    agent.until_sent("a").await;
    until("the node has it", async || !mock.facts().mempool.is_empty()).await;
    agent.kill().await;
    mock.mint(2);
    let agent = Agent::start(&mock, folder.path());
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    let facts = mock.facts();
    assert_eq!((facts.order.len(), facts.sequence), (1, 8));
}

#[tokio::test]
async fn an_agent_that_died_before_the_broadcast_sends_the_same_bytes() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    mock.stick("broadcast_tx_sync", Quirk::Stall);
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    agent.until_sent("a").await;
    let Some(State::Sent { hash, .. }) = agent.outbox.state("a").await else { panic!() };
    agent.kill().await;
    mock.heal();
    let agent = Agent::start(&mock, folder.path());
    until("the node has it", async || !mock.facts().mempool.is_empty()).await;
    mock.mint(1);
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    assert_eq!(mock.facts().order, [hash]);
}

#[tokio::test]
async fn only_a_dead_transaction_is_signed_anew() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    mock.facts().withholds = true;
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    agent.until_sent("a").await;
    let Some(State::Sent { hash: first, timeout_height, .. }) = agent.outbox.state("a").await else {
        panic!()
    };
    agent.kill().await;
    // At its timeout height it may still be in the newest block.
    mock.mint(timeout_height - 40);
    let agent = Agent::start(&mock, folder.path());
    let looks = mock.calls("tx");
    until("it looked three times", async || mock.calls("tx") >= looks + 3).await;
    let Some(State::Sent { hash, .. }) = agent.outbox.state("a").await else { panic!() };
    assert_eq!(hash, first);
    mock.facts().mempool.clear();
    mock.facts().withholds = false;
    mock.mint(1);
    until(
        "it signed anew",
        async || matches!(agent.outbox.state("a").await, Some(State::Sent { hash, .. }) if hash != first),
    )
    .await;
    until("the node has it", async || !mock.facts().mempool.is_empty()).await;
    mock.mint(1);
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    assert_eq!(mock.facts().order.len(), 1);
}

#[tokio::test]
async fn a_node_that_forgot_its_mempool_gets_the_transaction_again() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    until("the node has it", async || !mock.facts().mempool.is_empty()).await;
    mock.facts().mempool.clear();
    mock.mint(3);
    until("the node has it again", async || !mock.facts().mempool.is_empty()).await;
    mock.mint(1);
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    assert_eq!(mock.facts().order.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_words_and_the_next_report_leaves() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let _minting = Minting::start(&mock);
    mock.facts().simulation =
        Some("failed to execute message; message index: 0: wrong phase: execute wasm contract failed");
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    let Outcome::Refused(refused) = agent.until_done("a").await else { panic!() };
    assert_eq!(refused.text(), "wrong phase");
    mock.facts().simulation = None;
    agent.outbox.put("b", say("b")).await.unwrap();
    assert!(matches!(agent.until_done("b").await, Outcome::Included(_)));
}

#[tokio::test]
async fn trouble_is_told_and_waited_out() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let _minting = Minting::start(&mock);
    mock.facts().check.extend([
        ("sdk", 32, "account sequence mismatch, expected 9, got 7"),
        ("sdk", 20, "mempool is full"),
        ("sdk", 5, "insufficient funds"),
        ("sdk", 13, "insufficient fees"),
    ]);
    let agent = Agent::start(&mock, folder.path());
    let mut trouble = agent.outbox.trouble();
    agent.outbox.put("a", say("a")).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(5), trouble.wait_for(Option::is_some)).await;
    assert!(told.unwrap().is_ok());
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    let over = tokio::time::timeout(Duration::from_secs(5), trouble.wait_for(Option::is_none)).await;
    assert!(over.unwrap().is_ok());
    assert_eq!(mock.facts().order.len(), 1);
}

#[tokio::test]
async fn a_dead_node_loses_no_report() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    let _minting = Minting::start(&mock);
    for method in ["status", "abci_query", "broadcast_tx_sync", "tx"] {
        mock.stick(method, Quirk::Status(503));
    }
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    let mut trouble = agent.outbox.trouble();
    tokio::time::timeout(Duration::from_secs(5), trouble.wait_for(Option::is_some)).await.unwrap().unwrap();
    agent.kill().await;
    mock.heal();
    let agent = Agent::start(&mock, folder.path());
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
}

#[tokio::test]
async fn a_refusal_after_a_silence_does_not_make_a_second_transaction() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    mock.quirk("broadcast_tx_sync", Quirk::DoneThenStall);
    let agent = Agent::start(&mock, folder.path());
    agent.outbox.put("a", say("a")).await.unwrap();
    until("the node has it", async || !mock.facts().mempool.is_empty()).await;
    // Taken into a block, it makes its own repeat fail for the sequence that it used.
    mock.mint(1);
    mock.facts().index_lags = true;
    until("it was handed over again", async || mock.calls("broadcast_tx_sync") >= 2).await;
    until("it was looked up", async || mock.calls("tx") >= 2).await;
    mock.facts().index_lags = false;
    assert!(matches!(agent.until_done("a").await, Outcome::Included(_)));
    assert_eq!(mock.facts().order.len(), 1);
}

#[tokio::test]
async fn a_node_without_an_index_blocks_no_report() {
    let (mock, folder) = (Mock::start(40).await, tempfile::tempdir().unwrap());
    mock.stick("tx", Quirk::Error(200, "transaction indexing is disabled"));
    mock.stick("tx_search", Quirk::Error(200, "transaction indexing is disabled"));
    let _minting = Minting::start(&mock);
    let agent = Agent::start(&mock, folder.path());
    for key in ["a", "b"] {
        agent.outbox.put(key, say(key)).await.unwrap();
        let Outcome::Refused(refused) = agent.until_done(key).await else { panic!() };
        assert!(refused.log.contains("no node keeps an index"), "{refused}");
    }
    let facts = mock.facts();
    assert_eq!((facts.order.len(), facts.sequence), (2, 9), "each was sent once");
}
