//! JSON-RPC over HTTP POST to one or several nodes of one chain.
//!
//! A call goes to the best endpoint first and to the others when it fails; what failed rests for a while. Before
//! an endpoint is believed it must pass the door: the configured chain id, not catching up, and a height that does
//! not fall. Failures are typed by cause, so that a caller can tell a dead node from a refused query.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::answer::{Broadcasted, FoundHeader, FoundTx, FoundTxs, Head, Included, Misfit, Status, open};
use super::backoff::{Backoff, BackoffRange};
use super::endpoint::Endpoint;
use super::error::{Refused, RpcError};
use super::event::{ContractEvent, read_block};
use super::{Address, At, Chain};

/// How to reach a chain and how far to trust what answers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The chain that must answer.
    pub chain_id: String,
    /// http(s) addresses of CometBFT RPCs, the preferred one first.
    pub endpoints: Vec<String>,
    /// The longest one call may take, connection included.
    pub call_timeout: Duration,
    /// The longest answer that is read.
    pub answer_bytes_max: usize,
    /// By how many blocks a node's height may fall before that is a fault. Load balancers in front of several
    /// nodes show small falls.
    pub slack_blocks: u64,
    /// How long an endpoint that passed the door is believed without asking again.
    pub door_span: Duration,
    /// Waits between tries, and rests of endpoints that failed.
    pub backoff: BackoffRange,
    /// How often a call goes round all endpoints before it fails. Watch loops set 1 and repeat for ever.
    pub tries_max: u32,
}

impl Settings {
    /// Settings for `chain_id` at `endpoints`: 10 s a call, 16 MiB an answer, 5 blocks of slack, the door every
    /// 10 s, four tries from 250 ms to 30 s apart.
    #[must_use]
    pub fn new(chain_id: &str, endpoints: Vec<String>) -> Self {
        Self {
            chain_id: chain_id.to_owned(),
            endpoints,
            call_timeout: Duration::from_secs(10),
            answer_bytes_max: 16 << 20,
            slack_blocks: 5,
            door_span: Duration::from_secs(10),
            backoff: BackoffRange::default(),
            tries_max: 4,
        }
    }
}

/// What a node says of a transaction that it does not know.
const NOT_FOUND: &str = "not found";

/// At most this many endpoints.
pub const ENDPOINTS_MAX: usize = 16;

/// What a node did with a transaction at its door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// Taken into the mempool, or already there.
    Taken,
    /// Refused. `doubtful` says that an earlier endpoint gave no answer and may have taken it.
    Refused {
        /// Why.
        refused: Refused,
        /// Whether another endpoint may hold the same transaction.
        doubtful: bool,
    },
}

/// A client for one chain. Cheap to clone; clones share connections and scores.
#[derive(Clone, Debug)]
pub struct Rpc {
    inner: Arc<Inner>,
    tries_max: u32,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    http: reqwest::Client,
    endpoints: Vec<Endpoint>,
}

type Reader<'r, R> = &'r (dyn for<'a> Fn(&'a [u8]) -> Result<R, Misfit> + Sync);

/// One call: what to send and what it was about, for errors.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    pub(crate) expected: &'static str,
    pub(crate) height: u64,
    /// Words of a JSON-RPC error that are an answer, and no fault of the endpoint.
    answer_words: Option<&'static str>,
}

impl Call {
    pub(crate) fn new(method: &'static str, params: Value, expected: &'static str, height: u64) -> Self {
        Self { method, params, expected, height, answer_words: None }
    }

    fn is_answered_by(&self, error: &RpcError) -> bool {
        !error.may_pass() || self.answer_words.is_some_and(|words| error.says(words))
    }

    fn bytes(&self) -> Vec<u8> {
        json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": self.params})
            .to_string()
            .into_bytes()
    }
}

/// How often a call may still go round.
struct Tries {
    backoff: Backoff,
    left: u32,
}

