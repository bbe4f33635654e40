//! Fee allowances, as x/feegrant of the SDK 0.53 takes, keeps and spends them.

use std::collections::BTreeMap;

use cosmrs::Any;
use cosmrs::proto::Timestamp;
use cosmrs::proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, Grant, PeriodicAllowance,
};
use cosmrs::proto::tendermint::google::protobuf::Duration;
use cosmwasm_std::{Coin, Uint256};
use prost::Message as _;

use crate::ante::{TxError, amount_of, coins};

const BASIC: &str = "/cosmos.feegrant.v1beta1.BasicAllowance";
const PERIODIC: &str = "/cosmos.feegrant.v1beta1.PeriodicAllowance";
const ALLOWED: &str = "/cosmos.feegrant.v1beta1.AllowedMsgAllowance";
const NANOS: u64 = 1_000_000_000;

/// An allowance: bounds of what a grantee's fees may take, and for which messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// What is left in total; no bound where there is none.
    total: Option<Vec<Coin>>,
    /// The block time after which it is void.
    ends_nanos: Option<u64>,
    period: Option<Period>,
    /// The types of the messages that it pays for; all where there is no list.
    messages: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Period {
    length_nanos: u64,
    limit: Vec<Coin>,
    left: Vec<Coin>,
    reset_nanos: u64,
}

/// What an allowance comes to when a fee was taken from it: `None` once its total is used up.
pub(crate) type Rest = Option<Allowance>;

fn feegrant(code: u32, detail: &str, name: &str) -> TxError {
    TxError { codespace: "feegrant", code, log: format!("{detail}: {name}") }
}

fn missing() -> TxError {
    TxError::sdk(38, "fee-grant not found", "not found")
}

impl Allowance {
    /// Reads an allowance of one of the three kinds.
    ///
    /// # Errors
    /// The SDK's refusals of what is no allowance or bounds nothing.
    pub(crate) fn decode(any: &Any) -> Result<Self, TxError> {
        match any.type_url.as_str() {
            ALLOWED => {
                let allowed = AllowedMsgAllowance::decode(any.value.as_slice()).map_err(TxError::decode)?;
                let inner = allowed
                    .allowance
                    .ok_or_else(|| feegrant(5, "allowance should not be empty", "no allowance"))?;
                if allowed.allowed_messages.is_empty() {
                    return Err(feegrant(
                        6,
                        "allowed messages shouldn't be empty",
                        "allowed messages are empty",
                    ));
                }
                if inner.type_url == ALLOWED {
                    return Err(TxError::decode("devnet takes one list of allowed messages"));
                }
                Ok(Self { messages: Some(allowed.allowed_messages), ..Self::decode(&inner)? })
            }
            PERIODIC => {
                let periodic = PeriodicAllowance::decode(any.value.as_slice()).map_err(TxError::decode)?;
                let limit = coins(&periodic.period_spend_limit)?;
                if limit.is_empty() {
                    return Err(TxError::sdk(10, "spend limit must be positive", "invalid coins"));
                }
                let length = periodic.period.unwrap_or_default();
                let period = Period {
                    length_nanos: nanos(length.seconds, length.nanos)
                        .ok_or_else(|| feegrant(4, "negative clock step", "invalid duration"))?,
                    limit,
                    left: coins(&periodic.period_can_spend)?,
                    reset_nanos: periodic
                        .period_reset
                        .and_then(|at| nanos(at.seconds, at.nanos))
                        .unwrap_or(0),
                };
                let allowance = Self::basic(periodic.basic.unwrap_or_default())?;
                let has = |coin: &Coin, total: &[Coin]| total.iter().any(|held| held.denom == coin.denom);
                if let Some(total) = &allowance.total
                    && !period.limit.iter().all(|coin| has(coin, total))
                {
                    let detail = "period spend limit has different currency than basic spend limit";
                    return Err(TxError::sdk(10, detail, "invalid coins"));
                }
                Ok(Self { period: Some(period), ..allowance })
            }
            BASIC => Self::basic(BasicAllowance::decode(any.value.as_slice()).map_err(TxError::decode)?),
            other => Err(TxError::decode(format!("no concrete type registered for type URL {other}"))),
        }
    }

