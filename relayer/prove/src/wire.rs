//! Questions to a CometBFT RPC, and its answers read no further than needed.
//!
//! Nothing that is not checked later is kept: a validator's priority, a commit's `canonical` mark and the like are
//! left unread, as no header and no signature covers them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tendermint::block::signed_header::SignedHeader;
use tendermint::block::{Commit, Header};

use crate::block::Member;
use crate::reason::{Reason, cut, demand};

/// Validators are told in pages of this length, the most that CometBFT gives (its rpc/core/env.go).
pub const PAGE: usize = 100;
/// The most validators of a chain. CometBFT allows 10,000 votes; no known chain comes near a tenth of that.
pub const VALIDATORS_MAX: usize = 1_000;
/// The longest answer with a block, page or status: 1,000 signatures of about 250 bytes, with air.
pub const BLOCK_BYTES_MAX: usize = 1 << 20;
/// The longest answer with a value and its proof: values of 512 kB, told twice and in base64.
pub const VALUE_BYTES_MAX: usize = 2 << 20;

/// One question: a JSON-RPC request, and how long its answer may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    body: String,
    bytes_max: usize,
    method: &'static str,
    about: String,
}

impl Question {
    fn new(method: &'static str, params: &serde_json::Value, about: String, bytes_max: usize) -> Self {
        let body =
            serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        Self { body, bytes_max, method, about }
    }

    /// The node's standing.
    #[must_use]
    pub fn status() -> Self {
        Self::new("status", &serde_json::json!({}), String::new(), BLOCK_BYTES_MAX)
    }

    /// The header of a height with its commit.
    #[must_use]
    pub fn commit(height: u64) -> Self {
        let params = serde_json::json!({"height": height.to_string()});
        Self::new("commit", &params, height.to_string(), BLOCK_BYTES_MAX)
    }

    /// One page of a height's validators; pages count from 1.
    #[must_use]
    pub fn validators(height: u64, page: usize) -> Self {
        let params = serde_json::json!({
            "height": height.to_string(), "page": page.to_string(), "per_page": PAGE.to_string(),
        });
        Self::new("validators", &params, format!("{height}-{page}"), BLOCK_BYTES_MAX)
    }

    /// A store's key in the state after block `height`, with its proof.
    #[must_use]
    pub fn value(store: &str, key: &[u8], height: u64) -> Self {
        let params = serde_json::json!({
            "path": format!("/store/{store}/key"),
            "data": hex::encode(key),
            "height": height.to_string(),
            "prove": true,
        });
        let about = format!("{store}-{}-{height}", hex::encode(key));
        Self::new("abci_query", &params, about, VALUE_BYTES_MAX)
    }

    /// The bytes to post.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// A longer answer need not be read.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// A name for this question, the same whenever the same is asked: for recordings.
    #[must_use]
    pub fn name(&self) -> String {
        if self.about.is_empty() { self.method.to_owned() } else { format!("{}-{}", self.method, self.about) }
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default = "none")]
    result: Option<T>,
    #[serde(default)]
    error: Option<Fault>,
}

fn none<T>() -> Option<T> {
    None
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: String,
}

/// Opens a JSON-RPC answer. `asked` is the height that the question was about.
fn open<T: DeserializeOwned>(part: &'static str, asked: u64, body: &[u8]) -> Result<T, Reason> {
    let envelope: Envelope<T> = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            Reason::Truncated { part }
        } else {
            Reason::Malformed { part, why: cut(&error.to_string()) }
        }
    })?;
    match (envelope.result, envelope.error) {
        (_, Some(fault)) => Err(fault.reason(asked)),
        (Some(result), None) => Ok(result),
        (None, None) => Err(Reason::Malformed { part, why: "neither result nor error".to_owned() }),
    }
}

impl Fault {
    /// CometBFT tells these apart by text alone (its rpc/core/env.go).
    fn reason(&self, asked: u64) -> Reason {
        let text = format!("{} {}", self.message, self.data);
        if let Some(lowest) = number_after(&text, "is not available, lowest height is ") {
            return Reason::BlockPruned { asked, lowest };
        }
        if let Some(latest) =
            number_after(&text, "must be less than or equal to the current blockchain height ")
        {
            return Reason::Ahead { asked, latest };
        }
        Reason::Refused { code: self.code, text: cut(text.trim()) }
    }
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// CometBFT writes integers of 64 bits as strings; plain numbers are read too.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<'a> {
        Number(u64),
        Text(#[serde(borrow)] Cow<'a, str>),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text
            .parse()
            .map_err(|_| serde::de::Error::custom("expected a whole number, as a string or plain")),
    }
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text: Option<Cow<'de, str>> = Option::deserialize(deserializer)?;
    BASE64.decode(text.as_deref().unwrap_or_default().as_bytes()).map_err(serde::de::Error::custom)
}

/// Where a node stands, by its own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its newest block.
    pub latest: u64,
    /// Its lowest block.
    pub lowest: u64,
}

#[derive(Deserialize)]
struct Status {
    node_info: NodeInfo,
    sync_info: SyncInfo,
}

#[derive(Deserialize)]
struct NodeInfo {
    network: String,
}

#[derive(Deserialize)]
struct SyncInfo {
    #[serde(deserialize_with = "number")]
    latest_block_height: u64,
    #[serde(default, deserialize_with = "number")]
    earliest_block_height: u64,
    // Absent must not read as "at the tip".
    catching_up: bool,
}

