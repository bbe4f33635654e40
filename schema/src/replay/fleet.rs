//! Entries about registered nodes.

use super::{At, Replay, ReplayError};
use crate::event::Event;
use crate::node::Node;
use crate::units::{NodeNo, Power};

/// What a node counts for once every change of it counts.
fn counts_for(node: &Node) -> Power {
    node.next.map_or(node.power, |next| next.power)
}

impl Replay {
    pub(super) fn take_node(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        let Event::Registered { node, component, node_id, power, hot_key } = event else {
            return Ok(());
        };
        let (no, power) = (at.node(node)?, Power(at.parse("power", power)?));
        let known = self.nodes.get(&no).cloned();
        let before = known.as_ref().map_or(Power(0), counts_for);
        let replaced = known.as_ref().map(|node| node.hot_key.clone()).filter(|key| key != hot_key);
        let key = (at.who.to_owned(), component.clone());
        let operator = at.found(self.operators.get_mut(&key), "operator", at.who)?;
        operator.split = operator.split.minus(before).plus(power);
        operator.nodes = operator.nodes.saturating_add(u32::from(known.is_none()));
        let facts = at.found(self.components.get_mut(component), "component", component)?;
        facts.registered = facts.registered.minus(before).plus(power);
        let mut node = known.unwrap_or_else(|| Node {
            v: 1,
            no,
            operator: at.who.to_owned(),
            component: component.clone(),
            node_id: node_id.clone(),
            organisation: String::new(),
            hot_key: String::new(),
            since: facts.epoch,
            power,
            next: None,
        });
        at.agree("the node's name", node.node_id.as_str(), node_id.as_str())?;
        node.set_power(power, facts.epoch);
        node.hot_key.clone_from(hot_key);
        node.organisation.clone_from(&operator.organisation);
        self.hot_keys.insert(hot_key.clone(), node.clone());
        if let Some(replaced) = replaced {
            // Its record names another key from now on: nobody's, and taken for ever.
            self.hot_keys.insert(replaced, node.clone());
        }
        self.nodes.insert(no, node);
        let largest = self.nodes_by_power(component).next_back().map_or(Power(0), |(power, _)| power);
        if let Some(facts) = self.components.get_mut(component) {
            facts.largest = largest;
        }
        Ok(())
    }

    /// Powers and numbers of a component's nodes; the largest is last.
    pub fn nodes_by_power(
        &self,
        component: &str,
    ) -> impl DoubleEndedIterator<Item = (Power, NodeNo)> + use<> {
        let of = self.nodes.values().filter(|node| node.component == component);
        let mut powers: Vec<(Power, NodeNo)> = of.map(|node| (counts_for(node), node.no)).collect();
        powers.sort_unstable();
        powers.into_iter()
    }
}