    fn basic(basic: BasicAllowance) -> Result<Self, TxError> {
        let total = coins(&basic.spend_limit)?;
        let ends_nanos = match basic.expiration {
            None => None,
            Some(at) => Some(
                nanos(at.seconds, at.nanos)
                    .ok_or_else(|| feegrant(4, "expiration time cannot be negative", "invalid duration"))?,
            ),
        };
        Ok(Self { total: (!total.is_empty()).then_some(total), ends_nanos, period: None, messages: None })
    }

    fn encode(&self) -> Any {
        let basic = BasicAllowance {
            spend_limit: self.total.iter().flatten().map(crate::query::proto_coin).collect(),
            expiration: self.ends_nanos.map(timestamp),
        };
        let inner = match &self.period {
            None => Any { type_url: BASIC.to_owned(), value: basic.encode_to_vec() },
            Some(period) => {
                let proto = |coins: &[Coin]| coins.iter().map(crate::query::proto_coin).collect();
                let at = timestamp(period.length_nanos);
                let periodic = PeriodicAllowance {
                    basic: Some(basic),
                    period: Some(Duration { seconds: at.seconds, nanos: at.nanos }),
                    period_spend_limit: proto(&period.limit),
                    period_can_spend: proto(&period.left),
                    period_reset: Some(timestamp(period.reset_nanos)),
                };
                Any { type_url: PERIODIC.to_owned(), value: periodic.encode_to_vec() }
            }
        };
        match &self.messages {
            None => inner,
            Some(messages) => {
                let allowed =
                    AllowedMsgAllowance { allowance: Some(inner), allowed_messages: messages.clone() };
                Any { type_url: ALLOWED.to_owned(), value: allowed.encode_to_vec() }
            }
        }
    }

    /// Takes a fee at a block time, for messages of these types.
    ///
    /// # Errors
    /// Codespace `feegrant`: a message that it is not for, its end, the period's bound, the total.
    pub(crate) fn spend(
        mut self,
        fee: &[Coin],
        now_nanos: u64,
        mut types: impl Iterator<Item = &'static str>,
    ) -> Result<Rest, TxError> {
        if let Some(allowed) = &self.messages
            && !types.all(|kind| allowed.iter().any(|allowed| allowed == kind))
        {
            return Err(feegrant(7, "message does not exist in allowed messages", "message not allowed"));
        }
        if self.ends_nanos.is_some_and(|end| now_nanos > end) {
            return Err(feegrant(3, "absolute limit", "fee allowance expired"));
        }
        if let Some(period) = &mut self.period {
            period.renew(now_nanos, self.total.as_deref());
            period.left = subtract(&period.left, fee)
                .ok_or_else(|| feegrant(2, "period limit", "fee limit exceeded"))?;
        }
        if let Some(total) = &self.total {
            let left =
                subtract(total, fee).ok_or_else(|| feegrant(2, "absolute limit", "fee limit exceeded"))?;
            if left.is_empty() {
                return Ok(None);
            }
            self.total = Some(left);
        }
        Ok(Some(self))
    }
}

impl Period {
    /// Begins a new period when the old one is over. One that was idle for more than a period begins now.
    fn renew(&mut self, now_nanos: u64, total: Option<&[Coin]>) {
        if now_nanos < self.reset_nanos {
            return;
        }
        self.left = match total {
            Some(total) if subtract(total, &self.limit).is_none() => total.to_vec(),
            _ => self.limit.clone(),
        };
        self.reset_nanos = self.reset_nanos.saturating_add(self.length_nanos);
        if now_nanos > self.reset_nanos {
            self.reset_nanos = now_nanos.saturating_add(self.length_nanos);
        }
    }
}

/// What is left of coins, without denominations that came to nothing; `None` when it does not suffice.
fn subtract(held: &[Coin], taken: &[Coin]) -> Option<Vec<Coin>> {
    if taken.iter().any(|coin| amount_of(held, &coin.denom) < coin.amount) {
        return None;
    }
    let left = held.iter().map(|coin| {
        let amount: Uint256 = coin.amount.saturating_sub(amount_of(taken, &coin.denom));
        Coin::new(amount, &coin.denom)
    });
    Some(left.filter(|coin| !coin.amount.is_zero()).collect())
}

