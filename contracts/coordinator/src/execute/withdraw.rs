//! Withdraws.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Withdraws.
///
/// # Errors
/// [`ContractError`].
pub fn withdraw(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
