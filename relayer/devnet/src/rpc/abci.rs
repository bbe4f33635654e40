//! `abci_info` and `abci_query`. Raw reads and transactions are answered here, without the chain's
//! thread; everything else is asked of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmrs::AccountId;
use cosmrs::proto::cosmos::base::abci::v1beta1::TxResponse;
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, GetTxRequest, GetTxResponse, Tx, TxBody, TxRaw};
use cosmrs::proto::cosmwasm::wasm::v1::{QueryRawContractStateRequest, QueryRawContractStateResponse};
use prost::Message as _;
use serde_json::json;

use super::{CallResult, Params, RpcError, hex_text, time_text};
use crate::chain::Command;
use crate::events::{quote, to_json};
use crate::query::{QueryError, proto_event};
use crate::shared::Shared;
use crate::store::{HistoryError, contract_key};

/// The prefix of contract keys in the wasm store (`x/wasm/types/keys.go`).
const CONTRACT_PREFIX: u8 = 0x03;

/// Bytes of a contract's address.
const CONTRACT_BYTES: usize = 32;

/// An answer of ABCI.
#[derive(Default)]
struct Answer {
    code: u32,
    log: String,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    height: u64,
}

impl Answer {
    fn refused(code: u32, log: impl std::fmt::Display, height: u64) -> Self {
        Self { code, log: log.to_string(), height, ..Self::default() }
    }

    fn of(result: Result<Vec<u8>, QueryError>, height: u64) -> Self {
        match result {
            Ok(value) => Self { value: Some(value), height, ..Self::default() },
            Err(error) => Self::refused(error.code, error.log, height),
        }
    }

    fn to_json(&self) -> String {
        let bytes = |bytes: &Option<Vec<u8>>| match bytes {
            Some(bytes) if !bytes.is_empty() => format!("\"{}\"", STANDARD.encode(bytes)),
            _ => "null".to_owned(),
        };
        let codespace = if self.code == 0 { "" } else { "sdk" };
        format!(
            r#"{{"response":{{"code":{},"log":{},"info":"","index":"0","key":{},"value":{},"proofOps":null,"height":"{}","codespace":"{codespace}"}}}}"#,
            self.code,
            quote(&self.log),
            bytes(&self.key),
            bytes(&self.value),
            self.height
        )
    }
}

pub(crate) fn info(shared: &Shared) -> String {
    let (height, tip) = shared.blocks.tip();
    to_json(&json!({ "response": {
        "data": "concord-devnet",
        "version": env!("CARGO_PKG_VERSION"),
        "last_block_height": height.to_string(),
        "last_block_app_hash": STANDARD.encode(tip.app_hash.as_slice()),
    }}))
}

pub(crate) async fn query(shared: &Shared, params: &Params) -> CallResult {
    let path = params.text(0, "path")?.unwrap_or_default();
    let data = params.hex(1, "data")?.unwrap_or_default();
    let height = match params.number(2, "height")? {
        None => None,
        Some(height) => Some(
            u64::try_from(height)
                .map_err(|_| RpcError::internal(format!("height must be non-negative, but got {height}")))?,
        ),
    };
    let height = height.filter(|height| *height > 0);
    if params.flag(3, "prove")? {
        let log = "devnet has no proofs: ask with prove=false, or a chain that can prove";
        return Ok(Answer::refused(18, format!("{log}: invalid request"), 0).to_json());
    }
    let answer = match path {
        "/store/wasm/key" => raw_key(shared, data, height),
        "/cosmwasm.wasm.v1.Query/RawContractState" => raw_state(shared, &data, height),
        "/cosmos.tx.v1beta1.Service/GetTx" => {
            let (latest, _) = shared.blocks.tip();
            Answer::of(find_tx(shared, &data), latest)
        }
        _ => ask_chain(shared, path, data, height).await?,
    };
    Ok(answer.to_json())
}

fn history_refused(error: &HistoryError) -> Answer {
    match error {
        HistoryError::Pruned { height, .. } => Answer::refused(38, format!("{error}: not found"), *height),
        HistoryError::Future { height, .. } => {
            Answer::refused(26, format!("{error}: invalid height"), *height)
        }
    }
}

