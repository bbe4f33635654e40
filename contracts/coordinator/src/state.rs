//! The only place that names an `Item` or a `Map`. Each is bound to the name in `schema::keys`, since agents and
//! auditors prove exactly those bytes.

use concord_schema::attestation::{Approvals, Attestation};
use concord_schema::brake::Brake;
use concord_schema::keys;
use concord_schema::log::Head;
use concord_schema::msg::{Auditor, Config, Guardians};
use concord_schema::node::{Component, Node, Operator};
use concord_schema::proposal::{Content, Proposal};
use concord_schema::release::{Release, ReleaseFacts};
use concord_schema::rollout::{Progress, Rollout, Seat};
use concord_schema::rules::{ClassRules, Rules, RulesHead};
use concord_schema::tally::{Ballot, Tally};
use concord_schema::units::Power;
use cosmwasm_std::{Coin, Empty, Uint128, Uint256};
use cw_storage_plus::{SnapshotItem, SnapshotMap, Strategy};

use crate::stored::{Item, Map};

/// Settings of the deployment.
pub const CONFIG: Item<Config> = Item::new(keys::CONFIG);

/// The rules in force, in short.
pub const RULES_HEAD: Item<RulesHead> = Item::new(keys::RULES_HEAD);
/// One class's row, by version and [`concord_schema::rules::Class::letter`]: all that a verb about one proposal reads.
pub const RULES: Map<(u32, &str), ClassRules> = Map::new(keys::RULES);
/// The whole set, by version and [`RULES_WHOLE`].
pub const RULES_ALL: Map<(u32, &str), Rules> = Map::new(keys::RULES);
/// The letter of the whole set.
pub const RULES_WHOLE: &str = "a";

/// Members' weights, readable as they were before any block.
pub const MEMBERS: SnapshotMap<&str, Uint128> =
    SnapshotMap::new(keys::MEMBERS, keys::MEMBERS_CHECKS, keys::MEMBERS_LOG, Strategy::EveryBlock);
/// Their sum, likewise.
pub const MEMBERS_TOTAL: SnapshotItem<Uint128> = SnapshotItem::new(
    keys::MEMBERS_TOTAL,
    keys::MEMBERS_TOTAL_CHECKS,
    keys::MEMBERS_TOTAL_LOG,
    Strategy::EveryBlock,
);
/// Auditors by account.
pub const AUDITORS: Map<&str, Auditor> = Map::new(keys::AUDITORS);
/// The guardians.
pub const GUARDIANS: Item<Guardians> = Item::new(keys::GUARDIANS);
/// Operators by account and component.
pub const OPERATORS: Map<(&str, &str), Operator> = Map::new(keys::OPERATORS);

/// Components by name.
pub const COMPONENTS: Map<&str, Component> = Map::new(keys::COMPONENTS);
/// Power that is down by lease, by group; always present.
pub const DOWN: Map<&str, Power> = Map::new(keys::DOWN);
/// Metadata of releases, by digest in hex.
pub const RELEASES: Map<&str, Release> = Map::new(keys::RELEASES);
/// Standing of releases, by digest in hex.
pub const STANDINGS: Map<&str, ReleaseFacts> = Map::new(keys::STANDINGS);

/// Number of the newest proposal.
pub const PROPOSAL_COUNT: Item<u64> = Item::new(keys::PROPOSAL_COUNT);
/// Facts of proposals.
pub const PROPOSALS: Map<u64, Proposal> = Map::new(keys::PROPOSALS);
/// Content of proposals.
pub const DRAFTS: Map<u64, Content> = Map::new(keys::DRAFTS);
/// Tallies of proposals.
pub const TALLIES: Map<u64, Tally> = Map::new(keys::TALLIES);
/// Ballot and weight, by proposal and voter.
pub const BALLOTS: Map<(u64, &str), (Ballot, Uint128)> = Map::new(keys::BALLOTS);
/// That there is a ballot, by voter and proposal.
pub const BALLOTS_OF: Map<(&str, u64), Empty> = Map::new(keys::BALLOTS_OF);
/// Attestations by proposal, revision and auditor.
pub const ATTESTATIONS: Map<(u64, u8, &str), Attestation> = Map::new(keys::ATTESTATIONS);
/// Approvals of a proposal's current revision.
pub const APPROVALS: Map<u64, Approvals> = Map::new(keys::APPROVALS);
/// Number of comments, by proposal and account.
pub const COMMENTS: Map<(u64, &str), u32> = Map::new(keys::COMMENTS);

