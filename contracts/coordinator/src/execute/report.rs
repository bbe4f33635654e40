//! Takes a node's report.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Takes a node's report.
///
/// # Errors
/// [`ContractError`].
pub fn report(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
    _report: concord_schema::report::Report,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