fn raw_key(shared: &Shared, key: Vec<u8>, height: Option<u64>) -> Answer {
    let latest = shared.history.latest();
    let refuse = |log: &str| Answer::refused(18, format!("{log}: invalid request"), latest);
    let Some((&CONTRACT_PREFIX, rest)) = key.split_first() else {
        return refuse("devnet reads contract keys: expected data of 0x03, contract and key");
    };
    let Some((address, contract_part)) = rest.split_at_checked(CONTRACT_BYTES) else {
        return refuse("expected 32 bytes of a contract's address after 0x03");
    };
    let Ok(address) = AccountId::new(&shared.bech32_prefix, address) else {
        return refuse("the contract's address cannot be written");
    };
    match shared.history.read(&contract_key(address.as_ref(), contract_part), height) {
        Ok((height, value)) => {
            Answer { key: Some(key), value: value.map(|value| value.to_vec()), height, ..Answer::default() }
        }
        Err(error) => history_refused(&error),
    }
}

fn raw_state(shared: &Shared, data: &[u8], height: Option<u64>) -> Answer {
    let latest = shared.history.latest();
    let request = match QueryRawContractStateRequest::decode(data) {
        Ok(request) => request,
        Err(error) => return Answer::of(Err(error.into()), latest),
    };
    let key = contract_key(&request.address, &request.query_data);
    match shared.history.read(&key, height) {
        Ok((height, value)) => {
            let data = value.map(|value| value.to_vec()).unwrap_or_default();
            let response = QueryRawContractStateResponse { data };
            Answer::of(Ok(response.encode_to_vec()), height)
        }
        Err(error) => history_refused(&error),
    }
}

async fn ask_chain(
    shared: &Shared,
    path: &str,
    data: Vec<u8>,
    height: Option<u64>,
) -> Result<Answer, RpcError> {
    let latest = shared.history.latest();
    if let Some(height) = height.filter(|height| *height > latest) {
        return Ok(history_refused(&HistoryError::Future { height, latest }));
    }
    if let Some(height) = height.filter(|height| *height < latest) {
        let log = format!(
            "devnet answers {path} at the latest height ({latest}) only, asked for {height}; raw reads go back 1,000 heights: invalid request"
        );
        return Ok(Answer::refused(18, log, height));
    }
    let path = path.to_owned();
    let (height, result) =
        shared.ask(|reply| Command::Query { path, data, reply }).await.map_err(RpcError::internal)?;
    Ok(Answer::of(result, height))
}

fn find_tx(shared: &Shared, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let GetTxRequest { hash } = GetTxRequest::decode(data)?;
    let missing = || QueryError::not_found(format!("tx not found: {hash}"));
    let bytes = hex::decode(&hash).map_err(QueryError::invalid)?;
    let key = bytes.as_slice().try_into().map_err(|_| missing())?;
    let place = shared.blocks.find(&key).ok_or_else(missing)?;
    let record = place.tx().ok_or_else(missing)?;
    let time = shared
        .blocks
        .with_block(i64::try_from(place.height).ok(), |_, block| time_text(block.time_nanos))
        .map_err(|_| missing())?;
    let raw = TxRaw::decode(record.bytes.as_slice())?;
    let tx = Tx {
        body: Some(TxBody::decode(raw.body_bytes.as_slice())?),
        auth_info: Some(AuthInfo::decode(raw.auth_info_bytes.as_slice())?),
        signatures: raw.signatures,
    };
    let any = cosmrs::Any { type_url: "/cosmos.tx.v1beta1.Tx".to_owned(), value: tx.encode_to_vec() };
    let result = &record.result;
    let response = TxResponse {
        height: i64::try_from(place.height).unwrap_or(i64::MAX),
        txhash: hex_text(&record.hash),
        codespace: result.codespace.to_owned(),
        code: result.code,
        data: hex_text(&result.data),
        raw_log: result.log.clone(),
        gas_wanted: i64::try_from(result.gas_wanted).unwrap_or(i64::MAX),
        gas_used: i64::try_from(result.gas_used).unwrap_or(i64::MAX),
        tx: Some(any),
        timestamp: time,
        events: result.events.iter().map(proto_event).collect(),
        ..TxResponse::default()
    };
    let response = GetTxResponse { tx: Some(tx), tx_response: Some(response) };
    Ok(response.encode_to_vec())
}
