//! A CometBFT node in this process that can be told to misbehave.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord::chain::{Address, BackoffRange, Rpc, Settings};
use cosmrs::proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountResponse};
use cosmrs::proto::cosmos::base::abci::v1beta1::GasInfo;
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, SimulateResponse, TxBody, TxRaw};
use cosmrs::proto::cosmwasm::wasm::v1::QuerySmartContractStateResponse;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) const CHAIN: &str = "mock-1";

/// How one answer goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Quirk {
    /// Never answers.
    Stall,
    /// Answers after this long.
    Late(Duration),
    /// An HTTP status and no JSON.
    Status(u16),
    /// Half a JSON text.
    Broken,
    /// More bytes than anyone asked for, without a content length.
    Oversize,
    /// A JSON-RPC error with this data, under this HTTP status.
    Error(u16, &'static str),
    /// Does what was asked, then never answers.
    DoneThenStall,
}

/// What the websocket does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Socket {
    Tells,
    Silent,
    Drops,
    Refuses,
}

pub(crate) struct Facts {
    pub(crate) chain_id: String,
    pub(crate) height: u64,
    pub(crate) lowest: u64,
    pub(crate) catching_up: bool,
    pub(crate) discards: bool,
    /// Heights at or above this one have no results yet.
    pub(crate) no_results_from: u64,
    pub(crate) events: HashMap<u64, Value>,
    pub(crate) store: HashMap<Vec<u8>, Vec<u8>>,
    pub(crate) states_from: u64,
    pub(crate) quirks: HashMap<String, VecDeque<Quirk>>,
    pub(crate) sticky: HashMap<String, Quirk>,
    pub(crate) calls: HashMap<String, u64>,
    pub(crate) asked: Vec<u64>,
    pub(crate) sequence: u64,
    pub(crate) known: bool,
    pub(crate) mempool: Vec<(String, TxRaw)>,
    pub(crate) included: HashMap<String, (u64, u32, String)>,
    pub(crate) order: Vec<String>,
    /// `(codespace, code, log)` with which the next checks of a transaction answer.
    pub(crate) check: VecDeque<(&'static str, u32, &'static str)>,
    /// The code and log with which transactions end in their block.
    pub(crate) verdict: (u32, &'static str),
    pub(crate) simulation: Option<&'static str>,
    /// Blocks leave the mempool alone.
    pub(crate) withholds: bool,
    /// Accounts are answered from a state this many blocks below the tip.
    pub(crate) accounts_lag: u64,
    /// Transactions in blocks are not found.
    pub(crate) index_lags: bool,
    pub(crate) socket: Socket,
}

/// The node.
#[derive(Clone)]
pub(crate) struct Mock {
    facts: Arc<Mutex<Facts>>,
    heights: watch::Sender<u64>,
    pub(crate) url: String,
}

impl Mock {
    pub(crate) async fn start(height: u64) -> Self {
        let facts = Facts {
            chain_id: CHAIN.into(),
            height,
            lowest: 1,
            catching_up: false,
            discards: false,
            no_results_from: u64::MAX,
            events: HashMap::new(),
            store: HashMap::new(),
            states_from: 1,
            quirks: HashMap::new(),
            sticky: HashMap::new(),
            calls: HashMap::new(),
            asked: vec![],
            sequence: 7,
            known: true,
            mempool: vec![],
            included: HashMap::new(),
            order: vec![],
            check: VecDeque::new(),
            verdict: (0, ""),
            simulation: None,
            withholds: false,
            accounts_lag: 0,
            index_lags: false,
            socket: Socket::Refuses,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mock = Self { facts: Arc::new(Mutex::new(facts)), heights: watch::channel(height).0, url };
        let router = axum::Router::new()
            .route("/", post(answer))
            .route("/websocket", any(socket))
            .with_state(mock.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        mock
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    pub(crate) fn quirk(&self, method: &str, quirk: Quirk) {
        self.facts().quirks.entry(method.into()).or_default().push_back(quirk);
    }

    pub(crate) fn stick(&self, method: &str, quirk: Quirk) {
        self.facts().sticky.insert(method.into(), quirk);
    }

    pub(crate) fn heal(&self) {
        self.facts().sticky.clear();
        self.facts().quirks.clear();
    }

    pub(crate) fn calls(&self, method: &str) -> u64 {
        self.facts().calls.get(method).copied().unwrap_or(0)
    }

    /// Makes blocks; transactions from the mempool go into the first.
    pub(crate) fn mint(&self, blocks: u64) {
        let mut facts = self.facts();
        for _ in 0..blocks {
            facts.height += 1;
            if !facts.withholds {
                let height = facts.height;
                for (hash, raw) in std::mem::take(&mut facts.mempool) {
                    let body = TxBody::decode(raw.body_bytes.as_slice()).unwrap();
                    if body.timeout_height >= height {
                        facts.sequence += 1;
                        let (code, log) = facts.verdict;
                        facts.included.insert(hash.clone(), (height, code, log.into()));
                        facts.order.push(hash);
                    }
                }
            }
        }
        let height = facts.height;
        drop(facts);
        self.heights.send_replace(height);
    }

    /// The contract says a word in a block.
    pub(crate) fn says(&self, height: u64, word: &str) {
        let event = json!({"type": "wasm-concord", "attributes": [
            {"key": "_contract_address", "value": contract().text()}, {"key": "word", "value": word}]});
        self.facts().events.insert(height, event);
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(CHAIN, vec![self.url.clone()]);
        settings.call_timeout = Duration::from_millis(400);
        settings.answer_bytes_max = 100_000;
        settings.door_span = Duration::from_millis(50);
        settings.backoff =
            BackoffRange { first: Duration::from_millis(5), longest: Duration::from_millis(40) };
        settings
    }

    pub(crate) fn rpc(&self) -> Rpc {
        Rpc::new(self.settings()).unwrap()
    }
}

pub(crate) fn contract() -> Address {
    Address::new("wasm", &[9; 32]).unwrap()
}

async fn answer(Shared(mock): Shared<Mock>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let method = request["method"].as_str().unwrap().to_owned();
    let quirk = {
        let mut facts = mock.facts();
        *facts.calls.entry(method.clone()).or_default() += 1;
        let once = facts.quirks.get_mut(&method).and_then(VecDeque::pop_front);
        once.or_else(|| facts.sticky.get(&method).cloned())
    };
    match quirk {
        Some(Quirk::Stall) => std::future::pending().await,
        Some(Quirk::Late(span)) => tokio::time::sleep(span).await,
        Some(Quirk::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Quirk::Broken) => return "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"node_in".into_response(),
        Some(Quirk::Oversize) => {
            let chunks = (0..200).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_000]));
            return axum::body::Body::from_stream(futures_util::stream::iter(chunks)).into_response();
        }
        Some(Quirk::Error(status, data)) => {
            let error = json!({"jsonrpc": "2.0", "id": 1,
                "error": {"code": -32603, "message": "Internal error", "data": data}});
            return (StatusCode::from_u16(status).unwrap(), error.to_string()).into_response();
        }
        Some(Quirk::DoneThenStall) => {
            let _ = mock.facts().call(&method, &request["params"]);
            std::future::pending().await
        }
        None => {}
    }
    let mut answer = json!({"jsonrpc": "2.0", "id": 1});
    match mock.facts().call(&method, &request["params"]) {
        Ok(result) => answer["result"] = result,
        Err(data) => answer["error"] = json!({"code": -32603, "message": "Internal error", "data": data}),
    }
    answer.to_string().into_response()
}

impl Facts {
    fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        match method {
            "status" => Ok(json!({
                "node_info": {"network": self.chain_id, "version": "0.38.21"},
                "sync_info": {"latest_block_height": self.height.to_string(), "catching_up": self.catching_up,
                    "earliest_block_height": self.lowest.to_string(), "latest_block_time": "2026-11-24T05:00:00.5Z"},
            })),
            "block_results" => self.block_results(params["height"].as_str().unwrap().parse().unwrap()),
            "abci_query" => Ok(json!({"response": self.query(params)})),
            "broadcast_tx_sync" => self.broadcast(params["tx"].as_str().unwrap()),
            "tx" => {
                let hash = hex::encode_upper(BASE64.decode(params["hash"].as_str().unwrap()).unwrap());
                self.tx(&hash).ok_or(format!("tx ({hash}) not found"))
            }
            "tx_search" => {
                let query = params["query"].as_str().unwrap();
                let hash = query.trim_start_matches("tx.hash='").trim_end_matches('\'');
                Ok(json!({"txs": self.tx(hash).into_iter().collect::<Vec<_>>(), "total_count": "1"}))
            }
            _ => Err("method not found".into()),
        }
    }

