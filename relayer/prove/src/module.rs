//! Facts of the chain's own modules, read from proved bytes.

use prost::Message;

use crate::reason::{Reason, cut};

/// `cosmos.staking.v1beta1.Params`, as far as needed.
#[derive(Clone, PartialEq, Message)]
struct StakingParams {
    #[prost(message, optional, tag = "1")]
    unbonding_time: Option<Span>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The unbonding time in whole seconds, from the proved value of [`crate::StateKey::staking_params`].
///
/// # Errors
/// [`Reason::Malformed`] for bytes without one.
pub fn unbonding_seconds(value: &[u8]) -> Result<u64, Reason> {
    let part = "staking parameters with an unbonding time";
    let params = StakingParams::decode(value)
        .map_err(|error| Reason::Malformed { part, why: cut(&error.to_string()) })?;
    params
        .unbonding_time
        .and_then(|span| u64::try_from(span.seconds).ok())
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| Reason::Malformed { part, why: "no positive time".to_owned() })
}

/// `cosmos.upgrade.v1beta1.Plan`, as far as needed.
#[derive(Clone, PartialEq, Message)]
struct Plan {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    height: i64,
}

/// What the chain itself has decided to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPlan {
    /// The name of the upgrade.
    pub name: String,
    /// The first block that the new release executes.
    pub height: u64,
}

/// The chain's own upgrade plan, from the proved value of [`crate::StateKey::upgrade_plan`].
///
/// # Errors
/// [`Reason::Malformed`] for bytes that are no plan.
pub fn upgrade_plan(value: &[u8]) -> Result<ChainPlan, Reason> {
    let part = "an upgrade plan";
    let plan =
        Plan::decode(value).map_err(|error| Reason::Malformed { part, why: cut(&error.to_string()) })?;
    match u64::try_from(plan.height) {
        Ok(height) if height > 0 && !plan.name.is_empty() => Ok(ChainPlan { name: plan.name, height }),
        _ => Err(Reason::Malformed { part, why: "no name or no height".to_owned() }),
    }
}

/// `cosmwasm.wasm.v1.ContractInfo`, as far as needed.
#[derive(Clone, PartialEq, Message)]
struct ContractInfo {
    #[prost(uint64, tag = "1")]
    code_id: u64,
}

/// The number of the code that a contract runs, from the proved value of [`crate::StateKey::contract_info`].
///
/// # Errors
/// [`Reason::Malformed`] for bytes without one.
pub fn contract_code(value: &[u8]) -> Result<u64, Reason> {
    let part = "a contract's record";
    let info = ContractInfo::decode(value)
        .map_err(|error| Reason::Malformed { part, why: cut(&error.to_string()) })?;
    if info.code_id == 0 {
        return Err(Reason::Malformed { part, why: "no code".to_owned() });
    }
    Ok(info.code_id)
}

/// `cosmwasm.wasm.v1.CodeInfo`, as far as needed.
#[derive(Clone, PartialEq, Message)]
struct CodeInfo {
    #[prost(bytes = "vec", tag = "1")]
    code_hash: Vec<u8>,
}

/// The SHA-256 of a code's wasm, from the proved value of [`crate::StateKey::code_info`].
///
/// # Errors
/// [`Reason::Malformed`] for bytes without one.
pub fn code_checksum(value: &[u8]) -> Result<[u8; 32], Reason> {
    let part = "a code's record";
    let info =
        CodeInfo::decode(value).map_err(|error| Reason::Malformed { part, why: cut(&error.to_string()) })?;
    let found = info.code_hash.len();
    <[u8; 32]>::try_from(info.code_hash)
        .map_err(|_| Reason::Malformed { part, why: format!("a checksum of {found} bytes") })
}
