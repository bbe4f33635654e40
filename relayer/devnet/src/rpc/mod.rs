//! CometBFT 0.38's RPC: JSON-RPC by POST to `/`, the same calls as URIs by GET, and the envelope.

mod abci;
mod blocks;
mod node;
mod params;
mod txs;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::map_response;
use axum::routing::{get, post};
use cosmrs::tendermint::Time;
use serde::Deserialize;
use serde_json::Value;

use crate::events::quote;
use crate::shared::Shared;
use crate::{control, websocket};

pub(crate) use blocks::{block_id_json, block_json, header_json};
pub(crate) use params::Params;

/// The largest request body: a transaction of 1 MiB in base64 with its envelope.
pub(crate) const BODY_BYTES_MAX: usize = 2 << 20;

/// Requests in one batch (CometBFT's `max_request_batch_size`).
const BATCH_MAX: usize = 10;

/// An error of a call as JSON-RPC reports it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) message: &'static str,
    pub(crate) data: String,
}

impl RpcError {
    pub(crate) fn internal(data: impl std::fmt::Display) -> Self {
        Self { code: -32_603, message: "Internal error", data: data.to_string() }
    }

    pub(crate) fn params(data: impl std::fmt::Display) -> Self {
        Self {
            code: -32_602,
            message: "Invalid params",
            data: format!("error converting json params to arguments: {data}"),
        }
    }

    fn method(method: &str) -> Self {
        Self { code: -32_601, message: "Method not found", data: format!("devnet does not know {method:?}") }
    }

    fn request(data: impl std::fmt::Display) -> Self {
        Self { code: -32_600, message: "Invalid Request", data: data.to_string() }
    }
}

/// A request of JSON-RPC.
#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    pub(crate) id: Option<Value>,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) params: Value,
}

/// The result of a call: JSON that is already rendered.
pub(crate) type CallResult = Result<String, RpcError>;

/// All routes of the devnet.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let rpc = Router::new()
        .route("/", post(by_post).options(preflight))
        .route("/websocket", get(websocket::upgrade))
        .route("/{method}", get(by_uri))
        // A page served from elsewhere may use the chain, as wallets and front ends do.
        .layer(map_response(open_to_pages));
    let control = Router::new()
        .route("/control/advance", post(control::advance))
        .route("/control/info", get(control::info));
    rpc.merge(control).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(shared)
}

async fn open_to_pages(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    let any = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

async fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
    response
}

async fn by_post(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        return match serde_json::from_slice::<Request>(&body) {
            Ok(request) => json(StatusCode::OK, answer(&shared, request).await.unwrap_or_default()),
            Err(error) => parse_failure(&error),
        };
    }
    let requests: Vec<Request> = match serde_json::from_slice(&body) {
        Ok(requests) => requests,
        Err(error) => return parse_failure(&error),
    };
    if requests.len() > BATCH_MAX {
        let found = requests.len();
        let text = format!("expected at most {BATCH_MAX} requests in a batch, found {found}");
        return json(StatusCode::OK, envelope(&Value::Null, Err(RpcError::request(text))));
    }
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.extend(answer(&shared, request).await);
    }
    json(StatusCode::OK, format!("[{}]", answers.join(",")))
}

fn parse_failure(error: &serde_json::Error) -> Response<Body> {
    let error = RpcError {
        code: -32_700,
        message: "Parse error. Invalid JSON",
        data: format!("error unmarshaling request: {error}"),
    };
    json(StatusCode::INTERNAL_SERVER_ERROR, envelope(&Value::from(-1), Err(error)))
}

async fn by_uri(
    State(shared): State<Arc<Shared>>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let result = match Params::from_uri(query.as_deref().unwrap_or_default()) {
        Ok(params) => call(&shared, &method, &params).await,
        Err(error) => Err(error),
    };
    let status = match &result {
        Ok(_) => StatusCode::OK,
        Err(error) if error.code == -32_601 => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    json(status, envelope(&Value::from(-1), result))
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Answers one request; a notification, which has no id, is not answered.
pub(crate) async fn answer(shared: &Shared, request: Request) -> Option<String> {
    let id = request.id?;
    let result = call(shared, &request.method, &Params::from_json(request.params)).await;
    Some(envelope(&id, result))
}

/// The JSON-RPC envelope around a result.
pub(crate) fn envelope(id: &Value, result: CallResult) -> String {
    match result {
        Ok(result) => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
        Err(error) => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{},"message":{},"data":{}}}}}"#,
            error.code,
            quote(error.message),
            quote(&error.data)
        ),
    }
}

async fn call(shared: &Shared, method: &str, params: &Params) -> CallResult {
    match method {
        "health" => Ok("{}".to_owned()),
        "status" => Ok(node::status(shared)),
        "genesis" => Ok(node::genesis(shared)),
        "validators" => node::validators(shared, params),
        "consensus_params" => node::consensus_params(shared, params),
        "num_unconfirmed_txs" => Ok(node::num_unconfirmed_txs(shared)),
        "abci_info" => Ok(abci::info(shared)),
        "abci_query" => abci::query(shared, params).await,
        "block" => blocks::block(shared, params),
        "header" => blocks::header(shared, params),
        "block_results" => blocks::block_results(shared, params),
        "block_search" => blocks::block_search(shared, params),
        "commit" => blocks::commit(shared, params),
        "tx" => txs::tx(shared, params),
        "tx_search" => txs::tx_search(shared, params),
        "broadcast_tx_sync" => txs::broadcast_sync(shared, params).await,
        "broadcast_tx_async" => txs::broadcast_async(shared, params).await,
        _ => Err(RpcError::method(method)),
    }
}

/// A time in RFC 3339 with nanoseconds, as Go writes it.
pub(crate) fn time_text(time_nanos: u64) -> String {
    let seconds = i64::try_from(time_nanos / 1_000_000_000).unwrap_or(i64::MAX);
    let nanos = u32::try_from(time_nanos % 1_000_000_000).unwrap_or_default();
    Time::from_unix_timestamp(seconds, nanos).map_or_else(|_| String::new(), |time| time.to_rfc3339())
}

/// Hexadecimal in capitals, as CometBFT writes hashes.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}
