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

impl Statement {
    /// The bytes that are signed.
    #[must_use]
    pub fn sign_bytes(&self, chain_id: &str, contract: &str) -> Vec<u8> {
        Canonical::new("concord/attestation/1")
            .text(chain_id)
            .text(contract)
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
