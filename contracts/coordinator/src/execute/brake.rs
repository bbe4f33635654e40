//! Pulls the brake, adds a guardian to it, asks for its release.

use concord_schema::brake::{Brake, Pull, Pulled, Released, Scope};
use concord_schema::clock::Moment;
use concord_schema::event::Event;
use concord_schema::keys;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Storage};

use crate::error::ContractError;
use crate::{auth, load, log, state};

/// A scope's brake, the moment on its own outer clock, and the rollout that a pull would be for.
struct Held {
    brake: Brake,
    now: Moment,
    rollout: u64,
}

/// Clocks nest: a component's brake is measured on the clock that the brake on everything leaves.
fn held(storage: &dyn Storage, env: &Env, scope: &Scope) -> Result<Held, ContractError> {
    let now = load::now(env);
    match scope {
        Scope::All => {
            let brake = load::brakes(storage, None)?.all;
            let rollout = state::ROLLOUT_COUNT.may_load(storage)?.unwrap_or_default();
            Ok(Held { brake, now: now.into(), rollout })
        }
        Scope::Component(name) => {
            let rollout = load::component(storage, name)?.last.map_or(0, |last| last.0);
            let brakes = load::brakes(storage, Some(name))?;
            let now = brakes.outer(now);
            Ok(Held { brake: brakes.component.unwrap_or_else(Brake::off), now, rollout })
        }
    }
}

/// Pulls the brake, or adds a guardian to it: the first pulls the short brake, the k-th while it holds lengthens it.
///
/// # Errors
/// [`ContractError::Unauthorized`] for who is no guardian; [`ContractError::Brake`] for a second pull in one rollout.
pub fn brake(deps: DepsMut, env: &Env, info: &MessageInfo, scope: Scope) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let place = auth::guardian(deps.storage, sender)?;
    let Held { mut brake, now, rollout } = held(deps.storage, env, &scope)?;
    let threshold = state::GUARDIANS.load(deps.storage)?.threshold;
    let rules = state::RULES_HEAD.load(deps.storage)?;
    let by = Pull { threshold, short: &rules.brake_short, full: &rules.brake_full, rollout };
    let full = match brake.ask_pull(now, place, &by)? {
        Pulled::Already => return log::unchanged("this guardian holds the brake already"),
        Pulled::Began => threshold <= 1,
        Pulled::Joined => brake.pulled_by.len() > usize::from(threshold),
        Pulled::Lengthened => true,
    };
    state::BRAKES.save(deps.storage, keys::scope(&scope), &brake)?;
    let until = brake.until.unwrap_or(now).on_raw_clock(&now, load::now(env));
    let length = if full { "full" } else { "short" };
    let event = Event::Braked {
        scope: keys::scope(&scope).to_owned(),
        length: length.to_owned(),
        until_seconds: until.0.to_string(),
        until_height: until.1.to_string(),
    };
    let what = format!("the {length} brake holds, by {} of {threshold} guardians", brake.pulled_by.len());
    log::changed(deps.storage, env, sender, &[event], what)
}

/// Asks for the brake's release; k guardians, pullers included, end it (BRAKE-2: nothing stands in the way of that).
///
/// # Errors
/// [`ContractError::Unauthorized`] for who is no guardian.
pub fn release(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    scope: Scope,
) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let place = auth::guardian(deps.storage, sender)?;
    let Held { mut brake, now, .. } = held(deps.storage, env, &scope)?;
    let threshold = state::GUARDIANS.load(deps.storage)?.threshold;
    let released = brake.ask_release(now, place, threshold);
    let asked = brake.released_by.len();
    let (ended, what) = match released {
        Released::NotHeld => return log::unchanged("not braked"),
        Released::Already => return log::unchanged("this guardian asked for release already"),
        Released::Asked => (false, format!("{asked} of {threshold} guardians ask for release")),
        Released::Ended => (true, "the brake is released".to_owned()),
    };
    state::BRAKES.save(deps.storage, keys::scope(&scope), &brake)?;
    let scope = keys::scope(&scope).to_owned();
    let mut events = vec![Event::ReleaseAsked { scope: scope.clone(), count: asked.to_string() }];
    if ended {
        events.push(Event::BrakeReleased { scope });
    }
    log::changed(deps.storage, env, sender, &events, what)
}
