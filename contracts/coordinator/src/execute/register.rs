//! Registers a node of the sender, or changes its power or hot key.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Registers a node of the sender, or changes its power or hot key.
///
/// # Errors
/// [`ContractError`].
pub fn register(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _component: String,
    _node_id: String,
    _power: concord_schema::Power,
    _hot_key: String,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
