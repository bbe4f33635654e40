//! cw3's questions in cw3's shapes, for wallets and dApps that know only those.

use concord_schema::ProposalId;
use concord_schema::query::{ThresholdAnswer, VoteAnswer, VoteInfo, VoteListAnswer};
use concord_schema::units::{BPS_WHOLE, Bps};
use cosmwasm_std::{Decimal, Deps, Env};

use crate::case::Case;
use crate::error::ContractError;
use crate::load;
use crate::state;

/// Before its vote opens a proposal has no total of its own: the members' sum now stands in.
pub(super) fn threshold(deps: Deps, env: &Env, id: u64) -> Result<ThresholdAnswer, ContractError> {
    let Case { proposal, row, .. } = Case::load(deps.storage, ProposalId(id), load::now(env))?;
    let total_weight = match proposal.vote {
        Some(vote) => vote.total,
        None => state::MEMBERS_TOTAL.may_load(deps.storage)?.unwrap_or_default(),
    };
    Ok(ThresholdAnswer::ThresholdQuorum {
        threshold: fraction(row.bars.threshold_bps),
        quorum: fraction(row.bars.quorum_bps),
        total_weight,
    })
}

fn fraction(share: Bps) -> String {
    Decimal::from_ratio(u64::from(share.0), BPS_WHOLE).to_string()
}

pub(super) fn vote(deps: Deps, id: u64, voter: String) -> Result<VoteAnswer, ContractError> {
    let ballot = super::ballot::ballot(deps, ProposalId(id), voter)?;
    Ok(VoteAnswer { vote: ballot.map(info) })
}

pub(super) fn list_votes(
    deps: Deps,
    id: u64,
    start_after: Option<String>,
    limit: Option<u32>,
) -> Result<VoteListAnswer, ContractError> {
    let page = super::ballot::ballots(deps, ProposalId(id), start_after, limit)?;
    Ok(VoteListAnswer { votes: page.ballots.into_iter().map(info).collect() })
}

fn info(answer: concord_schema::query::BallotAnswer) -> VoteInfo {
    VoteInfo {
        proposal_id: answer.proposal.0,
        voter: answer.voter,
        vote: answer.ballot,
        weight: answer.weight,
    }
}
