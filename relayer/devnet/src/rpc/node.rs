//! Calls about the node itself: status, genesis, validators, parameters.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CallResult, Params, RpcError, hex_text, time_text};
use crate::blocks::View;
use crate::events::to_json;
use crate::shared::Shared;

/// The version that clients choose their dialect by.
const COMET_VERSION: &str = "0.38.21";

/// The public key of RFC 8032's first test vector: its private key is known to everybody, so
/// nobody can mistake this validator for one that vouches for anything.
const VALIDATOR_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// The address of the only validator.
pub(crate) fn validator_address() -> String {
    let digest = Sha256::digest(VALIDATOR_KEY);
    hex_text(digest.get(..20).unwrap_or_default())
}

fn validator_key() -> Value {
    json!({ "type": "tendermint/PubKeyEd25519", "value": STANDARD.encode(VALIDATOR_KEY) })
}

pub(crate) fn status(shared: &Shared) -> String {
    let range = shared.blocks.range();
    let lowest = i64::try_from(*range.start()).unwrap_or(i64::MAX);
    let describe = |view: Result<View, _>| match view {
        Ok(view) => (
            view.height,
            hex_text(&view.block.hash),
            hex_text(view.parent.app_hash.as_slice()),
            time_text(view.block.time_nanos),
        ),
        Err(_) => (0, String::new(), String::new(), time_text(0)),
    };
    let latest = describe(shared.blocks.view(None));
    // The lowest block may be pruned between the two reads; then the latest is told.
    let earliest = shared.blocks.view(Some(lowest));
    let earliest = describe(earliest.or_else(|_| shared.blocks.view(None)));
    to_json(&json!({
        "node_info": {
            "protocol_version": { "p2p": "8", "block": "11", "app": "0" },
            "id": validator_address().to_lowercase(),
            "listen_addr": "tcp://127.0.0.1:0",
            "network": shared.chain_id,
            "version": COMET_VERSION,
            "channels": "40202122233038606100",
            "moniker": "concord-devnet",
            "other": { "tx_index": "on", "rpc_address": format!("tcp://{}", shared.rpc_address) },
        },
        "sync_info": {
            "latest_block_hash": latest.1,
            "latest_app_hash": latest.2,
            "latest_block_height": latest.0.to_string(),
            "latest_block_time": latest.3,
            "earliest_block_hash": earliest.1,
            "earliest_app_hash": earliest.2,
            "earliest_block_height": earliest.0.to_string(),
            "earliest_block_time": earliest.3,
            "catching_up": false,
        },
        "validator_info": {
            "address": validator_address(),
            "pub_key": validator_key(),
            "voting_power": "1",
        },
    }))
}

fn params_json() -> Value {
    json!({
        "block": { "max_bytes": "4194304", "max_gas": "-1" },
        "evidence": {
            "max_age_num_blocks": "100000",
            "max_age_duration": "172800000000000",
            "max_bytes": "1048576",
        },
        "validator": { "pub_key_types": ["ed25519"] },
        "version": { "app": "0" },
        "abci": { "vote_extensions_enable_height": "0" },
    })
}

pub(crate) fn genesis(shared: &Shared) -> String {
    to_json(&json!({ "genesis": {
        "genesis_time": time_text(shared.genesis_nanos),
        "chain_id": shared.chain_id,
        "initial_height": "1",
        "consensus_params": params_json(),
        "validators": [{
            "address": validator_address(),
            "pub_key": validator_key(),
            "power": "1",
            "name": "concord-devnet",
        }],
        "app_hash": "",
        "app_state": {},
    }}))
}

pub(crate) fn validators(shared: &Shared, params: &Params) -> CallResult {
    // The validators of the block after the latest are known already.
    let (latest, _) = shared.blocks.tip();
    let next = i64::try_from(latest + 1).ok();
    let height = match params.number(0, "height")? {
        asked if asked.is_some() && asked == next => latest + 1,
        asked => shared.blocks.with_block(asked, |height, _| height).map_err(RpcError::internal)?,
    };
    Ok(to_json(&json!({
        "block_height": height.to_string(),
        "validators": [{
            "address": validator_address(),
            "pub_key": validator_key(),
            "voting_power": "1",
            "proposer_priority": "0",
        }],
        "count": "1",
        "total": "1",
    })))
}

pub(crate) fn consensus_params(shared: &Shared, params: &Params) -> CallResult {
    let height = shared
        .blocks
        .with_block(params.number(0, "height")?, |height, _| height)
        .map_err(RpcError::internal)?;
    Ok(to_json(&json!({
        "block_height": height.to_string(),
        "consensus_params": params_json(),
    })))
}

pub(crate) fn num_unconfirmed_txs(shared: &Shared) -> String {
    let txs = shared.mempool_txs.load(Ordering::Relaxed).to_string();
    let bytes = shared.mempool_bytes.load(Ordering::Relaxed).to_string();
    to_json(&json!({ "n_txs": txs, "total": txs, "total_bytes": bytes, "txs": null }))
}
