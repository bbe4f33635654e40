//! What follows from a reason: the verdict, and what the agent does about it.

use crate::reason::Reason;

/// What a proved read came to. There is no fourth case: an answer that cannot be judged is `Never` or `NotYet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// Proved.
    Yes(T),
    /// The chain, or the source, is not there yet. Nothing was refused: ask again later.
    NotYet(Reason),
    /// What was shown is no proof and will not become one.
    Never(Reason),
}

impl<T> Verdict<T> {
    /// The reason's course says which of the two refusals it is.
    #[must_use]
    pub fn of(result: Result<T, Reason>) -> Self {
        match result {
            Ok(value) => Self::Yes(value),
            Err(reason) if reason.course() == Course::AskAgain => Self::NotYet(reason),
            Err(reason) => Self::Never(reason),
        }
    }

    /// The verdict as a result, for callers that only go on with a proof.
    ///
    /// # Errors
    /// The reason of a `NotYet` or `Never`.
    pub fn proved(self) -> Result<T, Reason> {
        match self {
            Self::Yes(value) => Ok(value),
            Self::NotYet(reason) | Self::Never(reason) => Err(reason),
        }
    }
}

/// What the agent does about a reason. In each case the node goes on running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Course {
    /// Ask again after a while, this source or another one.
    AskAgain,
    /// Ask the next source and let this one rest.
    NextSource,
    /// Act no more until an operator sets a new anchor.
    StopActing,
    /// Something of ours is wrong: a file, the configuration, the caller. A human looks.
    Fault,
}

impl Reason {
    /// The one table from reasons to what the agent does.
    #[must_use]
    pub fn course(&self) -> Course {
        match self {
            Self::CatchingUp { .. }
            | Self::Ahead { .. }
            | Self::StateAhead { .. }
            | Self::NoWitness { .. } => Course::AskAgain,

            Self::NoAnswer { .. }
            | Self::Oversize { .. }
            | Self::Truncated { .. }
            | Self::Malformed { .. }
            | Self::Refused { .. }
            | Self::QueryRefused { .. }
            | Self::ChainId { .. }
            | Self::WentBack { .. }
            | Self::BlockPruned { .. }
            | Self::StatePruned { .. }
            | Self::HeaderHeight { .. }
            | Self::CommitHeight { .. }
            | Self::ValidatorsHeight { .. }
            | Self::ValidatorsIncomplete { .. }
            | Self::ValidatorsTooMany { .. }
            | Self::ValidatorAddress { .. }
            | Self::ValidatorTwice { .. }
            | Self::ValidatorPower
            | Self::ValidatorsHash
            | Self::NextValidatorsHash
            | Self::HeaderHash
            | Self::CommitEmpty
            | Self::CommitLength { .. }
            | Self::SignerUnknown { .. }
            | Self::SignerPlace { .. }
            | Self::SignerTwice { .. }
            | Self::SignatureMissing
            | Self::Signature { .. }
            | Self::NilSignature { .. }
            | Self::Power { .. }
            | Self::Succession
            | Self::HeightBack { .. }
            | Self::TimeBack { .. }
            | Self::Future { .. }
            | Self::TooManyBlocks { .. }
            | Self::ParentHash { .. }
            | Self::AnchorHash { .. }
            | Self::WitnessUnproved { .. }
            | Self::ProofMissing
            | Self::AnswerHeight { .. }
            | Self::AnswerKey
            | Self::ProofKinds { .. }
            | Self::ProofSize { .. }
            | Self::ProofUnreadable { .. }
            | Self::ProofForm
            | Self::ProofKey
            | Self::ProofStore { .. }
            | Self::ValueDiffers
            | Self::ValueWithAbsence
            | Self::ValueMissing
            | Self::StoreRoot { .. }
            | Self::Presence
            | Self::Absence => Course::NextSource,

            Self::TrustExpired { .. } | Self::Forked(_) => Course::StopActing,

            Self::TooFarBack { .. } | Self::AppHash { .. } | Self::Height { .. } | Self::Sources { .. } => {
                Course::Fault
            }
        }
    }

    /// The reason's name, for logs, metrics and the tests' tables: the variant in snake case.
    #[must_use]
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        let mut name = String::new();
        for letter in text.chars().take_while(char::is_ascii_alphanumeric) {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}