/// Reads a status; another chain and a node that is not at the tip are refused.
///
/// # Errors
/// [`Reason`].
pub fn read_status(body: &[u8], chain_id: &str) -> Result<Standing, Reason> {
    let status: Status = open("a status", 0, body)?;
    let found = &status.node_info.network;
    demand(found == chain_id, || Reason::ChainId { expected: chain_id.to_owned(), found: cut(found) })?;
    let sync = status.sync_info;
    demand(!sync.catching_up, || Reason::CatchingUp { height: sync.latest_block_height })?;
    Ok(Standing { latest: sync.latest_block_height, lowest: sync.earliest_block_height })
}

#[derive(Deserialize)]
struct CommitAnswer {
    signed_header: Signed,
}

#[derive(Deserialize)]
struct Signed {
    header: Header,
    commit: Commit,
}

/// Reads the header and commit of height `asked`; nothing is verified but that they are about that height.
///
/// # Errors
/// [`Reason`].
pub fn read_commit(body: &[u8], asked: u64) -> Result<SignedHeader, Reason> {
    let part = "a commit";
    let signed = open::<CommitAnswer>(part, asked, body)?.signed_header;
    let (header, commit) = (signed.header.height.value(), signed.commit.height.value());
    demand(header == asked, || Reason::HeaderHeight { asked, found: header })?;
    demand(commit == header, || Reason::CommitHeight { header, commit })?;
    SignedHeader::new(signed.header, signed.commit)
        .map_err(|error| Reason::Malformed { part, why: cut(&error.to_string()) })
}

/// One page of validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The members on it.
    pub members: Vec<Member>,
    /// How many there are on all pages.
    pub total: usize,
}

#[derive(Deserialize)]
struct ValidatorsAnswer {
    #[serde(deserialize_with = "number")]
    block_height: u64,
    validators: Vec<Member>,
    #[serde(deserialize_with = "number")]
    total: u64,
}

/// Reads one page of the validators of height `asked`.
///
/// # Errors
/// [`Reason`].
pub fn read_validators(body: &[u8], asked: u64) -> Result<Page, Reason> {
    let answer: ValidatorsAnswer = open("a page of validators", asked, body)?;
    let found = answer.block_height;
    demand(found == asked, || Reason::ValidatorsHeight { asked, found })?;
    let total = usize::try_from(answer.total).unwrap_or(usize::MAX);
    demand(total <= VALIDATORS_MAX, || Reason::ValidatorsTooMany {
        count_max: VALIDATORS_MAX,
        found: total,
    })?;
    let members = answer.validators.len();
    demand(members <= PAGE, || Reason::ValidatorsTooMany { count_max: PAGE, found: members })?;
    Ok(Page { members: answer.validators, total })
}

/// An answer to a proved query, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedAnswer {
    /// The value; empty when there is none.
    pub value: Vec<u8>,
    /// Kind, key and data of each proof, the store's own first.
    pub ops: Vec<ProofOp>,
}

/// One step of a proof.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProofOp {
    /// `ics23:iavl` or `ics23:simple`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key that it is about.
    #[serde(default, deserialize_with = "bytes")]
    pub key: Vec<u8>,
    /// A protobuf `CommitmentProof`.
    #[serde(default, deserialize_with = "bytes")]
    pub data: Vec<u8>,
}

#[derive(Deserialize)]
struct AbciAnswer {
    response: AbciResponse,
}

#[derive(Deserialize)]
struct AbciResponse {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    codespace: String,
    #[serde(default)]
    log: String,
    #[serde(default, deserialize_with = "bytes")]
    key: Vec<u8>,
    #[serde(default, deserialize_with = "bytes")]
    value: Vec<u8>,
    #[serde(default, deserialize_with = "number")]
    height: u64,
    #[serde(default, rename = "proofOps", alias = "proof_ops")]
    proof: Option<ProofOps>,
}

#[derive(Deserialize)]
struct ProofOps {
    #[serde(default)]
    ops: Option<Vec<ProofOp>>,
}

/// What a node that cannot show a state says about it; pruned and not yet committed sound alike (the SDK's
/// store/rootmulti/store.go), so that only its standing tells them apart.
const STATE_GONE: [&str; 4] = [
    "version does not exist",
    "failed to load state at height",
    "cannot query with height in the future",
    "proof is unexpectedly empty",
];

/// A proved query's answer, or that the node does not hold the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// An answer, not yet verified.
    Answer(ProvedAnswer),
    /// No such state; [`state_gone`] says which of the two kinds.
    Gone,
}

/// Reads the answer to a proved query about `key` at height `asked`.
///
/// # Errors
/// [`Reason`].
pub fn read_value(body: &[u8], key: &[u8], asked: u64) -> Result<Shown, Reason> {
    let response = open::<AbciAnswer>("a query's answer", asked, body)?.response;
    let log = &response.log;
    if response.value.is_empty() && STATE_GONE.iter().any(|mark| log.contains(mark)) {
        return Ok(Shown::Gone);
    }
    demand(response.code == 0, || Reason::QueryRefused {
        codespace: cut(&response.codespace),
        code: response.code,
        log: cut(log),
    })?;
    let ops = response.proof.and_then(|proof| proof.ops).unwrap_or_default();
    demand(!ops.is_empty(), || Reason::ProofMissing)?;
    demand(response.height == asked, || Reason::AnswerHeight { asked, found: response.height })?;
    demand(response.key == key, || Reason::AnswerKey)?;
    Ok(Shown::Answer(ProvedAnswer { value: response.value, ops }))
}

/// Why a node does not hold a state: not committed yet (a node that is halted at `asked` stays so), or pruned.
#[must_use]
pub fn state_gone(asked: u64, standing: &Standing) -> Reason {
    if standing.latest <= asked {
        Reason::StateAhead { asked, latest: standing.latest }
    } else {
        Reason::StatePruned { asked, latest: standing.latest }
    }
}
