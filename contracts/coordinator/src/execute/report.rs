//! Takes a node's report.

use concord_schema::event::Event;
use concord_schema::node::Node;
use concord_schema::release::{ReleaseFacts, Standing};
use concord_schema::report::Report;
use concord_schema::rollout::{HaltCause, Heard, Hearing, Progress, Rollout, Seat};
use concord_schema::units::Power;
use concord_schema::{Now, RolloutId};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Storage};

use super::draw;
use super::propose::word;
use crate::error::ContractError;
use crate::{auth, load, log, state};

/// Takes a node's report. Its first one (`ready`, `deferred`, `refused`) draws, where that was not done.
///
/// # Errors
/// [`ContractError::Unauthorized`] for a stranger; [`ContractError::Report`] for what the node cannot say now.
pub fn report(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: RolloutId,
    report: Report,
) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let node = auth::hot_key(deps.storage, sender)?;
    report.check()?;
    let rollout = load::rollout(deps.storage, id)?;
    super::lease::same_component(&node, &rollout)?;
    let mut progress = load::progress(deps.storage, id)?;
    let brakes = load::brakes(deps.storage, Some(&rollout.component))?;
    let mut events = Vec::new();
    if matches!(report, Report::Ready { .. } | Report::Deferred { .. } | Report::Refused { .. }) {
        events.extend(draw::drawn(&rollout, &mut progress, env, id, &brakes)?);
    }
    let (before, elsewhere) = Seat::sort(state::SEATS.may_load(deps.storage, node.no.0)?, id);
    let mut seat = before.clone();
    let was_back = progress.rolling_back.is_some();
    let now = load::now(env);
    let hearing = Hearing { rollout: id, node: &node, report: &report, brakes: &brakes, now };
    let heard = rollout.hear(&mut progress, &mut seat, &hearing)?;
    let kind = report.kind();
    let (halted, rolling_back, up) = match heard {
        Heard::Repeated => return log::unchanged(format!("{kind} was reported before")),
        Heard::Equivocation { first } => {
            let what = format!("{kind} was reported otherwise before: the first stands");
            if !first {
                return log::unchanged(what);
            }
            save_seat(deps.storage, &node, seat.as_ref())?;
            let event = Event::Equivocated {
                rollout: id.to_string(),
                node: node.no.to_string(),
                report: kind.to_owned(),
            };
            return log::changed(deps.storage, env, sender, &[event], what);
        }
        Heard::Counted { halted, rolling_back, up } => (halted, rolling_back, up),
    };
    if let Some(elsewhere) = elsewhere {
        leave(deps.storage, &elsewhere, &node, now)?;
    }
    save_seat(deps.storage, &node, seat.as_ref())?;
    state::PROGRESS.save(deps.storage, id.0, &progress)?;
    index_lot(deps.storage, id, &progress, &node, before.as_ref(), seat.as_ref())?;
    comes_up(deps.storage, &rollout, up)?;
    events.push(reported(id, &node, &report));
    if halted {
        events.push(halted_by(id, HaltCause::Failures)?);
    }
    // One that went back before may have denied it then.
    let denied =
        rolling_back && was_back && load::standing(deps.storage, &rollout.release)?.is_taken_back_by(id);
    if rolling_back && !denied {
        events.push(rolls_back(deps.storage, id, &rollout)?);
    }
    log::changed(deps.storage, env, sender, &events, format!("{kind} is recorded"))
}

fn save_seat(storage: &mut dyn Storage, node: &Node, seat: Option<&Seat>) -> Result<(), ContractError> {
    if let Some(seat) = seat {
        state::SEATS.save(storage, node.no.0, seat)?;
    }
    Ok(())
}

/// Takes a node's seat out of another rollout.
#[inline(never)]
fn leave(storage: &mut dyn Storage, seat: &Seat, node: &Node, now: Now) -> Result<(), ContractError> {
    let live = load::component(storage, &node.component)?.live;
    // A rollout is large: only what is down needs it.
    let rollout = if seat.down { Some(load::rollout(storage, seat.rollout)?) } else { None };
    let up = seat.leave(rollout.as_ref(), live, now)?;
    rollout.map_or(Ok(()), |rollout| comes_up(storage, &rollout, up))
}

/// Keeps the index of who could be a canary ([`Progress::listing`]).
fn index_lot(
    storage: &mut dyn Storage,
    id: RolloutId,
    progress: &Progress,
    node: &Node,
    before: Option<&Seat>,
    after: Option<&Seat>,
) -> Result<(), ContractError> {
    let Some((lot, wave)) = progress.listing(node.no, before, after) else {
        return Ok(());
    };
    let key = (id.0, lot.0, node.no.0);
    match wave {
        Some(wave) => {
            let power = after.map(|seat| seat.power).unwrap_or_default();
            state::READY_BY_LOT.save(storage, key, &(power, wave, node.organisation.clone()))?;
        }
        None => state::READY_BY_LOT.remove(storage, key),
    }
    Ok(())
}

/// Takes power out of what is down.
pub(super) fn comes_up(storage: &mut dyn Storage, rollout: &Rollout, up: Power) -> Result<(), ContractError> {
    if up > Power(0) {
        let down = state::DOWN.load(storage, &rollout.group)?;
        state::DOWN.save(storage, &rollout.group, &down.minus(up))?;
    }
    Ok(())
}

fn reported(id: RolloutId, node: &Node, report: &Report) -> Event {
    let detail = match report {
        Report::Ready { release } | Report::RolledBack { release, .. } => release.to_string(),
        Report::Refused { reason } | Report::Failed { reason, .. } | Report::Contained { reason, .. } => {
            reason.clone()
        }
        Report::Deferred { until } => until.to_string(),
        Report::Activated { height, .. } => height.to_string(),
        Report::Healthy { height, downtime_ms, .. } => format!("{height}, down {downtime_ms} ms"),
    };
    Event::Reported {
        rollout: id.to_string(),
        node: node.no.to_string(),
        report: report.kind().to_owned(),
        attempt: report.attempt().to_string(),
        detail,
    }
}

/// The entry of a halt.
pub(super) fn halted_by(id: RolloutId, cause: HaltCause) -> Result<Event, ContractError> {
    Ok(Event::RolloutHalted { rollout: id.to_string(), cause: word(&cause)? })
}

/// Denies the release of a rollout that goes back, until a vote (NODE-5), and returns the entry of it.
pub(super) fn rolls_back(
    storage: &mut dyn Storage,
    id: RolloutId,
    rollout: &Rollout,
) -> Result<Event, ContractError> {
    let release = rollout.release.to_string();
    let denied = ReleaseFacts { rolled_back_by: Some(id), ..ReleaseFacts::new(Standing::RolledBack) };
    state::STANDINGS.save(storage, &release, &denied)?;
    Ok(Event::RollingBack { rollout: id.to_string(), release })
}
