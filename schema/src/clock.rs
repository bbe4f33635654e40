//! Two clocks: every span is seconds *and* blocks, and is over only when both are, so a halted chain eats no window
//! (design 3, "Clocks").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Blocks, Height, Seconds};

/// The block that asks: what every rule takes as its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    /// Height of the block.
    pub height: Height,
    /// Its time, in whole seconds since the Unix epoch.
    pub time: Seconds,
}

/// A length on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Seconds of block time.
    pub seconds: Seconds,
    /// Number of blocks.
    pub blocks: Blocks,
}

impl Span {
    /// A span of so many seconds and blocks.
    #[must_use]
    pub const fn new(seconds: u64, blocks: u64) -> Self {
        Self { seconds: Seconds(seconds), blocks: Blocks(blocks) }
    }

    /// Is each clock at least as long as the other's?
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.seconds >= other.seconds && self.blocks >= other.blocks
    }

    /// What is left of each clock.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self::new(
            self.seconds.0.saturating_sub(other.seconds.0),
            self.blocks.0.saturating_sub(other.blocks.0),
        )
    }

    /// Both clocks added.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self::new(
            self.seconds.0.saturating_add(other.seconds.0),
            self.blocks.0.saturating_add(other.blocks.0),
        )
    }
}

/// A stored point on both clocks, `[seconds, height]` in JSON. On the braked clock (see [`crate::brake`]) both
/// parts stand still while the brake holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment(pub u64, pub u64);

impl From<Now> for Moment {
    fn from(now: Now) -> Self {
        Self(now.time.0, now.height.0)
    }
}

impl Moment {
    /// The point a span later, part by part: sums of stored pairs need no message to be known.
    #[must_use]
    pub fn plus(&self, span: &Span) -> Self {
        Self(self.0.saturating_add(span.seconds.0), self.1.saturating_add(span.blocks.0))
    }

    /// The later of each part.
    #[must_use]
    pub fn latest(&self, other: &Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }

    /// Are both clocks at or past this point?
    #[must_use]
    pub fn is_over(&self, now: &Self) -> bool {
        now.0 >= self.0 && now.1 >= self.1
    }

    /// This point of a braked clock on the clock of the blocks, where the braked one shows `braked_now` at `now`. It
    /// comes later where a brake holds then.
    #[must_use]
    pub fn on_raw_clock(&self, braked_now: &Self, now: Now) -> Self {
        Self(
            self.0.saturating_add(now.time.0.saturating_sub(braked_now.0)),
            self.1.saturating_add(now.height.0.saturating_sub(braked_now.1)),
        )
    }

    /// What both clocks still have to run until this point.
    #[must_use]
    pub fn left(&self, now: &Self) -> Span {
        Span::new(self.0.saturating_sub(now.0), self.1.saturating_sub(now.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Height, Seconds};

    #[test]
    fn a_point_of_a_braked_clock_comes_as_much_later_as_was_braked() {
        let now = Now { time: Seconds(130), height: Height(40) };
        assert_eq!(Moment(200, 50).on_raw_clock(&Moment(100, 35), now), Moment(230, 55));
        assert_eq!(Moment(200, 50).on_raw_clock(&now.into(), now), Moment(200, 50));
    }

    #[test]
    fn a_deadline_is_over_only_when_both_clocks_are() {
        let deadline = Moment(100, 10).plus(&Span::new(5, 2));
        for (seconds, height, over) in
            [(105, 12, true), (104, 12, false), (105, 11, false), (1_000, 11, false), (104, 1_000, false)]
        {
            assert_eq!(deadline.is_over(&Moment(seconds, height)), over, "{seconds} s, height {height}");
        }
    }
}
