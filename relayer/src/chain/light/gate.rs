//! What must hold of the chain before its facts count: the trusting period fits it, and the contract runs known code.

use concord_decide::Distrust;
use concord_prove::{Terms, code_checksum, contract_code, unbonding_seconds};

use super::keep::{CHECKSUMS_MAX, Checksum};
use crate::causes::told;
use crate::chain::{Address, RpcError};

/// What was proved so far.
#[derive(Debug)]
pub(super) struct Gate {
    accepted: Vec<Checksum>,
    /// Nothing was accepted yet, and the operator begins now with what is proved.
    pub(super) accepts_first: bool,
    unbonding_known: bool,
    code: Option<(u64, Checksum)>,
}

fn unproved(why: String) -> RpcError {
    RpcError::Distrusted { cause: Distrust::Unproved, why }
}

/// The number of the contract's code, from its proved record.
pub(super) fn code_of(contract: &Address, record: Option<&[u8]>) -> Result<u64, RpcError> {
    let record = record.ok_or_else(|| {
        unproved(format!(
            "expected a contract at {}, the chain proves that there is none; correct chain.contract",
            contract.text()
        ))
    })?;
    contract_code(record).map_err(|reason| unproved(reason.to_string()))
}

impl Gate {
    pub(super) fn new(mut accepted: Vec<Checksum>) -> Self {
        accepted.sort_unstable();
        accepted.dedup();
        Self { accepted, accepts_first: false, unbonding_known: false, code: None }
    }

    pub(super) fn code(&self) -> Option<Checksum> {
        self.code.map(|(_, checksum)| checksum)
    }

    pub(super) fn knows_unbonding(&self) -> bool {
        self.unbonding_known
    }

    /// Takes the proved parameters of staking. A trusting period that nothing bounds protects nobody.
    pub(super) fn see_unbonding(&mut self, params: Option<&[u8]>, terms: &Terms) -> Result<(), RpcError> {
        let params = params.ok_or_else(|| {
            unproved("the chain has no staking parameters, so that no trusting period can be checked; use mode = \"trust\" with a full node of your own".to_owned())
        })?;
        let seconds = unbonding_seconds(params).map_err(|reason| unproved(reason.to_string()))?;
        terms
            .within(seconds)
            .map_err(|error| unproved(format!("chain.trusting_seconds: {}", told(&error))))?;
        self.unbonding_known = true;
        Ok(())
    }

    pub(super) fn knows_code(&self, code: u64) -> bool {
        self.code.is_some_and(|(known, _)| known == code)
    }

    /// Takes the proved record of the contract's code. Code never changes under its number.
    pub(super) fn see_code(&mut self, code: u64, record: Option<&[u8]>) -> Result<(), RpcError> {
        let record = record.ok_or_else(|| {
            unproved(format!("the chain proves that there is no code {code}; ask its developers"))
        })?;
        let checksum = code_checksum(record).map_err(|reason| unproved(reason.to_string()))?;
        if self.accepts_first && self.accepted.is_empty() {
            self.accepted.push(checksum);
        }
        self.code = Some((code, checksum));
        Ok(())
    }

    /// Whether the contract's code is an accepted one.
    pub(super) fn check(&self) -> Result<(), RpcError> {
        match self.code {
            Some((code, checksum)) if !self.accepted.contains(&checksum) => {
                let why = format!(
                    "the contract runs code {code} with checksum {}, which this agent was not told to accept (it accepts \
                     {}); update the agent, or add the checksum to chain.checksums once you have verified it",
                    hex::encode(checksum),
                    listed(&self.accepted)
                );
                Err(RpcError::Distrusted { cause: Distrust::AgentTooOld, why })
            }
            Some(_) => Ok(()),
            None => Err(unproved("the contract's code was not proved yet".to_owned())),
        }
    }
}

fn listed(checksums: &[Checksum]) -> String {
    if checksums.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = checksums.iter().take(CHECKSUMS_MAX.min(4)).map(hex::encode).collect();
    texts.join(", ")
}
