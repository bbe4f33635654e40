//! What the chain calls: [`crate::contract`], with messages that are read by [`Json`].

use concord_json::Json;
use concord_schema::msg::{ExecuteMsg, InstantiateMsg};
use concord_schema::query::QueryMsg;
use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Response};

use crate::contract;
use crate::error::ContractError;

/// An instance lives for one call, so nothing is given back: that takes the code of every drop out of the contract.
#[cfg(all(feature = "export", target_arch = "wasm32"))]
#[global_allocator]
static MEMORY: mini_alloc::MiniAlloc = mini_alloc::MiniAlloc::INIT;

/// Sets up a deployment.
///
/// # Errors
/// As [`contract::instantiate`].
#[cfg_attr(feature = "export", cosmwasm_std::entry_point)]
pub fn instantiate(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: Json<InstantiateMsg>,
) -> Result<Response, ContractError> {
    contract::instantiate(deps, env, info, msg.0)
}

/// Takes a message.
///
/// # Errors
/// As [`contract::execute`].
#[cfg_attr(feature = "export", cosmwasm_std::entry_point)]
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: Json<ExecuteMsg>,
) -> Result<Response, ContractError> {
    contract::execute(deps, env, info, msg.0)
}

/// Answers a query.
///
/// # Errors
/// As [`contract::query`].
#[cfg_attr(feature = "export", cosmwasm_std::entry_point)]
pub fn query(deps: Deps, env: Env, msg: Json<QueryMsg>) -> Result<Binary, ContractError> {
    contract::query(deps, env, msg.0)
}
