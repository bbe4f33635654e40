//! What keeps a story from being told to its end. An outcome that is not the expected one is no error.

use std::error::Error;

/// Why a story ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoryError {
    /// Something that the story stands on failed.
    #[error("cannot {action}")]
    Step {
        /// What was to be done.
        action: String,
        /// Why it could not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A program ended with an error.
    #[error("expected {what} to work, found {status}: {output}")]
    Command {
        /// The command.
        what: String,
        /// How it ended.
        status: String,
        /// Its last words.
        output: String,
    },
    /// Something did not come in time.
    #[error("expected {what} within {seconds} s, found {found}")]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// What was there instead.
        found: String,
    },
    /// Something else than expected came.
    #[error("expected {expected}, found {found}")]
    Other {
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// Told to stop.
    #[error("stopped by a signal")]
    Stopped,
}

/// Names the step that an error ended.
pub(crate) fn step<E: Into<Box<dyn Error + Send + Sync>>>(
    action: impl Into<String>,
) -> impl FnOnce(E) -> StoryError {
    move |source| StoryError::Step { action: action.into(), source: source.into() }
}

/// What is missing from an answer.
pub(crate) fn other(expected: impl Into<String>, found: impl std::fmt::Display) -> StoryError {
    StoryError::Other { expected: expected.into(), found: found.to_string() }
}
