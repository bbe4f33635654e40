//! Proposals and their attestations.

use concord_schema::ProposalId;
use concord_schema::query::{
    AttestationAnswer, AttestationsAnswer, CommentAnswer, CommentsAnswer, ProposalAnswer, ProposalLine,
    ProposalsAnswer,
};
use cosmwasm_std::{Deps, Env, Order};
use cw_storage_plus::Bound;

use super::{explain, page};
use crate::case::Case;
use crate::error::ContractError;
use crate::load;
use crate::state;

pub(super) fn proposal(deps: Deps, env: &Env, id: ProposalId) -> Result<ProposalAnswer, ContractError> {
    let now = load::now(env);
    let case = Case::load(deps.storage, id, now)?;
    let waiting_on = explain::waiting_on(deps.storage, env, &case)?;
    let draft = load::draft(deps.storage, id)?;
    let approvals = state::APPROVALS.may_load(deps.storage, id.0)?.unwrap_or_default();
    let Case { proposal, tally, phase, .. } = case;
    Ok(ProposalAnswer { id, phase, waiting_on, proposal, draft, tally, approvals })
}

/// The newest first.
pub(super) fn proposals(
    deps: Deps,
    env: &Env,
    before: Option<ProposalId>,
    limit: Option<u32>,
) -> Result<ProposalsAnswer, ContractError> {
    let now = load::now(env);
    let before = before.map(|id| Bound::exclusive(id.0));
    let records = state::PROPOSALS.keys(deps.storage, None, before, Order::Descending).map(
        |id| -> Result<_, ContractError> {
            let id = ProposalId(id?);
            let Case { proposal, phase, .. } = Case::load(deps.storage, id, now)?;
            Ok(ProposalLine { id, phase, proposal })
        },
    );
    let (proposals, scanned_to) = page::of(records, limit, |line| line.id)?;
    Ok(ProposalsAnswer { proposals, scanned_to })
}

pub(super) fn comments(
    deps: Deps,
    id: ProposalId,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<CommentsAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::COMMENTS
        .prefix(id.0)
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(addr, count)| CommentAnswer { addr, count }));
    let (comments, scanned_to) = page::of(records, limit, |comment| comment.addr.clone())?;
    Ok(CommentsAnswer { comments, scanned_to })
}

pub(super) fn attestations(
    deps: Deps,
    id: ProposalId,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<AttestationsAnswer, ContractError> {
    let revision = load::proposal(deps.storage, id)?.revision;
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::ATTESTATIONS
        .prefix((id.0, revision))
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(auditor, attestation)| AttestationAnswer { auditor, attestation }));
    let (attestations, scanned_to) = page::of(records, limit, |answer| answer.auditor.clone())?;
    Ok(AttestationsAnswer { attestations, scanned_to })
}
