//! Fixes the seed of a rollout.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Fixes the seed of a rollout.
///
/// # Errors
/// [`ContractError`].
pub fn draw(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _rollout: concord_schema::RolloutId,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
