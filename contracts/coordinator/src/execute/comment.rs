//! Comments, by digest and address: the text itself is elsewhere.

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::release::Document;
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};

use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// The most comments of one account on one proposal.
pub const COMMENTS_MAX: u32 = 20;

/// Comments on a proposal that has not ended.
///
/// # Errors
/// [`ContractError::Phase`] after its end, [`ContractError::Number`] past [`COMMENTS_MAX`].
pub fn comment(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
    document: &Document,
) -> Result<Response, ContractError> {
    document.check("comment")?;
    let (storage, now, sender) = (deps.storage, load::now(env), info.sender.as_str());
    let case = Case::load(storage, id, now)?;
    if case.phase.is_terminal() {
        return Err(case.refused(storage, "comment", "a phase before its end", now));
    }
    let count = state::COMMENTS.may_load(storage, (id.0, sender))?.unwrap_or(0).saturating_add(1);
    if count > COMMENTS_MAX {
        return Err(ContractError::Number {
            what: "comments of one account on one proposal",
            min: 0,
            max: COMMENTS_MAX.into(),
            found: count.into(),
        });
    }
    state::COMMENTS.save(storage, (id.0, sender), &count)?;
    let event = Event::Commented {
        proposal: id.to_string(),
        digest: document.digest.to_string(),
        uri: document.uri.clone(),
    };
    log::changed(storage, env, sender, &[event], format!("comment {count}"))
}
