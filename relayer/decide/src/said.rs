//! What the node says to the chain: each thing once, word by word the same when it must be said again.

use concord_schema::Height;
use concord_schema::report::Report;
use concord_schema::rollout::{Outcome, Rollout, RolloutPhase, SeatState};
use concord_schema::text::REASON_MAX;

use crate::Agent;
use crate::effect::Effect;
use crate::host::cut;
use crate::input::{ChainView, RolloutView};
use crate::settings::Settings;

/// When something was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    ms: u64,
    height: Height,
}

impl Mark {
    pub(crate) fn new(ms: u64, height: Height) -> Self {
        Self { ms, height }
    }

    /// Has it been long enough to send it again?
    pub(crate) fn is_old(&self, ms: u64, height: Height, settings: &Settings) -> bool {
        ms.saturating_sub(self.ms) >= settings.again_ms
            && height.0.saturating_sub(self.height.0) >= settings.again_blocks
    }
}

/// Does the rollout take `ready` in this phase?
pub(crate) fn takes_ready(phase: RolloutPhase) -> bool {
    match phase {
        RolloutPhase::Preparing
        | RolloutPhase::Postponed
        | RolloutPhase::Wave(_)
        | RolloutPhase::Ended(Outcome::Completed) => true,
        RolloutPhase::Drawing | RolloutPhase::Halted | RolloutPhase::RollingBack | RolloutPhase::Ended(_) => {
            false
        }
    }
}

/// A reason as a report may carry it.
pub(crate) fn reason(why: &str) -> String {
    let cut = cut(why, REASON_MAX);
    if cut.is_empty() { "no reason was found".to_owned() } else { cut }
}

/// Does the seat not show yet what was said last?
fn lags(last: &Report, state: Option<SeatState>, phase: RolloutPhase) -> bool {
    use SeatState::{Assigned, Contained, Healthy, Leased, Lost, Refused, RolledBack, Trial};
    match last {
        Report::Ready { .. } => matches!(state, None | Some(Refused)) && takes_ready(phase),
        Report::Refused { .. } => {
            matches!(state, None | Some(Assigned))
                && matches!(phase, RolloutPhase::Preparing | RolloutPhase::Postponed)
        }
        Report::Deferred { .. } => false,
        Report::Activated { .. } => matches!(state, Some(Leased | Lost)),
        Report::Healthy { .. } => matches!(state, Some(Leased | Lost | Trial)),
        Report::Failed { .. } => matches!(state, Some(Leased | Lost | Trial | Healthy)),
        Report::RolledBack { .. } => state.is_some_and(|state| state != RolledBack),
        Report::Contained { .. } => state.is_some_and(|state| !matches!(state, Contained | RolledBack)),
    }
}

impl Agent {
    /// Says something; what was said of its kind before stands.
    pub(crate) fn say(&mut self, report: Report) {
        let rollout = self.memory.generation.rollout;
        let earlier = self.memory.said.iter().find(|said| said.kind() == report.kind()).cloned();
        let report = match earlier {
            Some(said) => said,
            None => {
                self.memory.said.push(report.clone());
                report
            }
        };
        self.repeated = self.view.as_ref().map(|view| Mark::new(self.now_ms, view.now.height));
        self.out.push(Effect::Report { rollout, report });
    }

    pub(crate) fn has_said(&self, kind: &str) -> bool {
        self.memory.said.iter().any(|said| said.kind() == kind)
    }

    /// Says again, in order, what the chain does not show after a while: an outbox may have been refused.
    pub(crate) fn repeat(&mut self) {
        let Some(view) = self.view.clone() else { return };
        let Some(own) = self.own(&view) else { return };
        let phase = own.rollout.phase(&own.progress, &view.brakes, view.now);
        let state = own.seat.as_ref().map(|seat| seat.state);
        let other_try = own.seat.as_ref().is_some_and(|seat| seat.attempt != self.memory.generation.attempt);
        let Some(last) = self.memory.said.last() else { return };
        if !lags(last, state, phase) || (other_try && last.attempt() > 0) {
            self.repeated = None;
            return;
        }
        match &self.repeated {
            Some(mark) if mark.is_old(self.now_ms, view.now.height, &self.settings) => {
                let rollout = self.memory.generation.rollout;
                for report in self.memory.said.clone() {
                    self.out.push(Effect::Report { rollout, report });
                }
                self.repeated = Some(Mark::new(self.now_ms, view.now.height));
            }
            Some(_) => {}
            None => self.repeated = Some(Mark::new(self.now_ms, view.now.height)),
        }
    }

    /// Is the word that was said last still on its way to the chain?
    pub(crate) fn unheard(&self, view: &ChainView, own: &RolloutView) -> Option<String> {
        let last = self.memory.said.last()?;
        let phase = own.rollout.phase(&own.progress, &view.brakes, view.now);
        let state = own.seat.as_ref().map(|seat| seat.state);
        lags(last, state, phase).then(|| last.kind().to_owned())
    }

    /// Gives the lease of a try back, once and for all.
    pub(crate) fn give_back(&mut self, attempt: u8) {
        self.memory.closed_attempt = self.memory.closed_attempt.max(attempt);
        self.returned = self.view.as_ref().map(|view| Mark::new(self.now_ms, view.now.height));
        self.out.push(Effect::ReturnLease { rollout: self.memory.generation.rollout, attempt });
    }

    /// Gives it back again if the chain does not show it after a while.
    pub(crate) fn give_back_again(&mut self, attempt: u8, height: Height) {
        match &self.returned {
            Some(mark) if !mark.is_old(self.now_ms, height, &self.settings) => {}
            _ => self.give_back(attempt),
        }
    }

    /// The facts of the rollout that the node acts in.
    pub(crate) fn own<'a>(&self, view: &'a ChainView) -> Option<&'a RolloutView> {
        let id = self.memory.generation.rollout;
        [view.rollout.as_ref(), view.own.as_ref()].into_iter().flatten().find(|seen| seen.id == id)
    }

    /// The phase of that rollout, where it is known.
    pub(crate) fn own_phase(&self) -> Option<RolloutPhase> {
        let view = self.view.as_ref()?;
        self.own(view).map(|own| phase(&own.rollout, own, view))
    }
}

fn phase(rollout: &Rollout, own: &RolloutView, view: &ChainView) -> RolloutPhase {
    rollout.phase(&own.progress, &view.brakes, view.now)
}
