//! Comments.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Comments.
///
/// # Errors
/// [`ContractError`].
pub fn comment(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
    _document: &concord_schema::release::Document,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
