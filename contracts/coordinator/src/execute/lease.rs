//! Grants a lease, or says what it waits on; takes one back; ends one that ran out.

use concord_schema::event::Event;
use concord_schema::node::Node;
use concord_schema::rollout::{
    Expired, LeaseAnswer, LeaseRefused, Outcome, Progress, Purpose, Returned, Rollout, Seat,
};
use concord_schema::waiting::WaitingOn;
use concord_schema::{NodeNo, RolloutId};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Storage};

use super::report::comes_up;
use crate::error::ContractError;
use crate::{auth, load, log, state};

/// Refuses a node that runs something else than the rollout upgrades.
pub(crate) fn same_component(node: &Node, rollout: &Rollout) -> Result<(), ContractError> {
    if node.component == rollout.component {
        return Ok(());
    }
    Err(ContractError::Mismatch {
        what: "the rollout's component",
        expected: node.component.clone(),
        found: rollout.component.clone(),
    })
}

/// A node's place in a rollout.
struct Place {
    node: Node,
    rollout: Rollout,
    progress: Progress,
    seat: Seat,
}

impl Place {
    fn load(storage: &dyn Storage, id: RolloutId, node: Node) -> Result<Self, ContractError> {
        let rollout = load::rollout(storage, id)?;
        same_component(&node, &rollout)?;
        let progress = load::progress(storage, id)?;
        let seat = state::SEATS.may_load(storage, node.no.0)?.filter(|seat| seat.rollout == id);
        let seat = seat.ok_or(LeaseRefused::NoSeat)?;
        Ok(Self { node, rollout, progress, seat })
    }

    fn store(&self, storage: &mut dyn Storage, id: RolloutId) -> Result<(), ContractError> {
        state::SEATS.save(storage, self.node.no.0, &self.seat)?;
        state::PROGRESS.save(storage, id.0, &self.progress)?;
        Ok(())
    }
}

/// Grants a lease, or says what it waits on.
///
/// # Errors
/// [`ContractError::Unauthorized`] for a stranger; [`ContractError::Lease`] where no wait would help.
pub fn lease(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: RolloutId,
    purpose: Purpose,
) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let node = auth::hot_key(deps.storage, sender)?;
    let mut place = Place::load(deps.storage, id, node)?;
    let brakes = load::brakes(deps.storage, Some(&place.rollout.component))?;
    let down = state::DOWN.load(deps.storage, &place.rollout.group)?;
    // Only one that comes late, after the waves, asks what the component runs now.
    let is_current = place.progress.outcome == Some(Outcome::Completed)
        && place.rollout.is_current(&load::component(deps.storage, &place.rollout.component)?);
    let Place { node, rollout, progress, seat } = &mut place;
    let answer = rollout.grant(progress, seat, node, purpose, down, is_current, &brakes, load::now(env))?;
    let (rollout_no, node_no) = (id.to_string(), place.node.no.to_string());
    match answer {
        LeaseAnswer::Held { attempt } => log::unchanged(format!("the lease of try {attempt} is held")),
        LeaseAnswer::Waiting { on, recorded: false } => log::unchanged(format!("waiting on {on}")),
        LeaseAnswer::Waiting { on, recorded: true } => {
            place.store(deps.storage, id)?;
            let event = Event::LeaseWaits { rollout: rollout_no, node: node_no, on: on.to_string() };
            log::changed(deps.storage, env, sender, &[event], format!("waiting on {on}"))
        }
        LeaseAnswer::Granted { attempt, down: joined } => {
            place.store(deps.storage, id)?;
            state::DOWN.save(deps.storage, &place.rollout.group, &down.plus(joined))?;
            let purpose = match purpose {
                Purpose::Activate => "activate",
                Purpose::RollBack => "roll_back",
            };
            let event = Event::Leased {
                rollout: rollout_no,
                node: node_no,
                attempt: attempt.to_string(),
                purpose: purpose.to_owned(),
            };
            log::changed(deps.storage, env, sender, &[event], format!("leased for try {attempt}"))
        }
    }
}

/// Gives a lease back.
///
/// # Errors
/// [`ContractError::Unauthorized`] for a stranger; [`ContractError::Lease`] where there is none of this try to give back.
pub fn return_lease(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: RolloutId,
    attempt: u8,
) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let node = auth::hot_key(deps.storage, sender)?;
    let mut place = Place::load(deps.storage, id, node)?;
    let Place { node, rollout, progress, seat } = &mut place;
    let up = match rollout.give_back(progress, seat, node, attempt)? {
        Returned::Now { up } => up,
        Returned::Before => return log::unchanged(format!("the lease of try {attempt} is over already")),
    };
    place.store(deps.storage, id)?;
    comes_up(deps.storage, &place.rollout, up)?;
    let event = Event::LeaseReturned { rollout: id.to_string(), node: place.node.no.to_string() };
    log::changed(deps.storage, env, sender, &[event], "the lease is given back")
}

/// Ends a lease that ran out. Its node stays in what is down until it reports.
///
/// # Errors
/// [`ContractError::NotFound`]; [`ContractError::Lease`] for a node without a seat in the rollout.
pub fn expire_lease(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: RolloutId,
    node: NodeNo,
) -> Result<Response, ContractError> {
    let node = load::node(deps.storage, node)?;
    let mut place = Place::load(deps.storage, id, node)?;
    let Place { node, rollout, progress, seat } = &mut place;
    match rollout.expire(progress, seat, node, load::now(env)) {
        Expired::Now => {}
        Expired::Early { left } => {
            return log::unchanged(format!("waiting on {}", WaitingOn::Holder { left }));
        }
        Expired::NotHeld => return log::unchanged("no lease of this node is out"),
    }
    place.store(deps.storage, id)?;
    let event = Event::LeaseExpired { rollout: id.to_string(), node: place.node.no.to_string() };
    log::changed(deps.storage, env, info.sender.as_str(), &[event], "the lease is expired")
}
