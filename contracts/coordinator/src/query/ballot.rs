//! Ballots, by proposal and by voter.

use concord_schema::ProposalId;
use concord_schema::query::{BallotAnswer, BallotsAnswer};
use cosmwasm_std::{Deps, Order};
use cw_storage_plus::Bound;

use super::page;
use crate::error::ContractError;
use crate::state;

pub(super) fn ballot(
    deps: Deps,
    proposal: ProposalId,
    voter: String,
) -> Result<Option<BallotAnswer>, ContractError> {
    let ballot = state::BALLOTS.may_load(deps.storage, (proposal.0, &voter))?;
    Ok(ballot.map(|(ballot, weight)| BallotAnswer { proposal, voter, ballot, weight }))
}

pub(super) fn ballots(
    deps: Deps,
    proposal: ProposalId,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<BallotsAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let ballots = state::BALLOTS
        .prefix(proposal.0)
        .range(deps.storage, after, None, Order::Ascending)
        .take(page::size(limit))
        .map(|entry| entry.map(|(voter, (ballot, weight))| BallotAnswer { proposal, voter, ballot, weight }))
        .collect::<Result<Vec<_>, _>>()?;
    let scanned_to = page::scanned_to(&ballots, limit, |ballot| ballot.voter.clone());
    Ok(BallotsAnswer { ballots, scanned_to })
}

pub(super) fn my_ballots(
    deps: Deps,
    voter: &str,
    after: Option<ProposalId>,
    limit: Option<u32>,
) -> Result<BallotsAnswer, ContractError> {
    let after = after.map(|id| Bound::exclusive(id.0));
    let ballots = state::BALLOTS_OF
        .prefix(voter)
        .keys(deps.storage, after, None, Order::Ascending)
        .take(page::size(limit))
        .map(|id| {
            let id = id?;
            let (ballot, weight) = state::BALLOTS.load(deps.storage, (id, voter))?;
            Ok(BallotAnswer { proposal: ProposalId(id), voter: voter.to_owned(), ballot, weight })
        })
        .collect::<Result<Vec<_>, ContractError>>()?;
    let scanned_to = page::scanned_to(&ballots, limit, |ballot| ballot.proposal.to_string());
    Ok(BallotsAnswer { ballots, scanned_to })
}
