//! The verbs, one a file.

pub mod actions;
pub mod advance;
pub mod attest;
pub mod brake;
pub mod comment;
pub mod deposit;
pub mod draw;
#[expect(clippy::module_inception, reason = "the verb is called execute")]
pub mod execute;
pub mod instantiate;
pub mod lease;
pub mod open_vote;
pub(crate) mod overlay;
pub mod propose;
pub mod register;
pub mod report;
pub mod revise;
pub mod vote;
pub mod withdraw;
