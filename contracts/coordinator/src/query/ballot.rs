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
    let records = state::BALLOTS
        .prefix(proposal.0)
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(voter, (ballot, weight))| BallotAnswer { proposal, voter, ballot, weight }));
    let (ballots, scanned_to) = page::of(records, limit, |ballot| ballot.voter.clone())?;
    Ok(BallotsAnswer { ballots, scanned_to })
}

pub(super) fn my_ballots(
    deps: Deps,
    voter: &str,
    after: Option<ProposalId>,
    limit: Option<u32>,
) -> Result<BallotsAnswer, ContractError> {
    let after = after.map(|id| Bound::exclusive(id.0));
    let records = state::BALLOTS_OF.prefix(voter).keys(deps.storage, after, None, Order::Ascending).map(
        |id| -> Result<_, ContractError> {
            let id = id?;
            let (ballot, weight) = state::BALLOTS.load(deps.storage, (id, voter))?;
            Ok(BallotAnswer { proposal: ProposalId(id), voter: voter.to_owned(), ballot, weight })
        },
    );
    let (ballots, scanned_to) = page::of(records, limit, |ballot| ballot.proposal.to_string())?;
    Ok(BallotsAnswer { ballots, scanned_to })
}
