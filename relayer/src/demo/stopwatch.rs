//! The demo's one clock: Unix milliseconds that never go back, so that they can stand beside block times.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, taken once from the host's clock and counted on from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    epoch_ms: u64,
    began: Instant,
}

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub(crate) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch_ms: millis(epoch), began: Instant::now() }
    }

    /// Unix milliseconds now.
    #[must_use]
    pub(crate) fn now_ms(&self) -> u64 {
        self.epoch_ms.saturating_add(millis(self.began.elapsed()))
    }

    /// Since its start.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Whole milliseconds of a duration.
#[must_use]
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
