//! What a verb reads: parsed at the door, or named in the error when it is not there.

use concord_schema::brake::{Brakes, Scope};
use concord_schema::keys;
use concord_schema::node::{Component, Node};
use concord_schema::proposal::{Draft, Proposal};
use concord_schema::release::{Release, ReleaseFacts, Reversibility};
use concord_schema::rollout::{Progress, Rollout};
use concord_schema::rules::{Class, ClassRules};
use concord_schema::tally::Tally;
use concord_schema::units::{Height, NodeNo, ProposalId, RolloutId, Seconds};
use concord_schema::{Digest, Now};
use cosmwasm_std::{Api, Env, Storage};

use crate::error::ContractError;
use crate::state;

pub use crate::case::Case;

/// The block that asks.
#[must_use]
pub fn now(env: &Env) -> Now {
    Now { height: Height(env.block.height), time: Seconds(env.block.time.seconds()) }
}

/// An account, checked and in its one spelling.
///
/// # Errors
/// [`ContractError::Address`].
pub fn address(api: &dyn Api, what: &'static str, text: &str) -> Result<String, ContractError> {
    api.addr_validate(text).map(Into::into).map_err(|error| ContractError::Address {
        what,
        found: text.chars().take(128).collect(),
        why: AsRef::<dyn std::error::Error + Send + Sync>::as_ref(&error).to_string(),
    })
}

/// Names the thing that is not there.
///
/// # Errors
/// [`ContractError::NotFound`] for `None`.
pub fn found<T>(thing: Option<T>, what: &'static str, key: impl ToString) -> Result<T, ContractError> {
    thing.ok_or_else(|| ContractError::NotFound { what, key: key.to_string() })
}

/// The brakes that bear on a component, or on everything only.
///
/// # Errors
/// [`ContractError::NotFound`] for an unknown component.
pub fn brakes(storage: &dyn Storage, component: Option<&str>) -> Result<Brakes, ContractError> {
    let all = state::BRAKES.load(storage, keys::scope(&Scope::All))?;
    let component =
        component.map(|name| found(state::BRAKES.may_load(storage, name)?, "component", name)).transpose()?;
    Ok(Brakes { all, component })
}

/// A component's facts.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn component(storage: &dyn Storage, name: &str) -> Result<Component, ContractError> {
    found(state::COMPONENTS.may_load(storage, name)?, "component", name)
}

/// A release's metadata.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn release(storage: &dyn Storage, digest: &Digest) -> Result<Release, ContractError> {
    let hex = digest.to_string();
    found(state::RELEASES.may_load(storage, &hex)?, "release", hex)
}

/// A release's standing.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn standing(storage: &dyn Storage, digest: &Digest) -> Result<ReleaseFacts, ContractError> {
    let hex = digest.to_string();
    found(state::STANDINGS.may_load(storage, &hex)?, "release", hex)
}

/// A proposal's facts.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn proposal(storage: &dyn Storage, id: ProposalId) -> Result<Proposal, ContractError> {
    found(state::PROPOSALS.may_load(storage, id.0)?, "proposal", id)
}

/// A proposal's draft.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn draft(storage: &dyn Storage, id: ProposalId) -> Result<Draft, ContractError> {
    let content = found(state::DRAFTS.may_load(storage, id.0)?, "proposal", id)?;
    let release = content.start.as_ref().map(|start| release(storage, &start.release)).transpose()?;
    Ok(content.draft(release))
}

/// The row of rules that a proposal pinned (RULES-1).
///
/// # Errors
/// Where the store fails.
pub fn row(storage: &dyn Storage, proposal: &Proposal) -> Result<ClassRules, ContractError> {
    let key = (proposal.rules_version, proposal.class.letter());
    Ok(state::RULES.load(storage, key)?)
}

/// A proposal's tally.
///
/// # Errors
/// Where the store fails.
pub fn tally(storage: &dyn Storage, id: ProposalId) -> Result<Tally, ContractError> {
    Ok(state::TALLIES.may_load(storage, id.0)?.unwrap_or_default())
}

/// A rollout's fixed facts.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn rollout(storage: &dyn Storage, id: RolloutId) -> Result<Rollout, ContractError> {
    found(state::ROLLOUTS.may_load(storage, id.0)?, "rollout", id)
}

/// A rollout's moving facts.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn progress(storage: &dyn Storage, id: RolloutId) -> Result<Progress, ContractError> {
    found(state::PROGRESS.may_load(storage, id.0)?, "rollout", id)
}

/// How what a rollout brought to the whole fleet can be undone; `None` for one that has not completed, or is not there.
#[must_use]
pub fn brought(storage: &dyn Storage, id: RolloutId) -> Option<Reversibility> {
    rollout(storage, id).ok()?.brought(&progress(storage, id).ok()?)
}

/// The class that a draft needs now.
#[must_use]
pub fn class(storage: &dyn Storage, draft: &Draft) -> Class {
    draft.class(|rollout| brought(storage, rollout))
}

/// A node's facts.
///
/// # Errors
/// [`ContractError::NotFound`].
pub fn node(storage: &dyn Storage, no: NodeNo) -> Result<Node, ContractError> {
    found(state::NODES.may_load(storage, no.0)?, "node", no)
}
