//! Where the releases' bytes are fetched from: an HTTP server on loopback, as a publisher would run one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::build::Built;
use super::error::{DemoError, system};

/// The server at work; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Artifacts {
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Artifacts {
    /// Serves the bytes of some daemons by their names.
    ///
    /// # Errors
    /// When no port of loopback is to be had.
    pub(crate) async fn serve(built: &[Built]) -> Result<Self, DemoError> {
        let files = built.iter().map(|built| (built.name.clone(), Bytes::from(built.bytes.clone())));
        let files: Arc<BTreeMap<String, Bytes>> = Arc::new(files.collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(system("listen on loopback"))?;
        let address = listener.local_addr().map_err(system("listen on loopback"))?;
        let router = Router::new().route("/{name}", get(file)).with_state(files);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the artifacts are not served any more");
            }
        });
        Ok(Self { address, task: task.abort_handle() })
    }

    /// Where a daemon's bytes are.
    #[must_use]
    pub(crate) fn uri(&self, built: &Built) -> String {
        format!("http://{}/{}", self.address, built.name)
    }
}

async fn file(
    State(files): State<Arc<BTreeMap<String, Bytes>>>,
    Path(name): Path<String>,
) -> Result<Bytes, StatusCode> {
    files.get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
}
