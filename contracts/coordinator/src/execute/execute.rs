//! Executes a proposal that is ready: all of its actions, or none.

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::proposal::{Attempt, Phase};
use concord_schema::rules::ATTEMPTS_MAX;
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Storage};

use super::actions::{self, Failed};
use super::overlay::{self, Overlay};
use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Executes. The actions run over a copy of the store, which takes its place where all of them could be carried out: all
/// happen, or none. A brake, a live rollout, a false precondition or a span between attempts is waited on, and is not an attempt
/// (PHASE-2): no stranger uses up the attempts of a decision whose time has not come.
///
/// # Errors
/// [`ContractError::Phase`] where the proposal is not ready.
pub fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
) -> Result<Response, ContractError> {
    let now = load::now(env);
    let mut tried = Overlay::new(deps.storage);
    let case = Case::load(&tried, id, now)?;
    match case.phase {
        Phase::Ready => {}
        Phase::Executed => return log::unchanged("it was executed already"),
        Phase::Deliberation
        | Phase::Validation
        | Phase::Validated
        | Phase::Voting
        | Phase::Timelocked
        | Phase::Withdrawn
        | Phase::Rejected
        | Phase::QuorumFailed
        | Phase::Vetoed
        | Phase::Cancelled
        | Phase::Expired
        | Phase::Failed => return Err(case.refused(&tried, "execute", "ready", now)),
    }
    let draft = load::draft(&tried, id)?;
    if let Some(on) = case.holds_back(&tried, &draft, now)? {
        return log::unchanged(format!("waiting on {on}"));
    }
    let outcome = actions::run(&mut tried, env, id, case.proposal.clone(), &draft);
    let written = tried.written();
    match outcome {
        Ok(events) => {
            overlay::write(deps.storage, written);
            log::changed(deps.storage, env, info.sender.as_str(), &events, "executed")
        }
        Err(failed) => match precondition(&failed) {
            Some(on) => log::unchanged(format!("waiting on {on}")),
            None => record(deps, env, info, case, &failed),
        },
    }
}

/// The precondition of an action that does not hold now, if one does not. The actions run over a copy that is dropped.
pub(crate) fn refused(
    storage: &dyn Storage,
    env: &Env,
    case: &Case,
) -> Result<Option<WaitingOn>, ContractError> {
    let draft = load::draft(storage, case.id)?;
    let outcome = actions::run(&mut Overlay::new(storage), env, case.id, case.proposal.clone(), &draft);
    Ok(outcome.err().as_ref().and_then(precondition))
}

fn precondition(failed: &Failed) -> Option<WaitingOn> {
    let Failed { action, error } = failed;
    error.is_precondition().then(|| WaitingOn::Action { action: *action, why: error.to_string() })
}

/// Records an attempt that failed. It answers Ok, since an error of this message would forget it.
#[inline(never)]
fn record(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    case: Case,
    failed: &Failed,
) -> Result<Response, ContractError> {
    let Case { id, mut proposal, .. } = case;
    let Failed { action, error } = failed;
    let (codespace, code) = OWN;
    proposal.attempts = proposal.attempts.saturating_add(1);
    proposal.last_attempt =
        Some(Attempt { action: *action, codespace: codespace.to_owned(), code, at: load::now(env).into() });
    state::PROPOSALS.save(deps.storage, id.0, &proposal)?;
    let event = Event::ExecutionFailed {
        proposal: id.to_string(),
        attempts: proposal.attempts.to_string(),
        action: action.to_string(),
        codespace: codespace.to_owned(),
        code: code.to_string(),
    };
    let what = format!("attempt {} of {ATTEMPTS_MAX} failed at action {action}: {error}", proposal.attempts);
    log::changed(deps.storage, env, info.sender.as_str(), &[event], what)
}

/// Where a contract's own errors come from, and their code there, as the chain has it.
const OWN: (&str, u32) = ("wasm", 5);
