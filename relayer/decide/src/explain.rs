//! Why nothing happens now (design 5, "Explain").

use concord_schema::rollout::{Advanced, LeaseAnswer, Outcome, Purpose, RolloutPhase, SeatState};
use concord_schema::waiting::WaitingOn;

use crate::Agent;
use crate::effect::Work;
use crate::follow::{at_tip, past_this};
use crate::input::{ChainView, DaemonView, RolloutView};
use crate::said::takes_ready;
use crate::stage::Stage;
use crate::trial::Finding;
use crate::waiting::AgentWaiting;

impl Agent {
    pub(crate) fn explain(&self) -> AgentWaiting {
        if let Some(fault) = self.fault() {
            return AgentWaiting::Fault { fault };
        }
        if let Some(overdue) = self.overdue() {
            return overdue;
        }
        if let Some(on) = self.work.as_ref().and_then(|work| work.work()) {
            return AgentWaiting::Working { on };
        }
        if let Some(retry) = &self.retry {
            let left_ms = retry.not_before_ms.saturating_sub(self.now_ms);
            if left_ms > 0 {
                return AgentWaiting::Retry { on: retry.on, left_ms, why: retry.why.clone() };
            }
        }
        if self.memory.stage.is_serving()
            && let Some(waiting) = self.explain_daemon()
        {
            return waiting;
        }
        match self.memory.stage {
            Stage::Switched | Stage::Booting | Stage::OnTrial | Stage::Restoring | Stage::RollingBack => {
                self.explain_probes()
            }
            Stage::Idle
            | Stage::Discovered
            | Stage::Fetching
            | Stage::Verified
            | Stage::Staged
            | Stage::Armed
            | Stage::Leased
            | Stage::Draining
            | Stage::Stopped
            | Stage::Snapshotted
            | Stage::Committed
            | Stage::RolledBack
            | Stage::Refused
            | Stage::Cancelled
            | Stage::Expired
            | Stage::Contained { .. } => self.explain_chain(),
        }
    }

    fn explain_daemon(&self) -> Option<AgentWaiting> {
        match self.daemon() {
            DaemonView::Dead | DaemonView::HostLost => {
                let left_ms = self.respawn.not_before_ms.saturating_sub(self.now_ms);
                let refused = self.retry.as_ref().filter(|retry| retry.on == Work::Spawn);
                let why = refused.map(|retry| retry.why.clone()).or_else(|| self.exited.clone());
                let why = why.unwrap_or_else(|| "the daemon ended".to_owned());
                Some(AgentWaiting::Retry { on: Work::Spawn, left_ms, why })
            }
            DaemonView::Running { .. } | DaemonView::Unknown => None,
        }
    }

    fn explain_probes(&self) -> AgentWaiting {
        let Some(target) = self.memory.target.as_ref() else { return AgentWaiting::View };
        if self.trial.healthy_ms.is_none() || self.memory.stage != Stage::OnTrial {
            let left_ms = self.trial.boot_left_ms(self.now_ms, self.settings.boot_ms);
            let last = self.trial.last.clone().unwrap_or_else(|| "none yet".to_owned());
            return AgentWaiting::FirstPass { left_ms, last };
        }
        if !self.has_passed(target) {
            let (left_ms, left_blocks) = self.trial_left(target);
            if self.view.is_none() && left_ms == 0 && self.trial.finding() == Finding::Healthy {
                return self.explain_source();
            }
            return AgentWaiting::Trial {
                passed: self.trial.passed,
                failed: self.trial.failed,
                left_ms,
                left_blocks,
                undecided: self.trial.finding() == Finding::Undecided,
            };
        }
        let Some(view) = self.view.as_ref() else { return self.explain_source() };
        if let Some(scope) = view.brakes.holding(view.now) {
            return AgentWaiting::Commit { on: WaitingOn::Brake { scope } };
        }
        if !at_tip(view) {
            return AgentWaiting::Tip { height: view.now.height, tip: view.tip };
        }
        self.own(view).map_or(AgentWaiting::View, |own| AgentWaiting::Commit { on: rollout_waits(view, own) })
    }

    fn explain_source(&self) -> AgentWaiting {
        match &self.stale {
            Some((since_ms, why)) => match self.distrust {
                Some(cause) => cause.waiting(why.clone()),
                None => AgentWaiting::Source { since_ms: *since_ms, why: why.clone() },
            },
            None => AgentWaiting::View,
        }
    }

