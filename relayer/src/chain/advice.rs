//! What to do about a refused transaction, where its sender can do something.

use super::error::{Cause, Refused};

impl Refused {
    /// The refusal, with what to do where something can be done.
    #[must_use]
    pub fn told(&self) -> String {
        match self.advice() {
            Some(advice) => format!("{self}; {advice}"),
            None => self.to_string(),
        }
    }

    /// What was expected, what was found and what to do, in one clause; `None` where the refusal says it all.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match self.cause() {
            Cause::Fee => Some(self.low_fee()),
            Cause::Funds => Some(self.empty()),
            Cause::Grant => Some(self.no_grant()),
            Cause::Gas => Some("the gas did not suffice; raise gas.limit_percent".to_owned()),
            _ if self.log.contains("can not create code") => Some(
                "expected an account that may upload code on this chain, found one that may not; have an allowed account \
                 or the chain's governance upload it, and name the code with --code-id"
                    .to_owned(),
            ),
            _ if self.log.contains("can not instantiate") => Some(
                "expected a code that this account may instantiate, found one with another permission; upload it with \
                 this account, or have the permitted one deploy"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn low_fee(&self) -> String {
        // The SDK writes `insufficient fees; got: A required: B: insufficient fee`.
        let both = self.log.split_once("got: ").and_then(|(_, rest)| rest.split_once(" required: "));
        let Some((found, rest)) = both else {
            return "the fee is too low for this node; raise gas.price".to_owned();
        };
        let expected = rest.split([':', ' ', ']']).next().unwrap_or(rest);
        let found = if found.is_empty() { "none" } else { found };
        format!("expected a fee of at least {expected}, found {found}; raise gas.price")
    }

    fn empty(&self) -> String {
        // The SDK writes `spendable balance A is smaller than B: insufficient funds`.
        let both = self
            .log
            .split_once("spendable balance ")
            .and_then(|(_, rest)| rest.split_once(" is smaller than "));
        let Some((found, rest)) = both else {
            return "the account that pays has too little; send it coins".to_owned();
        };
        let expected = rest.split([':', ' ']).next().unwrap_or(rest);
        format!("expected at least {expected} on the account that pays, found {found}; send it coins")
    }

    fn no_grant(&self) -> String {
        let told = if self.log.contains("fee limit exceeded") {
            "expected a fee within the allowance, found it used up for this period or in total; wait for the next period, \
             or have the owner grant more"
        } else if self.log.contains("fee allowance expired") {
            "expected a fee grant that is in force, found one that expired; have the owner renew it"
        } else if self.log.contains("message not allowed") || self.log.contains("allowed messages") {
            "expected messages that the fee grant is for, found another; send it without gas.fee_granter"
        } else {
            "expected a fee grant of gas.fee_granter to the signing key, found none (one that ends is swept away); have \
             the owner grant one, or unset gas.fee_granter"
        };
        format!("{told} (concord keys grant)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_that_its_sender_can_mend_says_how() {
        let table = [
            (
                "sdk",
                13,
                "insufficient fees; got: 1ucosm required: 25ucosm: insufficient fee",
                Some("expected a fee of at least 25ucosm, found 1ucosm; raise gas.price"),
            ),
            (
                "sdk",
                13,
                "insufficient fees; got:  required: 25ucosm: insufficient fee",
                Some("found none; raise gas.price"),
            ),
            ("sdk", 13, "too low", Some("raise gas.price")),
            (
                "sdk",
                5,
                "spendable balance 3ucosm is smaller than 300ucosm: insufficient funds",
                Some("expected at least 300ucosm on the account that pays, found 3ucosm; send it coins"),
            ),
            ("sdk", 5, "no money", Some("send it coins")),
            ("sdk", 11, "out of gas", Some("raise gas.limit_percent")),
            (
                "sdk",
                18,
                "rpc error: code = Unknown desc = failed to execute message; message index: 0: can not create code: \
                 unauthorized",
                Some("--code-id"),
            ),
            ("sdk", 4, "can not instantiate: unauthorized", Some("another permission")),
            (
                "sdk",
                38,
                "wasm1a does not allow to pay fees for wasm1b: fee-grant not found: not found",
                Some("have the owner grant one"),
            ),
            ("feegrant", 2, "period limit: fee limit exceeded", Some("used up")),
            (
                "feegrant",
                3,
                "absolute limit: fee allowance expired",
                Some("expired; have the owner renew it"),
            ),
            (
                "feegrant",
                7,
                "message does not exist in allowed messages: message not allowed",
                Some("without gas.fee_granter"),
            ),
            ("wasm", 5, "no: execute wasm contract failed", None),
            ("sdk", 32, "account sequence mismatch", None),
        ];
        for (codespace, code, log, advice) in table {
            let refused = Refused { codespace: codespace.into(), code, log: log.into() };
            let found = refused.advice();
            match advice {
                Some(part) => {
                    assert!(found.as_deref().is_some_and(|found| found.contains(part)), "{log}: {found:?}")
                }
                None => assert_eq!(found, None, "{log}"),
            }
        }
    }
}
