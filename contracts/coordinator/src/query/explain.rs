//! Why something does not move now: typed, and in a sentence.

use concord_schema::query::{ExplainAnswer, Subject};
use concord_schema::waiting::WaitingOn;
use concord_schema::{NodeNo, ProposalId, RolloutId};
use cosmwasm_std::{Deps, Env, Storage};

use crate::case::Case;
use crate::error::ContractError;
use crate::execute::execute;
use crate::load;

pub(super) fn explain(deps: Deps, env: &Env, subject: Subject) -> Result<ExplainAnswer, ContractError> {
    let now = load::now(env);
    let (what, phase, waiting_on) = match subject {
        Subject::Proposal(id) => proposal(deps, env, id)?,
        Subject::Rollout(id) => rollout(deps, env, id)?,
        Subject::Seat { rollout, node } => seat(deps, env, rollout, node)?,
    };
    let sentence = if waiting_on == WaitingOn::Nothing {
        format!("{what} is {phase}; nothing more is due.")
    } else {
        format!("{what} is {phase}, and waits on {waiting_on}.")
    };
    Ok(ExplainAnswer { now, phase, waiting_on, sentence })
}

/// Why a proposal does not move, and whether its actions would be carried out.
pub(super) fn waiting_on(storage: &dyn Storage, env: &Env, case: &Case) -> Result<WaitingOn, ContractError> {
    Ok(match case.waiting_on(storage, load::now(env))? {
        // Nothing but its own actions could stand in its way: they are tried, and forgotten.
        due @ WaitingOn::Execute { .. } => execute::refused(storage, env, case)?.unwrap_or(due),
        on => on,
    })
}

type Explained = (String, String, WaitingOn);

fn proposal(deps: Deps, env: &Env, id: ProposalId) -> Result<Explained, ContractError> {
    let now = load::now(env);
    let case = Case::load(deps.storage, id, now)?;
    let on = waiting_on(deps.storage, env, &case)?;
    Ok((format!("Proposal {id}"), words(&format!("{:?}", case.phase)), on))
}

fn rollout(deps: Deps, env: &Env, id: RolloutId) -> Result<Explained, ContractError> {
    let answer = super::rollout::rollout(deps, env, id)?;
    Ok((format!("Rollout {id}"), words(&format!("{:?}", answer.phase)), answer.waiting_on))
}

fn seat(deps: Deps, env: &Env, id: RolloutId, no: NodeNo) -> Result<Explained, ContractError> {
    let now = load::now(env);
    let rollout = load::rollout(deps.storage, id)?;
    let progress = load::progress(deps.storage, id)?;
    let brakes = load::brakes(deps.storage, Some(&rollout.component))?;
    let node = load::node(deps.storage, no)?;
    let what = format!("Node {no} ({}) in rollout {id}", node.node_id);
    let Some(seat) = super::rollout::seat(deps, id, no)? else {
        let ended = rollout.phase(&progress, &brakes, now).is_terminal();
        let on = if ended { WaitingOn::Nothing } else { WaitingOn::Node };
        return Ok((what, "not seated".to_owned(), on));
    };
    let is_current = rollout.is_current(&load::component(deps.storage, &rollout.component)?);
    let down = super::rollout::down(deps, &rollout.group)?;
    let on = rollout.seat_waiting_on(&progress, &seat, &node, down, is_current, &brakes, now);
    Ok((what, words(&format!("{:?}", seat.state)), on))
}

/// `RollingBack` as `rolling back`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 && !words.ends_with('(') {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn phases_are_read_as_words() {
        for (name, read) in [
            ("RollingBack", "rolling back"),
            ("Wave(2)", "wave(2)"),
            ("Ended(RolledBack)", "ended(rolled back)"),
        ] {
            assert_eq!(words(name), read);
        }
    }
}
