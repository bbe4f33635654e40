//! Calls about blocks.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::node::validator_address;
use super::{CallResult, Params, RpcError, hex_text, time_text};
use crate::blocks::{Hash, View};
use crate::events::to_json;
use crate::search::{NOTHING, Search};
use crate::shared::Shared;

const PAGE_DEFAULT: u64 = 30;
const PAGE_MAX: u64 = 100;

fn view(shared: &Shared, params: &Params) -> Result<View, RpcError> {
    let height = params.number(0, "height")?;
    shared.blocks.view(height).map_err(RpcError::internal)
}

/// The id of a block; that of no block when the hash is zero.
pub(crate) fn block_id_json(hash: &Hash) -> Value {
    if *hash == [0; 32] {
        return json!({ "hash": "", "parts": { "total": 0, "hash": "" } });
    }
    let hash = hex_text(hash);
    json!({ "hash": hash, "parts": { "total": 1, "hash": hash } })
}

/// The header of a block. Hashes that no client of a devnet can use are those of nothing.
pub(crate) fn header_json(shared: &Shared, view: &View) -> Value {
    let nothing = hex_text(&Sha256::digest(b""));
    json!({
        "version": { "block": "11" },
        "chain_id": shared.chain_id,
        "height": view.height.to_string(),
        "time": time_text(view.block.time_nanos),
        "last_block_id": block_id_json(&view.parent.hash),
        "last_commit_hash": nothing,
        "data_hash": hex_text(&view.block.data_hash()),
        "validators_hash": nothing,
        "next_validators_hash": nothing,
        "consensus_hash": nothing,
        "app_hash": hex_text(view.parent.app_hash.as_slice()),
        "last_results_hash": nothing,
        "evidence_hash": nothing,
        "proposer_address": validator_address(),
    })
}

/// A commit with one absent signature: nobody signs the blocks of a devnet.
fn commit_json(height: u64, hash: &Hash) -> Value {
    if height == 0 {
        return json!({
            "height": "0", "round": 0, "block_id": block_id_json(&[0; 32]), "signatures": [],
        });
    }
    json!({
        "height": height.to_string(),
        "round": 0,
        "block_id": block_id_json(hash),
        "signatures": [{
            "block_id_flag": 1,
            "validator_address": "",
            "timestamp": "0001-01-01T00:00:00Z",
            "signature": null,
        }],
    })
}

/// A block with its transactions.
pub(crate) fn block_json(shared: &Shared, view: &View) -> Value {
    let txs: Vec<String> = view.block.txs().iter().map(|tx| STANDARD.encode(&tx.bytes)).collect();
    json!({
        "header": header_json(shared, view),
        "data": { "txs": txs },
        "evidence": { "evidence": [] },
        "last_commit": commit_json(view.height - 1, &view.parent.hash),
    })
}

pub(crate) fn block(shared: &Shared, params: &Params) -> CallResult {
    let view = view(shared, params)?;
    Ok(to_json(&json!({
        "block_id": block_id_json(&view.block.hash),
        "block": block_json(shared, &view),
    })))
}

pub(crate) fn header(shared: &Shared, params: &Params) -> CallResult {
    let view = view(shared, params)?;
    Ok(to_json(&json!({ "header": header_json(shared, &view) })))
}

pub(crate) fn commit(shared: &Shared, params: &Params) -> CallResult {
    let view = view(shared, params)?;
    Ok(to_json(&json!({
        "signed_header": {
            "header": header_json(shared, &view),
            "commit": commit_json(view.height, &view.block.hash),
        },
        "canonical": true,
    })))
}

