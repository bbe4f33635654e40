//! What keeps a figure from being measured.

use std::error::Error;

/// Why there is no figure. A figure that misses its bar is none of these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// Something that the measurement stands on failed.
    #[error("cannot {action}")]
    Step {
        /// What was to be done.
        action: &'static str,
        /// Why it could not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something did not come in time.
    #[error("expected {what} within {seconds} s, found {found}")]
    Late {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        seconds: u64,
        /// What was there instead.
        found: String,
    },
    /// Something else than expected came.
    #[error("expected {expected}, found {found}")]
    Other {
        /// What was expected.
        expected: &'static str,
        /// What came.
        found: String,
    },
}

/// Names the step that an error ended.
pub(crate) fn step<E: Into<Box<dyn Error + Send + Sync>>>(
    action: &'static str,
) -> impl FnOnce(E) -> BenchError {
    move |source| BenchError::Step { action, source: source.into() }
}
