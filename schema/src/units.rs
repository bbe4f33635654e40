//! Newtypes for heights, spans and shares, so that a unit can never be taken for another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ten thousand basis points are the whole.
pub const BPS_WHOLE: u64 = 10_000;

/// The largest power one component's fleet may hold in sum: it stays exact in every JSON reader.
pub const POWER_MAX: u64 = 1_000_000_000_000;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number!(
    /// A block's height on the coordinator's chain.
    Height(u64)
);
number!(
    /// Seconds: a duration, or a block's time since the Unix epoch.
    Seconds(u64)
);
number!(
    /// A number of blocks.
    Blocks(u64)
);
number!(
    /// A share of a whole in basis points.
    Bps(u16)
);
number!(
    /// What a node counts for in a rollout. At most [`POWER_MAX`] in sum.
    Power(u64)
);
number!(
    /// A proposal's number, from 1.
    ProposalId(u64)
);
number!(
    /// A rollout's number, from 1.
    RolloutId(u64)
);
number!(
    /// A registered node's number, from 1. It stands for `(operator, component, node_id)` in keys.
    NodeNo(u64)
);

impl Bps {
    /// Is `part` at least this share of `whole`? Exact: cross-multiplied, no division.
    #[must_use]
    pub fn reached_by(self, part: Power, whole: Power) -> bool {
        u128::from(part.0) * u128::from(BPS_WHOLE) >= u128::from(self.0) * u128::from(whole.0)
    }

    /// Is `part` more than this share of `whole`?
    #[must_use]
    pub fn exceeded_by(self, part: Power, whole: Power) -> bool {
        u128::from(part.0) * u128::from(BPS_WHOLE) > u128::from(self.0) * u128::from(whole.0)
    }
}

impl Power {
    /// The sum, capped at the type's end; [`POWER_MAX`] keeps real sums far below it.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left, or zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_at_both_edges() {
        // (share, part, whole, reached, exceeded)
        for (bps, part, whole, reached, exceeded) in [
            (5_000, 1, 2, true, false),
            (5_000, 2, 3, true, true),
            (5_001, 1, 2, false, false),
            (3_334, 2, 6, false, false),
            (3_333, 2, 6, true, true),
            (2_000, 1, 6, false, false),
            (2_000, 2, 6, true, true),
            (2_000, 1, 5, true, false),
            (10_000, 6, 6, true, false),
            (10_000, 5, 6, false, false),
            (0, 0, 6, true, false),
        ] {
            let (share, part, whole) = (Bps(bps), Power(part), Power(whole));
            assert_eq!(share.reached_by(part, whole), reached, "{bps} reached by {part}/{whole}");
            assert_eq!(share.exceeded_by(part, whole), exceeded, "{bps} exceeded by {part}/{whole}");
        }
    }
}
