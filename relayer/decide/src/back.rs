//! The way back to the release of before, and what is left where there is none (design 5).

use concord_schema::Digest;
use concord_schema::report::Report;

use concord_schema::release::Reversibility;

use crate::Agent;
use crate::effect::{Effect, Work};
use crate::host::FAILURES_MAX;
use crate::input::DaemonView;
use crate::said::reason;
use crate::stage::Stage;
use crate::trial::{Finding, Trial};

impl Agent {
    pub(crate) fn is_reversible(&self) -> bool {
        self.memory.target.as_ref().is_some_and(|target| target.reversibility != Reversibility::ForwardOnly)
    }

    /// The release failed on this node, does not come back by itself (NODE-5), and the chain hears of it.
    pub(crate) fn fail(&mut self, why: &str) {
        let Some(target) = self.memory.target.clone() else { return };
        let attempt = self.memory.generation.attempt;
        self.say(Report::Failed { attempt, reason: reason(why) });
        self.deny(target.release, target.artifact.digest);
        self.give_up_on_it(why);
    }

    /// The node goes back for a reason that is not the release's doing: the chain, which takes `failed` for a verdict on
    /// the release, only hears that the node is back.
    pub(crate) fn give_up_on_it(&mut self, why: &str) {
        self.memory.why = Some(why.to_owned());
        if self.is_reversible() {
            self.go_back();
        } else {
            self.contain(&format!("{why}; there is no way back from it"));
        }
    }

    /// Begins the way back. The decision is durable before its first effect, and needs no chain from here on.
    pub(crate) fn go_back(&mut self) {
        self.stop_probing();
        if !self.is_reversible() {
            return;
        }
        self.memory.tries_left = self.settings.tries.max(1);
        self.go(Stage::RollingBack);
    }

    pub(crate) fn rolling_back(&mut self) {
        let Some(target) = self.memory.target.clone() else { return };
        let old = target.previous.artifact;
        let is_back = self.current() == Some(old);
        // While something serves, nothing is stopped for a release that cannot be started.
        if self.failures(Work::Drain) >= FAILURES_MAX && !self.has_said("failed") {
            let why = self.retry.as_ref().map_or("", |retry| retry.why.as_str());
            self.contain(&format!("the release of before cannot be made ready: {why}"));
            return;
        }
        // Once it is stopped, the link is tried for as long as it takes: nothing else could bring the node up.
        match self.daemon() {
            DaemonView::Running { digest } if is_back && digest == old => self.judge_back(),
            DaemonView::Running { .. } if self.drains_first() => {
                if self.may(Work::Drain) {
                    self.memory.drained = true;
                    self.start(Effect::Drain);
                }
            }
            DaemonView::Running { .. } | DaemonView::Unknown => {
                self.serves_no_more();
                self.stop_probing();
                self.stop();
            }
            DaemonView::Dead | DaemonView::HostLost if !is_back => {
                self.serves_no_more();
                if self.may(Work::Switch) {
                    self.start(Effect::Switch { to: old });
                }
            }
            DaemonView::HostLost => {
                self.refund();
                self.bring_up(old, "the release of before does not come up");
            }
            DaemonView::Dead => self.bring_up(old, "the release of before does not come up"),
        }
    }

    /// A release that works takes no new work before it goes; one that failed is not waited for.
    fn drains_first(&self) -> bool {
        !self.drain_done && !self.has_said("failed")
    }

    fn judge_back(&mut self) {
        self.start_probing(self.settings.probe_interval_ms);
        if self.trial.healthy_ms.is_some() {
            self.is_back();
        } else if self.trial.finding() == Finding::Sick {
            self.up_again_or_contain("the release of before came up sick");
        } else if let Some(why) = self.unclear() {
            self.contain(&why);
        }
    }

    fn is_back(&mut self) {
        let Some(target) = self.memory.target.clone() else { return };
        self.stop_probing();
        let release = target.previous.release;
        let attempt = self.memory.generation.attempt;
        self.memory.serves = target.previous;
        if release != target.rollout_previous {
            // It is back where it came from, but that is not where its fleet goes: the chain takes no such report.
            self.contain("it is back on a release that is older than the rollout's release of before");
            return;
        }
        self.go(Stage::RolledBack);
        self.say(Report::RolledBack { attempt, release });
    }

    /// Starts the old release, as often as it may; else the node needs its operator.
    pub(crate) fn bring_up(&mut self, old: Digest, why: &str) {
        self.serves_no_more();
        self.stop_probing();
        if self.memory.tries_left == 0 {
            let how = self.exited.clone().or_else(|| self.retry.as_ref().map(|retry| retry.why.clone()));
            self.contain(&format!("{why}: {}", how.unwrap_or_else(|| "it ended".to_owned())));
        } else if self.may(Work::Spawn) {
            self.memory.tries_left = self.memory.tries_left.saturating_sub(1);
            self.trial = Trial::new(self.now_ms);
            self.spawn(old);
        }
    }

    /// It runs and is sick: another start, if there is one left.
    pub(crate) fn up_again_or_contain(&mut self, why: &str) {
        if self.memory.tries_left == 0 {
            let last = self.trial.last.clone().unwrap_or_default();
            self.contain(&format!("{why}: {last}"));
        } else {
            self.stop_probing();
            self.stop();
        }
    }

    /// The node needs its operator. What runs goes on running, and what `current` names is kept up, unless it is a
    /// release that was to go: then nothing is started (NODE-5).
    pub(crate) fn contain(&mut self, why: &str) {
        self.stop_probing();
        self.memory.why = Some(why.to_owned());
        let current = self.current();
        if let Some(target) = self.memory.target.clone() {
            let stays = !self.is_reversible() && current == Some(target.artifact.digest);
            if stays {
                self.memory.serves = target.served();
            } else if self.memory.stage == Stage::RollingBack {
                self.memory.serves = target.previous;
            }
        }
        let attempt = self.memory.generation.attempt;
        self.say(Report::Contained { attempt, reason: reason(why) });
        let running = matches!(self.daemon(), DaemonView::Running { .. });
        self.go(Stage::Contained { running });
    }
}
