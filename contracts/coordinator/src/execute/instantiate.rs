//! Sets up a deployment: every setting is checked before the first is stored.

use std::collections::BTreeMap;

use concord_schema::brake::{Brake, GUARDIANS_MAX, Scope};
use concord_schema::event::Event;
use concord_schema::keys;
use concord_schema::msg::{
    Auditor, Config, GENESIS_MAX, GenesisAuditor, GenesisComponent, GenesisGuardians, GenesisOperator,
    Guardians, InstantiateMsg,
};
use concord_schema::node::{Component, Operator};
use concord_schema::proposal::Member;
use concord_schema::release::{ReleaseFacts, Standing, count, distinct};
use concord_schema::rules::{Class, Rules};
use concord_schema::text;
use concord_schema::units::{POWER_MAX, Power};
use cosmwasm_std::{Api, DepsMut, Env, HexBinary, MessageInfo, Response, Storage, Uint128, to_json_string};

use crate::error::ContractError;
use crate::{load, log, state};

const CLASSES: [Class; 4] = [Class::Routine, Class::Standard, Class::Critical, Class::Constitutional];

/// Sets up a deployment.
///
/// # Errors
/// [`ContractError`] for the first setting that is out of bounds.
pub fn instantiate(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, ContractError> {
    let genesis = to_json_string(&msg)?;
    let InstantiateMsg { components, members, auditors, guardians, operators, rules, floors } = msg;
    let (storage, api) = (deps.storage, deps.api);
    rules.check(&floors)?;
    let largest = store_members(storage, api, env, &members)?;
    store_auditors(storage, api, &auditors)?;
    check_reachable(&rules, &auditors, largest)?;
    store_components(storage, &components)?;
    store_operators(storage, api, &operators)?;
    store_guardians(storage, api, &guardians)?;
    store_rules(storage, &rules)?;
    state::CONFIG.save(storage, &Config { v: 1, floors, since_height: env.block.height })?;
    state::BRAKES.save(storage, keys::scope(&Scope::All), &Brake::off())?;
    let event = Event::Instantiated {
        rules: rules.digest().to_string(),
        components: components.len().to_string(),
        genesis,
    };
    log::changed(storage, env, info.sender.as_str(), &[event], "instantiated")
}

/// Checks every account of a list, and refuses one that stands twice.
fn accounts<'a>(
    api: &dyn Api,
    what: &'static str,
    addrs: impl Iterator<Item = &'a String>,
) -> Result<Vec<String>, ContractError> {
    let checked = addrs.map(|addr| load::address(api, what, addr)).collect::<Result<Vec<_>, _>>()?;
    distinct(what, checked.iter().map(String::as_str))?;
    Ok(checked)
}

fn organisation(name: &str) -> Result<(), ContractError> {
    text::bounded("organisation", name, 1, text::ORGANISATION_MAX)?;
    Ok(text::name("organisation", name)?)
}

/// Stores the members and their sum; answers the largest weight.
fn store_members(
    storage: &mut dyn Storage,
    api: &dyn Api,
    env: &Env,
    members: &[Member],
) -> Result<Uint128, ContractError> {
    count("members", members.len(), 1, GENESIS_MAX)?;
    let addrs = accounts(api, "members", members.iter().map(|member| &member.addr))?;
    let mut total = Uint128::zero();
    let mut largest = Uint128::zero();
    for (member, addr) in members.iter().zip(&addrs) {
        if member.weight.is_zero() {
            return Err(ContractError::Number { what: "a member's weight", min: 1, max: u64::MAX, found: 0 });
        }
        total = total
            .checked_add(member.weight)
            .map_err(|_| ContractError::Sum { what: "members' weights", max: Uint128::MAX.to_string() })?;
        largest = largest.max(member.weight);
        state::MEMBERS.save(storage, addr, &member.weight, env.block.height)?;
    }
    state::MEMBERS_TOTAL.save(storage, &total, env.block.height)?;
    Ok(largest)
}

fn store_auditors(
    storage: &mut dyn Storage,
    api: &dyn Api,
    auditors: &[GenesisAuditor],
) -> Result<(), ContractError> {
    count("auditors", auditors.len(), 0, GENESIS_MAX)?;
    let addrs = accounts(api, "auditors", auditors.iter().map(|auditor| &auditor.addr))?;
    // One key is one voice: two names for it would be two of k auditors.
    let keys = auditors.iter().filter_map(|auditor| auditor.key.as_ref());
    let keys: Vec<String> = keys.map(|key| HexBinary::from(key.bytes()).to_hex()).collect();
    distinct("auditors' keys", keys.iter().map(String::as_str))?;
    for (auditor, addr) in auditors.iter().zip(&addrs) {
        organisation(&auditor.organisation)?;
        if let Some(key) = auditor.key.as_ref().filter(|key| !key.is_well_formed()) {
            return Err(ContractError::Mismatch {
                what: "the length of an auditor's key",
                expected: "32 bytes for ed25519, 33 for secp256k1".to_owned(),
                found: format!("{key:?}"),
            });
        }
        let facts = Auditor { v: 1, organisation: auditor.organisation.clone(), key: auditor.key.clone() };
        state::AUDITORS.save(storage, addr, &facts)?;
    }
    Ok(())
}

