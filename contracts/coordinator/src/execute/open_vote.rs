//! Opens the vote.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Opens the vote.
///
/// # Errors
/// [`ContractError`].
pub fn open_vote(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
