//! What CometBFT answers, read no further than needed.
//!
//! Integers of 64 bits come as JSON strings, hashes as hex, everything else binary as base64. Large answers are
//! read with borrowed texts and without a generic JSON tree: an agent that missed 100,000 blocks reads 100,000 of
//! them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer};

/// The newest block of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: u64,
    /// The time in its header, in nanoseconds since 1970; `None` when the node gave none that can be read.
    pub time_nanos: Option<u64>,
    /// The lowest block the node still has.
    pub lowest: u64,
}

/// An account as the chain knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number, fixed for ever.
    pub number: u64,
    /// The sequence its next transaction must carry.
    pub sequence: u64,
    /// The height of the state that says so; 0 when the node did not tell.
    pub height: u64,
}

/// A transaction that is in a block.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Included {
    /// The block.
    pub height: u64,
    /// 0 when it did what it was meant to; else nothing but fee and sequence changed.
    pub code: u32,
    /// Which module refused, empty for code 0.
    pub codespace: String,
    /// The reason of a refusal.
    pub log: String,
    /// Gas used.
    pub gas_used: u64,
    /// The `TxMsgData` protobuf with the messages' answers.
    #[serde(with = "hex_text")]
    pub data: Vec<u8>,
    /// Every event, the contract's and the chain's own.
    pub events: Vec<Event>,
}

mod hex_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An event, owned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// Its type, `wasm-..` for a contract's own.
    #[serde(rename = "type")]
    pub kind: String,
    /// Keys and values in the order of the chain.
    pub attributes: Vec<(String, String)>,
}

/// What kept an answer from being used, before it is known which endpoint it came from.
#[derive(Debug)]
pub(crate) enum Misfit {
    Json(serde_json::Error),
    Rpc(RpcFault),
    Odd(String),
    Named(Box<super::error::RpcError>),
}

impl From<serde_json::Error> for Misfit {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// The error half of a JSON-RPC answer.
#[derive(Debug, Deserialize)]
pub(crate) struct RpcFault {
    #[serde(default)]
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) data: String,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default = "none")]
    result: Option<T>,
    #[serde(default)]
    error: Option<RpcFault>,
}

fn none<T>() -> Option<T> {
    None
}

/// Opens a JSON-RPC answer.
pub(crate) fn open<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Misfit> {
    let envelope: Envelope<T> = serde_json::from_slice(body)?;
    match (envelope.result, envelope.error) {
        (_, Some(fault)) => Err(Misfit::Rpc(fault)),
        (Some(result), None) => Ok(result),
        (None, None) => Err(Misfit::Odd("neither result nor error".into())),
    }
}

/// A number that CometBFT writes as a string; plain numbers are read too.
fn number<'de, D: Deserializer<'de>, N>(deserializer: D) -> Result<N, D::Error>
where
    N: std::str::FromStr + TryFrom<u64>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<'a> {
        Number(u64),
        Text(#[serde(borrow)] Cow<'a, str>),
    }
    let wrong = || serde::de::Error::custom("expected a whole number, as a string or plain");
    match Either::deserialize(deserializer)? {
        Either::Number(number) => N::try_from(number).map_err(|_| wrong()),
        Either::Text(text) => text.parse().map_err(|_| wrong()),
    }
}

fn base64_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text: Option<Cow<'de, str>> = Option::deserialize(deserializer)?;
    BASE64.decode(text.as_deref().unwrap_or_default().as_bytes()).map_err(serde::de::Error::custom)
}

#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) node_info: NodeInfo,
    pub(crate) sync_info: SyncInfo,
}

#[derive(Deserialize)]
pub(crate) struct NodeInfo {
    pub(crate) network: String,
}

#[derive(Deserialize)]
pub(crate) struct SyncInfo {
    #[serde(deserialize_with = "number")]
    latest_block_height: u64,
    #[serde(default)]
    latest_block_time: String,
    #[serde(default, deserialize_with = "number")]
    earliest_block_height: u64,
    // Absent must not read as "at the tip".
    pub(crate) catching_up: bool,
}

impl SyncInfo {
    pub(crate) fn head(&self) -> Head {
        let time_nanos = nanos(&self.latest_block_time);
        Head { height: self.latest_block_height, time_nanos, lowest: self.earliest_block_height }
    }
}

