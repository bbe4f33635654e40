//! `/websocket`: every call of the RPC, and subscriptions to blocks, headers and transactions.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::blocks::View;
use crate::events::to_json;
use crate::rpc::{
    self, BODY_BYTES_MAX, CallResult, Params, Request, RpcError, block_id_json, block_json, envelope,
    header_json,
};
use crate::search::Search;
use crate::shared::Shared;

/// Subscriptions of one client (CometBFT's `max_subscriptions_per_client`).
const SUBSCRIPTIONS_MAX: usize = 5;

/// How long a client may take to accept one message (CometBFT's write wait).
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a client is pinged (CometBFT's period).
const PING_PERIOD: Duration = Duration::from_secs(27);

/// What a subscription is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Block,
    Header,
    Tx,
}

struct Subscription {
    id: Value,
    query: String,
    search: Search,
    topic: Topic,
}

/// Upgrades a connection, as long as there is room for one more client.
pub(crate) async fn upgrade(State(shared): State<Arc<Shared>>, socket: WebSocketUpgrade) -> Response {
    if shared.sockets.available_permits() == 0 {
        let text = "too many websocket clients; close one or try again";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    socket.max_message_size(BODY_BYTES_MAX).on_upgrade(move |socket| async move {
        if let Ok(_seat) = shared.sockets.try_acquire() {
            serve(&shared, socket).await;
        }
    })
}

async fn serve(shared: &Shared, mut socket: WebSocket) {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    let mut heights = shared.blocks.subscribe();
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    let mut pings = tokio::time::interval(PING_PERIOD);
    loop {
        let flow = tokio::select! {
            () = &mut stopped => return,
            received = socket.recv() => match received {
                Some(Ok(message)) => {
                    receive(shared, &mut socket, &mut subscriptions, message).await
                }
                _ => return,
            },
            height = heights.recv() => match height {
                Ok(height) => publish(shared, &mut socket, &subscriptions, height).await,
                // CometBFT too drops events of a client that does not keep up, without a word.
                Err(RecvError::Lagged(_)) => ControlFlow::Continue(()),
                Err(RecvError::Closed) => return,
            },
            _ = pings.tick() => send(&mut socket, Message::Ping(Vec::new().into())).await,
        };
        if flow.is_break() {
            return;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> ControlFlow<()> {
    match timeout(WRITE_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    }
}

async fn receive(
    shared: &Shared,
    socket: &mut WebSocket,
    subscriptions: &mut Vec<Subscription>,
    message: Message,
) -> ControlFlow<()> {
    let request = match &message {
        Message::Text(text) => serde_json::from_str::<Request>(text.as_str()),
        Message::Binary(bytes) => serde_json::from_slice::<Request>(bytes),
        Message::Close(_) => return ControlFlow::Break(()),
        Message::Ping(_) | Message::Pong(_) => return ControlFlow::Continue(()),
    };
    let answer = match request {
        Ok(request) => answer(shared, subscriptions, request).await,
        Err(error) => {
            let error = RpcError::params(format!("error unmarshaling request: {error}"));
            Some(envelope(&Value::from(-1), Err(error)))
        }
    };
    match answer {
        Some(text) => send(socket, Message::Text(text.into())).await,
        None => ControlFlow::Continue(()),
    }
}

async fn answer(shared: &Shared, subscriptions: &mut Vec<Subscription>, request: Request) -> Option<String> {
    match request.method.as_str() {
        "subscribe" | "unsubscribe" | "unsubscribe_all" => {
            let id = request.id.clone()?;
            let params = Params::from_json(request.params);
            let result = change(subscriptions, &request.method, &id, &params);
            Some(envelope(&id, result))
        }
        _ => rpc::answer(shared, request).await,
    }
}

fn change(subscriptions: &mut Vec<Subscription>, method: &str, id: &Value, params: &Params) -> CallResult {
    if method == "unsubscribe_all" {
        subscriptions.clear();
        return Ok("{}".to_owned());
    }
    let query = params.text(0, "query")?.unwrap_or_default();
    if method == "unsubscribe" {
        let before = subscriptions.len();
        subscriptions.retain(|subscription| subscription.query != query);
        return match subscriptions.len() < before {
            true => Ok("{}".to_owned()),
            false => Err(RpcError::internal("subscription not found")),
        };
    }
    if subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(RpcError::internal(format!("max_subscriptions_per_client {SUBSCRIPTIONS_MAX} reached")));
    }
    if subscriptions.iter().any(|subscription| subscription.query == query) {
        return Err(RpcError::internal("already subscribed"));
    }
    let search = Search::parse(query).map_err(RpcError::internal)?;
    let topic = match search.equal("tm.event") {
        Some("NewBlock") => Topic::Block,
        Some("NewBlockHeader") => Topic::Header,
        Some("Tx") => Topic::Tx,
        _ => {
            return Err(RpcError::internal(
                "devnet publishes tm.event = 'NewBlock', 'NewBlockHeader' and 'Tx'; ask for one of them",
            ));
        }
    };
    subscriptions.push(Subscription { id: id.clone(), query: query.to_owned(), search, topic });
    Ok("{}".to_owned())
}

async fn publish(
    shared: &Shared,
    socket: &mut WebSocket,
    subscriptions: &[Subscription],
    height: u64,
) -> ControlFlow<()> {
    if subscriptions.is_empty() {
        return ControlFlow::Continue(());
    }
    // A block that is pruned already was published to nobody in time.
    let Ok(view) = shared.blocks.view(i64::try_from(height).ok()) else {
        return ControlFlow::Continue(());
    };
    for subscription in subscriptions {
        for text in subscription.texts(shared, &view) {
            if send(socket, Message::Text(text.into())).await.is_break() {
                return ControlFlow::Break(());
            }
        }
    }
    ControlFlow::Continue(())
}

impl Subscription {
    fn texts(&self, shared: &Shared, view: &View) -> Vec<String> {
        match self.topic {
            Topic::Block => self.block(shared, view).into_iter().collect(),
            Topic::Header => self.header(shared, view).into_iter().collect(),
            Topic::Tx => self.txs(view),
        }
    }

    /// Blocks have no events here, so any further condition but the height's never holds.
    fn wants(&self, view: &View) -> bool {
        let known = ["tm.event", "block.height"];
        self.search.matches_flat(&[], &known)
            && self.search.narrow("block.height", view.height..=view.height).contains(&view.height)
    }

    fn block(&self, shared: &Shared, view: &View) -> Option<String> {
        let results: Vec<Value> =
            view.block.txs().iter().map(|tx| serde_json::from_str(&tx.json).unwrap_or_default()).collect();
        self.wants(view).then(|| {
            let value = json!({
                "block": block_json(shared, view),
                "block_id": block_id_json(&view.block.hash),
                "result_finalize_block": {
                    "events": [],
                    "tx_results": results,
                    "validator_updates": [],
                    "consensus_param_updates": null,
                    "app_hash": STANDARD.encode(view.block.app_hash.as_slice()),
                },
            });
            self.event("NewBlock", &value, json!({ "tm.event": ["NewBlock"] }))
        })
    }

    fn header(&self, shared: &Shared, view: &View) -> Option<String> {
        self.wants(view).then(|| {
            let value = json!({ "header": header_json(shared, view) });
            let events = json!({ "tm.event": ["NewBlockHeader"] });
            self.event("NewBlockHeader", &value, events)
        })
    }

    fn txs(&self, view: &View) -> Vec<String> {
        let place = ["tm.event", "tx.height", "tx.hash"];
        let wanted = self.search.narrow("tx.height", view.height..=view.height).contains(&view.height);
        let mut texts = Vec::new();
        for (index, tx) in view.block.txs().iter().enumerate() {
            let hash = hex::encode_upper(tx.hash);
            let asked = self.search.equal("tx.hash");
            let is_asked = asked.is_none_or(|asked| asked.eq_ignore_ascii_case(&hash));
            if !wanted || !is_asked || !self.search.matches_flat(&tx.result.events, &place) {
                continue;
            }
            let value = json!({ "TxResult": {
                "height": view.height.to_string(),
                "index": index,
                "tx": STANDARD.encode(&tx.bytes),
                "result": serde_json::from_str::<Value>(&tx.json).unwrap_or_default(),
            }});
            let mut events = serde_json::Map::new();
            let mut put = |key: String, value: &str| {
                if let Value::Array(values) = events.entry(key).or_insert_with(|| json!([])) {
                    values.push(Value::from(value));
                }
            };
            put("tm.event".to_owned(), "Tx");
            put("tx.hash".to_owned(), &hash);
            put("tx.height".to_owned(), &view.height.to_string());
            for event in &tx.result.events {
                for attribute in &event.attributes {
                    put(format!("{}.{}", event.ty, attribute.key), &attribute.value);
                }
            }
            texts.push(self.event("Tx", &value, Value::Object(events)));
        }
        texts
    }

    fn event(&self, kind: &str, value: &Value, events: Value) -> String {
        let result = json!({
            "query": self.query,
            "data": { "type": format!("tendermint/event/{kind}"), "value": value },
            "events": events,
        });
        envelope(&self.id, Ok(to_json(&result)))
    }
}
