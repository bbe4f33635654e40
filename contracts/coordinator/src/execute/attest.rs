//! Attests.

use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, StdError};

use crate::error::ContractError;

/// Attests.
///
/// # Errors
/// [`ContractError`].
pub fn attest(
    _deps: DepsMut,
    _env: &Env,
    _info: &MessageInfo,
    _statement: concord_schema::attestation::Statement,
    _signature: Option<concord_schema::attestation::Signature>,
) -> Result<Response, ContractError> {
    Err(StdError::msg("not written yet").into())
}
