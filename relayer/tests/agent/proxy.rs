//! A way to a real chain that can be made a bad one, call by call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};

/// What the way is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// As the chain.
    Fair,
    /// Takes a question and never answers.
    Stalls,
    /// Answers after this long.
    Late(Duration),
    /// Has no block below this height.
    Pruned(u64),
    /// Says that it is another chain.
    Foreign,
    /// Says that the chain's height is this one.
    Back(u64),
    /// As the chain was when it had this height: a node that is behind and does not know it.
    Behind(u64),
}

/// The way.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    chain: String,
    http: reqwest::Client,
    mood: Arc<Mutex<Mood>>,
    sockets: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
}

impl Proxy {
    /// In front of the chain at this address.
    pub(crate) async fn start(chain: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            chain,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            mood: Arc::new(Mutex::new(Mood::Fair)),
            sockets: Arc::default(),
            asked: Arc::default(),
            sent: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/", post(pass))
            .route("/websocket", any(drop_socket))
            .with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        proxy
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was asked while it was behind.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many transactions it was given while it was behind.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many websockets were opened, and dropped at once.
    pub(crate) fn sockets(&self) -> u64 {
        self.sockets.load(Ordering::Relaxed)
    }
}

async fn drop_socket(State(proxy): State<Proxy>, upgrade: WebSocketUpgrade) -> Response {
    proxy.sockets.fetch_add(1, Ordering::Relaxed);
    upgrade.on_upgrade(async |socket| drop(socket))
}

async fn pass(State(proxy): State<Proxy>, mut body: Bytes) -> Response {
    let mood = *proxy.mood.lock().unwrap();
    match mood {
        Mood::Stalls => return std::future::pending().await,
        Mood::Late(span) => tokio::time::sleep(span).await,
        Mood::Pruned(lowest) => {
            let call: Value = serde_json::from_slice(&body).unwrap();
            let height = call["params"]["height"].as_str().and_then(|text| text.parse::<u64>().ok());
            if call["method"] == "block_results" && height.is_some_and(|height| height < lowest) {
                let data = format!("height {} is not available, lowest height is {lowest}", height.unwrap());
                let error = json!({"code": -32603, "message": "Internal error", "data": data});
                return json!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string().into_response();
            }
        }
        Mood::Behind(newest) => {
            let mut call: Value = serde_json::from_slice(&body).unwrap();
            let asked = call["params"]["height"].as_str().and_then(|text| text.parse::<u64>().ok());
            proxy.asked.fetch_add(1, Ordering::Relaxed);
            if call["method"] == "broadcast_tx_sync" {
                proxy.sent.fetch_add(1, Ordering::Relaxed);
            }
            if asked.is_some_and(|height| height > newest) {
                let data = format!("height {} must be less than or equal to {newest}", asked.unwrap());
                let error = json!({"code": -32603, "message": "Internal error", "data": data});
                return json!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string().into_response();
            }
            if call["method"] == "abci_query" && asked.is_none_or(|height| height == 0) {
                call["params"]["height"] = Value::from(newest.to_string());
                body = call.to_string().into();
            }
        }
        Mood::Fair | Mood::Foreign | Mood::Back(_) => {}
    }
    match proxy.http.post(&proxy.chain).body(body).send().await {
        Ok(answer) => warp(mood, &answer.bytes().await.unwrap_or_default()).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// What the way makes of a status.
fn warp(mood: Mood, answer: &Bytes) -> Bytes {
    let (path, text) = match mood {
        Mood::Foreign => ("/result/node_info/network", "another-1".to_owned()),
        Mood::Back(height) | Mood::Behind(height) => {
            ("/result/sync_info/latest_block_height", height.to_string())
        }
        _ => return answer.clone(),
    };
    let mut json: Value = serde_json::from_slice(answer).unwrap_or_default();
    match json.pointer_mut(path) {
        Some(place) => {
            *place = Value::from(text);
            json.to_string().into()
        }
        None => answer.clone(),
    }
}
