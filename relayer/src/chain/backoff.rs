//! How long to wait before asking again.

use std::time::Duration;

use rand::Rng;

/// The shortest and longest wait between two tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffRange {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer than this.
    pub longest: Duration,
}

impl Default for BackoffRange {
    /// 250 ms to 30 s.
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

/// Waits that grow with each failure and differ from one agent to the next.
///
/// Each wait is drawn between the first one and three times the one before ("decorrelated jitter"), so that
/// a fleet whose source died does not return to it in step. It never ends: what must end counts its tries.
#[derive(Clone, Debug)]
pub struct Backoff {
    range: BackoffRange,
    last: Duration,
}

impl Backoff {
    /// A backoff that starts at the range's first wait.
    #[must_use]
    pub fn new(range: BackoffRange) -> Self {
        Self { range, last: range.first }
    }

    /// The next wait, somewhere between the range's two ends.
    pub fn next_wait(&mut self) -> Duration {
        let first = self.range.first.min(self.range.longest);
        let above = self.last.saturating_mul(3).clamp(first, self.range.longest);
        self.last = if above > first { rand::thread_rng().gen_range(first..=above) } else { first };
        self.last
    }

    /// Sleeps for the next wait.
    pub async fn rest(&mut self) {
        tokio::time::sleep(self.next_wait()).await;
    }

    /// Starts again at the first wait, after a success.
    pub fn reset(&mut self) {
        self.last = self.range.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_lies_in_the_range_and_grows_to_its_end() {
        let range = BackoffRange::default();
        let mut backoff = Backoff::new(range);
        let waits: Vec<Duration> = (0..500).map(|_| backoff.next_wait()).collect();
        assert!(waits.iter().all(|wait| *wait >= range.first && *wait <= range.longest));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(10)));
        backoff.reset();
        assert!(backoff.next_wait() <= range.first * 3);
    }

    #[test]
    fn a_range_of_one_point_is_that_point() {
        let range = BackoffRange { first: Duration::from_millis(5), longest: Duration::from_millis(5) };
        assert_eq!(Backoff::new(range).next_wait(), Duration::from_millis(5));
    }
}
