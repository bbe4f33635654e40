//! Seeded simulation of a whole fleet: the real contract, the real decisions, fake hosts.
//!
//! One seed is one story: what the fleet is, what goes wrong, and when. After every message and every turn of a
//! machine the invariants of design 6 are looked at; once the troubles of a rollout are over, it must come to an end
//! within a bounded number of blocks, with every node settled on exactly one known release (LIVE, NODE-4).

mod chain;
mod check;
pub mod dice;
pub mod failure;
mod genesis;
mod host;
mod journal;
mod node;
pub mod profile;
pub mod summary;
mod trace;
mod world;

pub use failure::Failure;
pub use profile::{Mood, Profile, Sabotage, Vote, WIDE_FROM};
pub use summary::Summary;
pub use world::World;

/// Plays a seed's story to its end.
///
/// # Errors
/// [`Failure`]: a rule did not hold; its text begins with the seed and ends with the last events.
pub fn simulate(seed: u64) -> Result<Summary, Failure> {
    World::play(seed, Profile::of(seed))
}
