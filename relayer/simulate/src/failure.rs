//! How a run fails.

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Its tag: an invariant of the design, or `LIVE` and `SETUP` of the simulation's own.
    pub rule: &'static str,
    /// What was found.
    pub what: String,
}

impl Breach {
    /// A breach of a rule.
    pub(crate) fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

/// Holds a rule, or says how it is broken.
pub(crate) fn hold(rule: &'static str, holds: bool, what: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach::new(rule, what())) }
}

/// A run in which a rule did not hold. Its text begins with the seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}: {rule}: {what}; the last events:\n{tail}")]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// The rule.
    pub rule: &'static str,
    /// What was found.
    pub what: String,
    /// The last events before it, one a line.
    pub tail: String,
}
