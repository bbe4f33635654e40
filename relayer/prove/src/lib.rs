//! Proved reads: what an agent in `light` mode believes, and why.
//!
//! An RPC is only a carrier. A header is believed when the Tendermint light client verifies it from an anchor that a
//! human vouched for, and a second source shows the same one; a value is believed when ICS23 proves it under the app
//! hash of such a header. Every answer ends in one of three verdicts ([`Verdict`]), every refusal has its own
//! [`Reason`], and one table ([`Reason::course`]) says what the agent does about it.
//!
//! `verify`, `value`, `trust` and `wire` are pure. `source` is the port to RPCs, `light` drives them.

mod block;
mod course;
mod fork;
mod light;
mod module;
mod reason;
mod signature;
mod source;
mod trust;
mod value;
mod verify;
mod wire;

pub use block::{Block, Member, assemble};
pub use course::{Course, Verdict};
pub use fork::Evidence;
pub use light::{BACK_MAX, BLOCKS_MAX, Light, Refusal, Told, propose_anchor, read_any};
pub use module::{ChainPlan, code_checksum, contract_code, unbonding_seconds, upgrade_plan};
pub use reason::{Reason, TEXT_MAX};
pub use source::{Source, light_block, read, signed_header, standing};
pub use tendermint::{Hash, Time};
pub use trust::{
    Anchor, AnchorError, DRIFT_SECONDS_MAX, Root, TRUST_BYTES_MAX, TRUST_VERSION, TRUSTING_SECONDS_MAX,
    Terms, TermsError, TrustError, TrustFile, Trusted, hash_text,
};
pub use value::{StateKey, verify_value};
pub use verify::{Step, verify_alone, verify_header, verify_parent};
pub use wire::{
    BLOCK_BYTES_MAX, PAGE, Page, ProofOp, ProvedAnswer, Question, Shown, Standing, VALIDATORS_MAX,
    VALUE_BYTES_MAX, read_commit, read_status, read_validators, read_value, state_gone,
};
