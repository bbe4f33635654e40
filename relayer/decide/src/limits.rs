//! How long work may take. An answer may never come: its task can die, a disk can hang, a driver can forget.
//!
//! Work whose late end changes nothing is given up: it counts as failed, and what follows is what follows a failure. The
//! rest changes which bytes run, so nothing may be begun before its end is known: the machine says that it is overdue,
//! and a person looks. Either way nothing is waited for in silence.

use serde::{Deserialize, Serialize};

use crate::Agent;
use crate::effect::{Effect, Work};
use crate::input::Input;
use crate::waiting::AgentWaiting;

/// The longest that each work may take, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A download, with all its tries; it has bounds of its own, and this one is for an answer that is lost.
    pub fetch_ms: u64,
    /// Hashing an artifact, and its self-test.
    pub stage_ms: u64,
    /// Taking the node out of service.
    pub drain_ms: u64,
    /// Putting it back.
    pub undrain_ms: u64,
    /// Ending the daemon, grace and proof included.
    pub stop_ms: u64,
    /// Keeping what going back needs.
    pub snapshot_ms: u64,
    /// Pointing `current` at an artifact.
    pub switch_ms: u64,
    /// Starting the daemon; its first passed probe is not part of it.
    pub spawn_ms: u64,
    /// Looking at links, store and daemon.
    pub look_ms: u64,
}

impl Default for Limits {
    /// A minute; ten for what reads or copies many bytes, and a day for a download.
    fn default() -> Self {
        const MINUTE_MS: u64 = 60_000;
        Self {
            fetch_ms: 1_440 * MINUTE_MS,
            stage_ms: 10 * MINUTE_MS,
            drain_ms: MINUTE_MS,
            undrain_ms: MINUTE_MS,
            stop_ms: MINUTE_MS,
            snapshot_ms: 10 * MINUTE_MS,
            switch_ms: MINUTE_MS,
            spawn_ms: MINUTE_MS,
            look_ms: MINUTE_MS,
        }
    }
}

impl Limits {
    /// The limit of a work, in milliseconds.
    #[must_use]
    pub const fn of(&self, work: Work) -> u64 {
        match work {
            Work::Fetch => self.fetch_ms,
            Work::Stage => self.stage_ms,
            Work::Drain => self.drain_ms,
            Work::Undrain => self.undrain_ms,
            Work::Stop => self.stop_ms,
            Work::Snapshot => self.snapshot_ms,
            Work::Switch => self.switch_ms,
            Work::Spawn => self.spawn_ms,
            Work::Look => self.look_ms,
        }
    }
}

/// The failure that stands for an answer which did not come; `None` where nothing but the answer itself will do.
fn given_up(effect: &Effect, why: String) -> Option<Input> {
    let ended = Err(why);
    match effect {
        Effect::Fetch { artifact } => Some(Input::Fetched { digest: artifact.digest, ended }),
        Effect::Stage { digest } => Some(Input::Staged { digest: *digest, ended }),
        Effect::Drain => Some(Input::Drained(ended)),
        Effect::Undrain => Some(Input::Undrained(ended)),
        Effect::Snapshot => Some(Input::Snapshotted(ended)),
        Effect::Stop { .. }
        | Effect::Switch { .. }
        | Effect::Spawn { .. }
        | Effect::Look
        | Effect::StartProbing { .. }
        | Effect::StopProbing
        | Effect::Commit
        | Effect::Report { .. }
        | Effect::AskLease { .. }
        | Effect::ReturnLease { .. }
        | Effect::Crank { .. } => None,
    }
}

impl Agent {
    /// How long an effect that was begun at `since_ms` takes, and its limit, if it is over that.
    fn over(&self, effect: &Effect, since_ms: u64) -> Option<(Work, u64, u64)> {
        let work = effect.work()?;
        let (for_ms, limit_ms) = (self.now_ms.saturating_sub(since_ms), self.settings.limits.of(work));
        (for_ms >= limit_ms).then_some((work, for_ms, limit_ms))
    }

    /// Gives up what took too long and may be given up.
    pub(crate) fn give_up(&mut self) {
        let under_way =
            [(self.work.clone(), self.work_since_ms), (self.errand.clone(), self.errand_since_ms)];
        for (effect, since_ms) in under_way {
            let Some(effect) = effect else { continue };
            let Some((_, _, limit_ms)) = self.over(&effect, since_ms) else { continue };
            if let Some(failure) = given_up(&effect, format!("no end within {limit_ms} ms")) {
                self.hear(failure);
            }
        }
    }

    /// Work that takes too long and must be waited for all the same.
    pub(crate) fn overdue(&self) -> Option<AgentWaiting> {
        let (on, for_ms, limit_ms) = self.over(self.work.as_ref()?, self.work_since_ms)?;
        Some(AgentWaiting::Overdue { on, for_ms, limit_ms })
    }
}
