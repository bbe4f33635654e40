//! Registers a node of the sender, or changes its power or hot key.

use concord_schema::event::Event;
use concord_schema::node::{Component, NODES_MAX, Node, Operator};
use concord_schema::text;
use concord_schema::units::{NodeNo, POWER_MAX, Power};
use cosmwasm_std::{DepsMut, Empty, Env, MessageInfo, Order, Response, Storage};

use crate::error::ContractError;
use crate::{auth, load, log, state};

/// Registers a node of the sender, or changes its power or hot key. While a rollout moves, changes count from the
/// next one on ([`Node::power_at`]).
///
/// # Errors
/// [`ContractError`] for who is no operator of the component, a power beyond the operator's, a node too many, and a
/// hot key that serves or served another node.
pub fn register(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    component: String,
    node_id: String,
    power: Power,
    hot_key: String,
) -> Result<Response, ContractError> {
    let sender = info.sender.as_str();
    let mut operator = auth::operator(deps.storage, sender, &component)?;
    text::name("node id", &node_id)?;
    let hot_key = load::address(deps.api, "hot key", &hot_key)?;
    let mut facts = load::component(deps.storage, &component)?;
    let names = (sender, component.as_str(), node_id.as_str());
    let known = match state::NODE_NAMES.may_load(deps.storage, names)? {
        Some(no) => Some(load::node(deps.storage, NodeNo(no))?),
        None => None,
    };
    if let Some(node) = &known
        && node.hot_key == hot_key
        && counts_for(node) == power
        && node.organisation == operator.organisation
    {
        return log::unchanged(format!("node {} is registered like this", node.no));
    }
    if known.as_ref().is_none_or(|node| node.hot_key != hot_key)
        && state::HOT_KEYS.has(deps.storage, &hot_key)
    {
        let next = "a hot key serves one node, once; make a new one";
        return Err(ContractError::Taken { what: "hot key", key: hot_key, next });
    }
    let before = known.as_ref().map_or(Power(0), counts_for);
    let replaced = known.as_ref().filter(|node| node.hot_key != hot_key).map(|node| node.hot_key.clone());
    split(&mut operator, before, power, known.is_none())?;
    sum(&mut facts, before, power)?;
    let ranked = known.as_ref().map(|_| before);
    let node = match known {
        Some(mut node) => {
            node.set_power(power, facts.epoch);
            node.hot_key.clone_from(&hot_key);
            node.organisation.clone_from(&operator.organisation);
            node
        }
        None => Node {
            v: 1,
            no: number(deps.storage)?,
            operator: sender.to_owned(),
            component: component.clone(),
            node_id: node_id.clone(),
            organisation: operator.organisation.clone(),
            hot_key: hot_key.clone(),
            since: facts.epoch,
            power,
            next: None,
        },
    };
    rank(deps.storage, &mut facts, &component, node.no, ranked, power)?;
    state::OPERATORS.save(deps.storage, (sender, &component), &operator)?;
    state::COMPONENTS.save(deps.storage, &component, &facts)?;
    save(deps.storage, &node, replaced.as_deref())?;
    let (what, node) = (format!("node {} is registered", node.no), node.no.to_string());
    let event = Event::Registered { node, component, node_id, power: power.to_string(), hot_key };
    log::changed(deps.storage, env, sender, &[event], what)
}

/// Saves a node under its number, its name and its hot key.
fn save(storage: &mut dyn Storage, node: &Node, replaced: Option<&str>) -> Result<(), ContractError> {
    let name = (node.operator.as_str(), node.component.as_str(), node.node_id.as_str());
    state::NODE_NAMES.save(storage, name, &node.no.0)?;
    state::NODES.save(storage, node.no.0, node)?;
    state::HOT_KEYS.save(storage, &node.hot_key, node)?;
    if let Some(replaced) = replaced {
        // Its record now names another key: nobody's, and taken for ever.
        state::HOT_KEYS.save(storage, replaced, node)?;
    }
    Ok(())
}

/// What a node counts for once every change of it counts.
fn counts_for(node: &Node) -> Power {
    node.next.map_or(node.power, |next| next.power)
}

fn number(storage: &mut dyn Storage) -> Result<NodeNo, ContractError> {
    let no = state::NODE_COUNT.may_load(storage)?.unwrap_or_default().saturating_add(1);
    state::NODE_COUNT.save(storage, &no)?;
    Ok(NodeNo(no))
}

/// Splits the operator's power; a node may have none of it.
fn split(operator: &mut Operator, before: Power, power: Power, is_new: bool) -> Result<(), ContractError> {
    let others = operator.split.minus(before);
    let left = operator.power.minus(others);
    if power > left {
        let what = "power of the node, of what its operator has left,";
        return Err(ContractError::Number { what, min: 0, max: left.0, found: power.0 });
    }
    operator.split = others.plus(power);
    if is_new {
        let nodes = operator.nodes.saturating_add(1);
        if nodes > NODES_MAX {
            let (max, found) = (NODES_MAX.into(), nodes.into());
            return Err(ContractError::Number {
                what: "nodes of an operator and component",
                min: 0,
                max,
                found,
            });
        }
        operator.nodes = nodes;
    }
    Ok(())
}

fn sum(component: &mut Component, before: Power, power: Power) -> Result<(), ContractError> {
    let registered = component.registered.minus(before).plus(power);
    if registered > Power(POWER_MAX) {
        return Err(ContractError::Sum { what: "registered power", max: POWER_MAX.to_string() });
    }
    component.registered = registered;
    Ok(())
}

/// Puts a node where its power is among those of its component, and reads the largest: one key.
fn rank(
    storage: &mut dyn Storage,
    component: &mut Component,
    name: &str,
    no: NodeNo,
    before: Option<Power>,
    power: Power,
) -> Result<(), ContractError> {
    if let Some(before) = before {
        state::NODES_BY_POWER.remove(storage, (name, before.0, no.0));
    }
    state::NODES_BY_POWER.save(storage, (name, power.0, no.0), &Empty {})?;
    let mut ranked = state::NODES_BY_POWER.sub_prefix(name).keys(storage, None, None, Order::Descending);
    component.largest = Power(ranked.next().transpose()?.map_or(0, |(largest, _)| largest));
    Ok(())
}