impl Tries {
    /// Rests after a failed round; gives the failure back when it is for good or no try is left.
    async fn spend(&mut self, call: Option<&Call>, error: RpcError) -> Result<(), RpcError> {
        self.left = self.left.saturating_sub(1);
        let is_answer = call.map_or(!error.may_pass(), |call| call.is_answered_by(&error));
        if is_answer || self.left == 0 {
            return Err(error);
        }
        self.backoff.rest().await;
        Ok(())
    }
}

impl Rpc {
    /// A client; connects to nothing yet.
    ///
    /// # Errors
    /// [`RpcError::Endpoints`] when the list is empty, too long, or holds something other than http(s) URLs.
    pub fn new(settings: Settings) -> Result<Self, RpcError> {
        let wrong = |detail: String| RpcError::Endpoints { detail };
        if settings.endpoints.is_empty() || settings.endpoints.len() > ENDPOINTS_MAX {
            let count = settings.endpoints.len();
            return Err(wrong(format!("expected 1 to {ENDPOINTS_MAX} of them, found {count}")));
        }
        let endpoints =
            settings.endpoints.iter().map(|text| Endpoint::new(text)).collect::<Result<Vec<_>, _>>()?;
        let mut http = reqwest::Client::builder()
            .timeout(settings.call_timeout)
            .connect_timeout(settings.call_timeout)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(16)
            // A redirect would lead to a node that nobody configured.
            .redirect(reqwest::redirect::Policy::none());
        if endpoints.iter().all(Endpoint::is_loopback) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| wrong(format!("the http client cannot start: {error}")))?;
        let tries_max = settings.tries_max;
        Ok(Self { inner: Arc::new(Inner { settings, http, endpoints }), tries_max })
    }

    /// The same client with another number of tries per call (at least 1).
    #[must_use]
    pub fn with_tries(&self, tries_max: u32) -> Self {
        Self { inner: Arc::clone(&self.inner), tries_max }
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn ordered(&self) -> Vec<&Endpoint> {
        let now = Instant::now();
        let mut endpoints: Vec<_> = self.inner.endpoints.iter().collect();
        endpoints.sort_by_key(|endpoint| endpoint.score(now));
        endpoints
    }

    /// The websocket of the endpoint that would be asked next.
    #[must_use]
    pub fn websocket(&self) -> Option<String> {
        self.ordered().first().and_then(|endpoint| endpoint.websocket())
    }

    /// Lets the endpoint that would be asked next rest, for example because its height stands still.
    pub fn demote_first(&self) {
        if let Some(endpoint) = self.ordered().first() {
            endpoint.blame(self.inner.settings.backoff);
        }
    }

    /// Hosts and ports of all endpoints, in the order of the settings.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.inner.endpoints.iter().map(|endpoint| endpoint.label().to_owned()).collect()
    }

    /// Posts a request to the endpoint at this place of the settings, whatever its score: for whoever judges the answer
    /// alone.
    pub(crate) async fn post_to(
        &self,
        place: usize,
        request: Vec<u8>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, RpcError> {
        let endpoint = self.inner.endpoints.get(place).ok_or_else(no_endpoint)?;
        endpoint.post(&self.inner.http, request, bytes_max).await
    }

    /// Lets the endpoint at this place of the settings rest.
    pub(crate) fn blame(&self, place: usize) {
        if let Some(endpoint) = self.inner.endpoints.get(place) {
            endpoint.blame(self.inner.settings.backoff);
        }
    }

    /// The newest block of the best endpoint that passes the door.
    ///
    /// # Errors
    /// [`RpcError`], by cause. With several failures the one that says most about the chain.
    pub async fn status(&self) -> Result<Head, RpcError> {
        let mut tries = self.tries();
        loop {
            match self.status_round().await {
                Err(error) => tries.spend(None, error).await?,
                done => return done,
            }
        }
    }

    async fn status_round(&self) -> Result<Head, RpcError> {
        let mut failed: Option<RpcError> = None;
        for endpoint in self.ordered() {
            match self.knock(endpoint).await {
                Ok(head) => {
                    endpoint.praise();
                    return Ok(head);
                }
                Err(error) => failed = Some(self.note(endpoint, error, failed)),
            }
        }
        Err(failed.unwrap_or_else(no_endpoint))
    }

    /// Asks one endpoint for its status and lets it pass the door or not.
    async fn knock(&self, endpoint: &Endpoint) -> Result<Head, RpcError> {
        let settings = &self.inner.settings;
        let call = Call::new("status", json!({}), "a status", 0);
        let body = endpoint.post(&self.inner.http, call.bytes(), settings.answer_bytes_max).await?;
        let status: Status = open(&body).map_err(|misfit| endpoint.cause(misfit, call.expected, 0))?;
        let label = endpoint.label().to_owned();
        if status.node_info.network != settings.chain_id {
            let found = status.node_info.network.chars().take(128).collect();
            return Err(RpcError::WrongChainId {
                endpoint: label,
                expected: settings.chain_id.clone(),
                found,
            });
        }
        let head = status.sync_info.head();
        if status.sync_info.catching_up {
            return Err(RpcError::CatchingUp { endpoint: label, height: head.height });
        }
        endpoint.enter(head.height, settings.slack_blocks)?;
        Ok(head)
    }

    fn note(&self, endpoint: &Endpoint, error: RpcError, earlier: Option<RpcError>) -> RpcError {
        if error.blames_endpoint() {
            tracing::debug!(endpoint = endpoint.label(), %error, "endpoint failed");
            endpoint.blame(self.inner.settings.backoff);
        }
        match earlier {
            Some(earlier) => earlier.more_telling(error),
            None => error,
        }
    }

    fn tries(&self) -> Tries {
        Tries { backoff: Backoff::new(self.inner.settings.backoff), left: self.tries_max.max(1) }
    }

    /// One call, at the best endpoint that is past the door.
    pub(crate) async fn call<R>(&self, call: &Call, read: Reader<'_, R>) -> Result<R, RpcError> {
        let mut tries = self.tries();
        loop {
            match self.call_round(call, read).await {
                Err(error) => tries.spend(Some(call), error).await?,
                done => return done,
            }
        }
    }

    async fn call_round<R>(&self, call: &Call, read: Reader<'_, R>) -> Result<R, RpcError> {
        let mut failed: Option<RpcError> = None;
        for endpoint in self.ordered() {
            match self.ask(endpoint, call, read).await {
                Ok(answer) => {
                    endpoint.praise();
                    return Ok(answer);
                }
                Err(error) if call.is_answered_by(&error) => return Err(error),
                Err(error) => failed = Some(self.note(endpoint, error, failed)),
            }
        }
        Err(failed.unwrap_or_else(no_endpoint))
    }

    async fn ask<R>(&self, endpoint: &Endpoint, call: &Call, read: Reader<'_, R>) -> Result<R, RpcError> {
        let settings = &self.inner.settings;
        if !endpoint.is_past_door(settings.door_span) {
            self.knock(endpoint).await?;
        }
        let body = endpoint.post(&self.inner.http, call.bytes(), settings.answer_bytes_max).await?;
        read(&body).map_err(|misfit| endpoint.cause(misfit, call.expected, call.height))
    }

    /// What the contract said in block `height`, in the order of the chain.
    ///
    /// # Errors
    /// [`RpcError`], by cause; pruned, discarded and not yet written results are told apart.
    pub async fn block_events(
        &self,
        height: u64,
        contract: &Address,
    ) -> Result<Vec<ContractEvent>, RpcError> {
        let params = json!({"height": height.to_string()});
        let call = Call::new("block_results", params, "the results of a block", height);
        self.call(&call, &|body| read_block(body, height, contract.text())).await
    }

    /// Hands a signed transaction to the best node.
    ///
    /// # Errors
    /// [`RpcError`] when no endpoint answered; the transaction may still be on its way then.
    pub async fn broadcast(&self, tx: &[u8]) -> Result<Broadcast, RpcError> {
        let params = json!({"tx": BASE64.encode(tx)});
        let call = Call::new("broadcast_tx_sync", params, "a check of a transaction", 0);
        let mut doubtful = false;
        let mut tries = self.tries();
        loop {
            match self.broadcast_round(&call, &mut doubtful).await {
                Err(error) => tries.spend(Some(&call), error).await?,
                done => return done,
            }
        }
    }

    async fn broadcast_round(&self, call: &Call, doubtful: &mut bool) -> Result<Broadcast, RpcError> {
        let mut failed: Option<RpcError> = None;
        for endpoint in self.ordered() {
            match self.ask(endpoint, call, &|body| open::<Broadcasted>(body)).await {
                Ok(checked) => {
                    endpoint.praise();
                    if checked.code == 0 {
                        return Ok(Broadcast::Taken);
                    }
                    let log = checked.log.chars().take(4096).collect();
                    let refused = Refused { codespace: checked.codespace, code: checked.code, log };
                    return Ok(Broadcast::Refused { refused, doubtful: *doubtful });
                }
                Err(error) if error.says("tx already exists in cache") => return Ok(Broadcast::Taken),
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => {
                    *doubtful = true;
                    failed = Some(self.note(endpoint, error, failed));
                }
            }
        }
        Err(failed.unwrap_or_else(no_endpoint))
    }

    /// Looks a transaction up by its hash (upper-case hex). `None` proves nothing: indexing lags behind blocks.
    ///
    /// # Errors
    /// [`RpcError`], by cause; a node without an index is one.
    pub async fn tx(&self, hash: &str) -> Result<Option<Included>, RpcError> {
        let bytes = hex::decode(hash).map_err(|_| RpcError::Decode {
            endpoint: "the caller".into(),
            expected: "a transaction hash in hex",
            found: "something else".into(),
        })?;
        let params = json!({"hash": BASE64.encode(bytes), "prove": false});
        let mut call = Call::new("tx", params, "a transaction", 0);
        call.answer_words = Some(NOT_FOUND);
        match self.call(&call, &|body| open::<FoundTx<'_>>(body).map(FoundTx::included)).await {
            Ok(included) => Ok(Some(included)),
            Err(error) if error.says(NOT_FOUND) => Ok(None),
            // Some nodes answer a search only.
            Err(RpcError::Rpc { .. }) => self.search_tx(hash).await,
            Err(error) => Err(error),
        }
    }

    async fn search_tx(&self, hash: &str) -> Result<Option<Included>, RpcError> {
        let params =
            json!({"query": format!("tx.hash='{hash}'"), "page": "1", "per_page": "1", "prove": false});
        let call = Call::new("tx_search", params, "a list of transactions", 0);
        let read = |body: &[u8]| {
            open::<FoundTxs<'_>>(body).map(|found| found.txs.into_iter().next().map(FoundTx::included))
        };
        self.call(&call, &read).await
    }
}

fn no_endpoint() -> RpcError {
    RpcError::Endpoints { detail: "found none".into() }
}

impl Chain for Rpc {
    async fn head(&self) -> Result<Head, RpcError> {
        self.status().await
    }

    async fn block_time_nanos(&self, height: u64) -> Result<u64, RpcError> {
        let params = json!({"height": height.to_string()});
        let call = Call::new("header", params, "the header of the block asked for", height);
        self.call(&call, &|body| open::<FoundHeader>(body)?.time_nanos(height)).await
    }

    async fn raw(&self, contract: &Address, key: &[u8], height: u64) -> Result<Option<Vec<u8>>, RpcError> {
        self.raw_state(contract, key, height).await
    }

    async fn smart(&self, contract: &Address, query: &Value, at: At) -> Result<Vec<u8>, RpcError> {
        self.smart_state(contract, query, at).await
    }
}
