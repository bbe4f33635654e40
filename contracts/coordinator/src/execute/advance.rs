//! Does the one thing that is due in a rollout.

use concord_schema::event::Event;
use concord_schema::rollout::{Advanced, CANDIDATES_MAX, Candidate, Outcome, Rollout, Transition};
use concord_schema::{NodeNo, RolloutId};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Order, Response, Storage};

use super::propose::word;
use super::report::{halted_by, rolls_back};
use crate::error::ContractError;
use crate::{load, log, state};

/// Does the one thing that is due in a rollout, or says what it waits on.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn advance(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: RolloutId,
) -> Result<Response, ContractError> {
    let rollout = load::rollout(deps.storage, id)?;
    let mut progress = load::progress(deps.storage, id)?;
    let brakes = load::brakes(deps.storage, Some(&rollout.component))?;
    let now = load::now(env);
    let candidates = if rollout.lacks_canaries(&progress, &brakes, now) {
        candidates(deps.storage, id, &progress.first_of)?
    } else {
        Vec::new()
    };
    let transition = match rollout.advance(&mut progress, &candidates, &brakes, now) {
        Advanced::Did(transition) => transition,
        Advanced::WaitingOn(on) => return log::unchanged(format!("waiting on {on}")),
        Advanced::Settled(outcome) => return log::unchanged(format!("it has ended: {}", word(&outcome)?)),
    };
    state::PROGRESS.save(deps.storage, id.0, &progress)?;
    let moved = if candidates.is_empty() { &[] } else { progress.canaries.as_slice() };
    let (event, what) = take_effect(deps.storage, id, &rollout, transition, moved)?;
    log::changed(deps.storage, env, info.sender.as_str(), &[event], what)
}

/// Nodes that could be canaries, lowest lot first: no more than are needed, and at most [`CANDIDATES_MAX`] read.
fn candidates(
    storage: &dyn Storage,
    id: RolloutId,
    first_of: &[String],
) -> Result<Vec<Candidate>, ContractError> {
    let mut found: Vec<Candidate> = Vec::new();
    let keys = state::READY_BY_LOT.sub_prefix(id.0).range(storage, None, None, Order::Ascending);
    for entry in keys.take(CANDIDATES_MAX) {
        let ((_, node), (power, wave, organisation)) = entry?;
        if first_of.contains(&organisation) || found.iter().any(|known| known.organisation == organisation) {
            continue;
        }
        found.push(Candidate { node: NodeNo(node), power, wave, organisation });
        if found.len().saturating_add(first_of.len()) >= 2 {
            break;
        }
    }
    Ok(found)
}

/// What a transition changes beside the progress, with its entry and words.
fn take_effect(
    storage: &mut dyn Storage,
    id: RolloutId,
    rollout: &Rollout,
    transition: Transition,
    moved: &[NodeNo],
) -> Result<(Event, String), ContractError> {
    let no = id.to_string();
    Ok(match transition {
        Transition::WaveOpened { wave, height } => (
            Event::WaveOpened {
                rollout: no,
                wave: wave.to_string(),
                height: height.to_string(),
                canaries: moved.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            },
            format!("wave {wave} is open, from height {height} on"),
        ),
        Transition::HeightFixed { wave, height } => (
            Event::HeightFixed { rollout: no, wave: wave.to_string(), height: height.to_string() },
            format!("wave {wave} has a new height, {height}"),
        ),
        Transition::WaitersMoved { wave, power } => (
            Event::WaitersMoved { rollout: no, wave: wave.to_string(), power: power.to_string() },
            format!("power {power} that waited moved on from wave {wave}"),
        ),
        Transition::Halted(cause) => (halted_by(id, cause)?, format!("the rollout is halted: {cause:?}")),
        Transition::RollingBack => (rolls_back(storage, id, rollout)?, "the rollout goes back".to_owned()),
        Transition::RollingBackStalled => (
            Event::RollingBackStalled { rollout: no },
            "the rollout goes back after a stall; its release is not denied".to_owned(),
        ),
        Transition::Ended { outcome, unaccounted } => {
            settle(storage, id, rollout, outcome)?;
            let outcome = word(&outcome)?;
            (
                Event::RolloutEnded {
                    rollout: no,
                    outcome: outcome.clone(),
                    unaccounted: unaccounted.to_string(),
                },
                format!("the rollout ended: {outcome}"),
            )
        }
    })
}

/// Frees the component, and makes a completed release its current one.
fn settle(
    storage: &mut dyn Storage,
    id: RolloutId,
    rollout: &Rollout,
    outcome: Outcome,
) -> Result<(), ContractError> {
    let mut component = load::component(storage, &rollout.component)?;
    component.settle(id, rollout, outcome);
    state::COMPONENTS.save(storage, &rollout.component, &component)?;
    Ok(())
}
