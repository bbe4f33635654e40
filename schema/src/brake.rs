//! The emergency brake: an overlay that stops clocks and activation in its scope, and ends by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::{Moment, Now, Span};

/// What a brake stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything.
    All,
    /// One component, by name.
    Component(String),
}

/// The most guardians that one brake remembers.
pub const GUARDIANS_MAX: usize = 32;

/// Stored facts of one scope; always present, off or on, so that an agent proves presence.
///
/// Invariant BRAKE-1: a pull debits at most the full span once per rollout and scope, so braked time is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brake {
    /// Version of these facts.
    pub v: u8,
    /// Braked time of all earlier pulls.
    pub closed: Span,
    /// When the last pull began, on the clock that the outer scope leaves.
    pub from: Option<Moment>,
    /// When it ends or ended, on the same clock.
    pub until: Option<Moment>,
    /// Who pulled this time (positions in the guardian list), first one first.
    pub pulled_by: Vec<u8>,
    /// Who asked for release this time.
    pub released_by: Vec<u8>,
    /// The rollout that the last pull was for, 0 for none: one pull per rollout and scope.
    pub spent_on: u64,
    /// What a clock ran between its first end and the pull's lengthening: it was not braked then.
    #[serde(default, skip_serializing_if = "is_none")]
    pub gap: Span,
}

fn is_none(gap: &Span) -> bool {
    *gap == Span::default()
}

impl Brake {
    /// A brake that was never pulled.
    #[must_use]
    pub fn off() -> Self {
        Self { v: 1, ..Self::default() }
    }

    /// Does it hold at `now` of its own outer clock? Both clocks must pass `until` before it ends.
    #[must_use]
    pub fn holds(&self, now: &Moment) -> bool {
        self.until.is_some_and(|until| !until.is_over(now))
    }

    /// Total braked time up to `now`; each clock resumes at its own `until`. It never falls as `now` rises, whatever is
    /// pulled, lengthened or released in between; for a `now` of before the newest of these it is a lower bound.
    #[must_use]
    pub fn braked(&self, now: &Moment) -> Span {
        let (Some(from), Some(until)) = (self.from, self.until) else {
            return self.closed;
        };
        let running =
            Span::new(now.0.min(until.0).saturating_sub(from.0), now.1.min(until.1).saturating_sub(from.1));
        self.closed.plus(&running.minus(&self.gap))
    }

    /// The clock that this brake leaves to what it covers.
    #[must_use]
    pub fn leaves(&self, now: &Moment) -> Moment {
        let braked = self.braked(now);
        Moment(now.0.saturating_sub(braked.seconds.0), now.1.saturating_sub(braked.blocks.0))
    }

    /// Pulls it at `now` for `span`. The caller has checked that it does not hold.
    pub fn pull(&mut self, now: Moment, span: &Span, guardian: u8, rollout: u64) {
        self.closed = self.braked(&now);
        self.from = Some(now);
        self.until = Some(now.plus(span));
        self.pulled_by = vec![guardian];
        self.released_by = Vec::new();
        self.spent_on = rollout;
        self.gap = Span::default();
    }

    /// Lengthens a brake that holds at `now` to `span` from its beginning; never shortens. A clock that has resumed
    /// meanwhile stops again for what is left, and keeps what it ran.
    pub fn lengthen(&mut self, now: &Moment, span: &Span) {
        let (Some(from), Some(until)) = (self.from, self.until) else { return };
        let wanted = from.plus(span);
        let clock = |now: u64, until: u64, wanted: u64| {
            if wanted > now.max(until) { (wanted, now.saturating_sub(until)) } else { (until, 0) }
        };
        let (seconds, seconds_gap) = clock(now.0, until.0, wanted.0);
        let (height, blocks_gap) = clock(now.1, until.1, wanted.1);
        self.until = Some(Moment(seconds, height));
        self.gap = self.gap.plus(&Span::new(seconds_gap, blocks_gap));
    }

    /// Ends it at `now`.
    pub fn release(&mut self, now: Moment) {
        if let (Some(from), Some(until)) = (self.from, self.until) {
            // A clock that ran on its own before the lengthening cannot have been braked for less than nothing.
            let least = from.plus(&self.gap);
            self.until = Some(Moment(until.0.min(now.0.max(least.0)), until.1.min(now.1.max(least.1))));
        }
    }

    /// Did the last pull begin within these heights of its outer clock, both included?
    #[must_use]
    pub fn pulled_within(&self, first: u64, last: u64) -> bool {
        self.from.is_some_and(|from| (first..=last).contains(&from.1))
    }

