//! Proposes.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Proposes.
///
/// # Errors
/// [`ContractError`].
pub fn propose(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _draft: concord_schema::proposal::Draft,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
