//! Replaces a proposal's content; the deliberation starts again, and attestations of the old content are void.

use concord_schema::ProposalId;
use concord_schema::attestation::Approvals;
use concord_schema::event::Event;
use concord_schema::proposal::{Draft, Phase};
use concord_schema::rules::REVISIONS_MAX;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, to_json_string};

use super::propose;
use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Revises. Class and component must stay: the deposit was paid and the rules were pinned for them.
///
/// # Errors
/// [`ContractError::Phase`] once the vote could open, [`ContractError`] for a draft out of bounds.
pub fn revise(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
    draft: Draft,
) -> Result<Response, ContractError> {
    let (storage, now) = (deps.storage, load::now(env));
    let case = Case::load(storage, id, now)?;
    if !matches!(case.phase, Phase::Deliberation | Phase::Validation) {
        return Err(case.refused(storage, "revise", "deliberation or validation", now));
    }
    let mut proposal = case.proposal;
    if proposal.revision >= REVISIONS_MAX {
        return Err(ContractError::Number {
            what: "revisions of a proposal",
            min: 0,
            max: REVISIONS_MAX.into(),
            found: u64::from(proposal.revision).saturating_add(1),
        });
    }
    let content = propose::parse(storage, deps.api, &draft)?;
    if content.digest == proposal.digest {
        return log::unchanged("the content is the same; nothing to revise");
    }
    let is = (content.class, &content.component);
    let was = (proposal.class, &proposal.component);
    if is != was {
        return Err(ContractError::Mismatch {
            what: "class and component of a revision",
            expected: format!("{was:?}"),
            found: format!("{is:?}; make it a proposal of its own"),
        });
    }
    proposal.revision = proposal.revision.saturating_add(1);
    proposal.release = content.release;
    proposal.exempt = draft.is_brake_exempt();
    proposal.digest = content.digest;
    proposal.from = now.into();
    let approvals = Approvals { v: 1, revision: proposal.revision, ..Approvals::default() };
    state::APPROVALS.save(storage, id.0, &approvals)?;
    state::PROPOSALS.save(storage, id.0, &proposal)?;
    content.store(storage, id, &draft)?;
    let event = Event::Revised {
        proposal: id.to_string(),
        revision: proposal.revision.to_string(),
        digest: content.digest.to_string(),
        release: content.release_text(),
        draft: to_json_string(&draft)?,
    };
    let what = format!("revision {} of proposal {id}", proposal.revision);
    log::changed(storage, env, info.sender.as_str(), &[event], what)
}
