//! The drawn machine: `fsm.dot` beside this crate names every move that a node may make. The tests hold the drawing and
//! what the machine really does together, edge by edge.

use crate::stage::Move;

/// The drawing, in Graphviz' language.
pub const DRAWING: &str = include_str!("../fsm.dot");

/// Is this move drawn? Being contained with and without a daemon is one node of the drawing.
#[must_use]
pub fn is_drawn(step: &Move) -> bool {
    let (from, to) = (step.from.name(), step.to.name());
    from == to || edges().any(|edge| edge == (from, to))
}

/// All edges that are drawn.
pub fn edges() -> impl Iterator<Item = (&'static str, &'static str)> {
    DRAWING.lines().filter_map(|line| {
        let (from, rest) = line.trim().split_once(" -> ")?;
        let to = rest.split([' ', ';']).next()?;
        Some((from, to))
    })
}
