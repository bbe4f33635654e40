//! Takes a proposal back before its vote.

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::proposal::Phase;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Withdraws. The deposit becomes claimable by `settle_deposit`.
///
/// # Errors
/// [`ContractError::Phase`] once members vote.
pub fn withdraw(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
) -> Result<Response, ContractError> {
    let (storage, now) = (deps.storage, load::now(env));
    let case = Case::load(storage, id, now)?;
    match case.phase {
        Phase::Deliberation | Phase::Validation | Phase::Validated => {}
        Phase::Withdrawn => return log::unchanged("it is withdrawn already"),
        Phase::Voting
        | Phase::Timelocked
        | Phase::Ready
        | Phase::Executed
        | Phase::Rejected
        | Phase::QuorumFailed
        | Phase::Vetoed
        | Phase::Cancelled
        | Phase::Expired
        | Phase::Failed => {
            return Err(case.refused(storage, "withdraw", "a phase before its vote", now));
        }
    }
    let mut proposal = case.proposal;
    proposal.withdrawn = true;
    state::PROPOSALS.save(storage, id.0, &proposal)?;
    let event = Event::Withdrawn { proposal: id.to_string() };
    log::changed(storage, env, info.sender.as_str(), &[event], "withdrawn")
}