    fn block_results(&mut self, height: u64) -> Result<Value, String> {
        self.asked.push(height);
        if self.discards {
            return Err("node is not persisting finalize block responses".into());
        }
        if height > self.height {
            let latest = self.height;
            return Err(format!(
                "height {height} must be less than or equal to the current blockchain height {latest}"
            ));
        }
        if height < self.lowest {
            return Err(format!("height {height} is not available, lowest height is {}", self.lowest));
        }
        if height >= self.no_results_from {
            return Err(format!("could not find results for height #{height}"));
        }
        let results = self.events.get(&height).map(|event| json!([{"code": 0, "events": [event]}]));
        Ok(json!({"height": height.to_string(), "txs_results": results, "finalize_block_events": []}))
    }

    fn query(&self, params: &Value) -> Value {
        let data = hex::decode(params["data"].as_str().unwrap()).unwrap();
        let height: u64 = params["height"].as_str().unwrap().parse().unwrap();
        let fine = |value: Vec<u8>| json!({"code": 0, "value": BASE64.encode(value), "height": if height == 0 { self.height - self.accounts_lag } else { height }.to_string()});
        let no = |code: u32, log: &str| json!({"code": code, "codespace": "sdk", "log": log, "value": null});
        if height > self.height || (height != 0 && height < self.states_from) {
            return json!({"code": 0, "log": "version does not exist", "value": null, "height": height.to_string()});
        }
        match params["path"].as_str().unwrap() {
            "/store/wasm/key" => fine(self.store.get(&data).cloned().unwrap_or_default()),
            "/cosmos.auth.v1beta1.Query/Account" if !self.known => {
                no(22, "rpc error: code = NotFound desc = account not found: key not found")
            }
            "/cosmos.auth.v1beta1.Query/Account" => {
                let account =
                    BaseAccount { account_number: 3, sequence: self.sequence, ..BaseAccount::default() };
                let value = account.encode_to_vec();
                let any = cosmrs::Any { type_url: "/cosmos.auth.v1beta1.BaseAccount".into(), value };
                fine(QueryAccountResponse { account: Some(any) }.encode_to_vec())
            }
            "/cosmos.tx.v1beta1.Service/Simulate" => match self.simulation {
                Some(log) => no(18, log),
                None => {
                    let gas_info = Some(GasInfo { gas_wanted: 0, gas_used: 100_001 });
                    fine(SimulateResponse { gas_info, result: None }.encode_to_vec())
                }
            },
            "/cosmwasm.wasm.v1.Query/SmartContractState" => fine(
                QuerySmartContractStateResponse { data: b"{\"phase\":\"voting\"}".to_vec() }.encode_to_vec(),
            ),
            path => no(6, path),
        }
    }

