//! Whether the blocks of the daemon's own CometBFT node go on (design 5, "Health").
//!
//! A height that stands still is Unknown and no failure: a node cannot see whether it alone stopped or its whole chain did.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{Answer, unknown};

/// No status is longer than this.
pub(super) const STATUS_BYTES_MAX: u64 = 64 << 10;

/// What a check saw so far of the daemon that is probed now. A new daemon begins with a new one.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Option<Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    height: u64,
    risen: Option<Instant>,
}

/// The part of `/status` that counts.
#[derive(Debug, Deserialize)]
struct Status {
    result: Outcome,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    sync_info: Sync,
}

#[derive(Debug, Deserialize)]
struct Sync {
    latest_block_height: String,
    catching_up: bool,
}

impl Progress {
    /// Judges the body of an answer to `/status` that came at `now`.
    pub(super) fn judge(&self, body: &[u8], still: Duration, now: Instant) -> Answer {
        let sync = match serde_json::from_slice::<Status>(body) {
            Ok(status) => status.result.sync_info,
            Err(error) => return unknown(format!("the answer is no status of a CometBFT node: {error}")),
        };
        match sync.latest_block_height.parse() {
            Ok(height) => self.note(height, sync.catching_up, still, now),
            Err(_) => unknown(format!("expected a height, found {:.32}", sync.latest_block_height)),
        }
    }

    fn note(&self, height: u64, catching_up: bool, still: Duration, now: Instant) -> Answer {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let risen = match *seen {
            Some(before) if height > before.height => Some(now),
            Some(before) if height == before.height => before.risen,
            Some(_) | None => None,
        };
        *seen = Some(Seen { height, risen });
        match risen {
            _ if catching_up => unknown(format!("it is catching up, at height {height}")),
            None => unknown(format!("at height {height}, and no newer block was seen yet")),
            Some(risen) => {
                let since = now.saturating_duration_since(risen);
                if since <= still {
                    Answer::Pass
                } else {
                    unknown(format!("height {height} stands still for {} ms", since.as_millis()))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(answer: &Answer) -> &'static str {
        match answer {
            Answer::Pass => "pass",
            Answer::Fail { .. } => "fail",
            Answer::Unknown { .. } => "unknown",
        }
    }

    #[test]
    fn a_height_passes_only_after_it_rose_and_until_it_stood_still_too_long() {
        let progress = Progress::default();
        let (begin, still) = (Instant::now(), Duration::from_millis(1_000));
        for (at_ms, height, catching_up, want) in [
            (0, 7, false, "unknown"),
            (10, 7, false, "unknown"),
            (20, 8, false, "pass"),
            (1_020, 8, false, "pass"),
            (1_021, 8, false, "unknown"),
            (1_030, 9, true, "unknown"),
            (1_040, 9, false, "pass"),
            // Another node answers: what it shows begins anew.
            (1_050, 3, false, "unknown"),
            (1_060, 4, false, "pass"),
        ] {
            let answer = progress.note(height, catching_up, still, begin + Duration::from_millis(at_ms));
            assert_eq!(word(&answer), want, "at {at_ms} ms: {answer:?}");
        }
    }

    #[test]
    fn an_answer_that_is_no_status_is_unknown() {
        let still = Duration::from_secs(1);
        let good = br#"{"result":{"sync_info":{"latest_block_height":"8","catching_up":false,"x":1}}}"#;
        let progress = Progress::default();
        assert_eq!(
            word(&progress.judge(&good.map(|b| if b == b'8' { b'7' } else { b }), still, Instant::now())),
            "unknown"
        );
        assert_eq!(word(&progress.judge(good, still, Instant::now())), "pass");
        for bad in [
            "hello",
            r#"{"result":{}}"#,
            r#"{"result":{"sync_info":{"latest_block_height":"-9","catching_up":false}}}"#,
            r#"{"result":{"sync_info":{"latest_block_height":9,"catching_up":false}}}"#,
        ] {
            assert_eq!(word(&progress.judge(bad.as_bytes(), still, Instant::now())), "unknown", "{bad}");
        }
    }
}
