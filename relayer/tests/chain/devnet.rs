//! The same code against the devnet: another program's idea of the same wire.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use concord::chain::feegrant::{self, Allowance};
use concord::chain::keys::{Key, Kind};
use concord::chain::rpc::Broadcast;
use concord::chain::send::{Outcome, Pricing, Sender};
use concord::chain::sign::{Coin, Execute};
use concord::chain::{Address, At, Chain, Rpc, RpcError, Settings};
use concord::report::{Limits, Outbox, State};
use concord::watch::{Step, WatchSettings, Watcher};
use concord_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisCoin, Instantiate};
use cosmwasm_std::{
    Binary, Deps, DepsMut, Empty, Env, Event, MessageInfo, Response, StdError, StdResult, to_json_binary,
};
use cw_multi_test::{Contract, ContractWrapper};
use serde_json::{Value, json};

use crate::mock::until;

const CHAIN: &str = "devnet-1";

fn birth(deps: DepsMut<'_>, _: Env, _: MessageInfo, _: Empty) -> StdResult<Response> {
    deps.storage.set(b"born", b"yes");
    Ok(Response::new())
}

/// `{"say": word}` keeps the word and tells it; the word `no` is refused.
fn execute(deps: DepsMut<'_>, _: Env, _: MessageInfo, msg: Value) -> StdResult<Response> {
    let word = msg["say"].as_str().unwrap_or_default();
    if word == "no" {
        return Err(StdError::msg("no is not a word"));
    }
    deps.storage.set(b"word", word.as_bytes());
    Ok(Response::new().add_event(Event::new("said").add_attribute("word", word)))
}

fn query(deps: Deps<'_>, _: Env, _: Value) -> StdResult<Binary> {
    to_json_binary(&String::from_utf8(deps.storage.get(b"word").unwrap_or_default()).unwrap())
}

fn contract() -> Box<dyn Contract<Empty>> {
    Box::new(ContractWrapper::new(execute, birth, query))
}

struct Net {
    devnet: Devnet,
    rpc: Rpc,
    contract: Address,
}

fn key() -> Key {
    Key::from_bytes(Kind::Secp256k1, &[5; 32]).unwrap()
}

async fn net(block_ms: u64) -> Net {
    let owner = key().address("wasm").unwrap().text().to_owned();
    let devnet = concord_devnet::start(DevnetConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        chain_id: CHAIN.into(),
        block_time: Duration::from_millis(block_ms),
        genesis_time_seconds: None,
        bech32_prefix: "wasm".into(),
        accounts: vec![GenesisAccount {
            address: owner.clone(),
            coins: vec![GenesisCoin { denom: "ucosm".into(), amount: 1_000_000 }],
        }],
        contract,
        instantiate: Instantiate { sender: owner, msg: json!({}), label: "said".into(), admin: None },
        fee_denom: "ucosm".into(),
        gas_price_min_milli: 25,
    })
    .await
    .unwrap();
    let rpc = Rpc::new(Settings::new(CHAIN, vec![format!("http://{}", devnet.rpc_address())])).unwrap();
    let contract = devnet.contract_address().parse().unwrap();
    Net { devnet, rpc, contract }
}

impl Net {
    fn sender(&self) -> Sender {
        self.sender_of(key(), None)
    }

    fn sender_of(&self, key: Key, fee_granter: Option<Address>) -> Sender {
        let mut pricing = Pricing::new("0.025ucosm".parse().unwrap());
        pricing.poll = Duration::from_millis(10);
        pricing.fee_granter = fee_granter;
        Sender::new(self.rpc.clone(), key, "wasm", pricing).unwrap()
    }

    fn say(&self, word: &str) -> Vec<Execute> {
        vec![Execute { contract: self.contract.text().into(), msg: json!({"say": word}), funds: vec![] }]
    }

