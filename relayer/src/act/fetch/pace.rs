//! How fast a download must be: a host that sends a byte now and then is never silent, and would keep a node waiting for
//! hours.

use std::time::Duration;

use super::Miss;

/// The bytes of a download over the time that was waited for them, window by window. Time in which this side wrote to its
/// own disk does not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    bytes_per_second_min: u64,
    window: Duration,
    waited: Duration,
    bytes: u64,
    received: u64,
}

impl Pace {
    /// A download of which each `window` must bring `bytes_per_second_min` on average; 0 asks for nothing.
    pub(super) fn new(bytes_per_second_min: u64, window: Duration) -> Self {
        Self { bytes_per_second_min, window, waited: Duration::ZERO, bytes: 0, received: 0 }
    }

    /// Counts a part that was waited for. A download that ends before its first window is over is never too slow.
    pub(super) fn take(&mut self, bytes: u64, waited: Duration) -> Result<(), Miss> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.received = self.received.saturating_add(bytes);
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.window {
            return Ok(());
        }
        if is_slow(self.bytes, self.waited, self.bytes_per_second_min) {
            return Err(Miss::Drips {
                received: self.received,
                bytes: self.bytes,
                waited: self.waited,
                bytes_per_second_min: self.bytes_per_second_min,
            });
        }
        (self.bytes, self.waited) = (0, Duration::ZERO);
        Ok(())
    }
}

/// How much too early so many bytes are here, for a rate that is not to be exceeded; 0 sets no bound.
pub(super) fn ahead(bytes: u64, elapsed: Duration, bytes_per_second_max: u64) -> Duration {
    let ms = u128::from(bytes).saturating_mul(1_000).checked_div(u128::from(bytes_per_second_max));
    let due = Duration::from_millis(ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default());
    due.saturating_sub(elapsed)
}

/// Are these bytes fewer than this time should have brought?
fn is_slow(bytes: u64, waited: Duration, bytes_per_second_min: u64) -> bool {
    let wanted = u128::from(bytes_per_second_min).saturating_mul(waited.as_millis());
    u128::from(bytes).saturating_mul(1_000) < wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    #[test]
    fn a_download_waits_for_as_long_as_it_is_too_early() {
        for (bytes, ms, rate, want) in [
            (1_000, 0, 1_000, 1_000),
            (1_000, 400, 1_000, 600),
            (1_000, 1_000, 1_000, 0),
            (1_000, 9_000, 1_000, 0),
            (1_000, 0, 0, 0),
        ] {
            let waits = ahead(bytes, Duration::from_millis(ms), rate);
            assert_eq!(waits, Duration::from_millis(want), "{bytes} bytes in {ms} ms at {rate}");
        }
    }

    #[test]
    fn a_window_is_judged_at_both_edges_of_bytes_and_time() {
        for (bytes, ms, minimum, slow) in [
            (30 * 1_024, 30_000, 1_024, false),
            (30 * 1_024 - 1, 30_000, 1_024, true),
            // Too short to be judged.
            (0, 29_999, 1_024, false),
            (0, 30_000, 1_024, true),
            // A part that took longer than a window is held against all of its time.
            (60 * 1_024, 60_000, 1_024, false),
            (60 * 1_024 - 1, 60_000, 1_024, true),
            (0, u64::MAX, 0, false),
            (1, 30_000, 1, true),
            (30, 30_000, 1, false),
            (u64::MAX, 30_000, u64::MAX, true),
        ] {
            let mut pace = Pace::new(minimum, WINDOW);
            let taken = pace.take(bytes, Duration::from_millis(ms));
            assert_eq!(taken.is_err(), slow, "{bytes} bytes in {ms} ms, {minimum} wanted: {taken:?}");
        }
    }

    #[test]
    fn each_window_counts_for_itself() {
        let mut pace = Pace::new(10, Duration::from_secs(2));
        let second = Duration::from_secs(1);
        // What came fast at first pays for nothing later.
        for (bytes, fine) in [(1_000, true), (0, true), (0, true), (20, true), (19, true), (0, false)] {
            let taken = pace.take(bytes, second);
            assert_eq!(taken.is_ok(), fine, "{bytes}: {taken:?}");
        }
    }
}
