//! Why the contract refuses something. An error leaves no trace in the state.

use concord_schema::Digest;
use concord_schema::brake::BrakeSpent;
use concord_schema::plan::PlanError;
use concord_schema::proposal::{DraftError, Phase};
use concord_schema::release::ReleaseError;
use concord_schema::rollout::{DrawRefused, LeaseRefused, ReportRefused, RolloutPhase, VoteRefused};
use concord_schema::rules::{Class, RulesError};
use concord_schema::tally::Overfull;
use concord_schema::text::TextError;
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::{StdError, Uint128};
use cw_utils::PaymentError;
use thiserror::Error;

impl ContractError {
    /// Is it about where things stand now, and not about what was asked? A vote's actions wait for that to change
    /// (design 3, "a false precondition is waiting on, not an attempt"): no outsider uses up its attempts (LIVE-2).
    #[must_use]
    pub fn is_precondition(&self) -> bool {
        matches!(
            self,
            Self::Taken { .. }
                | Self::NotFound { .. }
                | Self::Mismatch { .. }
                | Self::Number { .. }
                | Self::NoProposer { .. }
                | Self::RolloutPhase { .. }
                | Self::Class { .. }
                | Self::Plan(PlanError::Blocked { .. })
                | Self::Decision(_)
        )
    }
}

/// Why the contract refuses something.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The store or its encoding failed.
    #[error("{0}")]
    Std(#[from] StdError),
    /// The sender lacks the right.
    #[error("{who} may not do this: it needs {needs}")]
    Unauthorized {
        /// The sender.
        who: String,
        /// Whose right it is.
        needs: String,
    },
    /// There is no such thing.
    #[error("there is no {what} {key:?}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        key: String,
    },
    /// It is there already, in another form.
    #[error("{what} {key:?} is there already; {next}")]
    Taken {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        key: String,
        /// What to do.
        next: &'static str,
    },
    /// Not an account of this chain.
    #[error("{what} is no account of this chain, found {found:?}: {why}")]
    Address {
        /// Which field.
        what: &'static str,
        /// Found.
        found: String,
        /// Why not.
        why: String,
    },
    /// Money came with a message that takes none.
    #[error("this message takes no money: {0}")]
    Payment(#[from] PaymentError),
    /// The deposit is not exactly what the class asks for.
    #[error("a proposal of class {class:?} takes exactly {expected} as its deposit, found {found}")]
    Deposit {
        /// The computed class.
        class: Class,
        /// Expected, or `nothing`.
        expected: String,
        /// Found, or `nothing`.
        found: String,
    },
    /// Too many of something.
    #[error("{what} must be {min} to {max}, found {found}")]
    Number {
        /// Of what.
        what: &'static str,
        /// At least.
        min: u64,
        /// At most.
        max: u64,
        /// Found.
        found: u64,
    },
    /// A sum that does not fit.
    #[error("the sum of {what} exceeds {max}")]
    Sum {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: String,
    },
    /// Two things that must agree do not.
    #[error("{what} must be {expected:?}, found {found:?}")]
    Mismatch {
        /// What.
        what: &'static str,
        /// Expected.
        expected: String,
        /// Found.
        found: String,
    },
    /// A change of members after which nobody could propose everything.
    #[error(
        "a proposer in every class needs weight {needed}; the largest that is left for certain is {largest}: set a member of that weight in the same change"
    )]
    NoProposer {
        /// Needed.
        needed: Uint128,
        /// Largest of the proposer's own weight and those that are set.
        largest: Uint128,
    },
    /// Another content than the sender saw.
    #[error("the content is {found}, expected {expected}; read the proposal again before voting")]
    Content {
        /// What the sender saw.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// The proposal is not where this can happen.
    #[error("{verb} needs a proposal in {allowed}; this one is in {phase:?}, waiting on {waiting_on}")]
    Phase {
        /// What was asked.
        verb: &'static str,
        /// Where it could happen.
        allowed: &'static str,
        /// Where the proposal is.
        phase: Phase,
        /// What it waits on.
        waiting_on: Box<WaitingOn>,
    },
    /// What was stopped in motion when it was proposed has completed since.
    #[error(
        "the rollout has completed: to take it back needs a vote of class {needed:?}, this one is {found:?}; propose it again"
    )]
    Class {
        /// Needed.
        needed: Class,
        /// The proposal's.
        found: Class,
    },
    /// The rollout is not where this can happen.
    #[error("{verb} needs a rollout that is {allowed}; this one is {phase:?}")]
    RolloutPhase {
        /// What was asked.
        verb: &'static str,
        /// Where it could happen.
        allowed: &'static str,
        /// Where the rollout is.
        phase: RolloutPhase,
    },
    /// A signature that does not verify.
    #[error("the signature of {auditor} does not verify: {why}")]
    Signature {
        /// Whose.
        auditor: String,
        /// Why.
        why: String,
    },
    /// A statement past its time.
    #[error("the statement expired at {expires}, block time is {now}; sign a new one")]
    StatementExpired {
        /// Good before.
        expires: u64,
        /// Block time.
        now: u64,
    },
    /// A ballot that is final.
    #[error("the ballot of {voter} was {was}, and ballots of this class are final")]
    BallotFinal {
        /// Whose.
        voter: String,
        /// What it was.
        was: String,
    },
    /// A draft out of bounds.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// A plan out of bounds.
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    /// Rules out of bounds.
    #[error("rules: {0}")]
    Rules(#[from] RulesError),
    /// A release or a list out of bounds.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A text out of bounds.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Ballots above the total.
    #[error(transparent)]
    Overfull(#[from] Overfull),
    /// A report that is not taken.
    #[error(transparent)]
    Report(#[from] ReportRefused),
    /// A lease that is not granted.
    #[error(transparent)]
    Lease(#[from] LeaseRefused),
    /// A seed that is not drawn.
    #[error(transparent)]
    Draw(#[from] DrawRefused),
    /// A brake that is not pulled.
    #[error(transparent)]
    Brake(#[from] BrakeSpent),
    /// A vote's wish that a rollout cannot meet.
    #[error(transparent)]
    Decision(#[from] VoteRefused),
}
