//! Grants a lease, or says what it waits on.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Grants a lease, or says what it waits on.
///
/// # Errors
/// [`ContractError`].
pub fn lease(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
    _purpose: concord_schema::rollout::Purpose,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}

/// Gives a lease back.
///
/// # Errors
/// [`ContractError`].
pub fn return_lease(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}

/// Ends a lease that ran out.
///
/// # Errors
/// [`ContractError`].
pub fn expire_lease(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
    _node: concord_schema::NodeNo,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
