use std::time::{Duration, Instant};

use concord::chain::rpc::{Broadcast, ENDPOINTS_MAX};
use concord::chain::{Account, At, Chain, Rpc, RpcError};
use serde_json::json;

use crate::mock::{CHAIN, Mock, Quirk, contract};

fn key(name: &[u8]) -> Vec<u8> {
    [&[3_u8][..], contract().bytes(), name].concat()
}

#[tokio::test]
async fn a_status_tells_the_tip() {
    let mock = Mock::start(40).await;
    let head = mock.rpc().head().await.unwrap();
    assert_eq!((head.height, head.lowest), (40, 1));
    assert_eq!(head.time_nanos, Some(1_795_496_400_500_000_000));
}

#[tokio::test]
async fn every_cause_has_its_own_error() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc().with_tries(1);
    type IsRight = fn(&RpcError) -> bool;
    let table: [(Quirk, IsRight); 7] = [
        (Quirk::Stall, |error| matches!(error, RpcError::Transport { .. })),
        (Quirk::Status(500), |error| matches!(error, RpcError::Status { status: 500, .. })),
        (Quirk::Status(302), |error| matches!(error, RpcError::Status { status: 302, .. })),
        (Quirk::Broken, |error| matches!(error, RpcError::Decode { .. })),
        (Quirk::Oversize, |error| matches!(error, RpcError::Oversize { bytes_max: 100_000, .. })),
        (Quirk::Error(200, "out of luck"), |error| matches!(error, RpcError::Rpc { code: -32603, .. })),
        (Quirk::Error(500, "out of luck"), |error| matches!(error, RpcError::Rpc { code: -32603, .. })),
    ];
    for (quirk, is_right) in table {
        mock.quirk("status", quirk.clone());
        let error = rpc.status().await.unwrap_err();
        assert!(is_right(&error), "{quirk:?} became {error:?}");
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
    rpc.status().await.unwrap();
}

#[tokio::test]
async fn the_door_is_closed_to_foreign_late_and_falling_nodes() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc().with_tries(1);
    mock.facts().chain_id = "other-1".into();
    assert!(
        matches!(rpc.status().await, Err(RpcError::WrongChainId { expected, found, .. }) if expected == CHAIN && found == "other-1")
    );
    // Reads go through the same door.
    assert!(matches!(rpc.raw(&contract(), b"k", 40).await, Err(RpcError::WrongChainId { .. })));
    mock.facts().chain_id = CHAIN.into();
    mock.facts().catching_up = true;
    assert!(matches!(rpc.raw(&contract(), b"k", 40).await, Err(RpcError::CatchingUp { height: 40, .. })));
    mock.facts().catching_up = false;
    rpc.status().await.unwrap();
    mock.facts().height = 34;
    assert!(matches!(rpc.status().await, Err(RpcError::WentBack { seen: 40, found: 34, .. })));
    mock.facts().height = 35;
    assert_eq!(rpc.status().await.unwrap().height, 35);
}

#[tokio::test]
async fn a_key_is_present_absent_or_unknown() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc().with_tries(1);
    mock.facts().store.insert(key(b"brake"), b"{}".to_vec());
    assert_eq!(rpc.raw(&contract(), b"brake", 40).await.unwrap().as_deref(), Some(&b"{}"[..]));
    assert_eq!(rpc.raw(&contract(), b"other", 40).await.unwrap(), None);
    mock.facts().states_from = 30;
    for height in [29, 41] {
        let answer = rpc.raw(&contract(), b"brake", height).await;
        assert!(
            matches!(answer, Err(RpcError::NoState { height: asked, .. }) if asked == height),
            "{answer:?}"
        );
    }
    rpc.raw(&contract(), b"brake", 30).await.unwrap();
}

#[tokio::test]
async fn accounts_and_contracts_answer() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc();
    let account = rpc.account(&contract(), At::Height(40)).await.unwrap();
    assert_eq!(account, Some(Account { number: 3, sequence: 7, height: 40 }));
    mock.facts().known = false;
    assert_eq!(rpc.account(&contract(), At::Latest).await.unwrap(), None);
    let answer = rpc.smart(&contract(), &json!({"phase": {}}), At::Height(40)).await.unwrap();
    assert_eq!(answer, b"{\"phase\":\"voting\"}");
    assert!(matches!(rpc.abci_query("/none", b"", At::Latest).await, Err(RpcError::Query { code: 6, .. })));
}

#[tokio::test]
async fn a_refused_query_is_not_asked_again_but_a_lost_one_is() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc();
    rpc.abci_query("/none", b"", At::Latest).await.unwrap_err();
    assert_eq!(mock.calls("abci_query"), 1);
    mock.quirk("abci_query", Quirk::Status(502));
    mock.quirk("abci_query", Quirk::Broken);
    rpc.raw(&contract(), b"k", 40).await.unwrap();
    assert_eq!(mock.calls("abci_query"), 4);
    mock.stick("abci_query", Quirk::Status(502));
    rpc.raw(&contract(), b"k", 40).await.unwrap_err();
    assert_eq!(mock.calls("abci_query"), 8, "four tries and no more");
}