fn nanos(seconds: i64, nanos: i32) -> Option<u64> {
    let seconds = u64::try_from(seconds).ok()?;
    seconds.checked_mul(NANOS)?.checked_add(u64::try_from(nanos).ok()?)
}

fn timestamp(nanos: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(nanos / NANOS).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos % NANOS).unwrap_or(0),
    }
}

/// All grants, by granter and grantee.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    all: BTreeMap<(String, String), Allowance>,
}

/// A devnet keeps at most so many grants.
const GRANTS_MAX: usize = 10_000;

fn pair(granter: &str, grantee: &str) -> (String, String) {
    (granter.to_owned(), grantee.to_owned())
}

impl Grants {
    /// The grant of one account to another.
    pub(crate) fn find(&self, granter: &str, grantee: &str) -> Option<&Allowance> {
        self.all.get(&pair(granter, grantee))
    }

    /// Keeps a new grant.
    ///
    /// # Errors
    /// One to oneself, a second one, and one that is over already.
    pub(crate) fn add(
        &mut self,
        granter: &str,
        grantee: &str,
        allowance: Allowance,
        now_nanos: u64,
    ) -> Result<(), TxError> {
        if granter == grantee {
            return Err(TxError::sdk(7, "cannot self-grant fee authorization", "invalid address"));
        }
        if self.find(granter, grantee).is_some() {
            return Err(TxError::request("fee allowance already exists"));
        }
        if allowance.ends_nanos.is_some_and(|end| end < now_nanos) {
            return Err(TxError::request("expiration is before current block time"));
        }
        if self.all.len() >= GRANTS_MAX {
            return Err(TxError::request(format!("devnet keeps at most {GRANTS_MAX} fee grants")));
        }
        self.all.insert(pair(granter, grantee), allowance);
        Ok(())
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// Code 38 when there is none.
    pub(crate) fn remove(&mut self, granter: &str, grantee: &str) -> Result<(), TxError> {
        self.all.remove(&pair(granter, grantee)).map(|_| ()).ok_or_else(missing)
    }

    /// Keeps what a grant came to.
    pub(crate) fn keep(&mut self, granter: &str, grantee: &str, rest: Rest) {
        match rest {
            Some(allowance) => self.all.insert(pair(granter, grantee), allowance),
            None => self.all.remove(&pair(granter, grantee)),
        };
    }

    /// Drops grants that are over, as the SDK does at the end of a block.
    pub(crate) fn sweep(&mut self, now_nanos: u64) {
        self.all.retain(|_, allowance| allowance.ends_nanos.is_none_or(|end| end > now_nanos));
    }

    /// A grant as a query answers it.
    ///
    /// # Errors
    /// Code 38 when there is none.
    pub(crate) fn show(&self, granter: &str, grantee: &str) -> Result<Grant, TxError> {
        let allowance = self.find(granter, grantee).ok_or_else(missing)?;
        Ok(Grant {
            granter: granter.to_owned(),
            grantee: grantee.to_owned(),
            allowance: Some(allowance.encode()),
        })
    }
}

/// The account that pays a fee in place of the signer.
#[derive(Clone, Debug)]
pub(crate) struct Sponsor {
    /// What it holds.
    pub(crate) balance: Vec<Coin>,
    /// What it allows the signer, if anything.
    pub(crate) allowance: Option<Allowance>,
}

impl Sponsor {
    /// What is left of the allowance when it pays a fee.
    ///
    /// # Errors
    /// The SDK's: no grant, one that does not cover the fee, or too small a balance.
    pub(crate) fn pay(
        &self,
        (granter, grantee): (&str, &str),
        fee: &[Coin],
        now_nanos: u64,
        types: impl Iterator<Item = &'static str>,
    ) -> Result<Rest, TxError> {
        let rest = self
            .allowance
            .clone()
            .ok_or_else(missing)
            .and_then(|allowance| allowance.spend(fee, now_nanos, types));
        let rest = rest.map_err(|error| TxError {
            log: format!("{granter} does not allow to pay fees for {grantee}: {}", error.log),
            ..error
        })?;
        crate::ante::affordable(&self.balance, fee)?;
        Ok(rest)
    }
}

#[cfg(test)]
mod tests;
