//! What the machine knows of its host, and the work that is under way there. Nothing of it is journaled: a new agent looks.

use concord_schema::Digest;

use crate::Agent;
use crate::effect::{Effect, Work};
use crate::input::{DaemonView, Ended, Link};
use crate::stage::Stage;
use crate::waiting::Fault;

/// The first pause after failed work, in milliseconds; each further one is twice as long.
const PAUSE_MS: u64 = 250;
/// The longest pause.
const PAUSE_MS_MAX: u64 = 60_000;
/// A daemon that lived so long starts with the shortest pause again.
const STEADY_MS: u64 = 60_000;
/// Failures of one work after which the switch is called off, or the way back is given up.
pub(crate) const FAILURES_MAX: u32 = 3;
/// The longest text that is kept of a failure.
const WHY_BYTES_MAX: usize = 256;

/// Work that failed.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) on: Work,
    pub(crate) fails: u32,
    pub(crate) not_before_ms: u64,
    pub(crate) why: String,
}

/// Starts of the daemon while the node serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Respawn {
    fails: u32,
    pub(crate) not_before_ms: u64,
    started_ms: u64,
}

fn pause_ms(fails: u32) -> u64 {
    PAUSE_MS.saturating_mul(1u64.checked_shl(fails.saturating_sub(1)).unwrap_or(u64::MAX)).min(PAUSE_MS_MAX)
}

/// The beginning of a text, cut between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.len().saturating_add(letter.len_utf8()) > bytes_max {
            break;
        }
        kept.push(letter);
    }
    kept
}

impl Agent {
    /// Asks for work that changes the host. There is none under way.
    pub(crate) fn start(&mut self, effect: Effect) {
        self.work = Some(effect.clone());
        self.work_since_ms = self.now_ms;
        self.out.push(effect);
    }

    /// Asks for a download or a check, which may take long and runs beside other work.
    pub(crate) fn run_errand(&mut self, effect: Effect) {
        self.errand = Some(effect.clone());
        self.errand_since_ms = self.now_ms;
        self.out.push(effect);
    }

    /// May this work be tried now?
    pub(crate) fn may(&self, on: Work) -> bool {
        self.retry.as_ref().is_none_or(|retry| retry.on != on || self.now_ms >= retry.not_before_ms)
    }

    /// How often this work failed in a row.
    pub(crate) fn failures(&self, on: Work) -> u32 {
        self.retry.as_ref().filter(|retry| retry.on == on).map_or(0, |retry| retry.fails)
    }

    fn failed(&mut self, on: Work, why: &str) {
        let fails = self.failures(on).saturating_add(1);
        let not_before_ms = self.now_ms.saturating_add(pause_ms(fails));
        self.retry = Some(Retry { on, fails, not_before_ms, why: cut(why, WHY_BYTES_MAX) });
    }

    /// Notes how work ended; true if it went well.
    pub(crate) fn note(&mut self, on: Work, ended: &Ended) -> bool {
        match ended {
            Ok(()) => {
                self.retry = self.retry.take().filter(|retry| retry.on != on);
                true
            }
            Err(why) => {
                self.failed(on, why);
                false
            }
        }
    }

    /// Takes an answer to the work under way; false if nobody waits for this one.
    pub(crate) fn answers(&mut self, is_it: impl Fn(&Effect) -> bool) -> bool {
        let it_is = self.work.as_ref().is_some_and(is_it);
        if it_is {
            self.work = None;
        }
        it_is
    }

    /// Likewise for a download or a check.
    pub(crate) fn answers_errand(&mut self, is_it: impl Fn(&Effect) -> bool) -> bool {
        let it_is = self.errand.as_ref().is_some_and(is_it);
        if it_is {
            self.errand = None;
        }
        it_is
    }

    pub(crate) fn daemon(&self) -> DaemonView {
        self.host.as_ref().map_or(DaemonView::Unknown, |host| host.daemon)
    }

    pub(crate) fn set_daemon(&mut self, daemon: DaemonView) {
        if let Some(host) = self.host.as_mut() {
            host.daemon = daemon;
        }
    }

