//! The service: two paths, one thread, ended by a signal.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

use crate::Release;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long answers that are under way may go on after a signal.
const FINISH: Duration = Duration::from_millis(100);

struct Running {
    release: &'static Release,
    started: Instant,
    requests: AtomicU64,
}

impl Running {
    fn is_healthy(&self) -> bool {
        self.release.unhealthy_after.is_none_or(|after| self.started.elapsed() < after)
    }
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn until_told(release: &'static Release, listen: SocketAddr) -> io::Result<()> {
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(release, listen, started));
    // Nothing that is left may hold up the end.
    runtime.shutdown_background();
    served
}

async fn serve(release: &'static Release, listen: SocketAddr, started: Instant) -> io::Result<()> {
    // Signals are caught before the port is open: whoever saw it serve may end it politely at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = bind(listen)?;
    let running = Arc::new(Running { release, started, requests: AtomicU64::new(0) });
    let router = Router::new().route("/", get(greet)).route("/health", get(health)).with_state(running);
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut late = stop.subscribe();
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(async move { drop(stopped.wait_for(|stopped| *stopped).await) });
    let told = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // The server ends by itself when the channel does, so nobody need be told twice.
        let _ = stop.send(true);
        std::future::pending::<()>().await;
    };
    let patience = async {
        drop(late.wait_for(|stopped| *stopped).await);
        tokio::time::sleep(FINISH).await;
    };
    tokio::select! {
        served = server => served,
        () = told => Ok(()),
        () = patience => Ok(()),
    }
}

/// Listens although connections of the release before may still be closing.
fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

async fn greet(State(running): State<Arc<Running>>) -> Json<Value> {
    let requests = running.requests.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    Json(json!({
        "version": running.release.version,
        "pid": std::process::id(),
        "requests": requests,
        "greeting": running.release.greeting,
    }))
}

async fn health(State(running): State<Arc<Running>>) -> (StatusCode, &'static str) {
    if running.is_healthy() {
        (StatusCode::OK, "healthy\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unhealthy\n")
    }
}
