//! Attestations: an auditor's claim about a release, signed over the whole domain, so that a signature is good for
//! one revision of one proposal on one contract of one chain (design 3, "Deliberation").

use cosmwasm_std::{Binary, HexBinary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Canonical, Digest};
use crate::units::{ProposalId, Seconds};

/// What an auditor says that it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Claim {
    /// Built it and found the same bytes.
    BuiltReproducibly,
    /// Ran it on a testnet.
    PassedOnTestnet,
    /// Read the change.
    Reviewed,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Finding {
    /// Counts towards closing the validation.
    Approves,
    /// Is recorded and does not count.
    Objects,
}

/// What an auditor states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Statement {
    /// The proposal.
    pub proposal: ProposalId,
    /// Its revision.
    pub revision: u8,
    /// Digest of the release.
    pub release: Digest,
    /// Digest over all platforms' digests ([`crate::release::Release::platforms_digest`]).
    pub platforms: Digest,
    /// What was done.
    pub claim: Claim,
    /// How it went.
    pub finding: Finding,
    /// Chosen by the auditor; keeps two statements apart.
    pub nonce: u64,
    /// Good before this block time.
    pub expires: Seconds,
}

impl Claim {
    /// As it is written in messages and in the text that a wallet shows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BuiltReproducibly => "built_reproducibly",
            Self::PassedOnTestnet => "passed_on_testnet",
            Self::Reviewed => "reviewed",
        }
    }
}

impl Finding {
    /// As it is written in messages and in the text that a wallet shows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approves => "approves",
            Self::Objects => "objects",
        }
    }
}

impl Statement {
    /// What a wallet shows and signs by ADR-36 ([`crate::adr36`]): the whole domain, one field a line. `auditor` is the
    /// account that states it, so that no signature counts for two.
    #[must_use]
    pub fn wallet_text(&self, chain_id: &str, contract: &str, auditor: &str) -> String {
        let Self { proposal, revision, release, platforms, claim, finding, nonce, expires } = self;
        let (claim, finding) = (claim.word(), finding.word());
        format!(
            "Concord attestation 1\nchain: {chain_id}\ncontract: {contract}\nauditor: {auditor}\nproposal: {proposal}\nrevision: {revision}\n\
             release: {release}\nplatforms: {platforms}\nclaim: {claim}\nfinding: {finding}\nnonce: {nonce}\n\
             expires: {expires}\n"
        )
    }

    /// The bytes that a key signs where a person does not read them; `auditor` as for [`Statement::wallet_text`].
    #[must_use]
    pub fn sign_bytes(&self, chain_id: &str, contract: &str, auditor: &str) -> Vec<u8> {
        Canonical::new("concord/attestation/1")
            .text(chain_id)
            .text(contract)
            .text(auditor)
            .number(self.proposal.0)
            .number(self.revision.into())
            .bytes(&self.release.0)
            .bytes(&self.platforms.0)
            .number(match self.claim {
                Claim::BuiltReproducibly => 0,
                Claim::PassedOnTestnet => 1,
                Claim::Reviewed => 2,
            })
            .number(match self.finding {
                Finding::Approves => 0,
                Finding::Objects => 1,
            })
            .number(self.nonce)
            .number(self.expires.0)
            .into_bytes()
    }
}

/// A key that signs statements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SigningKey {
    /// Signs the bytes themselves; 32 bytes.
    Ed25519(HexBinary),
    /// Signs the SHA-256 of the bytes; 33 bytes, compressed.
    Secp256k1(HexBinary),
}

impl SigningKey {
    /// The key's bytes, whatever its kind.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::Secp256k1(key) => key.as_slice(),
        }
    }

    /// Has the key its kind's length?
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        match self {
            Self::Ed25519(key) => key.len() == 32,
            Self::Secp256k1(key) => key.len() == 33,
        }
    }
}

/// A signature by an auditor's registered key, sent by anyone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Signature {
    /// The auditor's account.
    pub auditor: String,
    /// 64 bytes.
    pub signature: Binary,
    /// The account's secp256k1 key, 33 bytes compressed, where a wallet signed [`Statement::wallet_text`] by ADR-36;
    /// none where the registered key signed [`Statement::sign_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_key: Option<HexBinary>,
}

/// Stored facts of one auditor's attestation of one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Attestation {
    /// Version of these facts.
    pub v: u8,
    /// What it states.
    pub statement: Statement,
    /// The auditor's organisation at that time.
    pub organisation: String,
    /// Verified by signature in the contract, or sent by the auditor's own transaction.
    pub signed: bool,
}

/// Stored counts of one revision's approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approvals {
    /// Version of these facts.
    pub v: u8,
    /// The revision that they are for.
    pub revision: u8,
    /// Distinct auditors.
    pub auditors: u8,
    /// Their distinct organisations.
    pub organisations: Vec<String>,
}

impl Approvals {
    /// Adds one auditor's approval; the caller has checked that it is its first for this revision.
    pub fn add(&mut self, organisation: &str) {
        self.auditors = self.auditors.saturating_add(1);
        if !self.organisations.iter().any(|known| known == organisation) {
            self.organisations.push(organisation.to_owned());
        }
    }

    /// k distinct auditors of m distinct organisations?
    #[must_use]
    pub fn suffice(&self, auditors_min: u8, organisations_min: u8) -> bool {
        self.auditors >= auditors_min && self.organisations.len() >= usize::from(organisations_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_shows_the_whole_domain_in_the_words_of_the_messages() {
        let digest = |byte| Digest([byte; 32]);
        let mut statement = Statement {
            proposal: ProposalId(3),
            revision: 1,
            release: digest(0xab),
            platforms: digest(0xcd),
            claim: Claim::Reviewed,
            finding: Finding::Approves,
            nonce: 7,
            expires: Seconds(1_790_000_000),
        };
        let text = statement.wallet_text("concord-1", "wasm1contract", "wasm1auditor");
        let (release, platforms) = ("ab".repeat(32), "cd".repeat(32));
        let expected = format!(
            "Concord attestation 1\nchain: concord-1\ncontract: wasm1contract\nauditor: wasm1auditor\nproposal: 3\nrevision: 1\n\
             release: {release}\nplatforms: {platforms}\nclaim: reviewed\nfinding: approves\nnonce: 7\n\
             expires: 1790000000\n"
        );
        assert_eq!(text, expected);
        for claim in [Claim::BuiltReproducibly, Claim::PassedOnTestnet, Claim::Reviewed] {
            for finding in [Finding::Approves, Finding::Objects] {
                (statement.claim, statement.finding) = (claim, finding);
                let json = serde_json::to_value(&statement).unwrap();
                assert_eq!(
                    (json["claim"].as_str(), json["finding"].as_str()),
                    (Some(claim.word()), Some(finding.word()))
                );
            }
        }
    }
}
