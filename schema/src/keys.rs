//! Storage keys as an interface: what is proved is exactly these bytes. The contract binds its `Item`s and `Map`s to
//! these names; goldens pin key and value bytes.

use crate::brake::Scope;
use crate::digest::Digest;
use crate::rules::Class;
use crate::units::{NodeNo, ProposalId, RolloutId};

/// Version of the stored facts, which each of them carries as `v`.
pub const FACTS_VERSION: u8 = 1;

/// Deployment's settings: chain-wide, fixed at instantiation.
pub const CONFIG: &str = "config";
/// The rules in force, in short.
pub const RULES_HEAD: &str = "rules_head";
/// Rules by version and class letter.
pub const RULES: &str = "rules";
/// Members' weights, with their past.
pub const MEMBERS: &str = "members";
/// The members' past.
pub const MEMBERS_LOG: &str = "members_log";
/// The members' checkpoints.
pub const MEMBERS_CHECKS: &str = "members_checks";
/// Sum of members' weights, with its past.
pub const MEMBERS_TOTAL: &str = "members_total";
/// The sum's past.
pub const MEMBERS_TOTAL_LOG: &str = "members_total_log";
/// The sum's checkpoints.
pub const MEMBERS_TOTAL_CHECKS: &str = "members_total_checks";
/// Auditors by account.
pub const AUDITORS: &str = "auditors";
/// The guardians' list.
pub const GUARDIANS: &str = "guardians";
/// Operators by account and component.
pub const OPERATORS: &str = "operators";
/// Components by name.
pub const COMPONENTS: &str = "components";
/// Power that is down by lease, by group.
pub const DOWN: &str = "down";
/// Releases by digest.
pub const RELEASES: &str = "releases";
/// Standing of a release, by digest.
pub const STANDINGS: &str = "standings";
/// Number of the newest proposal.
pub const PROPOSAL_COUNT: &str = "proposal_count";
/// Facts of a proposal.
pub const PROPOSALS: &str = "proposals";
/// Content of a proposal.
pub const DRAFTS: &str = "drafts";
/// Tally of a proposal.
pub const TALLIES: &str = "tallies";
/// Ballots by proposal and voter.
pub const BALLOTS: &str = "ballots";
/// Ballots of a voter: voter and proposal.
pub const BALLOTS_OF: &str = "ballots_of";
/// Attestations by proposal, revision and auditor.
pub const ATTESTATIONS: &str = "attestations";
/// Approvals of a proposal's revision.
pub const APPROVALS: &str = "approvals";
/// Deposits that can be claimed, by account.
pub const CLAIMABLE: &str = "claimable";
/// What the contract owes, by denomination.
pub const LIABILITIES: &str = "liabilities";
/// Forfeited deposits, by denomination.
pub const TREASURY: &str = "treasury";
/// Number of the newest rollout.
pub const ROLLOUT_COUNT: &str = "rollout_count";
/// Facts of a rollout.
pub const ROLLOUTS: &str = "rollouts";
/// Progress of a rollout. Short: it is written with every report.
pub const PROGRESS: &str = "pr";
/// Nodes that are ready, by rollout and lot.
pub const READY_BY_LOT: &str = "lots";
/// A node in its newest rollout, by number. Short: it is written with every report.
pub const SEATS: &str = "seat";
/// Number of the newest node.
pub const NODE_COUNT: &str = "node_count";
/// Facts of a node, by number.
pub const NODES: &str = "nodes";
/// A node's number by operator, component and node id.
pub const NODE_NAMES: &str = "node_names";
/// That a node has a power, by component, power and number: the last key is the largest.
pub const NODES_BY_POWER: &str = "nodes_by_power";
/// Facts of a node again, by hot key: its own messages read one key less.
pub const HOT_KEYS: &str = "hot_keys";
/// The brakes, by scope.
pub const BRAKES: &str = "brakes";
/// The log's head. Short: it is written with every change.
pub const LOG_HEAD: &str = "log";
/// Events of accounts' comments: count by proposal and account.
pub const COMMENTS: &str = "comments";

/// The name of a brake's scope in its key; a component cannot be called `*`.
#[must_use]
pub fn scope(scope: &Scope) -> &str {
    match scope {
        Scope::All => "*",
        Scope::Component(name) => name,
    }
}

/// The raw key of an entry of a map: every part but the last behind its length of two bytes, big-endian, the last
/// one bare. Parts are far shorter than 65,536 bytes: [`crate::text`] bounds them.
#[must_use]
pub fn map(namespace: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::new();
    let (last, front) =
        parts.split_last().map_or((&[] as &[u8], &[] as &[&[u8]]), |(last, front)| (*last, front));
    for part in core::iter::once(namespace.as_bytes()).chain(front.iter().copied()) {
        key.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        key.extend_from_slice(part);
    }
    key.extend_from_slice(last);
    key
}

/// Key of a component's facts.
#[must_use]
pub fn component(name: &str) -> Vec<u8> {
    map(COMPONENTS, &[name.as_bytes()])
}

/// Key of a release's metadata.
#[must_use]
pub fn release(digest: &Digest) -> Vec<u8> {
    map(RELEASES, &[digest.to_string().as_bytes()])
}

/// Key of a release's standing.
#[must_use]
pub fn standing(digest: &Digest) -> Vec<u8> {
    map(STANDINGS, &[digest.to_string().as_bytes()])
}

/// Key of a proposal's facts.
#[must_use]
pub fn proposal(id: ProposalId) -> Vec<u8> {
    map(PROPOSALS, &[&id.0.to_be_bytes()])
}

/// Key of a proposal's content.
#[must_use]
pub fn content(id: ProposalId) -> Vec<u8> {
    map(DRAFTS, &[&id.0.to_be_bytes()])
}

/// Key of a proposal's tally.
#[must_use]
pub fn tally(id: ProposalId) -> Vec<u8> {
    map(TALLIES, &[&id.0.to_be_bytes()])
}

/// Key of one class's row of a version of the rules.
#[must_use]
pub fn rules_row(version: u32, class: Class) -> Vec<u8> {
    map(RULES, &[&version.to_be_bytes(), class.letter().as_bytes()])
}

/// Key of a rollout's facts.
#[must_use]
pub fn rollout(id: RolloutId) -> Vec<u8> {
    map(ROLLOUTS, &[&id.0.to_be_bytes()])
}

/// Key of a rollout's progress.
#[must_use]
pub fn progress(id: RolloutId) -> Vec<u8> {
    map(PROGRESS, &[&id.0.to_be_bytes()])
}

/// Key of a node's seat.
#[must_use]
pub fn seat(node: NodeNo) -> Vec<u8> {
    map(SEATS, &[&node.0.to_be_bytes()])
}

/// Key of a node's facts.
#[must_use]
pub fn node(no: NodeNo) -> Vec<u8> {
    map(NODES, &[&no.0.to_be_bytes()])
}

/// Key of a node's facts by its hot key.
#[must_use]
pub fn hot_key(addr: &str) -> Vec<u8> {
    map(HOT_KEYS, &[addr.as_bytes()])
}

/// Key of a brake.
#[must_use]
pub fn brake(of: &Scope) -> Vec<u8> {
    map(BRAKES, &[scope(of).as_bytes()])
}

/// Key of what is down in a group.
#[must_use]
pub fn down(group: &str) -> Vec<u8> {
    map(DOWN, &[group.as_bytes()])
}
