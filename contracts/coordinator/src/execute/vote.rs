//! Votes. The content is a key of its own, so a ballot costs the same whatever the proposal's text.

use concord_schema::event::Event;
use concord_schema::proposal::Phase;
use concord_schema::release::Document;
use concord_schema::tally::Ballot;
use concord_schema::{Digest, ProposalId};
use cosmwasm_std::{DepsMut, Empty, Env, MessageInfo, Response, Storage, Uint128};

use super::propose::word;
use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Votes with the weight of the snapshot. Where the class finishes early a ballot is final, else it may change.
///
/// # Errors
/// [`ContractError::Content`] where the voter saw another content, [`ContractError::Unauthorized`] without weight in
/// the snapshot, [`ContractError::BallotFinal`], [`ContractError::Phase`] outside of voting.
pub fn vote(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
    ballot: Ballot,
    expect_digest: &Digest,
    rationale: Option<&Document>,
) -> Result<Response, ContractError> {
    let (storage, now, voter) = (deps.storage, load::now(env), info.sender.as_str());
    if let Some(rationale) = rationale {
        rationale.check("rationale")?;
    }
    let mut case = Case::load(storage, id, now)?;
    let (Phase::Voting, Some(opened)) = (case.phase, case.proposal.vote.clone()) else {
        return Err(case.refused(storage, "vote", "voting", now));
    };
    if case.proposal.digest != *expect_digest {
        return Err(ContractError::Content { expected: *expect_digest, found: case.proposal.digest });
    }
    let weight = snapshot_weight(storage, voter, opened.snapshot_height)?;
    let earlier = state::BALLOTS.may_load(storage, (id.0, voter))?;
    let replaces = match earlier {
        Some((was, _)) if was == ballot => return log::unchanged("voted already, the same"),
        Some((was, _)) if case.row.early_finish => {
            return Err(ContractError::BallotFinal { voter: voter.to_owned(), was: word(&was)? });
        }
        Some((was, _)) => Some(was),
        None => None,
    };
    case.tally.count(ballot, weight, replaces, opened.total)?;
    state::BALLOTS.save(storage, (id.0, voter), &(ballot, weight))?;
    if replaces.is_none() {
        state::BALLOTS_OF.save(storage, (voter, id.0), &Empty {})?;
    }
    case.tally.decide_early(&case.row, opened.total, now);
    state::TALLIES.save(storage, id.0, &case.tally)?;
    let event = Event::Voted {
        proposal: id.to_string(),
        ballot: word(&ballot)?,
        weight: weight.to_string(),
        rationale: rationale.map_or_else(|| "-".to_owned(), |text| text.digest.to_string()),
    };
    log::changed(storage, env, voter, &[event], "voted")
}

/// The voter's weight at the end of the block before the vote opened.
fn snapshot_weight(storage: &dyn Storage, voter: &str, height: u64) -> Result<Uint128, ContractError> {
    state::MEMBERS.may_load_at_height(storage, voter, height)?.filter(|weight| !weight.is_zero()).ok_or_else(
        || ContractError::Unauthorized {
            who: voter.to_owned(),
            needs: format!("a member's weight before height {height}, when the vote opened"),
        },
    )
}
