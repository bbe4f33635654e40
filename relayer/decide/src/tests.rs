//! The machine against a small world: the chain's own rules on one side, a host of a few fields on the other.

mod crash;
mod edges;
mod follow;
mod late;
mod limits;
mod stages;
mod world;
