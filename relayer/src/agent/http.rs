//! The agent's pages on loopback: `/livez`, `/readyz`, `/status`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use super::metrics::Metrics;
use super::status::{Board, TURN_LONGEST};

/// What the pages read.
#[derive(Debug)]
pub(super) struct Pages {
    /// The status.
    pub(super) board: Board,
    /// The gauges.
    pub(super) metrics: Metrics,
    /// All words of a stage.
    pub(super) stages: &'static [&'static str],
}

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is open to other hosts.
    #[error("http.listen is {found}, expected a loopback address: the pages have no authentication")]
    NotLoopback {
        /// The address.
        found: SocketAddr,
    },
    /// The port is taken, or not allowed.
    #[error("cannot listen on {address}; choose another http.listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Binds the pages' address, so that a taken port is an error at start and not later.
///
/// # Errors
/// [`HttpError`].
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    if !address.ip().is_loopback() {
        return Err(HttpError::NotLoopback { found: address });
    }
    TcpListener::bind(address).await.map_err(|source| HttpError::Listen { address, source })
}

/// Serves the pages until the listener fails.
///
/// # Errors
/// The listener's.
pub(super) async fn serve(listener: TcpListener, pages: Arc<Pages>) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .with_state(pages);
    axum::serve(listener, router).await
}

async fn livez(State(pages): State<Arc<Pages>>) -> Response {
    let idle = pages.board.read().turned.elapsed();
    if idle <= TURN_LONGEST {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        let text = format!("the loop has not turned for {} s\n", idle.as_secs());
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    }
}

async fn readyz(State(pages): State<Arc<Pages>>) -> Response {
    let reasons = pages.board.read().status.unready();
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

async fn status(State(pages): State<Arc<Pages>>) -> Response {
    Json(pages.board.read().status).into_response()
}

async fn metrics(State(pages): State<Arc<Pages>>) -> Response {
    let status = pages.board.read().status;
    pages.metrics.set(&status, pages.stages);
    match pages.metrics.page() {
        Ok(page) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], page).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
