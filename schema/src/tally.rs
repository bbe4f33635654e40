//! Ballots, and the exact arithmetic that decides: cross-multiplied integers, no division. First the quorum, then the
//! veto, then the threshold, as x/gov has it.

use cosmwasm_std::{Uint128, Uint256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::{Moment, Now};
use crate::rules::ClassRules;
use crate::units::{BPS_WHOLE, Bps};

/// What a ballot says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Ballot {
    /// For it.
    Yes,
    /// Against it.
    No,
    /// Present, of no opinion: counts for quorum only.
    Abstain,
    /// Against it, and it must not come back like this.
    Veto,
}

/// The bars of a vote, in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bars {
    /// Cast weight of the total.
    pub quorum_bps: Bps,
    /// Yes of the opinions (yes, no, veto).
    pub threshold_bps: Bps,
    /// Yes of the total.
    pub yes_min_bps: Bps,
    /// Veto of the cast weight, exceeded; `None`: ballots of veto only count as no.
    pub veto_bps: Option<Bps>,
    /// Veto of the total, reached: below it a veto line is not crossed.
    pub veto_floor_bps: Bps,
}

/// Sums of the ballots, and since when they decide. All that a ballot changes is this one key.
///
/// Invariant TALLY-1: they sum to at most the snapshot total. Invariant TALLY-2: no yes, no pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tally {
    /// Weight for.
    pub yes: Uint128,
    /// Weight against.
    pub no: Uint128,
    /// Weight abstaining.
    pub abstain: Uint128,
    /// Weight of vetoes.
    pub veto: Uint128,
    /// When no ballot to come could change the verdict any more, where the class finishes early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Moment>,
}

/// What a tally says once ballots are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every bar is met.
    Passed,
    /// Too few took part.
    QuorumFailed,
    /// The veto line is crossed.
    Vetoed,
    /// The threshold is not met.
    Rejected,
}

/// What a tally already says while ballots may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// It passes whatever comes.
    Pass,
    /// It cannot pass any more.
    Reject,
    /// The ballots to come decide.
    Open,
}

/// A ballot that would lift the sum above the stored total.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ballots of {cast} would exceed the snapshot total {total}")]
pub struct Overfull {
    /// The sum with the ballot.
    pub cast: Uint256,
    /// The stored total.
    pub total: Uint128,
}

fn wide(weight: Uint128) -> Uint256 {
    Uint256::from(weight)
}

/// `weight * 10,000`: at most 2^128 * 10^4, so it never overflows 256 bits.
fn scaled(weight: Uint256) -> Uint256 {
    weight.saturating_mul(Uint256::from(BPS_WHOLE))
}

fn share(bps: Bps, whole: Uint256) -> Uint256 {
    whole.saturating_mul(Uint256::from(u64::from(bps.0)))
}

impl Tally {
    /// Notes that no ballot to come can change the verdict, where the class finishes early.
    pub fn decide_early(&mut self, row: &ClassRules, total: Uint128, now: Now) {
        if row.early_finish && self.decided.is_none() && self.early(&row.bars, total) != Early::Open {
            self.decided = Some(now.into());
        }
    }

    /// All weight cast, whatever the ballots say.
    #[must_use]
    pub fn cast(&self) -> Uint256 {
        self.opinions().saturating_add(wide(self.abstain))
    }

    fn opinions(&self) -> Uint256 {
        wide(self.yes).saturating_add(wide(self.no)).saturating_add(wide(self.veto))
    }

    fn slot(&mut self, ballot: Ballot) -> &mut Uint128 {
        match ballot {
            Ballot::Yes => &mut self.yes,
            Ballot::No => &mut self.no,
            Ballot::Abstain => &mut self.abstain,
            Ballot::Veto => &mut self.veto,
        }
    }

    /// Adds a ballot's weight, in place of an earlier ballot of the same voter where there is one.
    ///
    /// # Errors
    /// [`Overfull`] where the sum would exceed `total`; the tally is then unchanged.
    pub fn count(
        &mut self,
        ballot: Ballot,
        weight: Uint128,
        replaces: Option<Ballot>,
        total: Uint128,
    ) -> Result<(), Overfull> {
        let mut next = *self;
        if let Some(earlier) = replaces {
            let slot = next.slot(earlier);
            *slot = slot.saturating_sub(weight);
        }
        let slot = next.slot(ballot);
        let sum = wide(*slot).saturating_add(wide(weight));
        *slot = Uint128::try_from(sum).map_err(|_| Overfull { cast: sum, total })?;
        if next.cast() > wide(total) {
            return Err(Overfull { cast: next.cast(), total });
        }
        *self = next;
        Ok(())
    }

    /// What these ballots say once no more can come; `total` is the snapshot's.
    #[must_use]
    pub fn verdict(&self, bars: &Bars, total: Uint128) -> Verdict {
        let (cast, opinions, total) = (self.cast(), self.opinions(), wide(total));
        let quorum = !total.is_zero() && !cast.is_zero() && scaled(cast) >= share(bars.quorum_bps, total);
        if !quorum {
            return Verdict::QuorumFailed;
        }
        let vetoed = bars.veto_bps.is_some_and(|veto_bps| {
            !self.veto.is_zero()
                && scaled(wide(self.veto)) > share(veto_bps, cast)
                && scaled(wide(self.veto)) >= share(bars.veto_floor_bps, total)
        });
        if vetoed {
            return Verdict::Vetoed;
        }
        let yes = wide(self.yes);
        let passed = !opinions.is_zero()
            && yes > wide(self.no).saturating_add(wide(self.veto))
            && scaled(yes) >= share(bars.threshold_bps, opinions)
            && scaled(yes) >= share(bars.yes_min_bps, total);
        if passed { Verdict::Passed } else { Verdict::Rejected }
    }

    /// What these ballots say while the rest of `total` may still come, in any way. Both halves of the early pass
    /// are needed: opponents' ballots could supply the quorum, and silence could withhold it. Only for votes in
    /// which a ballot is final.
    #[must_use]
    pub fn early(&self, bars: &Bars, total: Uint128) -> Early {
        let rest = wide(total).saturating_sub(self.cast());
        let Ok(rest) = Uint128::try_from(rest) else {
            return Early::Open;
        };
        let with = |ballot| {
            let mut all = *self;
            match all.count(ballot, rest, None, total) {
                Ok(()) => all.verdict(bars, total) == Verdict::Passed,
                Err(_) => false,
            }
        };
        let passes = self.verdict(bars, total) == Verdict::Passed;
        match (passes && with(Ballot::Veto), with(Ballot::Yes)) {
            (true, _) => Early::Pass,
            (false, false) => Early::Reject,
            (false, true) => Early::Open,
        }
    }
}

#[cfg(test)]
mod tests;