/// Refuses rules that nobody here could ever meet (LIVE-1).
fn check_reachable(
    rules: &Rules,
    auditors: &[GenesisAuditor],
    largest: Uint128,
) -> Result<(), ContractError> {
    let mut organisations: Vec<&str> = auditors.iter().map(|auditor| auditor.organisation.as_str()).collect();
    organisations.sort_unstable();
    organisations.dedup();
    for class in CLASSES {
        let row = rules.row(class);
        for (what, max, found) in [
            ("auditors_min", auditors.len(), row.auditors_min),
            ("organisations_min", organisations.len(), row.organisations_min),
        ] {
            if usize::from(found) > max {
                return Err(ContractError::Number { what, min: 0, max: max as u64, found: found.into() });
            }
        }
        if row.proposer_weight_min > largest {
            return Err(ContractError::Mismatch {
                what: "proposer_weight_min",
                expected: format!("at most the largest member's {largest}"),
                found: row.proposer_weight_min.to_string(),
            });
        }
        if let Some(deposit) = &row.deposit {
            text::bounded("deposit denom", &deposit.denom, 1, 128)?;
            if deposit.amount.is_zero() {
                return Err(ContractError::Number { what: "a deposit", min: 1, max: u64::MAX, found: 0 });
            }
        }
    }
    Ok(())
}

fn store_components(storage: &mut dyn Storage, components: &[GenesisComponent]) -> Result<(), ContractError> {
    count("components", components.len(), 1, GENESIS_MAX)?;
    distinct("components", components.iter().map(|component| component.name.as_str()))?;
    for component in components {
        let (name, baseline) = (&component.name, &component.baseline);
        text::name("component", name)?;
        let group = component.group.as_ref().unwrap_or(name);
        text::name("group", group)?;
        baseline.check(true)?;
        if baseline.component != *name {
            return Err(ContractError::Mismatch {
                what: "the component of a baseline",
                expected: name.clone(),
                found: baseline.component.clone(),
            });
        }
        let digest = baseline.digest();
        let hex = digest.to_string();
        let facts = Component::new(digest, baseline.version.clone(), group.clone());
        let allowed = ReleaseFacts::new(Standing::Allowed);
        state::RELEASES.save(storage, &hex, baseline)?;
        state::STANDINGS.save(storage, &hex, &allowed)?;
        state::COMPONENTS.save(storage, name, &facts)?;
        state::BRAKES.save(storage, name, &Brake::off())?;
        state::DOWN.save(storage, group, &Power(0))?;
    }
    Ok(())
}

fn store_operators(
    storage: &mut dyn Storage,
    api: &dyn Api,
    operators: &[GenesisOperator],
) -> Result<(), ContractError> {
    count("operators", operators.len(), 0, GENESIS_MAX)?;
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let mut pairs = Vec::with_capacity(operators.len());
    for operator in operators {
        let addr = load::address(api, "operators", &operator.addr)?;
        organisation(&operator.organisation)?;
        load::component(storage, &operator.component)?;
        if !(1..=POWER_MAX).contains(&operator.power.0) {
            return Err(ContractError::Number {
                what: "an operator's power",
                min: 1,
                max: POWER_MAX,
                found: operator.power.0,
            });
        }
        let sum = sums.entry(&operator.component).or_default();
        *sum = sum.saturating_add(operator.power.0);
        if *sum > POWER_MAX {
            return Err(ContractError::Sum {
                what: "operators' power for one component",
                max: POWER_MAX.to_string(),
            });
        }
        let facts = Operator::new(operator.organisation.clone(), operator.power);
        state::OPERATORS.save(storage, (&addr, &operator.component), &facts)?;
        pairs.push(format!("{addr} for {}", operator.component));
    }
    Ok(distinct("operators", pairs.iter().map(String::as_str))?)
}

fn store_guardians(
    storage: &mut dyn Storage,
    api: &dyn Api,
    guardians: &GenesisGuardians,
) -> Result<(), ContractError> {
    count("guardians", guardians.addrs.len(), 1, GUARDIANS_MAX)?;
    let addrs = accounts(api, "guardians", guardians.addrs.iter())?;
    if !(1..=addrs.len()).contains(&usize::from(guardians.threshold)) {
        return Err(ContractError::Number {
            what: "the guardians' threshold",
            min: 1,
            max: addrs.len() as u64,
            found: guardians.threshold.into(),
        });
    }
    let facts = Guardians { v: 1, addrs, threshold: guardians.threshold };
    Ok(state::GUARDIANS.save(storage, &facts)?)
}

fn store_rules(storage: &mut dyn Storage, rules: &Rules) -> Result<(), ContractError> {
    let version = 1;
    state::RULES_HEAD.save(storage, &rules.head(version))?;
    state::RULES_ALL.save(storage, (version, state::RULES_WHOLE), rules)?;
    for class in CLASSES {
        state::RULES.save(storage, (version, class.letter()), rules.row(class))?;
    }
    Ok(())
}
