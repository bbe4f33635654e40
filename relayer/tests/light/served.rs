//! A node of a made chain on loopback.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use concord::chain::light::{Checksum, LightSettings};
use concord::chain::{Address, BackoffRange, Rpc, Settings};
use concord_prove::{Terms, Time};
use prost::Message;
use serde_json::{Value, json};

use crate::maker::{CHAIN_ID, CONTRACT, Chain, Plan, key, time_at};
use crate::tree::Pairs;

type Tweak = Box<dyn Fn(&str, Value) -> Value + Send + Sync>;

struct Inner {
    chain: Arc<Chain>,
    latest: u64,
    tweak: Tweak,
    asked: Vec<String>,
}

/// A node that serves a made chain up to a height, and may lie.
#[derive(Clone)]
pub(crate) struct Served {
    inner: Arc<Mutex<Inner>>,
    pub(crate) url: String,
}

impl Served {
    pub(crate) async fn start(chain: &Arc<Chain>, latest: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner =
            Inner { chain: chain.clone(), latest, tweak: Box::new(|_, answer| answer), asked: Vec::new() };
        let served = Self { inner: Arc::new(Mutex::new(inner)), url };
        let router = axum::Router::new().route("/", post(answer)).with_state(served.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        served
    }

    /// The chain grows to this height.
    pub(crate) fn grow(&self, latest: u64) {
        self.inner.lock().unwrap().latest = latest;
    }

    /// From now on it serves another chain.
    pub(crate) fn becomes(&self, chain: &Arc<Chain>) {
        self.inner.lock().unwrap().chain = chain.clone();
    }

    /// From now on its answers are changed: the function gets the method and the honest answer.
    pub(crate) fn lies(&self, tweak: impl Fn(&str, Value) -> Value + Send + Sync + 'static) {
        self.inner.lock().unwrap().tweak = Box::new(tweak);
    }

    /// How often a method was asked for so far.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.inner.lock().unwrap().asked.iter().filter(|asked| *asked == method).count()
    }
}

async fn answer(State(served): State<Served>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let method = request["method"].as_str().unwrap().to_owned();
    let mut inner = served.inner.lock().unwrap();
    inner.asked.push(method.clone());
    let answer = (inner.tweak)(&method, honest(&inner, &method, &request));
    answer.to_string().into_response()
}

fn failed(data: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error", "data": data}})
}

fn honest(inner: &Inner, method: &str, request: &Value) -> Value {
    let latest = inner.latest;
    let height: u64 = request["params"]["height"].as_str().map_or(0, |text| text.parse().unwrap());
    let above = if method == "validators" { 1 } else { 0 };
    if height > latest + above {
        return failed(&format!(
            "height {height} must be less than or equal to the current blockchain height {latest}"
        ));
    }
    match method {
        "status" | "commit" | "validators" => {}
        "abci_query" if request["params"]["path"].as_str().unwrap().starts_with("/store/") => {}
        "block_results" => {
            let result =
                json!({"height": height.to_string(), "txs_results": null, "finalize_block_events": null});
            return json!({"jsonrpc": "2.0", "id": 1, "result": result});
        }
        _ => return failed("this node only proves"),
    }
    let mut answer: Value = serde_json::from_str(&inner.chain.answer(&request.to_string())).unwrap();
    if method == "status" {
        answer["result"]["sync_info"]["latest_block_height"] = json!(latest.to_string());
        answer["result"]["sync_info"]["latest_block_time"] =
            json!(inner.chain.header(latest).time.to_rfc3339());
    }
    answer
}

#[derive(Clone, PartialEq, Message)]
struct ContractInfo {
    #[prost(uint64, tag = "1")]
    code_id: u64,
    #[prost(string, tag = "2")]
    creator: String,
}

#[derive(Clone, PartialEq, Message)]
struct CodeInfo {
    #[prost(bytes = "vec", tag = "1")]
    code_hash: Vec<u8>,
    #[prost(string, tag = "2")]
    creator: String,
}

/// The checksum of a made code.
pub(crate) fn checksum(code: u64) -> Checksum {
    [u8::try_from(code).unwrap(); 32]
}

/// The records of the made contract, which runs code `code` of two.
pub(crate) fn records(code: u64) -> Pairs {
    let creator = "wasm1creator".to_owned();
    let info = ContractInfo { code_id: code, creator: creator.clone() }.encode_to_vec();
    let mut pairs = vec![([&[0x02][..], &CONTRACT].concat(), info)];
    for number in [7_u64, 8] {
        let info = CodeInfo { code_hash: checksum(number).to_vec(), creator: creator.clone() };
        pairs.push(([&[0x01][..], &number.to_be_bytes()].concat(), info.encode_to_vec()));
    }
    pairs
}

/// A state with the contract on code 7, and its height under `tip`.
pub(crate) fn state(height: u64) -> Pairs {
    let mut pairs = records(7);
    pairs.push((key(b"tip"), height.to_string().into_bytes()));
    pairs.push((key(b"k"), b"{\"n\":1}".to_vec()));
    pairs
}

/// A chain with that state.
pub(crate) fn plan() -> Plan {
    Plan { state: Box::new(state), ..Plan::new() }
}

pub(crate) fn contract() -> Address {
    Address::new("wasm", &CONTRACT).unwrap()
}

/// A second after block 25, by which block 20 is in order too.
pub(crate) fn now() -> Time {
    (time_at(25) + std::time::Duration::from_secs(1)).unwrap()
}

pub(crate) fn settings(folder: &Path) -> LightSettings {
    LightSettings {
        contract: contract(),
        folder: folder.to_owned(),
        terms: Terms::new(14 * 86_400, 10).unwrap(),
        checksums: Vec::new(),
        clock: now,
    }
}

/// A client of these nodes, in this order, that lets a failed one rest for a minute.
pub(crate) fn rpc(nodes: &[&Served]) -> Rpc {
    let mut settings = Settings::new(CHAIN_ID, nodes.iter().map(|node| node.url.clone()).collect());
    let minute = std::time::Duration::from_secs(60);
    settings.backoff = BackoffRange { first: minute, longest: minute };
    settings.tries_max = 1;
    Rpc::new(settings).unwrap()
}
