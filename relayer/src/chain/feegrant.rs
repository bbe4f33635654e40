//! Fee grants: an owner pays for what its hot keys report, within a bound a period and for contract calls only.
//!
//! The chain's own module (x/feegrant) keeps them: a periodic allowance inside one that is limited to message types, so
//! that a stolen hot key costs at most a period's bound and moves nothing.

use std::time::Duration;

use cosmrs::Any;
use cosmrs::proto::Timestamp;
use cosmrs::proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgRevokeAllowance, PeriodicAllowance,
    QueryAllowanceRequest, QueryAllowanceResponse,
};
use prost::Message;

use super::At;
use super::address::Address;
use super::error::RpcError;
use super::rpc::Rpc;
use super::sign::{Coin, EXECUTE_URL, proto_coin};

const ALLOWED_URL: &str = "/cosmos.feegrant.v1beta1.AllowedMsgAllowance";
const PERIODIC_URL: &str = "/cosmos.feegrant.v1beta1.PeriodicAllowance";

/// What a hot key may spend of its owner's coins for fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The most in one period.
    pub per_period: Coin,
    /// A period's length.
    pub period: Duration,
    /// The most ever; no bound where there is none.
    pub total: Option<Coin>,
    /// When it ends, in seconds since 1970; never where there is none.
    pub expires_seconds: Option<u64>,
}

/// What the chain holds of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// As `keys grant` makes them; the second is what is left of the running period, as of its last use.
    Ours(Allowance, u128),
    /// Another kind of allowance, by its type.
    Other(String),
}

/// The message that grants.
#[must_use]
pub fn grant(granter: &Address, grantee: &Address, allowance: &Allowance) -> Any {
    let periodic = PeriodicAllowance {
        basic: Some(BasicAllowance {
            spend_limit: allowance.total.iter().map(proto_coin).collect(),
            expiration: allowance.expires_seconds.map(timestamp),
        }),
        period: Some(cosmrs::proto::tendermint::google::protobuf::Duration {
            seconds: i64::try_from(allowance.period.as_secs()).unwrap_or(i64::MAX),
            nanos: 0,
        }),
        period_spend_limit: vec![proto_coin(&allowance.per_period)],
        // The first use finds the period over, and begins a whole one at that moment.
        period_can_spend: vec![proto_coin(&allowance.per_period)],
        period_reset: Some(timestamp(0)),
    };
    let allowed = AllowedMsgAllowance {
        allowance: Some(Any { type_url: PERIODIC_URL.into(), value: periodic.encode_to_vec() }),
        allowed_messages: vec![EXECUTE_URL.into()],
    };
    let message = MsgGrantAllowance {
        granter: granter.text().to_owned(),
        grantee: grantee.text().to_owned(),
        allowance: Some(Any { type_url: ALLOWED_URL.into(), value: allowed.encode_to_vec() }),
    };
    Any { type_url: "/cosmos.feegrant.v1beta1.MsgGrantAllowance".into(), value: message.encode_to_vec() }
}

/// The message that takes a grant back.
#[must_use]
pub fn revoke(granter: &Address, grantee: &Address) -> Any {
    let message =
        MsgRevokeAllowance { granter: granter.text().to_owned(), grantee: grantee.text().to_owned() };
    Any { type_url: "/cosmos.feegrant.v1beta1.MsgRevokeAllowance".into(), value: message.encode_to_vec() }
}

fn timestamp(seconds: u64) -> Timestamp {
    Timestamp { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 }
}

impl Rpc {
    /// The grant of `granter` to `grantee`; `None` when there is none, which is also what a chain says of one that
    /// expired and was swept away.
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    pub async fn fee_grant(&self, granter: &Address, grantee: &Address) -> Result<Option<Grant>, RpcError> {
        let request =
            QueryAllowanceRequest { granter: granter.text().to_owned(), grantee: grantee.text().to_owned() };
        let path = "/cosmos.feegrant.v1beta1.Query/Allowance";
        let read = self.grpc::<QueryAllowanceResponse>(path, &request, At::Latest, "a fee grant");
        let answer = match read.await {
            Err(RpcError::Query { log, .. }) if log.contains("not found") => return Ok(None),
            other => other?,
        };
        let Some(allowance) = answer.allowance.and_then(|grant| grant.allowance) else { return Ok(None) };
        Ok(Some(ours(&allowance).unwrap_or(Grant::Other(allowance.type_url))))
    }
}

/// Reads an allowance of the kind that [`grant`] makes; `None` for every other.
fn ours(any: &Any) -> Option<Grant> {
    if any.type_url != ALLOWED_URL {
        return None;
    }
    let allowed = AllowedMsgAllowance::decode(any.value.as_slice()).ok()?;
    let inner = allowed.allowance.filter(|inner| inner.type_url == PERIODIC_URL)?;
    if allowed.allowed_messages != [EXECUTE_URL] {
        return None;
    }
    let periodic = PeriodicAllowance::decode(inner.value.as_slice()).ok()?;
    let basic = periodic.basic.unwrap_or_default();
    let expires = basic.expiration.map(|time| u64::try_from(time.seconds).unwrap_or(0));
    let per_period = one(&periodic.period_spend_limit)?;
    let left = match periodic.period_can_spend.as_slice() {
        [] => 0,
        coins => one(coins)?.amount,
    };
    let total = match basic.spend_limit.as_slice() {
        [] => None,
        coins => Some(one(coins)?),
    };
    let period = Duration::from_secs(u64::try_from(periodic.period?.seconds).ok()?);
    Some(Grant::Ours(Allowance { per_period, period, total, expires_seconds: expires }, left))
}

fn one(coins: &[cosmrs::proto::cosmos::base::v1beta1::Coin]) -> Option<Coin> {
    match coins {
        [coin] => Some(Coin { denom: coin.denom.clone(), amount: coin.amount.parse().ok()? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance() -> Allowance {
        Allowance {
            per_period: "5000ucosm".parse().unwrap(),
            period: Duration::from_secs(86_400),
            total: Some("90000ucosm".parse().unwrap()),
            expires_seconds: Some(1_900_000_000),
        }
    }

    fn granted(allowance: &Allowance) -> MsgGrantAllowance {
        let (owner, hot) = (Address::new("wasm", &[1; 20]).unwrap(), Address::new("wasm", &[2; 20]).unwrap());
        MsgGrantAllowance::decode(grant(&owner, &hot, allowance).value.as_slice()).unwrap()
    }

    #[test]
    fn a_grant_reads_back_as_it_was_made() {
        for allowance in [
            allowance(),
            Allowance { total: None, ..allowance() },
            Allowance { expires_seconds: None, ..allowance() },
        ] {
            let message = granted(&allowance);
            assert_eq!(ours(&message.allowance.unwrap()), Some(Grant::Ours(allowance, 5_000)));
        }
    }

    #[test]
    fn only_contract_calls_are_paid_for_and_other_grants_are_not_taken_for_ours() {
        let message = granted(&allowance());
        let any = message.allowance.unwrap();
        let mut allowed = AllowedMsgAllowance::decode(any.value.as_slice()).unwrap();
        assert_eq!(allowed.allowed_messages, [EXECUTE_URL]);
        allowed.allowed_messages.push("/cosmos.bank.v1beta1.MsgSend".into());
        assert_eq!(ours(&Any { value: allowed.encode_to_vec(), ..any.clone() }), None);
        assert_eq!(ours(&allowed.allowance.unwrap()), None, "a bare periodic one pays for everything");
    }
}
