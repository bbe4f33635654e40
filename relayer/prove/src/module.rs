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
