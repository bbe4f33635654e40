//! Components and releases.

use concord_schema::Digest;
use concord_schema::query::{ComponentAnswer, ComponentsAnswer, ReleaseAnswer};
use cosmwasm_std::{Deps, Order};
use cw_storage_plus::Bound;

use super::page;
use crate::error::ContractError;
use crate::{load, state};

pub(super) fn component(deps: Deps, name: String) -> Result<ComponentAnswer, ContractError> {
    let component = load::component(deps.storage, &name)?;
    Ok(ComponentAnswer { name, component })
}

pub(super) fn components(
    deps: Deps,
    after: Option<String>,
    limit: Option<u32>,
) -> Result<ComponentsAnswer, ContractError> {
    let after = after.as_deref().map(Bound::exclusive);
    let records = state::COMPONENTS
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(name, component)| ComponentAnswer { name, component }));
    let (components, scanned_to) = page::of(records, limit, |component| component.name.clone())?;
    Ok(ComponentsAnswer { components, scanned_to })
}

pub(super) fn release(deps: Deps, digest: &Digest) -> Result<ReleaseAnswer, ContractError> {
    Ok(ReleaseAnswer {
        standing: load::standing(deps.storage, digest)?.standing,
        release: load::release(deps.storage, digest)?,
    })
}