    /// Braked blocks before this height of its outer clock; exact from the last pull on.
    fn braked_blocks(&self, height: u64) -> u64 {
        self.braked(&Moment(0, height)).blocks.0
    }
}

/// What a guardian's pull did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// It holds from now on.
    Began,
    /// It held; one guardian more.
    Joined,
    /// It held; the k-th guardian lengthened it to the full span.
    Lengthened,
    /// This guardian pulled before; nothing changed.
    Already,
}

/// What a guardian's wish for release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// One guardian more asks.
    Asked,
    /// The k-th guardian asked; it ended.
    Ended,
    /// This guardian asked before; nothing changed.
    Already,
    /// It does not hold; nothing changed.
    NotHeld,
}

/// The brake was pulled for this rollout already (BRAKE-1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "one pull per rollout and scope: this brake was pulled for rollout {rollout} (0: before the first) already; a vote can cancel the rollout or roll it back, and the next rollout arms the brake again"
)]
pub struct BrakeSpent {
    /// The rollout.
    pub rollout: u64,
}

/// The numbers that a guardian's message is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull<'a> {
    /// Guardians that lengthen it, and that release it.
    pub threshold: u8,
    /// Length of the first guardian's pull.
    pub short: &'a Span,
    /// Length of k guardians' pull, from its beginning.
    pub full: &'a Span,
    /// The scope's newest rollout, 0 for none.
    pub rollout: u64,
}

impl Brake {
    /// A guardian (by its place in the list) pulls at `now` of the brake's own outer clock: the first pulls the
    /// short brake, the k-th distinct one while it holds lengthens it to the full one.
    ///
    /// # Errors
    /// [`BrakeSpent`] where it does not hold and was pulled for the newest rollout before.
    pub fn ask_pull(&mut self, now: Moment, guardian: u8, by: &Pull<'_>) -> Result<Pulled, BrakeSpent> {
        if self.holds(&now) {
            if self.pulled_by.contains(&guardian) {
                return Ok(Pulled::Already);
            }
            self.pulled_by.push(guardian);
            if self.pulled_by.len() != usize::from(by.threshold) {
                return Ok(Pulled::Joined);
            }
            self.lengthen(&now, by.full);
            return Ok(Pulled::Lengthened);
        }
        if self.from.is_some() && self.spent_on == by.rollout {
            return Err(BrakeSpent { rollout: by.rollout });
        }
        let span = if by.threshold <= 1 { by.full } else { by.short };
        self.pull(now, span, guardian, by.rollout);
        Ok(Pulled::Began)
    }

    /// A guardian asks for release; `threshold` of them, pullers included, end it.
    pub fn ask_release(&mut self, now: Moment, guardian: u8, threshold: u8) -> Released {
        if !self.holds(&now) {
            return Released::NotHeld;
        }
        if self.released_by.contains(&guardian) {
            return Released::Already;
        }
        self.released_by.push(guardian);
        if self.released_by.len() < usize::from(threshold) {
            return Released::Asked;
        }
        self.release(now);
        Released::Ended
    }
}

/// Both brakes that bear on a component, and the clocks that they leave. Clocks nest: the component's brake is
/// measured on the clock that the all-brake leaves, so overlaps never add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brakes {
    /// Scope all.
    pub all: Brake,
    /// The component's own, where the subject has a component.
    pub component: Option<Brake>,
}

impl Brakes {
    /// The clock that the all-brake leaves.
    #[must_use]
    pub fn outer(&self, now: Now) -> Moment {
        self.all.leaves(&now.into())
    }

    /// The clock on which the subject's timelock, grace and soak run.
    #[must_use]
    pub fn clock(&self, now: Now) -> Moment {
        let outer = self.outer(now);
        self.component.as_ref().map_or(outer, |brake| brake.leaves(&outer))
    }

    /// Braked time so far, on both scopes together.
    #[must_use]
    pub fn braked(&self, now: Now) -> Span {
        let clock = self.clock(now);
        Span::new(now.time.0.saturating_sub(clock.0), now.height.0.saturating_sub(clock.1))
    }

    /// The scope that holds now, the widest first.
    #[must_use]
    pub fn holding(&self, now: Now) -> Option<Hold> {
        if self.all.holds(&now.into()) {
            return Some(Hold::All);
        }
        let outer = self.outer(now);
        self.component.as_ref().filter(|brake| brake.holds(&outer)).map(|_| Hold::Component)
    }

    /// Did the last pull of either scope begin within these raw heights, both included?
    #[must_use]
    pub fn pulled_within(&self, first: u64, last: u64) -> bool {
        let outer = |height: u64| height.saturating_sub(self.all.braked_blocks(height));
        self.all.pulled_within(first, last)
            || self.component.as_ref().is_some_and(|brake| brake.pulled_within(outer(first), outer(last)))
    }
}