    fn broadcast(&mut self, tx: &str) -> Result<Value, String> {
        let bytes = BASE64.decode(tx).unwrap();
        let hash = concord::chain::keys::tx_hash(&bytes);
        if self.mempool.iter().any(|(known, _)| *known == hash) {
            return Err("tx already exists in cache".into());
        }
        let no = |codespace: &str, code: u32, log: String| json!({"code": code, "codespace": codespace, "log": log, "hash": hash});
        if let Some((codespace, code, log)) = self.check.pop_front() {
            return Ok(no(codespace, code, log.into()));
        }
        let raw = TxRaw::decode(bytes.as_slice()).unwrap();
        let got = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap().signer_infos[0].sequence;
        let expected = self.sequence + self.mempool.len() as u64;
        if got != expected {
            return Ok(no("sdk", 32, format!("account sequence mismatch, expected {expected}, got {got}")));
        }
        let answer = no("", 0, String::new());
        self.mempool.push((hash, raw));
        Ok(answer)
    }

    fn tx(&self, hash: &str) -> Option<Value> {
        let (height, code, log) = self.included.get(hash).filter(|_| !self.index_lags)?;
        Some(json!({"hash": hash, "height": height.to_string(), "index": 0, "tx": "", "tx_result": {
            "code": code, "codespace": if *code == 0 { "" } else { "wasm" }, "log": log, "data": BASE64.encode(b"data"),
            "gas_wanted": "1", "gas_used": "90000",
            "events": [{"type": "wasm-concord", "attributes": [{"key": "word", "value": "x", "index": true}]}]}}))
    }
}

async fn socket(Shared(mock): Shared<Mock>, upgrade: WebSocketUpgrade) -> Response {
    let mode = mock.facts().socket;
    if mode == Socket::Refuses {
        return StatusCode::NOT_FOUND.into_response();
    }
    *mock.facts().calls.entry("websocket".into()).or_default() += 1;
    let heights = mock.heights.subscribe();
    upgrade.on_upgrade(move |socket| tell(socket, mode, heights))
}

async fn tell(mut socket: WebSocket, mode: Socket, mut heights: watch::Receiver<u64>) {
    match mode {
        Socket::Tells => {
            while heights.changed().await.is_ok() {
                if socket.send(Message::text("{\"result\":{}}")).await.is_err() {
                    return;
                }
            }
        }
        Socket::Silent => std::future::pending().await,
        Socket::Drops | Socket::Refuses => {}
    }
}

/// Waits until `is_so`, at most ten seconds.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited ten seconds until {what}");
}
