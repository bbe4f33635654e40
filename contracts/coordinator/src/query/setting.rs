//! Settings, roles, brakes, the log's head, what can be claimed.

use concord_schema::brake::{Brake, Scope};
use concord_schema::clock::{Moment, Now};
use concord_schema::log::Head;
use concord_schema::msg::Guardians;
use concord_schema::proposal::Member;
use concord_schema::query::{
    AuditorAnswer, AuditorsAnswer, BrakeAnswer, ConfigAnswer, MembersAnswer, RulesAnswer, TreasuryAnswer,
};
use cosmwasm_std::{Coin, Deps, Env, Order};
use cw_storage_plus::Bound;

use super::page;
use crate::error::ContractError;
use crate::{contract, load, state};

pub(super) fn config(deps: Deps, env: &Env) -> Result<ConfigAnswer, ContractError> {
    let config = state::CONFIG.load(deps.storage)?;
    Ok(ConfigAnswer {
        short_floors: config.floors.are_short(),
        floors: config.floors,
        since_height: config.since_height,
        version: contract::VERSION.to_owned(),
        contract: env.contract.address.to_string(),
        chain_id: env.block.chain_id.clone(),
    })
}

pub(super) fn rules(deps: Deps, version: Option<u32>) -> Result<RulesAnswer, ContractError> {
    let version = match version {
        Some(version) => version,
        None => state::RULES_HEAD.load(deps.storage)?.version,
    };
    let rules = state::RULES_ALL.may_load(deps.storage, (version, state::RULES_WHOLE))?;
    let rules = load::found(rules, "rules of version", version)?;
    Ok(RulesAnswer { version, digest: rules.digest(), rules })
}

pub(super) fn guardians(deps: Deps) -> Result<Guardians, ContractError> {
    Ok(state::GUARDIANS.load(deps.storage)?)
}

pub(super) fn brake(deps: Deps, env: &Env, scope: &Scope) -> Result<BrakeAnswer, ContractError> {
    let now = load::now(env);
    Ok(match scope {
        Scope::All => {
            let brake = load::brakes(deps.storage, None)?.all;
            answer(brake, now.into(), now)
        }
        Scope::Component(name) => {
            let brakes = load::brakes(deps.storage, Some(name))?;
            let outer = brakes.outer(now);
            let brake = load::found(brakes.component, "component", name)?;
            answer(brake, outer, now)
        }
    })
}

fn answer(brake: Brake, outer: Moment, now: Now) -> BrakeAnswer {
    let holds = brake.holds(&outer);
    let ends = brake.until.filter(|_| holds).map(|until| until.on_raw_clock(&outer, now));
    BrakeAnswer { holds, brake, ends }
}

pub(super) fn auditors(
    deps: Deps,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<AuditorsAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::AUDITORS
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(addr, auditor)| AuditorAnswer { addr, auditor }));
    let (auditors, scanned_to) = page::of(records, limit, |auditor| auditor.addr.clone())?;
    Ok(AuditorsAnswer { auditors, scanned_to })
}

pub(super) fn treasury(
    deps: Deps,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<TreasuryAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::TREASURY
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(denom, amount)| Coin { denom, amount }));
    let (coins, scanned_to) = page::of(records, limit, |coin| coin.denom.clone())?;
    Ok(TreasuryAnswer { coins, scanned_to })
}

pub(super) fn log_head(deps: Deps) -> Result<Head, ContractError> {
    Ok(state::LOG_HEAD.may_load(deps.storage)?.unwrap_or_default())
}

pub(super) fn claimable(deps: Deps, addr: &str) -> Result<Vec<Coin>, ContractError> {
    Ok(state::CLAIMABLE.may_load(deps.storage, addr)?.unwrap_or_default())
}

pub(super) fn member(deps: Deps, addr: String) -> Result<Option<Member>, ContractError> {
    let weight = state::MEMBERS.may_load(deps.storage, &addr)?;
    Ok(weight.map(|weight| Member { addr, weight }))
}

pub(super) fn members(
    deps: Deps,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<MembersAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::MEMBERS
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(addr, weight)| Member { addr, weight }));
    let (members, scanned_to) = page::of(records, limit, |member| member.addr.clone())?;
    Ok(MembersAnswer { members, scanned_to })
}
