//! Sets up a deployment.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Sets up a deployment.
///
/// # Errors
/// [`ContractError`].
pub fn instantiate(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _msg: concord_schema::msg::InstantiateMsg,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