/// What an account can claim.
pub const CLAIMABLE: Map<&str, Vec<Coin>> = Map::new(keys::CLAIMABLE);
/// What the contract owes, treasury included, by denomination.
pub const LIABILITIES: Map<&str, Uint256> = Map::new(keys::LIABILITIES);
/// Forfeited deposits, by denomination.
pub const TREASURY: Map<&str, Uint256> = Map::new(keys::TREASURY);

/// Number of the newest rollout.
pub const ROLLOUT_COUNT: Item<u64> = Item::new(keys::ROLLOUT_COUNT);
/// Fixed facts of rollouts.
pub const ROLLOUTS: Map<u64, Rollout> = Map::new(keys::ROLLOUTS);
/// Moving facts of rollouts.
pub const PROGRESS: Map<u64, Progress> = Map::new(keys::PROGRESS);
/// Power, wave and organisation of ready nodes, by rollout, lot and node.
pub const READY_BY_LOT: Map<(u64, u64, u64), (Power, u8, String)> = Map::new(keys::READY_BY_LOT);
/// Seats by node: each has one.
pub const SEATS: Map<u64, Seat> = Map::new(keys::SEATS);

/// Number of the newest node.
pub const NODE_COUNT: Item<u64> = Item::new(keys::NODE_COUNT);
/// Facts of nodes.
pub const NODES: Map<u64, Node> = Map::new(keys::NODES);
/// A node's number, by operator, component and node id.
pub const NODE_NAMES: Map<(&str, &str, &str), u64> = Map::new(keys::NODE_NAMES);
/// That a node has a power, by component, power and number, so that the largest is known without a look at all.
pub const NODES_BY_POWER: Map<(&str, u64, u64), Empty> = Map::new(keys::NODES_BY_POWER);
/// Facts of nodes again, by hot key: what a node's own messages read is one key. A key that the node no longer uses
/// stays, so that it is never used again; [`crate::auth::hot_key`] refuses it.
pub const HOT_KEYS: Map<&str, Node> = Map::new(keys::HOT_KEYS);

/// Brakes by scope ([`keys::scope`]); always present, off or on.
pub const BRAKES: Map<&str, Brake> = Map::new(keys::BRAKES);

/// The log's head.
pub const LOG_HEAD: Item<Head> = Item::new(keys::LOG_HEAD);

#[cfg(test)]
mod tests {
    use super::*;
    use concord_schema::Digest;
    use concord_schema::brake::Scope;
    use concord_schema::rules::Class;
    use concord_schema::units::{NodeNo, ProposalId, RolloutId};

    /// What agents prove is what is stored.
    #[test]
    fn raw_keys_are_those_of_the_schema() {
        let digest = Digest::of(b"release");
        let hex = digest.to_string();
        let component = Scope::Component("feeder".into());
        for (ours, theirs) in [
            (COMPONENTS.key("feeder").to_vec(), keys::component("feeder")),
            (RELEASES.key(&hex).to_vec(), keys::release(&digest)),
            (STANDINGS.key(&hex).to_vec(), keys::standing(&digest)),
            (PROPOSALS.key(258).to_vec(), keys::proposal(ProposalId(258))),
            (DRAFTS.key(258).to_vec(), keys::content(ProposalId(258))),
            (TALLIES.key(258).to_vec(), keys::tally(ProposalId(258))),
            (RULES.key((7, "c")).to_vec(), keys::rules_row(7, Class::Critical)),
            (ROLLOUTS.key(3).to_vec(), keys::rollout(RolloutId(3))),
            (PROGRESS.key(3).to_vec(), keys::progress(RolloutId(3))),
            (SEATS.key(70_000).to_vec(), keys::seat(NodeNo(70_000))),
            (NODES.key(9).to_vec(), keys::node(NodeNo(9))),
            (HOT_KEYS.key("wasm1hot").to_vec(), keys::hot_key("wasm1hot")),
            (BRAKES.key("*").to_vec(), keys::brake(&Scope::All)),
            (BRAKES.key("feeder").to_vec(), keys::brake(&component)),
            (DOWN.key("feeder").to_vec(), keys::down("feeder")),
            (LOG_HEAD.as_slice().to_vec(), b"log".to_vec()),
            (CONFIG.as_slice().to_vec(), b"config".to_vec()),
        ] {
            assert_eq!(ours, theirs);
        }
    }
}
