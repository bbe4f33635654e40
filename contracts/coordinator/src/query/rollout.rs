//! Rollouts, seats, and what is down.

use concord_schema::query::{RolloutAnswer, SeatAnswer, SeatsAnswer};
use concord_schema::rollout::Seat;
use concord_schema::units::Power;
use concord_schema::{NodeNo, RolloutId};
use cosmwasm_std::{Deps, Env, Order};
use cw_storage_plus::Bound;

use super::page;
use crate::error::ContractError;
use crate::{load, state};

pub(super) fn rollout(deps: Deps, env: &Env, id: RolloutId) -> Result<RolloutAnswer, ContractError> {
    let rollout = load::rollout(deps.storage, id)?;
    let progress = load::progress(deps.storage, id)?;
    let brakes = load::brakes(deps.storage, Some(&rollout.component))?;
    let now = load::now(env);
    Ok(RolloutAnswer {
        id,
        phase: rollout.phase(&progress, &brakes, now),
        waiting_on: rollout.waiting_on(&progress, &brakes, now),
        rollout,
        progress,
    })
}

pub(super) fn seat(deps: Deps, id: RolloutId, node: NodeNo) -> Result<Option<Seat>, ContractError> {
    Ok(state::SEATS.may_load(deps.storage, node.0)?.filter(|seat| seat.rollout == id))
}

pub(super) fn seats(
    deps: Deps,
    id: RolloutId,
    after: Option<NodeNo>,
    limit: Option<u32>,
) -> Result<SeatsAnswer, ContractError> {
    let after = after.map(|no| Bound::exclusive(no.0));
    let records = state::SEATS
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(no, seat)| SeatAnswer { node: NodeNo(no), seat }));
    let (mut seats, scanned_to) = page::of(records, limit, |seat| seat.node)?;
    seats.retain(|answer| answer.seat.rollout == id);
    Ok(SeatsAnswer { seats, scanned_to })
}

pub(super) fn down(deps: Deps, group: &str) -> Result<Power, ContractError> {
    Ok(state::DOWN.may_load(deps.storage, group)?.unwrap_or_default())
}
