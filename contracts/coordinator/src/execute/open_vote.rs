//! Opens the vote: stores its opening facts, from which every later phase is computed.

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::proposal::{Phase, Vote};
use concord_schema::tally::Tally;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Storage};

use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Opens the vote of a validated proposal; one that is open stays as it is.
///
/// # Errors
/// [`ContractError::Phase`] before validation and after an end without a vote.
pub fn open_vote(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
) -> Result<Response, ContractError> {
    let (storage, now) = (deps.storage, load::now(env));
    let mut case = Case::load(storage, id, now)?;
    if case.proposal.vote.is_some() {
        return log::unchanged("the vote was opened already");
    }
    if case.phase != Phase::Validated {
        return Err(case.refused(storage, "open_vote", "validated", now));
    }
    let event = open(storage, env, &mut case)?;
    log::changed(storage, env, info.sender.as_str(), &[event], "the vote is open")
}

/// Stores when the vote opened and whose weights count: those at the end of the block before.
pub(crate) fn open(storage: &mut dyn Storage, env: &Env, case: &mut Case) -> Result<Event, ContractError> {
    let (now, height) = (load::now(env), env.block.height);
    let total = state::MEMBERS_TOTAL.may_load_at_height(storage, height)?.unwrap_or_default();
    case.proposal.vote =
        Some(Vote { from: now.into(), snapshot_height: height, total, braked: case.brakes.braked(now) });
    state::PROPOSALS.save(storage, case.id.0, &case.proposal)?;
    state::TALLIES.save(storage, case.id.0, &Tally::default())?;
    Ok(Event::VoteOpened { proposal: case.id.to_string(), total: total.to_string() })
}
