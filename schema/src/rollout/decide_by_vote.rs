//! What a vote may still decide about a rollout that has ended with its release on nodes (design 4).

use super::vote::VoteRefused;
use super::{Outcome, Progress, Rollout, RolloutPhase, Transition};
use crate::brake::Brakes;
use crate::clock::Now;
use crate::release::Reversibility;

impl Rollout {
    /// Takes back what was completed or contained. The caller has checked that it is its component's newest rollout
    /// and that none is live, makes it live again, and denies the release. This is the one decision that a terminal
    /// phase gives way to: without it a release that turns out bad after its rollout could not be undone.
    ///
    /// # Errors
    /// [`VoteRefused`] for any other phase, and for a release without a way back.
    pub fn reopen_to_roll_back(
        &self,
        progress: &mut Progress,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Transition, VoteRefused> {
        let phase = self.phase(progress, brakes, now);
        if !matches!(phase, RolloutPhase::Ended(Outcome::Completed | Outcome::Contained)) {
            return Err(VoteRefused::Phase { verb: "rolled back", phase, allowed: "completed, contained" });
        }
        if self.reversibility == Reversibility::ForwardOnly {
            return Err(VoteRefused::ForwardOnly);
        }
        progress.outcome = None;
        progress.go_back(now);
        Ok(Transition::RollingBack)
    }
}
