//! From the lease to the commit, and back up where the switch is called off before it happened (design 5).

use concord_schema::report::Report;
use concord_schema::rollout::{Outcome, RolloutPhase, SeatState};
use concord_schema::units::Height;

use crate::Agent;
use crate::effect::{Effect, Work};
use crate::follow::{at_tip, is_over};
use crate::host::FAILURES_MAX;
use crate::input::{ChainView, DaemonView};
use crate::memory::{Served, Target};
use crate::stage::Stage;
use crate::trial::{Finding, Trial};

/// Tries of one rollout that a new start of the host may cut before they count against the release after all.
const HOSTS_LOST_MAX: u8 = 3;
/// Beyond the time that a boot may take, nothing but unknown answers to probes is waited through for so long.
pub(crate) const UNCLEAR_MS_MAX: u64 = 60_000;

/// What the chain says about a switch that has not happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Go on.
    On,
    /// Up again.
    Off,
    /// It says nothing now.
    Silent,
}

impl Target {
    /// The new release, as it stands on a node that commits.
    pub(crate) fn served(&self) -> Served {
        Served { release: self.release, version: self.version.clone(), artifact: self.artifact.digest }
    }
}

impl Agent {
    /// `leased`: the lease must still hold. From Stopped on it need not: forward is the shorter way up.
    fn word(&self, leased: bool) -> Word {
        let Some(view) = self.view.as_ref() else {
            return match self.stale {
                Some(_) if leased => Word::Off,
                Some(_) | None => Word::Silent,
            };
        };
        let Some(own) = self.own(view) else { return Word::Off };
        if self.is_called_off(view, own) {
            return Word::Off;
        }
        let attempt = self.memory.generation.attempt;
        let holds = own.seat.as_ref().is_some_and(|seat| {
            seat.state == SeatState::Leased && seat.attempt == attempt && !is_over(own, seat, view)
        });
        if leased && !holds { Word::Off } else { Word::On }
    }

    fn call_off(&mut self) {
        self.memory.tries_left = self.settings.tries.max(1);
        self.trial = Trial::new(self.now_ms);
        self.go(Stage::Restoring);
    }

    pub(crate) fn leased(&mut self) {
        match self.word(true) {
            Word::Off => self.call_off(),
            Word::On if self.view.as_ref().is_some_and(|view| at_tip(view)) => {
                self.go(Stage::Draining);
                self.drain();
            }
            Word::On | Word::Silent => {}
        }
    }

    fn drain(&mut self) {
        self.memory.drained = true;
        self.start(Effect::Drain);
    }

    pub(crate) fn draining(&mut self) {
        // A daemon that is down decides before the chain's word does: from Stopped on, forward is the shorter way up.
        if matches!(self.daemon(), DaemonView::Dead | DaemonView::HostLost) {
            self.serves_no_more();
            self.go(Stage::Stopped);
            return;
        }
        let word = self.word(true);
        if word == Word::Off || self.failures(Work::Drain) >= FAILURES_MAX {
            self.call_off();
            return;
        }
        if !self.drain_done {
            if self.may(Work::Drain) {
                self.drain();
            }
        } else if word == Word::On && self.may(Work::Stop) {
            self.serves_no_more();
            self.stop();
        }
    }

    pub(crate) fn serves_no_more(&mut self) {
        self.memory.downtime.from_ms = self.memory.downtime.from_ms.or(Some(self.now_ms));
    }

    /// A first probe passed.
    pub(crate) fn serves_again(&mut self) {
        if let Some(from_ms) = self.memory.downtime.from_ms.take() {
            let over_ms = self.now_ms.saturating_sub(from_ms);
            self.memory.downtime.total_ms = self.memory.downtime.total_ms.saturating_add(over_ms);
        }
    }

    /// Something runs where nothing should, for instance after a crash: it ends. True if it had to.
    fn must_stop(&mut self) -> bool {
        let runs = matches!(self.daemon(), DaemonView::Running { .. });
        if runs {
            self.stop();
        }
        runs
    }

