//! Answers, one file a noun. Every query answers in every reachable state, and lists come in pages with a cap
//! (QUERY-1).

mod ballot;
mod can_i;
mod cw3;
mod explain;
mod node;
mod page;
mod proposal;
mod release;
mod rollout;
mod setting;

use concord_schema::query::QueryMsg;
use cosmwasm_std::{Binary, Deps, Env, to_json_binary};

use crate::error::ContractError;

/// Answers a query.
///
/// # Errors
/// [`ContractError::NotFound`] for a subject that is not there.
pub fn query(deps: Deps, env: &Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    match msg {
        QueryMsg::Config {} => encode(&setting::config(deps, env)?),
        QueryMsg::Rules { version } => encode(&setting::rules(deps, version)?),
        QueryMsg::Guardians {} => encode(&setting::guardians(deps)?),
        QueryMsg::Auditors { after, limit } => encode(&setting::auditors(deps, after, limit)?),
        QueryMsg::Treasury { after, limit } => encode(&setting::treasury(deps, after, limit)?),
        QueryMsg::Comments { proposal, after, limit } => {
            encode(&proposal::comments(deps, proposal, after, limit)?)
        }
        QueryMsg::Brake { scope } => encode(&setting::brake(deps, env, &scope)?),
        QueryMsg::LogHead {} => encode(&setting::log_head(deps)?),
        QueryMsg::Claimable { addr } => encode(&setting::claimable(deps, &addr)?),
        QueryMsg::Member { addr } => encode(&setting::member(deps, addr)?),
        QueryMsg::Members { after, limit } => encode(&setting::members(deps, after, limit)?),
        QueryMsg::Component { name } => encode(&release::component(deps, name)?),
        QueryMsg::Components { after, limit } => encode(&release::components(deps, after, limit)?),
        QueryMsg::Release { digest } => encode(&release::release(deps, &digest)?),
        QueryMsg::Proposal { proposal } => encode(&proposal::proposal(deps, env, proposal)?),
        QueryMsg::Proposals { before, limit } => encode(&proposal::proposals(deps, env, before, limit)?),
        QueryMsg::Attestations { proposal, after, limit } => {
            encode(&proposal::attestations(deps, proposal, after, limit)?)
        }
        QueryMsg::Ballot { proposal, voter } => encode(&ballot::ballot(deps, proposal, voter)?),
        QueryMsg::Ballots { proposal, after, limit } => {
            encode(&ballot::ballots(deps, proposal, after, limit)?)
        }
        QueryMsg::MyBallots { voter, after, limit } => {
            encode(&ballot::my_ballots(deps, &voter, after, limit)?)
        }
        QueryMsg::Operator { addr, component } => encode(&node::operator(deps, &addr, &component)?),
        QueryMsg::Node { node } => encode(&node::node(deps, node)?),
        QueryMsg::NodeOf { hot_key } => encode(&node::node_of(deps, &hot_key)?),
        QueryMsg::Nodes { after, limit } => encode(&node::nodes(deps, after, limit)?),
        QueryMsg::Rollout { rollout } => encode(&rollout::rollout(deps, env, rollout)?),
        QueryMsg::Seat { rollout, node } => encode(&rollout::seat(deps, rollout, node)?),
        QueryMsg::Seats { rollout, after, limit } => encode(&rollout::seats(deps, rollout, after, limit)?),
        QueryMsg::Down { group } => encode(&rollout::down(deps, &group)?),
        QueryMsg::Explain { subject } => encode(&explain::explain(deps, env, subject)?),
        QueryMsg::CanI { addr, msg } => encode(&can_i::can_i(deps, env, &addr, *msg)?),
        QueryMsg::Threshold { proposal_id } => encode(&cw3::threshold(deps, env, proposal_id)?),
        QueryMsg::Vote { proposal_id, voter } => encode(&cw3::vote(deps, proposal_id, voter)?),
        QueryMsg::ListVotes { proposal_id, start_after, limit } => {
            encode(&cw3::list_votes(deps, proposal_id, start_after, limit)?)
        }
    }
}

fn encode<T: serde::Serialize>(answer: &T) -> Result<Binary, ContractError> {
    Ok(to_json_binary(answer)?)
}