    fn explain_chain(&self) -> AgentWaiting {
        let Some(view) = self.view.as_ref() else { return self.explain_source() };
        if view.node.is_none() {
            return AgentWaiting::Registration;
        }
        match self.memory.stage {
            Stage::Discovered | Stage::Fetching | Stage::Verified => {
                if let Some(on) = self.errand.as_ref().and_then(|errand| errand.work()) {
                    return AgentWaiting::Working { on };
                }
                self.explain_own(view)
            }
            Stage::Staged | Stage::Armed | Stage::Committed => self.explain_own(view),
            Stage::Leased if !at_tip(view) => AgentWaiting::Tip { height: view.now.height, tip: view.tip },
            Stage::Refused | Stage::Contained { .. } | Stage::RolledBack => {
                let why =
                    self.memory.why.clone().unwrap_or_else(|| "it is back on the release of before".into());
                AgentWaiting::Operator { why }
            }
            Stage::Idle
            | Stage::Leased
            | Stage::Draining
            | Stage::Stopped
            | Stage::Snapshotted
            | Stage::Switched
            | Stage::Booting
            | Stage::OnTrial
            | Stage::Restoring
            | Stage::RollingBack
            | Stage::Cancelled
            | Stage::Expired => self.explain_idle(view),
        }
    }

    fn explain_idle(&self, view: &ChainView) -> AgentWaiting {
        let newest = view.rollout.as_ref().filter(|newest| self.is_newer(newest.id));
        if let Some(newest) = newest {
            if let Some(seat) = newest.seat.as_ref().filter(|seat| past_this(Some(seat))) {
                return AgentWaiting::Seat { state: seat.state };
            }
            if newest.progress.outcome.is_none() {
                return AgentWaiting::Chain { on: rollout_waits(view, newest) };
            }
        }
        AgentWaiting::Rollout { serves: self.memory.serves.version.clone() }
    }

    fn explain_own(&self, view: &ChainView) -> AgentWaiting {
        let Some(own) = self.own(view) else { return self.explain_idle(view) };
        if let Some(what) = self.unheard(view, own) {
            return AgentWaiting::Sent { what };
        }
        let phase = own.rollout.phase(&own.progress, &view.brakes, view.now);
        if self.memory.stage == Stage::Committed {
            return self.explain_committed(view, own, phase);
        }
        let Some(seat) = own.seat.as_ref() else {
            return if takes_ready(phase) {
                AgentWaiting::Sent { what: "ready".to_owned() }
            } else {
                AgentWaiting::Chain { on: rollout_waits(view, own) }
            };
        };
        match seat.state {
            SeatState::Leased | SeatState::Lost => AgentWaiting::Sent { what: "return_lease".to_owned() },
            SeatState::Assigned | SeatState::Waiting => self.explain_lease(view, own, Purpose::Activate),
            state @ (SeatState::Refused
            | SeatState::Trial
            | SeatState::Healthy
            | SeatState::Failed
            | SeatState::RolledBack
            | SeatState::Contained) => AgentWaiting::Seat { state },
        }
    }

    fn explain_lease(&self, view: &ChainView, own: &RolloutView, purpose: Purpose) -> AgentWaiting {
        let answer = own.seat.as_ref().and_then(|seat| self.would_grant(view, own, seat, purpose));
        match answer {
            // While nodes get ready the rollout knows more than the lease: a brake, a bar, a crank that is due.
            Some(LeaseAnswer::Waiting { on: WaitingOn::Readiness { .. }, .. }) => {
                AgentWaiting::Chain { on: rollout_waits(view, own) }
            }
            Some(LeaseAnswer::Waiting { on, .. }) => AgentWaiting::Chain { on },
            Some(LeaseAnswer::Granted { .. }) if !at_tip(view) => {
                AgentWaiting::Tip { height: view.now.height, tip: view.tip }
            }
            Some(LeaseAnswer::Granted { .. } | LeaseAnswer::Held { .. }) => {
                AgentWaiting::Sent { what: "lease".to_owned() }
            }
            None if self.has_asked() => AgentWaiting::Sent { what: "lease".to_owned() },
            None => AgentWaiting::Chain { on: rollout_waits(view, own) },
        }
    }

    fn explain_committed(&self, view: &ChainView, own: &RolloutView, phase: RolloutPhase) -> AgentWaiting {
        match phase {
            RolloutPhase::RollingBack => self.explain_lease(view, own, Purpose::RollBack),
            RolloutPhase::Ended(Outcome::Completed) => {
                AgentWaiting::Rollout { serves: self.memory.serves.version.clone() }
            }
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_)
            | RolloutPhase::Halted
            | RolloutPhase::Ended(_) => self.explain_idle(view),
        }
    }
}

/// What the rollout as a whole waits on.
fn rollout_waits(view: &ChainView, seen: &RolloutView) -> WaitingOn {
    let mut progress = seen.progress.clone();
    match seen.rollout.advance(&mut progress, &[], &view.brakes, view.now) {
        Advanced::WaitingOn(on) => on,
        Advanced::Did(_) => WaitingOn::Advance,
        Advanced::Settled(_) => WaitingOn::Nothing,
    }
}
