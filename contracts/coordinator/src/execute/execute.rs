//! Executes a proposal that is ready: all of its actions in one message to itself, so that they all happen or none.

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::msg::{Done, ExecuteMsg};
use concord_schema::proposal::{Attempt, Phase};
use concord_schema::rules::ATTEMPTS_MAX;
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::{
    DepsMut, Env, MessageInfo, Reply, Response, Storage, SubMsg, SubMsgResult, WasmMsg, from_json,
    to_json_binary,
};
use serde::{Deserialize, Serialize};

use super::actions::{self, Failed};
use super::overlay::Overlay;
use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// The reply to the actions.
pub const REPLY_ID: u64 = 1;
/// Gas of all actions of one proposal together, in the chain's units: a change of 64 members costs about a tenth.
pub const ACTIONS_GAS_MAX: u64 = 20_000_000;

/// What the reply must know.
#[derive(Serialize, Deserialize)]
struct Payload {
    proposal: ProposalId,
    who: String,
}

/// Executes. A brake, a live rollout, a false precondition or a span between attempts is waited on, and is not an attempt
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
    let (storage, now) = (deps.storage, load::now(env));
    let case = Case::load(storage, id, now)?;
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
        | Phase::Failed => return Err(case.refused(storage, "execute", "ready", now)),
    }
    let draft = state::DRAFTS.load(storage, id.0)?;
    if let Some(on) = case.holds_back(storage, &draft, now)? {
        return log::unchanged(format!("waiting on {on}"));
    }
    // The actions' own message marks it as executed: the facts are written once, and a failure undoes the mark. No
    // action calls out, so nothing can come in between.
    let run = WasmMsg::Execute {
        contract_addr: env.contract.address.to_string(),
        msg: to_json_binary(&ExecuteMsg::RunActions { proposal: id, who: info.sender.to_string() })?,
        funds: Vec::new(),
    };
    let payload = Payload { proposal: id, who: info.sender.to_string() };
    // A reply costs as much as a message, so only a failure has one; its answer takes the place of this one.
    let message = SubMsg::reply_on_error(run, REPLY_ID)
        .with_gas_limit(ACTIONS_GAS_MAX)
        .with_payload(to_json_binary(&payload)?);
    let done = Done { changed: true, what: "executed".to_owned() };
    Ok(Response::new().add_submessage(message).set_data(to_json_binary(&done)?))
}

/// The precondition of an action that does not hold now, if one does not. The actions run over a copy that is dropped.
pub(crate) fn refused(storage: &dyn Storage, env: &Env, id: ProposalId) -> Option<WaitingOn> {
    failing_action(storage, env, id).as_ref().and_then(precondition)
}

fn precondition(failed: &Failed) -> Option<WaitingOn> {
    let Failed { action, error } = failed;
    error.is_precondition().then(|| WaitingOn::Action { action: *action, why: error.to_string() })
}

/// Takes the failure of the actions, and records the attempt. It answers Ok, since an error of this message would
/// forget it.
///
/// # Errors
/// Where the store fails.
pub fn reply(deps: DepsMut, env: &Env, reply: Reply) -> Result<Response, ContractError> {
    let Payload { proposal: id, who } = from_json(&reply.payload)?;
    let storage = deps.storage;
    let error = match reply.result {
        SubMsgResult::Ok(_) => return Err(ContractError::UnknownReply { id: reply.id }),
        SubMsgResult::Err(error) => error,
    };
    let mut proposal = load::proposal(storage, id)?;
    let (codespace, code) = abci(&error);
    let action = if codespace == OUT_OF_GAS.0 && code == OUT_OF_GAS.1 {
        // Running them again would run out here too; the whole batch is to blame.
        u8::MAX
    } else {
        let failed = failing_action(storage, env, id);
        if let Some(on) = failed.as_ref().and_then(precondition) {
            return log::unchanged(format!("waiting on {on}"));
        }
        failed.map_or(u8::MAX, |failed| failed.action)
    };
    proposal.attempts = proposal.attempts.saturating_add(1);
    proposal.last_attempt =
        Some(Attempt { action, codespace: codespace.clone(), code, at: load::now(env).into() });
    state::PROPOSALS.save(storage, id.0, &proposal)?;
    let event = Event::ExecutionFailed {
        proposal: id.to_string(),
        attempts: proposal.attempts.to_string(),
        action: action.to_string(),
        codespace,
        code: code.to_string(),
    };
    let what = format!("attempt {} of {ATTEMPTS_MAX} failed at action {action}: {error}", proposal.attempts);
    log::changed(storage, env, &who, &[event], what)
}

const OUT_OF_GAS: (&str, u32) = ("sdk", 11);

/// Codespace and code of a failed submessage. A chain hides the text from contracts and leaves
/// `codespace: wasm, code: 5`; where there is a text instead, the contract itself refused, which is that code.
fn abci(error: &str) -> (String, u32) {
    let hidden = error
        .strip_prefix("codespace: ")
        .and_then(|rest| rest.split_once(", code: "))
        .and_then(|(codespace, code)| Some((codespace, code.parse().ok()?)));
    match hidden {
        Some((codespace, code)) => (codespace.to_owned(), code),
        None => ("wasm".to_owned(), 5),
    }
}

/// Which action failed. The failed submessage left no trace, not even of that, so the actions run once more over a
/// copy that is dropped.
fn failing_action(storage: &dyn Storage, env: &Env, id: ProposalId) -> Option<Failed> {
    actions::run(&mut Overlay::new(storage), env, id).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chains_hidden_error_is_read_and_a_text_is_our_own() {
        for (error, expected) in [
            ("codespace: sdk, code: 11", ("sdk", 11)),
            ("codespace: wasm, code: 5", ("wasm", 5)),
            ("there is no rollout \"3\"", ("wasm", 5)),
            ("codespace: sdk, code: eleven", ("wasm", 5)),
        ] {
            let (codespace, code) = abci(error);
            assert_eq!((codespace.as_str(), code), expected, "{error}");
        }
    }
}
