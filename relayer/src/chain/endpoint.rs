//! One node's RPC address: posting to it, and what is remembered of how it behaved.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::{Misfit, RpcFault};
use super::backoff::BackoffRange;
use super::error::RpcError;

/// An address and its score.
#[derive(Debug)]
pub(crate) struct Endpoint {
    url: reqwest::Url,
    /// Host and port; never path, query or user, which may hold a secret.
    label: String,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
    height_seen: u64,
    door_passed: Option<Instant>,
}

impl Endpoint {
    pub(crate) fn new(text: &str) -> Result<Self, RpcError> {
        let wrong = |detail: &str| RpcError::Endpoints { detail: detail.to_owned() };
        let url: reqwest::Url = text.parse().map_err(|_| wrong("one of them is no url"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("one of them is neither http nor https"));
        }
        let host = url.host_str().ok_or_else(|| wrong("one of them has no host"))?;
        let label = match url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { url, label, health: Mutex::default() })
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The websocket beside this address; `None` for https, whose wake-ups this build leaves to the poll.
    pub(crate) fn websocket(&self) -> Option<String> {
        let mut url = self.url.clone();
        url.set_scheme("ws").ok().filter(|()| self.url.scheme() == "http")?;
        url.set_path(&format!("{}/websocket", self.url.path().trim_end_matches('/')));
        Some(url.to_string())
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // The score stays usable whatever happened to the thread that held it.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lower is asked earlier.
    pub(crate) fn score(&self, now: Instant) -> (bool, u32) {
        let health = self.health();
        (health.rests_until.is_some_and(|until| until > now), health.failures)
    }

    pub(crate) fn praise(&self) {
        let mut health = self.health();
        health.failures = 0;
        health.rests_until = None;
    }

    pub(crate) fn blame(&self, range: BackoffRange) {
        let mut health = self.health();
        let rest = range.first.saturating_mul(1 << health.failures.min(16)).min(range.longest);
        health.failures = health.failures.saturating_add(1);
        health.rests_until = Some(Instant::now() + rest);
        health.door_passed = None;
    }

    pub(crate) fn is_past_door(&self, span: Duration) -> bool {
        self.health().door_passed.is_some_and(|passed| passed.elapsed() < span)
    }

    /// Notes a height; an error when it is more than `slack` blocks below one that was seen here.
    pub(crate) fn enter(&self, height: u64, slack: u64) -> Result<(), RpcError> {
        let mut health = self.health();
        let seen = health.height_seen;
        if height.saturating_add(slack) < seen {
            return Err(RpcError::WentBack { endpoint: self.label.clone(), seen, found: height });
        }
        health.height_seen = seen.max(height);
        health.door_passed = Some(Instant::now());
        Ok(())
    }

    /// Posts one JSON-RPC request; the body of the answer, at most `bytes_max` long.
    pub(crate) async fn post(
        &self,
        http: &reqwest::Client,
        request: Vec<u8>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, RpcError> {
        let lost = |error: reqwest::Error| RpcError::Transport {
            endpoint: self.label.clone(),
            source: error.without_url(),
        };
        let oversize = || RpcError::Oversize { endpoint: self.label.clone(), bytes_max };
        let sent = http.post(self.url.clone()).header("content-type", "application/json").body(request);
        let mut answer = sent.send().await.map_err(lost)?;
        let status = answer.status();
        let told = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if told > bytes_max {
            return Err(oversize());
        }
        let mut body = Vec::with_capacity(told);
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if body.len().saturating_add(chunk.len()) > bytes_max {
                return Err(oversize());
            }
            body.extend_from_slice(&chunk);
        }
        // CometBFT sends some JSON-RPC errors under status 500; those are read like any other.
        if !status.is_success()
            && !matches!(super::answer::open::<serde::de::IgnoredAny>(&body), Err(Misfit::Rpc(_)))
        {
            return Err(RpcError::Status { endpoint: self.label.clone(), status: status.as_u16() });
        }
        Ok(body)
    }

    /// Names the cause of an unusable answer.
    pub(crate) fn cause(&self, misfit: Misfit, expected: &'static str, asked: u64) -> RpcError {
        let endpoint = self.label.clone();
        match misfit {
            Misfit::Json(error) => RpcError::Decode { endpoint, expected, found: error.to_string() },
            Misfit::Odd(found) => RpcError::Decode { endpoint, expected, found },
            Misfit::Named(error) => *error,
            Misfit::Rpc(fault) => cause_of(fault, endpoint, asked),
        }
    }
}

/// The variants of `rpc error` that CometBFT tells apart by text alone (its rpc/core/blocks.go and env.go).
fn cause_of(fault: RpcFault, endpoint: String, asked: u64) -> RpcError {
    let text = format!("{} {}", fault.message, fault.data);
    if text.contains("is not available, lowest height is") {
        if let Some(lowest) = number_after(&text, "lowest height is ") {
            return RpcError::Pruned { endpoint, height: asked, lowest };
        }
    } else if text.contains("must be less than or equal to the current blockchain height") {
        let latest = number_after(&text, "current blockchain height ").unwrap_or(0);
        return RpcError::Behind { endpoint, asked, latest };
    } else if text.contains("could not find results for height") {
        return RpcError::NoResults { endpoint, height: asked };
    } else if text.contains("not persisting finalize block responses")
        || text.contains("not persisting abci responses")
    {
        return RpcError::Discarded { endpoint };
    }
    // The texts come from outside, so they are cut before they reach a log.
    let cut = |text: &str| text.chars().take(512).collect();
    RpcError::Rpc { endpoint, code: fault.code, message: cut(&fault.message), data: cut(&fault.data) }
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_websockets_come_from_the_url_without_its_secrets() {
        let table = [
            (
                "http://user:pass@node.example:26657/key",
                "node.example:26657",
                Some("ws://user:pass@node.example:26657/key/websocket"),
            ),
            ("http://127.0.0.1:1/", "127.0.0.1:1", Some("ws://127.0.0.1:1/websocket")),
            ("https://rpc.example", "rpc.example:443", None),
        ];
        for (url, label, websocket) in table {
            let endpoint = Endpoint::new(url).unwrap();
            assert_eq!(endpoint.label(), label);
            assert_eq!(endpoint.websocket().as_deref(), websocket);
        }
        for wrong in ["", "node:26657", "tcp://127.0.0.1:26657", "http://"] {
            assert!(Endpoint::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_height_may_fall_by_the_slack_and_no_further() {
        let endpoint = Endpoint::new("http://127.0.0.1:1").unwrap();
        endpoint.enter(100, 5).unwrap();
        endpoint.enter(95, 5).unwrap();
        assert!(matches!(endpoint.enter(94, 5), Err(RpcError::WentBack { seen: 100, found: 94, .. })));
        endpoint.enter(101, 5).unwrap();
    }

    #[test]
    fn comets_texts_become_causes() {
        let fault =
            |data: &str| RpcFault { code: -32603, message: "Internal error".into(), data: data.into() };
        let cause = |data: &str| cause_of(fault(data), "n".into(), 9);
        assert!(matches!(
            cause("height 9 is not available, lowest height is 40"),
            RpcError::Pruned { height: 9, lowest: 40, .. }
        ));
        assert!(matches!(
            cause("height 9 must be less than or equal to the current blockchain height 8"),
            RpcError::Behind { asked: 9, latest: 8, .. }
        ));
        assert!(matches!(
            cause("could not find results for height #9"),
            RpcError::NoResults { height: 9, .. }
        ));
        assert!(matches!(
            cause("node is not persisting finalize block responses"),
            RpcError::Discarded { .. }
        ));
        assert!(matches!(cause("out of luck"), RpcError::Rpc { .. }));
        assert!(matches!(cause("height 9 is not available, lowest height is soon"), RpcError::Rpc { .. }));
    }
}