#[tokio::test]
async fn the_second_endpoint_serves_while_the_first_is_ill() {
    let (ill, well) = (Mock::start(40).await, Mock::start(41).await);
    let mut settings = ill.settings();
    settings.endpoints.push(well.url.clone());
    settings.backoff.first = Duration::from_secs(5);
    settings.backoff.longest = Duration::from_secs(30);
    let rpc = Rpc::new(settings).unwrap().with_tries(1);
    assert_eq!(rpc.status().await.unwrap().height, 40);
    ill.stick("status", Quirk::Stall);
    assert_eq!(rpc.status().await.unwrap().height, 41);
    // The ill one rests now, so nobody waits for it.
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(rpc.status().await.unwrap().height, 41);
    }
    assert!(started.elapsed() < Duration::from_millis(350), "{:?}", started.elapsed());
    // A foreign chain at one address does not hide that the other one is only lost.
    ill.heal();
    ill.facts().chain_id = "other-1".into();
    well.stick("status", Quirk::Status(500));
    assert!(matches!(rpc.status().await, Err(RpcError::Status { status: 500, .. })));
    well.heal();
    assert_eq!(rpc.status().await.unwrap().height, 41);
}

#[tokio::test]
async fn a_node_that_answers_only_its_status_does_not_hide_the_second() {
    let (ill, well) = (Mock::start(40).await, Mock::start(40).await);
    well.facts().store.insert(key(b"brake"), b"{}".to_vec());
    let mut settings = ill.settings();
    settings.endpoints.push(well.url.clone());
    settings.backoff.first = Duration::from_secs(5);
    settings.backoff.longest = Duration::from_secs(30);
    let rpc = Rpc::new(settings).unwrap().with_tries(1);
    ill.stick("abci_query", Quirk::Error(200, "the application is gone"));
    for _ in 0..3 {
        assert_eq!(rpc.raw(&contract(), b"brake", 40).await.unwrap().as_deref(), Some(&b"{}"[..]));
    }
    assert_eq!(ill.calls("abci_query"), 1, "it rests");
    // That a transaction is not there is an answer, and no fault.
    assert_eq!(rpc.tx(&"AB".repeat(32)).await.unwrap(), None);
    assert_eq!((ill.calls("tx"), well.calls("tx")), (0, 1));
    let alone = well.rpc();
    assert_eq!(alone.tx(&"AB".repeat(32)).await.unwrap(), None);
    assert_eq!(well.calls("tx"), 2, "and it is not asked again");
}

#[tokio::test]
async fn a_dead_port_is_a_transport_error_and_tells_no_secret() {
    let mock = Mock::start(40).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut settings = mock.settings();
    settings.endpoints = vec![format!("http://user:hunter2@127.0.0.1:{port}/key-hunter2")];
    let error = Rpc::new(settings).unwrap().with_tries(2).status().await.unwrap_err();
    assert!(matches!(error, RpcError::Transport { .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn the_list_of_endpoints_is_checked() {
    let mock = Mock::start(1).await;
    for (count, fine) in [(0, false), (1, true), (ENDPOINTS_MAX, true), (ENDPOINTS_MAX + 1, false)] {
        let mut settings = mock.settings();
        settings.endpoints = vec![mock.url.clone(); count];
        assert_eq!(Rpc::new(settings).is_ok(), fine, "{count}");
    }
}

#[tokio::test]
async fn a_transaction_known_to_the_mempool_is_taken() {
    let mock = Mock::start(40).await;
    mock.quirk("broadcast_tx_sync", Quirk::Error(200, "tx already exists in cache"));
    assert_eq!(mock.rpc().broadcast(b"x").await.unwrap(), Broadcast::Taken);
    mock.quirk("broadcast_tx_sync", Quirk::Status(500));
    mock.facts().check.push_back(("sdk", 13, "insufficient fees"));
    let answer = mock.rpc().broadcast(b"x").await.unwrap();
    assert!(matches!(answer, Broadcast::Refused { doubtful: true, .. }), "{answer:?}");
}

#[tokio::test]
async fn a_transaction_is_found_by_either_way() {
    let mock = Mock::start(40).await;
    let rpc = mock.rpc();
    let hash = "AB".repeat(32);
    assert_eq!(rpc.tx(&hash).await.unwrap(), None);
    mock.facts().included.insert(hash.clone(), (39, 0, String::new()));
    let found = rpc.tx(&hash).await.unwrap().unwrap();
    assert_eq!(
        (found.height, found.code, found.gas_used, found.data.as_slice()),
        (39, 0, 90_000, &b"data"[..])
    );
    mock.quirk("tx", Quirk::Error(200, "transaction indexing is disabled"));
    assert_eq!(rpc.tx(&hash).await.unwrap(), Some(found));
    mock.stick("tx", Quirk::Error(200, "transaction indexing is disabled"));
    mock.stick("tx_search", Quirk::Error(200, "transaction indexing is disabled"));
    assert!(matches!(rpc.tx(&hash).await, Err(RpcError::Rpc { .. })), "no index is not 'not found'");
}
