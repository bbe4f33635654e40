//! Where a rollout is, whether or not somebody cranked it: what `now` ends has ended (ADR 1). `advance` only stores it.

use super::advance::move_assigned;
use super::{HaltCause, Outcome, Progress, Rollout, RolloutPhase};
use crate::brake::Brakes;
use crate::clock::{Moment, Now};
use crate::release::Reversibility;
use crate::units::Power;

/// What follows a halt whose span ends without a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It goes back and denies the release: two organisations failed.
    Back,
    /// It goes back and denies nothing: it stalled.
    BackStalled,
    /// It stays as it is.
    Contained,
}

impl Rollout {
    /// Where it is now.
    #[must_use]
    pub fn phase(&self, progress: &Progress, brakes: &Brakes, now: Now) -> RolloutPhase {
        let raw: Moment = now.into();
        if let Some(outcome) = progress.outcome {
            return RolloutPhase::Ended(outcome);
        }
        if let Some(since) = progress.rolling_back {
            let is_over = since.plus(&self.plan.failure.rolling_back).is_over(&raw);
            return if is_over {
                RolloutPhase::Ended(Outcome::RolledBack)
            } else {
                RolloutPhase::RollingBack
            };
        }
        if let Some(halt) = progress.halted {
            return match self.after_halt(progress, halt.cause) {
                _ if !halt.since.plus(&self.plan.failure.halted).is_over(&raw) => RolloutPhase::Halted,
                After::Back | After::BackStalled => RolloutPhase::RollingBack,
                After::Contained => RolloutPhase::Ended(Outcome::Contained),
            };
        }
        if let Some(open) = &progress.open {
            let stalls = self.stalls(progress, brakes, now);
            return if stalls { RolloutPhase::Halted } else { RolloutPhase::Wave(open.wave) };
        }
        let Some(drawn) = &progress.drawn else {
            return RolloutPhase::Drawing;
        };
        if self.is_refused(progress) {
            return RolloutPhase::Ended(Outcome::Expired);
        }
        let (first, last) = self.preparation_ends(drawn);
        let clock = brakes.clock(now);
        if !first.is_over(&clock) || self.is_ready(progress) {
            RolloutPhase::Preparing
        } else if !last.is_over(&clock) {
            RolloutPhase::Postponed
        } else {
            RolloutPhase::Ended(Outcome::Expired)
        }
    }

    /// What follows a halt whose span ends without a vote (design 4, "Buckets").
    pub(super) fn after_halt(&self, progress: &Progress, cause: HaltCause) -> After {
        if self.reversibility == Reversibility::ForwardOnly {
            return After::Contained;
        }
        if progress.failed_of.len() >= 2 {
            After::Back
        } else if cause == HaltCause::Stalled {
            After::BackStalled
        } else {
            After::Contained
        }
    }

    /// Is the open wave's deadline over without its gate?
    pub(super) fn is_overdue(&self, progress: &Progress, brakes: &Brakes, now: Now) -> bool {
        let moving = progress.halted.is_none() && progress.rolling_back.is_none();
        let Some(open) = progress.open.as_ref().filter(|_| moving && progress.outcome.is_none()) else {
            return false;
        };
        let spec = self.plan.waves.get(usize::from(open.wave));
        open.gate.is_none()
            && spec.is_some_and(|spec| open.since.plus(&spec.deadline).is_over(&brakes.clock(now)))
    }

    /// Moves what waits for a lease out of a wave whose deadline is over, once; its gate is judged anew for who stayed.
    /// Whoever touches an overdue wave does it first, so that nothing that comes late counts. Answers what moved.
    pub(super) fn move_waiters(&self, progress: &mut Progress, brakes: &Brakes, now: Now) -> Option<Power> {
        if !self.is_overdue(progress, brakes, now) {
            return None;
        }
        let open = progress.open.as_ref()?;
        let (wave, power) = (open.wave, open.waiting);
        let next = wave.saturating_add(1);
        if power == Power(0) || open.moved || usize::from(next) >= progress.waves.len() {
            return None;
        }
        move_assigned(progress, wave, next, power);
        if let Some(open) = progress.open.as_mut() {
            open.moved = true;
        }
        let gate = self.gate_reached(progress).then(|| brakes.clock(now));
        if let Some(open) = progress.open.as_mut() {
            open.gate = gate;
        }
        Some(power)
    }

    /// Is the open wave stalled? One that everybody left for the next is not: that one opens.
    fn stalls(&self, progress: &Progress, brakes: &Brakes, now: Now) -> bool {
        if !self.is_overdue(progress, brakes, now) {
            return false;
        }
        let mut after = progress.clone();
        self.move_waiters(&mut after, brakes, now);
        self.is_overdue(&after, brakes, now) && !after.is_left()
    }
}

impl Progress {
    /// Did everybody who was assigned to the open wave wait, and move on?
    pub(super) fn is_left(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.moved && self.assigned(open.wave.into()) == Power(0))
    }
}