    pub(crate) fn stopped(&mut self) {
        if self.word(false) == Word::Off || self.failures(Work::Snapshot) >= FAILURES_MAX {
            self.call_off();
        } else if !self.must_stop() && self.may(Work::Snapshot) {
            self.start(Effect::Snapshot);
        }
    }

    pub(crate) fn snapshotted(&mut self) {
        let Some(to) = self.memory.target.as_ref().map(|target| target.artifact.digest) else { return };
        if self.current() == Some(to) {
            // The switch has happened, whether or not its end was seen.
            self.memory.tries_left = self.settings.tries.max(1);
            self.go(Stage::Switched);
        } else if self.word(false) == Word::Off || self.failures(Work::Switch) >= FAILURES_MAX {
            self.call_off();
        } else if !self.must_stop() && self.may(Work::Switch) {
            self.start(Effect::Switch { to });
        }
    }

    /// From Switched to the commit. A brake stops the commit and nothing else.
    pub(crate) fn try_out(&mut self) {
        match self.own_phase() {
            Some(RolloutPhase::RollingBack | RolloutPhase::Ended(Outcome::RolledBack)) => {
                self.go_back();
                return;
            }
            Some(RolloutPhase::Ended(Outcome::Cancelled | Outcome::Expired)) => {
                self.give_up_on_it("the rollout ended while this node was switching");
                return;
            }
            _ => {}
        }
        let Some(target) = self.memory.target.clone() else { return };
        let new = target.artifact.digest;
        match self.daemon() {
            DaemonView::Running { digest } if digest == new && self.memory.stage != Stage::Switched => {
                self.judge(&target);
            }
            DaemonView::Running { .. } | DaemonView::Unknown => self.stop(),
            DaemonView::HostLost => {
                self.refund();
                self.boot(new);
            }
            DaemonView::Dead => self.boot(new),
        }
    }

    /// A try that a new start of the host cut is no verdict on the release, a few times.
    pub(crate) fn refund(&mut self) {
        if self.memory.hosts_lost < HOSTS_LOST_MAX {
            self.memory.hosts_lost = self.memory.hosts_lost.saturating_add(1);
            let tries_left = self.memory.tries_left.saturating_add(1);
            self.memory.tries_left = tries_left.min(self.settings.tries.max(1));
        }
        self.set_daemon(DaemonView::Dead);
    }

    /// Starts the new release, if it has a try left; the count is durable before the start.
    fn boot(&mut self, new: concord_schema::Digest) {
        self.serves_no_more();
        self.stop_probing();
        let served = self.memory.stage == Stage::OnTrial;
        let why = match (&self.exited, &self.retry) {
            (Some(exited), _) => exited.clone(),
            (None, Some(retry)) => retry.why.clone(),
            (None, None) => "the daemon ended".to_owned(),
        };
        // One that was seen to end after it had served has failed; a death that nobody saw is none of its doing.
        if self.memory.tries_left == 0 || (served && self.exited.is_some()) {
            let what = if served { "in its trial" } else { "before it served" };
            self.fail(&format!("{why}, {what}"));
            return;
        }
        if self.may(Work::Spawn) {
            self.go(Stage::Booting);
            self.memory.tries_left = self.memory.tries_left.saturating_sub(1);
            self.trial = Trial::new(self.now_ms);
            self.spawn(new);
        }
    }

    pub(crate) fn start_probing(&mut self, interval_ms: u64) {
        if !self.probing {
            self.probing = true;
            self.out.push(Effect::StartProbing { interval_ms });
        }
    }

    pub(crate) fn stop_probing(&mut self) {
        if self.probing {
            self.probing = false;
            self.out.push(Effect::StopProbing);
        }
    }

