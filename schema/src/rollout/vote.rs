//! What a vote changes in a rollout: cancel, resume, roll back (design 4).

use super::{Halt, HaltCause, Outcome, Progress, Rollout, RolloutPhase, Transition};
use crate::brake::Brakes;
use crate::clock::{Moment, Now};
use crate::release::Reversibility;
use crate::units::{Height, Power};

/// Why a vote's wish cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteRefused {
    /// The rollout is not where this can happen.
    #[error("a rollout that is {phase:?} cannot be {verb}; allowed: {allowed}")]
    Phase {
        /// What was asked.
        verb: &'static str,
        /// Where the rollout is.
        phase: RolloutPhase,
        /// Where it would have to be.
        allowed: &'static str,
    },
    /// The rollout halted after the vote had opened.
    #[error(
        "the vote opened at height {voted}, before the rollout halted at {halted}: its voters could not know why; propose again"
    )]
    Stale {
        /// When the vote opened.
        voted: u64,
        /// When the rollout halted.
        halted: u64,
    },
    /// The release says that there is no way back.
    #[error("the release is forward_only: there is no way back; cancel the rollout to halt it")]
    ForwardOnly,
}

impl Rollout {
    /// Could any node run the release, or have run it? A lease that is out counts, and one that ran out without a word:
    /// its holder may be switching.
    #[must_use]
    pub fn is_touched(&self, progress: &Progress) -> bool {
        progress.touched || progress.running.plus(progress.leased).plus(progress.failed()) > Power(0)
    }

    /// Cancels it: before any node was let at it it ends, after that it halts.
    ///
    /// # Errors
    /// [`VoteRefused::Phase`] once it halted, goes back, or ended.
    pub fn cancel(
        &self,
        progress: &mut Progress,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Transition, VoteRefused> {
        let phase = self.phase(progress, brakes, now);
        match phase {
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_) => {}
            RolloutPhase::Halted | RolloutPhase::RollingBack | RolloutPhase::Ended(_) => {
                return Err(VoteRefused::Phase {
                    verb: "cancelled",
                    phase,
                    allowed: "before it halts or ends",
                });
            }
        }
        if self.is_touched(progress) {
            progress.halted = Some(Halt { cause: HaltCause::Cancelled, since: now.into() });
            return Ok(Transition::Halted(HaltCause::Cancelled));
        }
        let outcome = Outcome::Cancelled;
        progress.outcome = Some(outcome);
        Ok(Transition::Ended { outcome, unaccounted: Power(0) })
    }

    /// Lets a halted rollout go on with the wave that it halted in: its height, deadline and soak begin anew. The
    /// caller has checked that no brake holds, since no height is fixed under one. `voted`: when the vote opened.
    ///
    /// # Errors
    /// [`VoteRefused::Phase`] where it is not halted; [`VoteRefused::Stale`] where it halted after the vote had opened:
    /// its voters could not know why.
    pub fn resume(
        &self,
        progress: &mut Progress,
        brakes: &Brakes,
        voted: Moment,
        now: Now,
    ) -> Result<(), VoteRefused> {
        let phase = self.phase(progress, brakes, now);
        if phase != RolloutPhase::Halted {
            return Err(VoteRefused::Phase { verb: "resumed", phase, allowed: "halted" });
        }
        // A stall that nobody has stored yet is as new as it could be.
        let halted = progress.halted.map_or(now.height.0, |halt| halt.since.1);
        if halted > voted.1 {
            return Err(VoteRefused::Stale { voted: voted.1, halted });
        }
        progress.halted = None;
        if let Some(open) = progress.open.as_mut() {
            open.since = brakes.clock(now);
            open.height = Height(now.height.0.saturating_add(self.plan.notice_blocks.0));
            open.gate = None;
        }
        // Healthy power may suffice already, and then no further report would start the soak.
        self.mark_gate(progress, brakes, now);
        Ok(())
    }

    /// Takes it back. One that goes back already, whether or not somebody said so, or has gone, is as the vote wants it;
    /// the caller denies the release, which a stall alone did not.
    ///
    /// # Errors
    /// [`VoteRefused`] before a wave opened, once it ended otherwise, and for a release without a way back.
    pub fn roll_back(
        &self,
        progress: &mut Progress,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Transition, VoteRefused> {
        let phase = self.phase(progress, brakes, now);
        match phase {
            RolloutPhase::Wave(_)
            | RolloutPhase::Halted
            | RolloutPhase::RollingBack
            | RolloutPhase::Ended(Outcome::RolledBack) => {}
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Ended(_) => {
                let allowed = "in a wave, halted, on its way back";
                return Err(VoteRefused::Phase { verb: "rolled back", phase, allowed });
            }
        }
        if self.reversibility == Reversibility::ForwardOnly {
            return Err(VoteRefused::ForwardOnly);
        }
        if progress.rolling_back.is_none() {
            progress.go_back(now);
        }
        Ok(Transition::RollingBack)
    }
}
