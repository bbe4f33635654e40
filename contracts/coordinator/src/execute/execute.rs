//! Executes.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Executes.
///
/// # Errors
/// [`ContractError`].
pub fn execute(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}

/// The reply to the actions.
pub const REPLY_ID: u64 = 1;

/// Takes the outcome of the actions.
///
/// # Errors
/// [`ContractError`].
pub fn reply(_deps: DepsMut, _env: &Env, _reply: cosmwasm_std::Reply) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
