//! Settles a deposit.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Settles a deposit.
///
/// # Errors
/// [`ContractError`].
pub fn settle(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}

/// Pays out.
///
/// # Errors
/// [`ContractError`].
pub fn claim(_deps: DepsMut, _env: &Env, _info: &MessageInfo) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
