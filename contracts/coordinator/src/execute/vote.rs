//! Votes.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Votes.
///
/// # Errors
/// [`ContractError`].
pub fn vote(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _proposal: concord_schema::ProposalId,
    _ballot: concord_schema::tally::Ballot,
    _expect_digest: &concord_schema::Digest,
    _rationale: Option<&concord_schema::release::Document>,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