    /// The artifact that `current` points at.
    pub(crate) fn current(&self) -> Option<Digest> {
        self.host.as_ref().and_then(|host| match host.current {
            Link::To(digest) => Some(digest),
            Link::Missing | Link::Broken { .. } => None,
        })
    }

    pub(crate) fn is_staged(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.staged)
    }

    /// Looks where something is not known; true if the machine must wait for it.
    pub(crate) fn must_look(&mut self) -> bool {
        let known = self.host.is_some() && self.daemon() != DaemonView::Unknown;
        if !known && self.may(Work::Look) {
            self.start(Effect::Look);
        }
        !known
    }

    /// Starts what `current` points at. NODE-4: the one place that asks for a start, only of the bytes that the caller
    /// names, only when no daemon is alive.
    pub(crate) fn spawn(&mut self, digest: Digest) {
        let dead = matches!(self.daemon(), DaemonView::Dead | DaemonView::HostLost);
        if !dead || self.current() != Some(digest) || self.work.is_some() {
            return;
        }
        self.memory.run = self.memory.run.saturating_add(1);
        self.start(Effect::Spawn { run: self.memory.run, digest });
    }

    pub(crate) fn stop(&mut self) {
        if self.may(Work::Stop) {
            self.start(Effect::Stop { run: self.memory.run });
        }
    }

    /// Starts a daemon anew that ended while the node serves, with longer and longer pauses.
    pub(crate) fn respawn(&mut self) {
        if self.now_ms < self.respawn.not_before_ms {
            return;
        }
        if self.now_ms.saturating_sub(self.respawn.started_ms) >= STEADY_MS {
            self.respawn.fails = 0;
        }
        self.respawn.fails = self.respawn.fails.saturating_add(1);
        self.respawn.started_ms = self.now_ms;
        self.respawn.not_before_ms =
            self.now_ms.saturating_add(pause_ms(self.respawn.fails.saturating_add(1)));
        self.spawn(self.memory.serves.artifact);
    }

    /// What `current` may be in this stage; the first is what the journal says.
    fn expected(&self) -> [Option<Digest>; 2] {
        let serves = Some(self.memory.serves.artifact);
        let target = self.memory.target.as_ref();
        let new = target.map(|target| target.artifact.digest);
        match self.memory.stage {
            Stage::Switched | Stage::Booting | Stage::OnTrial => [new, None],
            Stage::Snapshotted => [serves, new],
            Stage::RollingBack => [target.map(|target| target.previous.artifact), new],
            Stage::Idle
            | Stage::Discovered
            | Stage::Fetching
            | Stage::Verified
            | Stage::Staged
            | Stage::Armed
            | Stage::Leased
            | Stage::Draining
            | Stage::Stopped
            | Stage::Committed
            | Stage::Restoring
            | Stage::RolledBack
            | Stage::Refused
            | Stage::Cancelled
            | Stage::Expired
            | Stage::Contained { .. } => [serves, None],
        }
    }

    /// Is anything here that the journal never asked for (NODE-1)?
    pub(crate) fn fault(&self) -> Option<Fault> {
        let host = self.host.as_ref()?;
        if !self.memory.stage.is_settled() && self.memory.target.is_none() {
            return Some(Fault::NoTarget { stage: self.memory.stage.name().to_owned() });
        }
        let allowed = self.expected();
        let expected = allowed[0].unwrap_or(self.memory.serves.artifact);
        match &host.current {
            Link::Missing => return Some(Fault::CurrentMissing { expected }),
            Link::Broken { why } => {
                return Some(Fault::CurrentBroken { expected, why: cut(why, WHY_BYTES_MAX) });
            }
            Link::To(found) if !allowed.contains(&Some(*found)) => {
                return Some(Fault::CurrentForeign { expected, found: *found });
            }
            Link::To(_) => {}
        }
        match host.daemon {
            DaemonView::Running { digest } if self.memory.stage.is_serving() && digest != expected => {
                Some(Fault::DaemonForeign { expected, found: digest })
            }
            DaemonView::Running { .. } | DaemonView::Dead | DaemonView::HostLost | DaemonView::Unknown => {
                None
            }
        }
    }
}
