//! What the prover believes, and every way in which it does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has nothing to say"
)]

mod maker;
mod tree;
mod trust;
mod world;

mod bad;
mod light;
mod mutation;
mod real;
mod scene;
