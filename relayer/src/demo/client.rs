//! The client of the demo: asks every node's daemon without a pause, and remembers when it got no answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::http;
use super::outage::Record;
use super::stopwatch::Stopwatch;

/// From one request to the next.
const INTERVAL: Duration = Duration::from_millis(10);
/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a daemon says of itself.
#[derive(Deserialize)]
struct Greeting {
    version: String,
}

/// The client at work; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Client {
    records: Arc<Vec<Mutex<Record>>>,
    /// Ends with the client.
    _tasks: JoinSet<()>,
}

impl Client {
    /// Starts to ask the daemons at these ports.
    #[must_use]
    pub(crate) fn start(ports: &[u16], stopwatch: Stopwatch) -> Self {
        let records: Arc<Vec<_>> = Arc::new(ports.iter().map(|_| Mutex::new(Record::default())).collect());
        let mut tasks = JoinSet::new();
        for (node, port) in ports.iter().enumerate() {
            tasks.spawn(ask(node, *port, Arc::clone(&records), stopwatch));
        }
        Self { records, _tasks: tasks }
    }

    /// What it saw of each node so far.
    #[must_use]
    pub(crate) fn records(&self) -> Vec<Record> {
        self.records
            .iter()
            .map(|record| record.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect()
    }

    /// Has every node answered at least once?
    #[must_use]
    pub(crate) fn has_seen_all(&self) -> bool {
        self.records().iter().all(|record| record.answers > 0)
    }
}

async fn ask(node: usize, port: u16, records: Arc<Vec<Mutex<Record>>>, stopwatch: Stopwatch) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut ticks = tokio::time::interval(INTERVAL);
    // A slow answer is followed by one request, not by a burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sent_ms = stopwatch.now_ms();
        let answer = http::get::<Greeting>(address, "/", PATIENCE).await;
        let Some(record) = records.get(node) else { return };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(greeting) => record.answered(stopwatch.now_ms(), &greeting.version),
            Err(_) => record.failed(sent_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;
    use tokio::net::TcpListener;

    async fn until(mut level: impl FnMut() -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while !level() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.expect("waited in vain");
    }

    async fn daemon(address: SocketAddr, version: &'static str) -> tokio::task::JoinHandle<()> {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        let router =
            Router::new().route("/", get(move || async move { Json(json!({ "version": version })) }));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
    }

    #[tokio::test]
    async fn a_gap_between_two_releases_is_one_outage() {
        let ports = super::super::ports::free(1).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0]));
        let client = Client::start(&ports, Stopwatch::start());
        let first = daemon(address, "1.0.0").await;
        until(|| client.has_seen_all()).await;
        first.abort();
        let _ = first.await;
        until(|| !client.records()[0].outages.is_empty()).await;
        let second = daemon(address, "2.0.0").await;
        until(|| client.records()[0].version == "2.0.0").await;
        let record = client.records().remove(0);
        assert_eq!(record.outages.len(), 1);
        assert!(record.outages[0].to_ms.is_some() && record.outages[0].failures > 0);
        second.abort();
    }
}
