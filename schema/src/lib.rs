//! The language that contract, agent and clients speak, and the pure rules of its nouns.
//!
//! The noun owns its rule: a rule is a pure function of stored facts and a [`Now`], and the contract, the agent, the
//! simulator and the tests call the same one. Phases are computed, never stored. Nothing here does I/O, reads a
//! clock, draws a random number or panics.

pub mod adr36;
pub mod attestation;
pub mod brake;
pub mod clock;
pub mod digest;
pub mod event;
pub mod keys;
pub mod log;
pub mod msg;
pub mod node;
pub mod plan;
pub mod proposal;
pub mod query;
pub mod release;
pub mod replay;
pub mod report;
pub mod rollout;
pub mod rules;
pub mod tally;
pub mod text;
pub mod units;
pub mod waiting;

pub use clock::{Moment, Now, Span};
pub use digest::Digest;
pub use units::{Blocks, Bps, Height, NodeNo, Power, ProposalId, RolloutId, Seconds};
