//! The only source of chance: SplitMix64, so that a seed tells the whole story.

/// Dice that always fall the same way for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `first` to `last`, both included; `first` where they are the wrong way round.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        let width = last.saturating_sub(first).saturating_add(1);
        first.saturating_add(self.roll().checked_rem(width).unwrap_or_default())
    }

    /// Does it happen, with so many thousandths?
    pub fn happens(&mut self, per_mille: u16) -> bool {
        self.between(0, 999) < u64::from(per_mille)
    }

    /// An index below `count`; 0 for none.
    pub fn index(&mut self, count: usize) -> usize {
        let last = u64::try_from(count).unwrap_or(u64::MAX).saturating_sub(1);
        usize::try_from(self.between(0, last)).unwrap_or_default()
    }
}
