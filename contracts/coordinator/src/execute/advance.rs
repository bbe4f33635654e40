//! Does the one thing that is due in a rollout.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Does the one thing that is due in a rollout.
///
/// # Errors
/// [`ContractError`].
pub fn advance(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