/// The hottest call: clients walk it block by block. Nothing is copied but the answer's text.
pub(crate) fn block_results(shared: &Shared, params: &Params) -> CallResult {
    let asked = params.number(0, "height")?;
    shared
        .blocks
        .with_block(asked, |height, block| {
            let mut text = String::with_capacity(256);
            text.push_str(r#"{"height":""#);
            text.push_str(&height.to_string());
            text.push_str(r#"","txs_results":"#);
            if block.txs().is_empty() {
                text.push_str("null");
            } else {
                for (index, tx) in block.txs().iter().enumerate() {
                    text.push(if index == 0 { '[' } else { ',' });
                    text.push_str(&tx.json);
                }
                text.push(']');
            }
            text.push_str(r#","finalize_block_events":"#);
            text.push_str(if height == 1 { &shared.genesis_events } else { "[]" });
            text.push_str(r#","validator_updates":[],"#);
            text.push_str(r#""consensus_param_updates":null,"app_hash":""#);
            STANDARD.encode_string(block.app_hash.as_slice(), &mut text);
            text.push_str(r#""}"#);
            text
        })
        .map_err(RpcError::internal)
}

/// Blocks by `block.height`; the devnet emits no events of blocks, so nothing else is found.
pub(crate) fn block_search(shared: &Shared, params: &Params) -> CallResult {
    let query = params.text(0, "query")?.unwrap_or_default();
    let search = Search::parse(query).map_err(RpcError::internal)?;
    let only_height = search.conditions.iter().all(|condition| condition.key == "block.height");
    let range = match only_height {
        true => search.narrow("block.height", shared.blocks.range()),
        false => NOTHING,
    };
    let total = match range.is_empty() {
        true => 0,
        false => range.end() - range.start() + 1,
    };
    let ascending = order(params.text(3, "order_by")?, false)?;
    let page = page(params.number(1, "page")?, params.number(2, "per_page")?, total)?;
    let blocks: Vec<Value> = page
        .filter_map(|place| {
            let height = match ascending {
                true => range.start() + place,
                false => range.end() - place,
            };
            let view = shared.blocks.view(i64::try_from(height).ok()).ok()?;
            Some(json!({
                "block_id": block_id_json(&view.block.hash),
                "block": block_json(shared, &view),
            }))
        })
        .collect();
    Ok(to_json(&json!({ "blocks": blocks, "total_count": total.to_string() })))
}

/// Whether an order is ascending.
///
/// # Errors
/// [`RpcError`] for another word than `asc` and `desc`.
pub(crate) fn order(order: Option<&str>, default: bool) -> Result<bool, RpcError> {
    match order {
        None | Some("") => Ok(default),
        Some("asc") => Ok(true),
        Some("desc") => Ok(false),
        Some(_) => Err(RpcError::internal("expected order_by to be either `asc` or `desc` or empty")),
    }
}

/// The places, from 0, of one page of `total` hits.
///
/// # Errors
/// [`RpcError`] when the page does not exist.
pub(crate) fn page(
    page: Option<i64>,
    per_page: Option<i64>,
    total: u64,
) -> Result<std::ops::Range<u64>, RpcError> {
    let size = match per_page.map(u64::try_from) {
        Some(Ok(size)) if size > 0 => size.min(PAGE_MAX),
        _ => PAGE_DEFAULT,
    };
    let pages = total.div_ceil(size).max(1);
    let known: RangeInclusive<u64> = 1..=pages;
    let asked = page.unwrap_or(1);
    let page = u64::try_from(asked).ok().filter(|page| known.contains(page)).ok_or_else(|| {
        RpcError::internal(format!("page should be within [1, {pages}] range, given {asked}"))
    })?;
    let start = (page - 1) * size;
    Ok(start..total.min(start + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_both_edges() {
        let cases = [
            (None, None, 0, Some(0..0)),
            (None, None, 31, Some(0..30)),
            (Some(2), None, 31, Some(30..31)),
            (Some(3), None, 31, None),
            (Some(0), None, 31, None),
            (Some(1), Some(100), 150, Some(0..100)),
            (Some(1), Some(101), 150, Some(0..100)),
            (Some(2), Some(100), 150, Some(100..150)),
            (Some(1), Some(0), 40, Some(0..30)),
        ];
        for (number, size, total, expected) in cases {
            assert_eq!(page(number, size, total).ok(), expected, "{number:?} {size:?} {total}");
        }
    }
}
