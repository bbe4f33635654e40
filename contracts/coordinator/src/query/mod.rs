//! Answers.

use concord_schema::query::QueryMsg;
use cosmwasm_std::{Binary, Deps, Env, StdError};

use crate::error::ContractError;

/// Answers a query.
///
/// # Errors
/// [`ContractError`].
pub fn query(_deps: Deps, _env: &Env, _msg: QueryMsg) -> Result<Binary, ContractError> {
    Err(StdError::msg("not written yet").into())
}
