//! Fixes the seed of a rollout.

use concord_schema::RolloutId;
use concord_schema::brake::Brakes;
use concord_schema::event::Event;
use concord_schema::rollout::{DrawRefused, Progress, Rollout};
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

use super::propose::word;
use crate::error::ContractError;
use crate::{load, log, state};

/// Fixes the seed of a rollout; drawn before, nothing changes. A crank, so before its time it says what it waits on.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn draw(deps: DepsMut, env: &Env, info: &MessageInfo, id: RolloutId) -> Result<Response, ContractError> {
    let rollout = load::rollout(deps.storage, id)?;
    let mut progress = load::progress(deps.storage, id)?;
    let brakes = load::brakes(deps.storage, Some(&rollout.component))?;
    let event = match drawn(&rollout, &mut progress, env, id, &brakes) {
        Ok(Some(event)) => event,
        Ok(None) => return log::unchanged("the seed was drawn before"),
        Err(DrawRefused::Early { from, .. }) => {
            return log::unchanged(format!("waiting on {}", WaitingOn::Draw { from }));
        }
        Err(DrawRefused::Ended { outcome }) => {
            return log::unchanged(format!("it has ended: {}", word(&outcome)?));
        }
    };
    state::PROGRESS.save(deps.storage, id.0, &progress)?;
    log::changed(deps.storage, env, info.sender.as_str(), &[event], "the seed is drawn")
}

/// Draws, where it was not done before.
pub(super) fn drawn(
    rollout: &Rollout,
    progress: &mut Progress,
    env: &Env,
    id: RolloutId,
    brakes: &Brakes,
) -> Result<Option<Event>, DrawRefused> {
    let seed = rollout.draw(
        progress,
        &env.block.chain_id,
        env.contract.address.as_str(),
        id,
        env.block.time.nanos(),
        brakes,
        load::now(env),
    )?;
    Ok(seed.map(|seed| Event::Drawn { rollout: id.to_string(), seed: seed.to_string() }))
}
