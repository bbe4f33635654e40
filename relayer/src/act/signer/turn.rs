//! When a validator is best stopped: right after the block that it proposed itself.
//!
//! Proposers take turns, so its next one is then as far away as it can be, and the others make blocks meanwhile without
//! waiting for a proposal that does not come. It is a courtesy to the chain: whoever cannot find its turn stops anyway.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

/// From one look to the next.
const POLL: Duration = Duration::from_millis(50);
/// From the block to the stop: its own vote for it is still on its way to the others, who would miss it in the next block.
const SETTLE: Duration = Duration::from_millis(300);
/// No answer that is asked for here is longer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where a validator's own blocks are looked for, and for how long.
#[derive(Clone, Debug)]
pub struct Turn {
    rpc: String,
    longest: Duration,
    client: Client,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

#[derive(Deserialize)]
struct Status {
    validator_info: Validator,
}

#[derive(Deserialize)]
struct Validator {
    address: String,
}

#[derive(Deserialize)]
struct Headed {
    header: Header,
}

#[derive(Deserialize)]
struct Header {
    height: String,
    proposer_address: String,
}

impl Turn {
    /// `rpc`: http address of the validator's own RPC.
    ///
    /// # Errors
    /// When the host has no usable TLS roots.
    pub fn new(rpc: &str, longest: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        Ok(Self { rpc: rpc.trim_end_matches('/').to_owned(), longest, client })
    }

    /// Waits for a new block that the validator proposed, at most as long as it may. Says whether one came.
    pub async fn over(&self) -> bool {
        let end = Instant::now() + self.longest;
        let came = timeout_at(end, self.wait()).await.is_ok();
        if came {
            sleep(SETTLE).await;
        }
        came
    }

    async fn wait(&self) {
        let own = loop {
            match self.ask::<Status>("status").await {
                Some(status) => break status.validator_info.address,
                None => sleep(POLL).await,
            }
        };
        let mut before: Option<u64> = None;
        loop {
            if let Some(Headed { header }) = self.ask("header").await
                && let Ok(height) = header.height.parse::<u64>()
            {
                // The first one that is seen may be as old as a block can be.
                let is_new = before.is_some_and(|before| height > before);
                if is_new && header.proposer_address == own {
                    return;
                }
                before = Some(height);
            }
            sleep(POLL).await;
        }
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let mut response = self.client.get(format!("{}/{path}", self.rpc)).send().await.ok()?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.ok()? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return None;
            }
            body.extend_from_slice(&part);
        }
        serde_json::from_slice::<Answer<T>>(&body).ok().map(|answer| answer.result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A chain of four proposers that makes a block at each look; ours is `own`. It begins at height 1.
    async fn chain(own: &'static str, looks: Arc<AtomicU64>) -> (String, tokio::task::JoinHandle<()>) {
        let header = move || {
            let height = looks.fetch_add(1, Ordering::Relaxed) + 1;
            let proposer = ["A", "B", "C", "D"][usize::try_from(height % 4).unwrap()];
            async move {
                Json(
                    json!({"result": {"header": {"height": height.to_string(), "proposer_address": proposer}}}),
                )
            }
        };
        let status = json!({"result": {"validator_info": {"address": own}}});
        let router = Router::new()
            .route("/header", get(header))
            .route("/status", get(move || async move { Json(status) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rpc = format!("http://{}/", listener.local_addr().unwrap());
        (rpc, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
    }

    #[tokio::test]
    async fn it_is_over_after_a_new_block_of_its_own_and_not_after_the_first_that_is_seen() {
        for (own, height) in [("C", 2), ("D", 3), ("A", 4), ("B", 5)] {
            let looks = Arc::new(AtomicU64::new(0));
            let (rpc, task) = chain(own, Arc::clone(&looks)).await;
            assert!(Turn::new(&rpc, Duration::from_secs(20)).unwrap().over().await);
            assert_eq!(looks.load(Ordering::Relaxed), height, "{own}");
            task.abort();
        }
    }

    #[tokio::test]
    async fn who_never_proposes_or_never_answers_is_not_waited_for_any_longer() {
        let (rpc, task) = chain("E", Arc::default()).await;
        assert!(!Turn::new(&rpc, Duration::from_millis(300)).unwrap().over().await);
        task.abort();
        assert!(!Turn::new("http://127.0.0.1:1", Duration::from_millis(100)).unwrap().over().await);
    }
}
