//! Queries and their answers. Lists come in pages of at most [`PAGE_MAX`] with `scanned_to`, the key to go on from.

mod answer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answer::*;

use crate::brake::Scope;
use crate::digest::Digest;
use crate::msg::ExecuteMsg;
use crate::units::{NodeNo, ProposalId, RolloutId};

/// The most records that one query reads.
pub const PAGE_MAX: u32 = 30;
/// Records without a limit asked for.
pub const PAGE_DEFAULT: u32 = 10;

/// What can be asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// A proposal.
    Proposal(ProposalId),
    /// A rollout.
    Rollout(RolloutId),
    /// A node in a rollout.
    Seat {
        /// The rollout.
        rollout: RolloutId,
        /// The node.
        node: NodeNo,
    },
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum QueryMsg {
    /// Settings, with `short_floors`.
    /// Answers `ConfigAnswer`.
    Config {},
    /// The rules in force, or of a version.
    /// Answers `RulesAnswer`.
    Rules {
        /// Which; the newest by default.
        version: Option<u32>,
    },
    /// The guardians.
    /// Answers `Guardians`.
    Guardians {},
    /// Auditors by account.
    /// Answers `AuditorsAnswer`.
    Auditors {
        /// After this account.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Forfeited deposits by denomination.
    /// Answers `TreasuryAnswer`.
    Treasury {
        /// After this denomination.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// How often accounts commented on a proposal, by account. The comments themselves are in the log.
    /// Answers `CommentsAnswer`.
    Comments {
        /// Which.
        proposal: ProposalId,
        /// After this account.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A component.
    /// Answers `ComponentAnswer`.
    Component {
        /// Its name.
        name: String,
    },
    /// Components by name.
    /// Answers `ComponentsAnswer`.
    Components {
        /// After this name.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A release.
    /// Answers `ReleaseAnswer`.
    Release {
        /// Its digest.
        digest: Digest,
    },
    /// A proposal with its content, tally and phase.
    /// Answers `ProposalAnswer`.
    Proposal {
        /// Which.
        proposal: ProposalId,
    },
    /// Proposals, the newest first.
    /// Answers `ProposalsAnswer`.
    Proposals {
        /// Before this number.
        before: Option<ProposalId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A member's weight now.
    /// Answers `Option<Member>`.
    Member {
        /// Who.
        addr: String,
    },
    /// Members by account.
    /// Answers `MembersAnswer`.
    Members {
        /// After this account.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A ballot.
    /// Answers `Option<BallotAnswer>`.
    Ballot {
        /// On which proposal.
        proposal: ProposalId,
        /// Whose.
        voter: String,
    },
    /// Ballots of a proposal by voter.
    /// Answers `BallotsAnswer`.
    Ballots {
        /// Which.
        proposal: ProposalId,
        /// After this voter.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Ballots of a voter by proposal.
    /// Answers `BallotsAnswer`.
    MyBallots {
        /// Whose.
        voter: String,
        /// After this proposal.
        after: Option<ProposalId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Attestations of a proposal's current revision.
    /// Answers `AttestationsAnswer`.
    Attestations {
        /// Which.
        proposal: ProposalId,
        /// After this auditor.
        after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// An operator for a component.
    /// Answers `Option<Operator>`.
    Operator {
        /// Who.
        addr: String,
        /// For which component.
        component: String,
    },
    /// A node by number.
    /// Answers `Node`.
    Node {
        /// Which.
        node: NodeNo,
    },
    /// A node by its hot key.
    /// Answers `Option<Node>`.
    NodeOf {
        /// The hot key.
        hot_key: String,
    },
    /// Nodes by number.
    /// Answers `NodesAnswer`.
    Nodes {
        /// After this number.
        after: Option<NodeNo>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A rollout with its progress and phase.
    /// Answers `RolloutAnswer`.
    Rollout {
        /// Which.
        rollout: RolloutId,
    },
    /// A node in a rollout, until it takes part in a newer one.
    /// Answers `Option<Seat>`.
    Seat {
        /// The rollout.
        rollout: RolloutId,
        /// The node.
        node: NodeNo,
    },
    /// Nodes in a rollout by number, those that have not gone on to a newer one. A page may hold fewer than it read.
    /// Answers `SeatsAnswer`.
    Seats {
        /// The rollout.
        rollout: RolloutId,
        /// After this node.
        after: Option<NodeNo>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Power that is down by lease in a group.
    /// Answers `Power`.
    Down {
        /// The group.
        group: String,
    },
    /// A brake.
    /// Answers `BrakeAnswer`.
    Brake {
        /// Its scope.
        scope: Scope,
    },
    /// The log's head.
    /// Answers `Head`.
    LogHead {},
    /// Why something does not move now.
    /// Answers `ExplainAnswer`.
    Explain {
        /// What.
        subject: Subject,
    },
    /// Would this message of this account be taken now, and if not, why?
    /// Answers `CanIAnswer`.
    CanI {
        /// Who.
        addr: String,
        /// What.
        msg: Box<ExecuteMsg>,
    },
    /// What an account can claim.
    /// Answers `Vec<Coin>`.
    Claimable {
        /// Who.
        addr: String,
    },
    /// cw3's question: the bars of a proposal's vote.
    /// Answers `ThresholdAnswer`.
    Threshold {
        /// Which.
        proposal_id: u64,
    },
    /// cw3's question: a voter's ballot.
    /// Answers `VoteAnswer`.
    Vote {
        /// Which.
        proposal_id: u64,
        /// Whose.
        voter: String,
    },
    /// cw3's question: all ballots.
    /// Answers `VoteListAnswer`.
    ListVotes {
        /// Which.
        proposal_id: u64,
        /// After this voter.
        start_after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
}