#[derive(Deserialize)]
pub(crate) struct FoundHeader {
    header: HeaderFacts,
}

#[derive(Deserialize)]
struct HeaderFacts {
    #[serde(deserialize_with = "number")]
    height: u64,
    time: String,
}

impl FoundHeader {
    /// Its time, if it is the header of this height.
    pub(crate) fn time_nanos(&self, height: u64) -> Result<u64, Misfit> {
        if self.header.height != height {
            return Err(Misfit::Odd(format!("the header of block {}", self.header.height)));
        }
        let odd =
            || Misfit::Odd(format!("the time {:?}", self.header.time.chars().take(64).collect::<String>()));
        nanos(&self.header.time).ok_or_else(odd)
    }
}

fn nanos(time: &str) -> Option<u64> {
    let time = cosmrs::tendermint::Time::parse_from_rfc3339(time).ok()?;
    u64::try_from(time.unix_timestamp_nanos()).ok()
}

#[derive(Deserialize)]
pub(crate) struct AbciQuery {
    pub(crate) response: AbciAnswer,
}

#[derive(Deserialize)]
pub(crate) struct AbciAnswer {
    #[serde(default)]
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) codespace: String,
    #[serde(default)]
    pub(crate) log: String,
    #[serde(default, deserialize_with = "base64_bytes")]
    pub(crate) value: Vec<u8>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) height: u64,
}

#[derive(Deserialize)]
pub(crate) struct Broadcasted {
    #[serde(default)]
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) codespace: String,
    #[serde(default)]
    pub(crate) log: String,
}

#[derive(Deserialize)]
pub(crate) struct FoundTxs<'a> {
    #[serde(borrow, default)]
    pub(crate) txs: Vec<FoundTx<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct FoundTx<'a> {
    #[serde(deserialize_with = "number")]
    height: u64,
    #[serde(borrow)]
    tx_result: TxResult<'a>,
}

impl FoundTx<'_> {
    pub(crate) fn included(self) -> Included {
        let result = self.tx_result;
        Included {
            height: self.height,
            code: result.code,
            codespace: result.codespace.into_owned(),
            log: result.log.into_owned(),
            gas_used: result.gas_used,
            data: result.data,
            events: result.events.unwrap_or_default().into_iter().map(WireEvent::owned).collect(),
        }
    }
}

/// One transaction's result inside `tx`.
#[derive(Deserialize)]
struct TxResult<'a> {
    #[serde(default)]
    code: u32,
    #[serde(default, borrow)]
    codespace: Cow<'a, str>,
    #[serde(default, borrow)]
    log: Cow<'a, str>,
    #[serde(default, deserialize_with = "number")]
    gas_used: u64,
    #[serde(default, deserialize_with = "base64_bytes")]
    data: Vec<u8>,
    #[serde(default, borrow)]
    events: Option<Vec<WireEvent<'a>>>,
}

/// A block's results, borrowed from the answer's bytes.
#[derive(Deserialize)]
pub(crate) struct BlockResults<'a> {
    #[serde(deserialize_with = "number")]
    pub(crate) height: u64,
    #[serde(default, borrow)]
    pub(crate) txs_results: Option<Vec<BlockTx<'a>>>,
    #[serde(default, borrow)]
    pub(crate) finalize_block_events: Option<Vec<WireEvent<'a>>>,
}

/// One transaction's result inside `block_results`; what an event reader does not need stays unread.
#[derive(Deserialize)]
pub(crate) struct BlockTx<'a> {
    #[serde(default)]
    pub(crate) code: u32,
    #[serde(default, borrow)]
    pub(crate) events: Option<Vec<WireEvent<'a>>>,
}

#[derive(Deserialize)]
pub(crate) struct WireEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(crate) attributes: Option<Vec<WireAttribute<'a>>>,
}

#[derive(Deserialize)]
pub(crate) struct WireAttribute<'a> {
    #[serde(default, borrow)]
    pub(crate) key: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(crate) value: Cow<'a, str>,
}

impl WireEvent<'_> {
    pub(crate) fn owned(self) -> Event {
        let attributes = self.attributes.unwrap_or_default();
        Event {
            kind: self.kind.into_owned(),
            attributes: attributes
                .into_iter()
                .map(|one| (one.key.into_owned(), one.value.into_owned()))
                .collect(),
        }
    }
}
