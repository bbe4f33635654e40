//! Runs a proposal's actions.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Runs a proposal's actions.
///
/// # Errors
/// [`ContractError`].
pub fn run_actions(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