/// Which scope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The brake on everything.
    All,
    /// The component's own brake.
    Component,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Height, Seconds};

    fn now(time: u64, height: u64) -> Now {
        Now { height: Height(height), time: Seconds(time) }
    }

    #[test]
    fn each_clock_resumes_at_its_own_until() {
        let mut brake = Brake::off();
        brake.pull(Moment(100, 10), &Span::new(5, 50), 0, 0);
        assert!(!Brake::off().holds(&Moment(100, 10)));
        for (time, height, holds, left) in [
            (100, 10, true, Moment(100, 10)),
            (105, 59, true, Moment(100, 10)),
            (200, 59, true, Moment(195, 10)),
            (104, 60, true, Moment(100, 10)),
            (105, 60, false, Moment(100, 10)),
            (106, 61, false, Moment(101, 11)),
        ] {
            assert_eq!(brake.holds(&Moment(time, height)), holds, "{time} {height}");
            assert_eq!(brake.leaves(&Moment(time, height)), left, "{time} {height}");
        }
    }

    /// The clock that a brake leaves never runs backwards, whichever clock had resumed when it was lengthened: deadlines
    /// that are over stay over (PHASE-1). Braked time is at most the full span (BRAKE-1).
    #[test]
    fn a_brake_that_is_lengthened_late_turns_no_clock_back() {
        let (short, full) = (Span::new(10, 20), Span::new(60, 40));
        let by = Pull { threshold: 2, short: &short, full: &full, rollout: 1 };
        let start = Moment(1_000, 100);
        // When the second guardian comes, and what the brake has taken from each clock in the end.
        for (at, braked) in [
            ((0, 0), (60, 40)),
            ((10, 19), (60, 40)),
            ((11, 19), (59, 40)),
            ((59, 5), (11, 40)),
            ((60, 5), (10, 40)),
            ((500, 5), (10, 40)),
            ((9, 21), (60, 39)),
            ((5, 39), (60, 21)),
            ((5, 40), (60, 20)),
        ] {
            let mut brake = Brake::off();
            brake.ask_pull(start, 0, &by).unwrap();
            let second = Moment(start.0 + at.0, start.1 + at.1);
            let before = brake.leaves(&second);
            assert_eq!(brake.ask_pull(second, 1, &by), Ok(Pulled::Lengthened), "{at:?}");
            let mut last = before;
            for step in 0..100 {
                let left = brake.leaves(&Moment(second.0 + step, second.1 + step));
                assert!(left.0 >= last.0 && left.1 >= last.1, "{at:?}: from {last:?} to {left:?}");
                last = left;
            }
            let whole = brake.braked(&Moment(start.0 + 1_000, start.1 + 1_000));
            assert_eq!(whole, Span::new(braked.0, braked.1), "{at:?}");
        }
    }

    #[test]
    fn release_ends_it_at_once_and_never_before_it_began() {
        let mut brake = Brake::off();
        brake.pull(Moment(100, 10), &Span::new(50, 50), 0, 0);
        brake.release(Moment(103, 13));
        assert!(!brake.holds(&Moment(103, 13)));
        assert_eq!(brake.leaves(&Moment(110, 20)), Moment(107, 17));
        brake.pull(Moment(110, 20), &Span::new(5, 5), 1, 0);
        assert_eq!(brake.braked(&Moment(120, 30)), Span::new(8, 8));
    }

    #[test]
    fn overlapping_scopes_never_add() {
        let mut all = Brake::off();
        let mut own = Brake::off();
        own.pull(Moment(100, 100), &Span::new(10, 10), 0, 0);
        all.pull(Moment(105, 105), &Span::new(10, 10), 0, 0);
        let brakes = Brakes { all, component: Some(own) };
        // Five braked by the component, then ten by all, then the component's other five.
        for (at, clock) in [(100, 100), (105, 100), (115, 100), (120, 100), (121, 101)] {
            assert_eq!(brakes.clock(now(at, at)), Moment(clock, clock), "at {at}");
        }
        assert_eq!(brakes.holding(now(110, 110)), Some(Hold::All));
        assert_eq!(brakes.holding(now(119, 119)), Some(Hold::Component));
        assert_eq!(brakes.holding(now(120, 120)), None);
        // The component's pull at 100, the all-brake's at 105.
        for (first, last, pulled) in
            [(90, 99, false), (90, 100, true), (101, 104, false), (101, 105, true), (106, 200, false)]
        {
            assert_eq!(brakes.pulled_within(first, last), pulled, "{first} to {last}");
        }
    }
}
