//! Messages. They are not stored facts: what is stored is parsed from them at the door.

use crate::attestation::{Signature, SigningKey, Statement};
use crate::brake::Scope;
use crate::digest::Digest;
use crate::proposal::{Draft, Member};
use crate::release::{Document, Release};
use crate::report::Report;
use crate::rollout::Purpose;
use crate::rules::{Floors, Rules};
use crate::tally::Ballot;
use crate::units::{NodeNo, Power, ProposalId, RolloutId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most entries of each list at instantiation.
pub const GENESIS_MAX: usize = 1_000;

/// A component at instantiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct GenesisComponent {
    /// Its name.
    pub name: String,
    /// Components of one group share the bound on what is down; its own name by default.
    pub group: Option<String>,
    /// What its fleet runs today. Its standing is allowed.
    pub baseline: Release,
}

/// An auditor at instantiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct GenesisAuditor {
    /// Account.
    pub addr: String,
    /// Who controls it.
    pub organisation: String,
    /// The key of its signed statements; without one it attests by transaction only.
    pub key: Option<SigningKey>,
}

/// The guardians at instantiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct GenesisGuardians {
    /// Accounts.
    pub addrs: Vec<String>,
    /// How many lengthen the brake, and how many release it.
    pub threshold: u8,
}

/// An operator's power for one component at instantiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct GenesisOperator {
    /// Account: the owner key.
    pub addr: String,
    /// Who controls it.
    pub organisation: String,
    /// For which component.
    pub component: String,
    /// Power to split over its nodes.
    pub power: Power,
}

/// Sets up a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct InstantiateMsg {
    /// What is upgraded.
    pub components: Vec<GenesisComponent>,
    /// Who votes.
    pub members: Vec<Member>,
    /// Who attests.
    pub auditors: Vec<GenesisAuditor>,
    /// Who brakes.
    pub guardians: GenesisGuardians,
    /// Who runs nodes.
    pub operators: Vec<GenesisOperator>,
    /// Every governance number.
    pub rules: Rules,
    /// Shortest spans, for ever.
    pub floors: Floors,
}

/// What can be asked of the contract. Who may is one table: the contract's `auth.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExecuteMsg {
    /// Proposes; the deposit of the class goes with it.
    Propose {
        /// What and why.
        draft: Box<Draft>,
    },
    /// Replaces the content during deliberation or validation; voids attestations.
    Revise {
        /// Which.
        proposal: ProposalId,
        /// What and why.
        draft: Box<Draft>,
    },
    /// Takes a proposal back before its vote.
    Withdraw {
        /// Which.
        proposal: ProposalId,
    },
    /// Comments, by digest and address.
    Comment {
        /// On which.
        proposal: ProposalId,
        /// Where the text is.
        document: Document,
    },
    /// Attests a release: by an auditor's signature that anyone may carry, or by the auditor's own transaction.
    Attest {
        /// The statement.
        statement: Statement,
        /// The signature; none for a plain transaction of the auditor.
        signature: Option<Signature>,
    },
    /// Opens the vote of a validated proposal.
    OpenVote {
        /// Which.
        proposal: ProposalId,
    },
    /// Votes.
    Vote {
        /// On which.
        proposal: ProposalId,
        /// What.
        ballot: Ballot,
        /// The content that the voter saw.
        expect_digest: Digest,
        /// Why.
        rationale: Option<Document>,
    },
    /// Executes a proposal that is ready.
    Execute {
        /// Which.
        proposal: ProposalId,
    },
    /// Makes a proposal's deposit claimable once it has ended, or moves it to the treasury if it was vetoed.
    SettleDeposit {
        /// Which.
        proposal: ProposalId,
    },
    /// Pays out what the sender can claim.
    Claim {},
    /// Registers a node of the sender, or changes its power or hot key.
    Register {
        /// What it runs.
        component: String,
        /// The sender's name for it.
        node_id: String,
        /// What it counts for, of the sender's power.
        power: Power,
        /// The key that reports for it.
        hot_key: String,
    },
    /// Fixes the seed of a rollout.
    Draw {
        /// Which.
        rollout: RolloutId,
    },
    /// Reports, by the node's hot key.
    Report {
        /// In which rollout.
        rollout: RolloutId,
        /// What.
        report: Report,
    },
    /// Asks to be down, by the node's hot key.
    Lease {
        /// In which rollout.
        rollout: RolloutId,
        /// What for.
        purpose: Purpose,
    },
    /// Gives a lease back, by the node's hot key.
    ReturnLease {
        /// In which rollout.
        rollout: RolloutId,
        /// The try that it was granted for: a return that arrives late must not end a newer one.
        attempt: u8,
    },
    /// Ends a lease that ran out.
    ExpireLease {
        /// In which rollout.
        rollout: RolloutId,
        /// Whose.
        node: NodeNo,
    },
    /// Does the one thing that is due in a rollout.
    Advance {
        /// Which.
        rollout: RolloutId,
    },
    /// Pulls the brake, or adds a guardian to it.
    Brake {
        /// Where.
        scope: Scope,
    },
    /// Asks for the brake's release.
    Release {
        /// Where.
        scope: Scope,
    },
}

/// Answer of a message that may have nothing to do, in the transaction's data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Done {
    /// It changed the facts.
    pub changed: bool,
    /// What it did, or what it waits on, in words.
    pub what: String,
}

/// The brake's lengths and the guardians, as answered and stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Guardians {
    /// Version of these facts.
    pub v: u8,
    /// Accounts.
    pub addrs: Vec<String>,
    /// How many lengthen the brake, and how many release it.
    pub threshold: u8,
}

/// A deployment's settings, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Config {
    /// Version of these facts.
    pub v: u8,
    /// Shortest spans.
    pub floors: Floors,
    /// The block of the instantiation.
    pub since_height: u64,
}

/// An auditor, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Auditor {
    /// Version of these facts.
    pub v: u8,
    /// Who controls it.
    pub organisation: String,
    /// The key of its signed statements.
    pub key: Option<SigningKey>,
}
