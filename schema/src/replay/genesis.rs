//! The deployment's own entry: everything that was set up, from the message in it.

use std::collections::BTreeMap;

use super::{At, Replay, ReplayError, WeightChange};
use crate::brake::{Brake, Scope};
use crate::keys;
use crate::log::Head;
use crate::msg::{Auditor, Config, GenesisComponent, GenesisOperator, Guardians, InstantiateMsg};
use crate::node::{Component, Operator};
use crate::release::{ReleaseFacts, Standing};
use crate::units::Power;
use cosmwasm_std::Uint128;

/// What a deployment holds.
pub(super) fn deploy(at: &At<'_>, rules: &str, genesis: &str) -> Result<Replay, ReplayError> {
    let message: InstantiateMsg = at.json("genesis", genesis)?;
    at.agree("the rules' digest", message.rules.digest().to_string(), rules.to_owned())?;
    let height = at.now.height.0;
    let total = message.members.iter().fold(Uint128::zero(), |sum, member| sum.saturating_add(member.weight));
    let change = |addr: &String, weight| WeightChange { height, addr: addr.clone(), weight: Some(weight) };
    let auditor = |organisation: String, key| Auditor { v: 1, organisation, key };
    let mut replay = Replay {
        log_head: Head::default(),
        config: Config { v: 1, floors: message.floors, since_height: height },
        rules: vec![message.rules],
        members_log: message.members.iter().map(|member| change(&member.addr, member.weight)).collect(),
        members: message.members.into_iter().map(|member| (member.addr, member.weight)).collect(),
        members_total_log: vec![(height, total)],
        auditors: message
            .auditors
            .into_iter()
            .map(|genesis| (genesis.addr, auditor(genesis.organisation, genesis.key)))
            .collect(),
        guardians: Guardians { v: 1, addrs: message.guardians.addrs, threshold: message.guardians.threshold },
        operators: BTreeMap::new(),
        components: BTreeMap::new(),
        down: BTreeMap::new(),
        releases: BTreeMap::new(),
        standings: BTreeMap::new(),
        proposals: BTreeMap::new(),
        drafts: BTreeMap::new(),
        tallies: BTreeMap::new(),
        ballots: BTreeMap::new(),
        attestations: BTreeMap::new(),
        approvals: BTreeMap::new(),
        comments: BTreeMap::new(),
        claimable: BTreeMap::new(),
        liabilities: BTreeMap::new(),
        treasury: BTreeMap::new(),
        rollouts: BTreeMap::new(),
        progress: BTreeMap::new(),
        ready_by_lot: BTreeMap::new(),
        seats: BTreeMap::new(),
        nodes: BTreeMap::new(),
        hot_keys: BTreeMap::new(),
        brakes: BTreeMap::from([(keys::scope(&Scope::All).to_owned(), Brake::off())]),
    };
    for operator in message.operators {
        enlist(&mut replay, operator);
    }
    for component in message.components {
        add(&mut replay, component);
    }
    Ok(replay)
}

fn enlist(replay: &mut Replay, operator: GenesisOperator) {
    let GenesisOperator { addr, organisation, component, power } = operator;
    replay.operators.insert((addr, component), Operator::new(organisation, power));
}

fn add(replay: &mut Replay, component: GenesisComponent) {
    let group = component.group.unwrap_or_else(|| component.name.clone());
    let current = component.baseline.digest();
    let facts = Component::new(current, component.baseline.version.clone(), group.clone());
    replay.releases.insert(current, component.baseline);
    replay.standings.insert(current, ReleaseFacts::new(Standing::Allowed));
    replay.brakes.insert(component.name.clone(), Brake::off());
    replay.down.insert(group, Power(0));
    replay.components.insert(component.name, facts);
}
