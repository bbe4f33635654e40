//! Reports: a node's statements about itself.

use crate::digest::{Canonical, Digest};
use crate::text::{self, REASON_MAX, TextError};
use crate::units::{Height, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node says. Repeats of the same statement change nothing; another payload under the same key is an
/// equivocation, and the first stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Report {
    /// The release is verified and staged.
    Ready {
        /// Digest of the release.
        release: Digest,
    },
    /// It will not take part.
    Refused {
        /// Why.
        reason: String,
    },
    /// Ready, but not before a time; counts as ready until its wave's deadline.
    Deferred {
        /// Block time.
        until: Seconds,
    },
    /// The new release was started.
    Activated {
        /// Which try.
        attempt: u8,
        /// Height of the verified state on which it left Armed.
        height: Height,
    },
    /// The trial passed, and the node committed.
    Healthy {
        /// Which try.
        attempt: u8,
        /// Height of the tip then.
        height: Height,
        /// How long it did not serve, in milliseconds.
        downtime_ms: u64,
    },
    /// The release failed here.
    Failed {
        /// Which try.
        attempt: u8,
        /// Why.
        reason: String,
    },
    /// Back on the release of before.
    RolledBack {
        /// Which try.
        attempt: u8,
        /// Digest of the release that runs now.
        release: Digest,
    },
    /// It needs its operator.
    Contained {
        /// Which try.
        attempt: u8,
        /// Why.
        reason: String,
    },
}

impl Report {
    /// A word for its kind, as in events.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Refused { .. } => "refused",
            Self::Deferred { .. } => "deferred",
            Self::Activated { .. } => "activated",
            Self::Healthy { .. } => "healthy",
            Self::Failed { .. } => "failed",
            Self::RolledBack { .. } => "rolled_back",
            Self::Contained { .. } => "contained",
        }
    }

    /// A letter for its kind, as stored.
    #[must_use]
    pub fn letter(&self) -> char {
        match self {
            Self::Ready { .. } => 'r',
            Self::Refused { .. } => 'n',
            Self::Deferred { .. } => 'd',
            Self::Activated { .. } => 'a',
            Self::Healthy { .. } => 'h',
            Self::Failed { .. } => 'f',
            Self::RolledBack { .. } => 'b',
            Self::Contained { .. } => 'c',
        }
    }

    /// The try that it is about; 0 before the first.
    #[must_use]
    pub fn attempt(&self) -> u8 {
        match self {
            Self::Ready { .. } | Self::Refused { .. } | Self::Deferred { .. } => 0,
            Self::Activated { attempt, .. }
            | Self::Healthy { attempt, .. }
            | Self::Failed { attempt, .. }
            | Self::RolledBack { attempt, .. }
            | Self::Contained { attempt, .. } => *attempt,
        }
    }

    /// Checks the length of a reason.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn check(&self) -> Result<(), TextError> {
        match self {
            Self::Refused { reason } | Self::Failed { reason, .. } | Self::Contained { reason, .. } => {
                text::bounded("reason", reason, 1, REASON_MAX)
            }
            Self::Ready { .. }
            | Self::Deferred { .. }
            | Self::Activated { .. }
            | Self::Healthy { .. }
            | Self::RolledBack { .. } => Ok(()),
        }
    }

    /// Digest of the whole statement: two payloads under one key differ in it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let canonical = Canonical::new("concord/report/1").text(self.kind()).number(self.attempt().into());
        match self {
            Self::Ready { release } | Self::RolledBack { release, .. } => canonical.bytes(&release.0),
            Self::Refused { reason } | Self::Failed { reason, .. } | Self::Contained { reason, .. } => {
                canonical.text(text::stated(reason))
            }
            Self::Deferred { until } => canonical.number(until.0),
            Self::Activated { height, .. } => canonical.number(height.0),
            Self::Healthy { height, downtime_ms, .. } => canonical.number(height.0).number(*downtime_ms),
        }
        .digest()
    }
}
