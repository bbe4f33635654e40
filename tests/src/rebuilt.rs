//! The contract's store, written anew from what the log's entries say (LOG-1), so that it can be compared byte by byte.

#![expect(clippy::unwrap_used, reason = "a harness fails a test by a panic")]

use std::collections::BTreeMap;

use concord_coordinator::state;
use concord_schema::proposal::Content;
use concord_schema::replay::Replay;
use concord_schema::rules::Class;
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{Empty, Order, Storage};

/// What is no fact of the deployment: name and version of the code, as `cw2` keeps them.
pub const LEFT_OUT: &[u8] = b"contract_info";

/// Keys and values of a store.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// Everything that the contract would hold.
#[must_use]
pub fn records(replay: &Replay) -> Records {
    let mut storage = MockStorage::new();
    settings(&mut storage, replay);
    proposals(&mut storage, replay);
    fleet(&mut storage, replay);
    storage.range(None, None, Order::Ascending).collect()
}

fn settings(storage: &mut dyn Storage, replay: &Replay) {
    state::CONFIG.save(storage, &replay.config).unwrap();
    state::LOG_HEAD.save(storage, &replay.log_head).unwrap();
    state::GUARDIANS.save(storage, &replay.guardians).unwrap();
    for (version, rules) in (1u32..).zip(&replay.rules) {
        state::RULES_HEAD.save(storage, &rules.head(version)).unwrap();
        state::RULES_ALL.save(storage, (version, state::RULES_WHOLE), rules).unwrap();
        for class in [Class::Routine, Class::Standard, Class::Critical, Class::Constitutional] {
            state::RULES.save(storage, (version, class.letter()), rules.row(class)).unwrap();
        }
    }
    for change in &replay.members_log {
        match &change.weight {
            Some(weight) => state::MEMBERS.save(storage, &change.addr, weight, change.height).unwrap(),
            None => state::MEMBERS.remove(storage, &change.addr, change.height).unwrap(),
        }
    }
    for (height, total) in &replay.members_total_log {
        state::MEMBERS_TOTAL.save(storage, total, *height).unwrap();
    }
    for (addr, auditor) in &replay.auditors {
        state::AUDITORS.save(storage, addr, auditor).unwrap();
    }
    for (scope, brake) in &replay.brakes {
        state::BRAKES.save(storage, scope, brake).unwrap();
    }
    for (digest, release) in &replay.releases {
        state::RELEASES.save(storage, &digest.to_string(), release).unwrap();
    }
    for (digest, standing) in &replay.standings {
        state::STANDINGS.save(storage, &digest.to_string(), standing).unwrap();
    }
}

fn proposals(storage: &mut dyn Storage, replay: &Replay) {
    for (id, proposal) in &replay.proposals {
        state::PROPOSAL_COUNT.save(storage, &id.0).unwrap();
        state::PROPOSALS.save(storage, id.0, proposal).unwrap();
    }
    for (id, draft) in &replay.drafts {
        state::DRAFTS.save(storage, id.0, &Content::of(draft)).unwrap();
    }
    for (id, tally) in &replay.tallies {
        state::TALLIES.save(storage, id.0, tally).unwrap();
    }
    for ((id, voter), ballot) in &replay.ballots {
        state::BALLOTS.save(storage, (id.0, voter), ballot).unwrap();
        state::BALLOTS_OF.save(storage, (voter, id.0), &Empty {}).unwrap();
    }
    for ((id, revision, auditor), attestation) in &replay.attestations {
        state::ATTESTATIONS.save(storage, (id.0, *revision, auditor), attestation).unwrap();
    }
    for (id, approvals) in &replay.approvals {
        state::APPROVALS.save(storage, id.0, approvals).unwrap();
    }
    for ((id, addr), count) in &replay.comments {
        state::COMMENTS.save(storage, (id.0, addr), count).unwrap();
    }
    for (addr, coins) in &replay.claimable {
        state::CLAIMABLE.save(storage, addr, coins).unwrap();
    }
    for (denom, amount) in &replay.liabilities {
        state::LIABILITIES.save(storage, denom, amount).unwrap();
    }
    for (denom, amount) in &replay.treasury {
        state::TREASURY.save(storage, denom, amount).unwrap();
    }
}

fn fleet(storage: &mut dyn Storage, replay: &Replay) {
    for ((operator, component), facts) in &replay.operators {
        state::OPERATORS.save(storage, (operator, component), facts).unwrap();
    }
    for (name, component) in &replay.components {
        state::COMPONENTS.save(storage, name, component).unwrap();
        for (power, no) in replay.nodes_by_power(name) {
            state::NODES_BY_POWER.save(storage, (name, power.0, no.0), &Empty {}).unwrap();
        }
    }
    for (group, down) in &replay.down {
        state::DOWN.save(storage, group, down).unwrap();
    }
    for (no, node) in &replay.nodes {
        let name = (node.operator.as_str(), node.component.as_str(), node.node_id.as_str());
        state::NODE_COUNT.save(storage, &no.0).unwrap();
        state::NODES.save(storage, no.0, node).unwrap();
        state::NODE_NAMES.save(storage, name, &no.0).unwrap();
    }
    for (key, node) in &replay.hot_keys {
        state::HOT_KEYS.save(storage, key, node).unwrap();
    }
    for (id, rollout) in &replay.rollouts {
        state::ROLLOUT_COUNT.save(storage, &id.0).unwrap();
        state::ROLLOUTS.save(storage, id.0, rollout).unwrap();
    }
    for (id, progress) in &replay.progress {
        state::PROGRESS.save(storage, id.0, progress).unwrap();
    }
    for ((id, lot, node), ready) in &replay.ready_by_lot {
        state::READY_BY_LOT.save(storage, (id.0, *lot, node.0), ready).unwrap();
    }
    for (node, seat) in &replay.seats {
        state::SEATS.save(storage, node.0, seat).unwrap();
    }
}

/// The first record in which a store and what was rebuilt of it differ, as text.
#[must_use]
pub fn difference(stored: &Records, rebuilt: &Records) -> Option<String> {
    let keys = stored.keys().chain(rebuilt.keys()).filter(|key| key.as_slice() != LEFT_OUT);
    let text = |value: Option<&Vec<u8>>| match value {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => "nothing".to_owned(),
    };
    keys.filter(|key| stored.get(*key) != rebuilt.get(*key)).min().map(|key| {
        let name = String::from_utf8_lossy(key).into_owned();
        format!("{name:?}\n  stored  {}\n  rebuilt {}", text(stored.get(key)), text(rebuilt.get(key)))
    })
}
