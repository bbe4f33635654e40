//! The host's clock against the chain's.
//!
//! A header's time is agreed by validators and lies about a block's length behind the moment at which it can be seen. So
//! a header that is seen right after it was made tells how far the host's clock is off. One that is seen later says
//! nothing, which is why only a height that rose is judged.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use concord_prove::Time;

/// More than this, beyond what the blocks' own length explains, is a wrong clock (design 5, "Clock").
const OFF_LONGEST: Duration = Duration::from_secs(60);
/// A header's time may lie this many blocks behind the moment at which it is seen.
const BLOCKS_BEHIND: u32 = 3;

/// Tells the time.
pub type Clock = fn() -> Time;

/// The host's time; a host whose clock stands before 1970 is at its beginning, and nothing is trusted there.
#[must_use]
pub fn host_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Time::from_unix_timestamp(seconds, since.subsec_nanos()).unwrap_or_else(|_| Time::unix_epoch())
}

/// What the newest headers said of the host's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClockCheck {
    height: u64,
    off: Option<Duration>,
}

impl ClockCheck {
    /// Takes the newest verified header's height and time, and the time of the one below it.
    pub(super) fn see(&mut self, height: u64, time: Time, below: Time, now: Time) {
        if height <= self.height {
            return;
        }
        self.height = height;
        let length = time.duration_since(below).unwrap_or_default();
        let allowed = OFF_LONGEST.saturating_add(length.saturating_mul(BLOCKS_BEHIND));
        let behind = now.duration_since(time).unwrap_or_default();
        self.off = (behind > allowed).then_some(behind);
    }

    /// How far the clock is ahead, where that is too much.
    pub(super) fn off(&self) -> Option<Duration> {
        self.off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_unix_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_minute_beyond_the_blocks_own_length_is_a_wrong_clock() {
        // Blocks of 5 s: 75 s behind is the last that is in order.
        for (now, is_off) in [(0, false), (-9, false), (75, false), (76, true), (4_000, true)] {
            let mut clock = ClockCheck::default();
            clock.see(9, at(0), at(-5), at(now));
            assert_eq!(clock.off().is_some(), is_off, "{now} s");
        }
    }

    #[test]
    fn only_a_height_that_rose_is_judged() {
        let mut clock = ClockCheck::default();
        clock.see(9, at(0), at(-5), at(1));
        clock.see(9, at(0), at(-5), at(4_000));
        assert_eq!(clock.off(), None, "a chain that stands still says nothing of the clock");
        clock.see(10, at(5), at(0), at(4_001));
        assert!(clock.off().is_some());
        clock.see(11, at(4_002), at(5), at(4_003));
        assert_eq!(clock.off(), None, "a clock that was set right is right");
    }
}
