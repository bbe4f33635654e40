//! Calls about transactions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blocks::{order, page};
use super::{CallResult, Params, RpcError, hex_text};
use crate::blocks::{Hash, TxPlace, places};
use crate::chain::{Broadcast, Command};
use crate::events::quote;
use crate::search::Search;
use crate::shared::Shared;

/// Conditions that are judged by place, not by events.
const BY_PLACE: [&str; 2] = ["tx.height", "tx.hash"];

fn tx_text(place: &TxPlace) -> String {
    let Some(tx) = place.tx() else {
        return "null".to_owned();
    };
    format!(
        r#"{{"hash":"{}","height":"{}","index":{},"tx_result":{},"tx":"{}"}}"#,
        hex_text(&tx.hash),
        place.height,
        place.index,
        tx.json,
        STANDARD.encode(&tx.bytes)
    )
}

fn hash_of(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok()
}

pub(crate) fn tx(shared: &Shared, params: &Params) -> CallResult {
    let hash =
        params.bytes(0, "hash")?.ok_or_else(|| RpcError::params("hash: expected 32 bytes, found none"))?;
    if params.flag(1, "prove")? {
        return Err(RpcError::internal("devnet has no proofs; ask without prove"));
    }
    let place = hash_of(&hash).and_then(|hash| shared.blocks.find(&hash));
    match place {
        Some(place) => Ok(tx_text(&place)),
        None => Err(RpcError::internal(format!("tx ({}) not found", hex_text(&hash)))),
    }
}

pub(crate) fn tx_search(shared: &Shared, params: &Params) -> CallResult {
    let query = params.text(0, "query")?.unwrap_or_default();
    if params.flag(1, "prove")? {
        return Err(RpcError::internal("devnet has no proofs; ask without prove"));
    }
    let search = Search::parse(query).map_err(RpcError::internal)?;
    let mut found = find(shared, &search);
    if !order(params.text(4, "order_by")?, true)? {
        found.reverse();
    }
    let total = found.len();
    let page = page(params.number(2, "page")?, params.number(3, "per_page")?, total as u64)?;
    let skipped = usize::try_from(page.start).unwrap_or(usize::MAX);
    let taken = usize::try_from(page.end - page.start).unwrap_or_default();
    let txs: Vec<String> = found.iter().skip(skipped).take(taken).map(tx_text).collect();
    Ok(format!(r#"{{"txs":[{}],"total_count":"{total}"}}"#, txs.join(",")))
}

fn find(shared: &Shared, search: &Search) -> Vec<TxPlace> {
    let heights = search.narrow("tx.height", shared.blocks.range());
    if let Some(hash) = search.equal("tx.hash") {
        let hash = hex::decode(hash).ok().and_then(|bytes| hash_of(&bytes));
        let place = hash.and_then(|hash| shared.blocks.find(&hash));
        return place
            .filter(|place| heights.contains(&place.height) && matches(search, place))
            .into_iter()
            .collect();
    }
    shared
        .blocks
        .txs_between(heights)
        .iter()
        .flat_map(|(height, txs)| places(*height, txs))
        .filter(|place| matches(search, place))
        .collect()
}

fn matches(search: &Search, place: &TxPlace) -> bool {
    place.tx().is_some_and(|tx| search.matches_events(&tx.result.events, &BY_PLACE))
}

async fn broadcast(shared: &Shared, params: &Params) -> Result<Broadcast, RpcError> {
    let bytes =
        params.bytes(0, "tx")?.ok_or_else(|| RpcError::params("tx: expected a transaction, found none"))?;
    shared.ask(|reply| Command::Broadcast { bytes, reply }).await.map_err(RpcError::internal)
}

pub(crate) async fn broadcast_sync(shared: &Shared, params: &Params) -> CallResult {
    match broadcast(shared, params).await? {
        Broadcast::Refused { reason } => Err(RpcError::internal(reason)),
        Broadcast::Checked { hash, error } => {
            let (code, codespace, log) = match &error {
                None => (0, "", ""),
                Some(error) => (error.code, error.codespace, error.log.as_str()),
            };
            Ok(format!(
                r#"{{"code":{code},"data":"","log":{},"codespace":"{codespace}","hash":"{}"}}"#,
                quote(log),
                hex_text(&hash)
            ))
        }
    }
}

/// CometBFT answers this one without the outcome of the check.
pub(crate) async fn broadcast_async(shared: &Shared, params: &Params) -> CallResult {
    match broadcast(shared, params).await? {
        Broadcast::Refused { reason } => Err(RpcError::internal(reason)),
        Broadcast::Checked { hash, .. } => {
            Ok(format!(r#"{{"code":0,"data":"","log":"","codespace":"","hash":"{}"}}"#, hex_text(&hash)))
        }
    }
}