    /// Makes empty blocks through the devnet's own endpoint.
    async fn advance(&self, blocks: u64) {
        let url = format!("http://{}/control/advance", self.devnet.rpc_address());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer =
            client.post(url).json(&json!({"blocks": blocks, "seconds": blocks})).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_is_in_the_state_of_its_block_and_not_in_the_one_before() {
    let net = net(20).await;
    let outcome = net.sender().send(&net.say("hello")).await.unwrap();
    let Outcome::Included(included) = outcome else { panic!("{outcome:?}") };
    let raw = async |height| net.rpc.raw(&net.contract, b"word", height).await.unwrap();
    assert_eq!(raw(included.height).await.as_deref(), Some(&b"hello"[..]));
    assert_eq!(raw(included.height - 1).await, None);
    assert_eq!(net.rpc.smart(&net.contract, &json!({}), At::Latest).await.unwrap(), b"\"hello\"");
    let events = net.rpc.block_events(included.height, &net.contract).await.unwrap();
    assert_eq!(
        events.iter().map(|event| (event.kind.as_str(), event.value("word"))).collect::<Vec<_>>(),
        [("wasm-said", Some("hello"))]
    );
    assert!(net.rpc.balance(&key().address("wasm").unwrap(), "ucosm", At::Latest).await.unwrap() < 1_000_000);
    net.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_come_out_readable_and_missing_states_are_errors() {
    let net = net(20).await;
    let Outcome::Refused(refused) = net.sender().send(&net.say("no")).await.unwrap() else { panic!() };
    assert!(
        refused.text().contains("no is not a word") && !refused.text().contains("failed to execute message"),
        "{refused}"
    );
    let mut poor = net.say("hello");
    poor[0].funds.push(Coin { denom: "ucosm".into(), amount: 10_000_000 });
    assert!(matches!(net.sender().send(&poor).await.unwrap(), Outcome::Refused(_)));
    net.advance(1_100).await;
    let once = net.rpc.with_tries(1);
    let tip = once.head().await.unwrap().height;
    for height in [2, tip + 100] {
        let answer = once.raw(&net.contract, b"born", height).await;
        assert!(matches!(answer, Err(RpcError::NoState { .. })), "{answer:?}");
    }
    let ahead = once.block_events(tip + 1_000, &net.contract).await;
    assert!(matches!(ahead, Err(RpcError::Behind { .. })), "{ahead:?}");
    assert_eq!(once.tx(&"AB".repeat(32)).await.unwrap(), None);
    net.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_taken_by_another_is_recovered_and_a_repeat_is_one() {
    let net = net(50).await;
    let (one, two) = (net.sender(), net.sender());
    let first = one.prepare(&net.say("one"), 130).await.unwrap().unwrap();
    assert_eq!(net.rpc.broadcast(&first.bytes).await.unwrap(), Broadcast::Taken);
    assert_eq!(net.rpc.broadcast(&first.bytes).await.unwrap(), Broadcast::Taken, "the same again");
    let outcome = two.send(&net.say("two")).await.unwrap();
    assert!(matches!(outcome, Outcome::Included(_)), "{outcome:?}");
    assert!(matches!(one.confirm(&(&first).into()).await.unwrap(), Outcome::Included(_)));
    net.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_leave_the_outbox_and_the_watcher_hears_them_in_order() {
    let net = net(20).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = WatchSettings::new(net.contract.clone(), folder.path().join("cursor.json"));
    settings.start_after = Some(0);
    let watcher = Watcher::new(net.rpc.clone(), settings).unwrap();
    let counters = watcher.counters();
    let (steps, mut heard) = tokio::sync::mpsc::channel(64);
    let watching = tokio::spawn(watcher.run(steps));
    let (outbox, courier) = Outbox::open(&folder.path().join("outbox"), Limits::default()).unwrap();
    let sending = tokio::spawn(courier.run(net.sender()));
    for word in ["a", "b", "c"] {
        outbox.put(word, net.say(word)).await.unwrap();
    }
    let (mut words, mut next) = (vec![], 1);
    while words.len() < 3 {
        let step = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
        let Step::Block { height, events } = step else { panic!("{step:?}") };
        assert_eq!(height, next);
        next += 1;
        words.extend(events.into_iter().filter_map(|event| event.value("word").map(str::to_owned)));
    }
    assert_eq!(words, ["a", "b", "c"]);
    until("the last one is done", async || {
        outbox.state("c").await.is_some_and(|state: State| state.is_done())
    })
    .await;
    assert_eq!(counters.sockets_lost.get(), 0, "the websocket is understood");
    watching.abort();
    sending.abort();
    net.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_gap_the_tip_is_there_at_once_and_every_block_behind_it() {
    let net = net(1_000).await;
    net.advance(3_000).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = WatchSettings::new(net.contract.clone(), folder.path().join("cursor.json"));
    settings.start_after = Some(0);
    let watcher = Watcher::new(net.rpc.clone(), settings).unwrap();
    let (mut tip, counters) = (watcher.tip(), watcher.counters());
    let (steps, mut heard) = tokio::sync::mpsc::channel(64);
    let started = Instant::now();
    let watching = tokio::spawn(watcher.run(steps));
    tip.wait_for(|tip| tip.head.as_ref().is_some_and(|head| head.height >= 3_000)).await.unwrap();
    let acting = started.elapsed();
    assert!(acting < Duration::from_secs(1), "{acting:?}");
    for height in 1..=3_000 {
        let step = heard.recv().await.unwrap();
        assert!(matches!(step, Step::Block { height: found, .. } if found == height), "{step:?}");
    }
    assert_eq!((counters.gaps.get(), counters.retries.get()), (0, 0));
    watching.abort();
    net.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_key_without_coins_reports_on_its_owners_grant_and_waits_for_one() {
    let net = net(20).await;
    let (owner, hot) = (key().address("wasm").unwrap(), Key::from_bytes(Kind::Secp256k1, &[6; 32]).unwrap());
    let address = hot.address("wasm").unwrap();
    let allowance = Allowance {
        per_period: "20000ucosm".parse().unwrap(),
        period: Duration::from_secs(86_400),
        total: None,
        expires_seconds: None,
    };
    let grant = async || {
        let message = feegrant::grant(&owner, &address, &allowance);
        let outcome = net.sender().send_any(&[message]).await.unwrap();
        assert!(matches!(outcome, Outcome::Included(_)), "{outcome:?}");
    };
    grant().await;
    let paid = async || net.rpc.balance(&owner, "ucosm", At::Latest).await.unwrap();
    let before = paid().await;
    let folder = tempfile::tempdir().unwrap();
    let (outbox, courier) = Outbox::open(folder.path(), Limits::default()).unwrap();
    let courier = tokio::spawn(courier.run(net.sender_of(hot, Some(owner.clone()))));
    let done = async |report: &str| outbox.state(report).await.is_some_and(|state| state.is_done());
    for report in ["a", "b"] {
        outbox.put(report, net.say(report)).await.unwrap();
        until("the report is done", async || done(report).await).await;
    }
    // A fee is 8,125: 250,000 gas and 30 % more, at 0.025.
    assert_eq!(before - paid().await, 2 * 8_125);
    assert_eq!(net.rpc.balance(&address, "ucosm", At::Latest).await.unwrap(), 0);

    // The third does not fit into the period. It waits, and is not given up.
    outbox.put("c", net.say("c")).await.unwrap();
    until("the refusal is told", async || {
        outbox.trouble().borrow().as_ref().is_some_and(|trouble| trouble.contains("fee limit exceeded"))
    })
    .await;
    assert!(!done("c").await);
    let outcome = net.sender().send_any(&[feegrant::revoke(&owner, &address)]).await.unwrap();
    assert!(matches!(outcome, Outcome::Included(_)), "{outcome:?}");
    until("the missing grant is told", async || {
        outbox.trouble().borrow().as_ref().is_some_and(|trouble| trouble.contains("concord keys grant"))
    })
    .await;
    grant().await;
    until("the report is done", async || done("c").await).await;
    courier.abort();
    net.devnet.stop().await;
}