    fn judge(&mut self, target: &Target) {
        self.start_probing(target.trial.probe_interval_ms);
        let attempt = self.memory.generation.attempt;
        if !self.has_said("activated") {
            let height = self.memory.left_armed.map_or(Height(0), |left| left.height);
            self.say(Report::Activated { attempt, height });
        }
        if self.trial.finding() == Finding::Sick {
            let last = self.trial.last.clone().unwrap_or_default();
            let (failed, passed) = (self.trial.failed, self.trial.passed);
            self.fail(&format!("{failed} probes failed, {passed} passed; last: {last}"));
            return;
        }
        if let Some(why) = self.unclear() {
            // What nobody could find out is not the release's doing.
            self.give_up_on_it(&why);
            return;
        }
        if self.trial.healthy_ms.is_none() {
            return;
        }
        self.go(Stage::OnTrial);
        if self.memory.drained {
            if self.may(Work::Undrain) {
                self.start(Effect::Undrain);
            }
            return;
        }
        let at = self.view.as_ref().filter(|view| self.may_commit(view)).map(|view| view.now.height);
        if let Some(height) = at {
            self.commit(target, height);
        }
    }

    /// Why the wait for an answer to whether the daemon is healthy is over, if it is: a check that can never be asked
    /// must not keep a node on trial for ever.
    pub(crate) fn unclear(&self) -> Option<String> {
        let since_ms = self.now_ms.saturating_sub(self.trial.unclear_from_ms?);
        let last = self.trial.last.clone().unwrap_or_default();
        (since_ms >= self.settings.boot_ms.saturating_add(UNCLEAR_MS_MAX)).then(|| {
            format!("whether the daemon is healthy could not be found out for {since_ms} ms; last: {last}")
        })
    }

    /// What the trial still has to run: milliseconds and blocks.
    pub(crate) fn trial_left(&self, target: &Target) -> (u64, u64) {
        let plan_ms = target.trial.span.seconds.0.saturating_mul(1_000);
        let long_ms = plan_ms.max(self.settings.trial_ms_min);
        let since_ms = self.trial.healthy_ms.map_or(0, |from| self.now_ms.saturating_sub(from));
        let height = self.view.as_ref().map(|view| view.now.height.0);
        let passed = match (height, self.trial.healthy_height) {
            (Some(now), Some(from)) => now.saturating_sub(from.0),
            (Some(_) | None, Some(_) | None) => 0,
        };
        let long_blocks = target.trial.span.blocks.0.max(self.settings.trial_blocks_min);
        (long_ms.saturating_sub(since_ms), long_blocks.saturating_sub(passed))
    }

    /// Both clocks of the trial are over and its probes say healthy.
    pub(crate) fn has_passed(&self, target: &Target) -> bool {
        self.trial.finding() == Finding::Healthy && self.trial_left(target) == (0, 0)
    }

    fn may_commit(&self, view: &ChainView) -> bool {
        let passed = self.memory.target.as_ref().is_some_and(|target| self.has_passed(target));
        let cancelled = self.own(view).is_none_or(Self::is_cancelled);
        passed && !cancelled && view.brakes.holding(view.now).is_none() && at_tip(view)
    }

    fn commit(&mut self, target: &Target, height: Height) {
        self.stop_probing();
        self.memory.serves = target.served();
        self.memory.why = None;
        self.go(Stage::Committed);
        self.out.push(Effect::Commit);
        let attempt = self.memory.generation.attempt;
        let downtime_ms = self.memory.downtime.total_ms;
        self.say(Report::Healthy { attempt, height, downtime_ms });
    }

    /// The old release comes up again, serves, and the lease goes back.
    pub(crate) fn restoring(&mut self) {
        let old = self.memory.serves.artifact;
        match self.daemon() {
            DaemonView::Running { digest } if digest == old => {
                if self.memory.downtime.from_ms.is_some() {
                    self.start_probing(self.settings.probe_interval_ms);
                    if self.trial.finding() == Finding::Sick {
                        self.up_again_or_contain("the old release came up sick");
                    } else if let Some(why) = self.unclear() {
                        self.contain(&why);
                    }
                    return;
                }
                self.stop_probing();
                if self.memory.drained {
                    if self.may(Work::Undrain) {
                        self.start(Effect::Undrain);
                    }
                    return;
                }
                self.give_back(self.memory.generation.attempt);
                self.go(Stage::Armed);
            }
            DaemonView::Running { .. } | DaemonView::Unknown => self.stop(),
            DaemonView::HostLost => {
                self.refund();
                self.bring_up(old, "the old release does not come up");
            }
            DaemonView::Dead => self.bring_up(old, "the old release does not come up"),
        }
    }
}
