//! Answers to queries.

use cosmwasm_std::{Coin, Uint128};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attestation::{Approvals, Attestation};
use crate::brake::Brake;
use crate::clock::{Moment, Now};
use crate::digest::Digest;
use crate::msg::Auditor;
use crate::node::{Component, Node};
use crate::proposal::{Draft, Member, Phase, Proposal};
use crate::release::{Release, Standing};
use crate::rollout::{Progress, Rollout, RolloutPhase, Seat};
use crate::rules::{Floors, Rules};
use crate::tally::{Ballot, Tally};
use crate::units::{NodeNo, ProposalId, RolloutId};
use crate::waiting::WaitingOn;

/// Settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ConfigAnswer {
    /// Shortest spans.
    pub floors: Floors,
    /// They are below the production floors: for development or a demo. Every client shows it.
    pub short_floors: bool,
    /// The block of the instantiation, where the log begins.
    pub since_height: u64,
    /// Version of the contract.
    pub version: String,
    /// This contract's address.
    pub contract: String,
    /// The chain's id.
    pub chain_id: String,
}

/// Rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct RulesAnswer {
    /// Their version.
    pub version: u32,
    /// Their digest.
    pub digest: Digest,
    /// All numbers.
    pub rules: Rules,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ReleaseAnswer {
    /// What it may do.
    pub standing: Standing,
    /// Its metadata.
    pub release: Release,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ComponentAnswer {
    /// Its name.
    pub name: String,
    /// Its facts.
    pub component: Component,
}

/// Components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ComponentsAnswer {
    /// The page.
    pub components: Vec<ComponentAnswer>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ProposalAnswer {
    /// Its number.
    pub id: ProposalId,
    /// Where it is.
    pub phase: Phase,
    /// Why it does not move.
    pub waiting_on: WaitingOn,
    /// Its facts.
    pub proposal: Proposal,
    /// Its content.
    pub draft: Draft,
    /// Its tally.
    pub tally: Tally,
    /// Approvals of its revision.
    pub approvals: Approvals,
}

/// A line of a list of proposals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ProposalLine {
    /// Its number.
    pub id: ProposalId,
    /// Where it is.
    pub phase: Phase,
    /// Its facts.
    pub proposal: Proposal,
}

/// Proposals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ProposalsAnswer {
    /// The page.
    pub proposals: Vec<ProposalLine>,
    /// Go on before this one.
    pub scanned_to: Option<ProposalId>,
}

/// Members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct MembersAnswer {
    /// The page.
    pub members: Vec<Member>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// An auditor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct AuditorAnswer {
    /// Account.
    pub addr: String,
    /// Its facts.
    pub auditor: Auditor,
}

/// Auditors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct AuditorsAnswer {
    /// The page.
    pub auditors: Vec<AuditorAnswer>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// Forfeited deposits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct TreasuryAnswer {
    /// The page.
    pub coins: Vec<Coin>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// How often an account commented.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct CommentAnswer {
    /// Account.
    pub addr: String,
    /// Comments.
    pub count: u32,
}

/// Comments on a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct CommentsAnswer {
    /// The page.
    pub comments: Vec<CommentAnswer>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// A ballot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct BallotAnswer {
    /// On which proposal.
    pub proposal: ProposalId,
    /// Whose.
    pub voter: String,
    /// What.
    pub ballot: Ballot,
    /// Its weight.
    pub weight: Uint128,
}

/// Ballots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct BallotsAnswer {
    /// The page.
    pub ballots: Vec<BallotAnswer>,
    /// Go on after this key.
    pub scanned_to: Option<String>,
}

/// An attestation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct AttestationAnswer {
    /// Whose.
    pub auditor: String,
    /// Its facts.
    pub attestation: Attestation,
}

/// Attestations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct AttestationsAnswer {
    /// The page.
    pub attestations: Vec<AttestationAnswer>,
    /// Go on after this one.
    pub scanned_to: Option<String>,
}

/// Nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct NodesAnswer {
    /// The page.
    pub nodes: Vec<Node>,
    /// Go on after this one.
    pub scanned_to: Option<NodeNo>,
}

/// A rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct RolloutAnswer {
    /// Its number.
    pub id: RolloutId,
    /// Where it is.
    pub phase: RolloutPhase,
    /// Why it does not move.
    pub waiting_on: WaitingOn,
    /// Its fixed facts.
    pub rollout: Rollout,
    /// Its moving facts.
    pub progress: Progress,
}

/// A node in a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct SeatAnswer {
    /// Which node.
    pub node: NodeNo,
    /// Its facts.
    pub seat: Seat,
}

/// Nodes in a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct SeatsAnswer {
    /// The page.
    pub seats: Vec<SeatAnswer>,
    /// Go on after this one.
    pub scanned_to: Option<NodeNo>,
}

/// A brake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct BrakeAnswer {
    /// It holds now.
    pub holds: bool,
    /// Its facts.
    pub brake: Brake,
    /// While it holds: when it ends, in block time and height, at the earliest.
    pub ends: Option<Moment>,
}

/// Why something does not move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ExplainAnswer {
    /// The block that answers.
    pub now: Now,
    /// Where it is, in a word.
    pub phase: String,
    /// Why it does not move.
    pub waiting_on: WaitingOn,
    /// The same in a sentence.
    pub sentence: String,
}

/// Would a message be taken?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct CanIAnswer {
    /// Yes or no.
    pub allowed: bool,
    /// Why not.
    pub why: Option<String>,
}

/// cw3's shape of a threshold with quorum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ThresholdAnswer {
    /// Shares of all and of the opinions.
    ThresholdQuorum {
        /// Yes of the opinions, as a decimal fraction.
        threshold: String,
        /// Cast of all, as a decimal fraction.
        quorum: String,
        /// All weight.
        total_weight: Uint128,
    },
}

/// cw3's shape of a ballot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct VoteInfo {
    /// Which.
    pub proposal_id: u64,
    /// Whose.
    pub voter: String,
    /// What.
    pub vote: Ballot,
    /// Its weight.
    pub weight: Uint128,
}

/// cw3's shape of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct VoteAnswer {
    /// The ballot, if there is one.
    pub vote: Option<VoteInfo>,
}

/// cw3's shape of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct VoteListAnswer {
    /// The page.
    pub votes: Vec<VoteInfo>,
}
