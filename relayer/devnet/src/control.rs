//! The devnet's own endpoints: both clocks are moved, the devnet tells who it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chain::Command;
use crate::rpc::time_text;
use crate::shared::Shared;

/// Blocks that one call of `/control/advance` may make.
pub const ADVANCE_BLOCKS_MAX: u64 = 1_000_000;

/// Seconds that one call of `/control/advance` may skip: ten years.
pub const ADVANCE_SECONDS_MAX: u64 = 315_360_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    #[serde(default)]
    blocks: Option<u64>,
    #[serde(default)]
    seconds: Option<u64>,
}

#[derive(Serialize)]
pub(crate) struct Info {
    chain_id: String,
    contract_address: String,
    rpc: String,
}

type Answer = (StatusCode, Json<Value>);

/// `POST /control/advance {"blocks": N, "seconds": S}`: N empty blocks, S seconds spread over them.
pub(crate) async fn advance(State(shared): State<Arc<Shared>>, Json(asked): Json<Advance>) -> Answer {
    let refuse = |text: String| (StatusCode::BAD_REQUEST, Json(json!({ "error": text })));
    let blocks = asked.blocks.unwrap_or(1);
    let seconds = asked.seconds.unwrap_or(0);
    if !(1..=ADVANCE_BLOCKS_MAX).contains(&blocks) {
        return refuse(format!("expected blocks from 1 to {ADVANCE_BLOCKS_MAX}, found {blocks}"));
    }
    if seconds > ADVANCE_SECONDS_MAX {
        return refuse(format!("expected seconds up to {ADVANCE_SECONDS_MAX}, found {seconds}"));
    }
    let advanced = shared.ask(|reply| Command::Advance { blocks, seconds, reply }).await;
    match advanced {
        Ok(height) => {
            let (_, tip) = shared.blocks.tip();
            let answer = json!({ "height": height, "time": time_text(tip.time_nanos) });
            (StatusCode::OK, Json(answer))
        }
        Err(error) => {
            let answer = json!({ "error": error.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
        }
    }
}

/// `GET /control/info`: chain id, contract and RPC address.
pub(crate) async fn info(State(shared): State<Arc<Shared>>) -> Json<Info> {
    Json(Info {
        chain_id: shared.chain_id.clone(),
        contract_address: shared.contract.clone(),
        rpc: format!("http://{}", shared.rpc_address),
    })
}
