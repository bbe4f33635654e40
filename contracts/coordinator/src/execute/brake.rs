//! Pulls the brake, or adds a guardian to it.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Pulls the brake, or adds a guardian to it.
///
/// # Errors
/// [`ContractError`].
pub fn brake(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _scope: concord_schema::brake::Scope,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}

/// Asks for the brake's release.
///
/// # Errors
/// [`ContractError`].
pub fn release(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _scope: concord_schema::brake::Scope,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
