//! The agent's proved way to the chain: nodes on loopback that serve a made chain with real signatures and real proofs,
//! and lie on purpose.

#![cfg(test)]

#[path = "../../prove/tests/prove/maker.rs"]
#[expect(dead_code, reason = "shared with the prover's own tests")]
mod maker;
#[path = "../../prove/tests/prove/tree.rs"]
mod tree;

mod agent;
mod bundle;
mod served;
mod trust;
mod verdicts;
