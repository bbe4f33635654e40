//! Revises.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Revises.
///
/// # Errors
/// [`ContractError`].
pub fn revise(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
    _draft: concord_schema::proposal::Draft,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
