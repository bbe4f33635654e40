//! Operators and nodes.

use concord_schema::NodeNo;
use concord_schema::node::{Node, Operator};
use concord_schema::query::NodesAnswer;
use cosmwasm_std::{Deps, Order};
use cw_storage_plus::Bound;

use super::page;
use crate::error::ContractError;
use crate::{load, state};

pub(super) fn operator(deps: Deps, addr: &str, component: &str) -> Result<Option<Operator>, ContractError> {
    Ok(state::OPERATORS.may_load(deps.storage, (addr, component))?)
}

pub(super) fn node(deps: Deps, no: NodeNo) -> Result<Node, ContractError> {
    load::node(deps.storage, no)
}

pub(super) fn node_of(deps: Deps, hot_key: &str) -> Result<Option<Node>, ContractError> {
    Ok(state::HOT_KEYS.may_load(deps.storage, hot_key)?.filter(|node| node.hot_key == hot_key))
}

pub(super) fn nodes(
    deps: Deps,
    after: Option<NodeNo>,
    limit: Option<u32>,
) -> Result<NodesAnswer, ContractError> {
    let after = after.map(|no| Bound::exclusive(no.0));
    let records = state::NODES
        .range(deps.storage, after, None, Order::Ascending)
        .map(|entry| entry.map(|(_, node)| node));
    let (nodes, scanned_to) = page::of(records, limit, |node| node.no)?;
    Ok(NodesAnswer { nodes, scanned_to })
}
