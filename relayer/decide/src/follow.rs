//! A node that serves: keeps its daemon up, and follows the chain up to the lease (design 5, "proved state decides").

use concord_schema::report::Report;
use concord_schema::rollout::{HaltCause, LeaseAnswer, Outcome, Purpose, RolloutPhase, Seat, SeatState};
use concord_schema::{Height, Moment};

use crate::Agent;
use crate::admit::{check_standing, is_current};
use crate::effect::{Effect, Work};
use crate::input::{ChainView, DaemonView, RolloutView};
use crate::memory::{Downtime, LeftArmed, Target};
use crate::said::{Mark, takes_ready};
use crate::stage::Stage;

/// A request for a lease, and the seat as it was then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    mark: Mark,
    state: SeatState,
}

/// Has the lease's span passed? Then it may be expired by anyone at any moment, and is no base for a stop.
pub(crate) fn is_over(own: &RolloutView, seat: &Seat, view: &ChainView) -> bool {
    let now: Moment = view.now.into();
    seat.lease.is_none_or(|granted| granted.plus(&own.rollout.plan.lease).is_over(&now))
}

impl Agent {
    pub(crate) fn serve(&mut self) {
        if self.work.is_none() && !self.must_look() {
            self.tend_daemon();
        }
        let running = matches!(self.daemon(), DaemonView::Running { .. });
        if matches!(self.memory.stage, Stage::Contained { running: was } if was != running)
            && self.host.is_some()
        {
            self.go(Stage::Contained { running });
        }
        if self.host.is_none() || self.fault().is_some() {
            return;
        }
        let Some(view) = self.view.clone() else { return };
        if view.node.is_some() {
            self.follow(&view);
        }
    }

    /// The daemon must be up while the node serves; nothing else is ever started here.
    fn tend_daemon(&mut self) {
        if self.fault().is_some() {
            return;
        }
        match self.daemon() {
            DaemonView::Running { .. } if self.memory.drained && self.may(Work::Undrain) => {
                self.start(Effect::Undrain);
            }
            DaemonView::Running { .. } | DaemonView::Unknown => {}
            DaemonView::Dead | DaemonView::HostLost => self.respawn(),
        }
    }

    fn follow(&mut self, view: &ChainView) {
        let own = self.own(view).cloned();
        if let Some(own) = own.as_ref() {
            self.follow_own(view, own);
            self.return_closed(view, own);
        }
        // A release that is to go back goes back before anything newer is begun.
        let goes_back = self.memory.stage == Stage::Committed
            && self.is_reversible()
            && own.as_ref().is_some_and(|own| {
                matches!(
                    own.rollout.phase(&own.progress, &view.brakes, view.now),
                    RolloutPhase::RollingBack | RolloutPhase::Ended(Outcome::RolledBack)
                )
            });
        if !self.memory.stage.is_serving() || goes_back {
            return;
        }
        if let Some(newest) = view.rollout.as_ref()
            && self.takes_up(view, newest)
        {
            let newest = newest.clone();
            self.take_up(&newest);
        }
    }

    /// Is this a rollout for this node to take up now? An older one never moves it back.
    fn takes_up(&self, view: &ChainView, newest: &RolloutView) -> bool {
        if !self.is_newer(newest.id) || past_this(newest.seat.as_ref()) {
            return false;
        }
        match newest.rollout.phase(&newest.progress, &view.brakes, view.now) {
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_) => true,
            RolloutPhase::Ended(Outcome::Completed) => {
                is_current(view, newest) && self.memory.serves.release != newest.rollout.release
            }
            RolloutPhase::Halted | RolloutPhase::RollingBack | RolloutPhase::Ended(_) => false,
        }
    }

    fn follow_own(&mut self, view: &ChainView, own: &RolloutView) {
        match self.memory.stage {
            Stage::Discovered | Stage::Fetching | Stage::Verified | Stage::Staged | Stage::Armed => {
                if !self.ends(view, own) {
                    self.prepare(view, own);
                }
            }
            Stage::Refused => self.say_refused(),
            Stage::Committed => self.follow_back(view, own),
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
            | Stage::RolledBack
            | Stage::Cancelled
            | Stage::Expired
            | Stage::Contained { .. } => {}
        }
    }

    /// Leaves a rollout that ended, or that this node may not take part in any more. True if it did.
    fn ends(&mut self, view: &ChainView, own: &RolloutView) -> bool {
        let phase = own.rollout.phase(&own.progress, &view.brakes, view.now);
        let to = match phase {
            RolloutPhase::Ended(Outcome::Completed) if is_current(view, own) => None,
            RolloutPhase::Ended(Outcome::Expired) => Some(Stage::Expired),
            RolloutPhase::RollingBack | RolloutPhase::Ended(_) => Some(Stage::Cancelled),
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_)
            | RolloutPhase::Halted => None,
        };
        let Some(to) = to else {
            return match check_standing(own.standing) {
                Ok(()) => false,
                Err(why) => {
                    self.return_any(own.seat.as_ref());
                    self.refuse(&why);
                    true
                }
            };
        };
        self.return_any(own.seat.as_ref());
        self.errand = None;
        self.memory.why = Some(format!("rollout {} is {phase:?}", own.id));
        self.go(to);
        true
    }

    /// A lease that was given back is given back again until the chain shows it, whatever the node turned to since: it
    /// holds others up for as long as it stands.
    fn return_closed(&mut self, view: &ChainView, own: &RolloutView) {
        let Some(seat) = own.seat.as_ref() else { return };
        let held = matches!(seat.state, SeatState::Leased | SeatState::Lost) && !seat.going_back;
        if held && self.memory.stage.is_serving() && seat.attempt <= self.memory.closed_attempt {
            self.give_back_again(seat.attempt, view.now.height);
        }
    }

    fn return_any(&mut self, seat: Option<&Seat>) {
        let held = seat.filter(|seat| matches!(seat.state, SeatState::Leased | SeatState::Lost));
        if let Some(seat) = held.filter(|seat| seat.attempt > self.memory.closed_attempt) {
            self.give_back(seat.attempt);
        }
    }

    fn prepare(&mut self, view: &ChainView, own: &RolloutView) {
        let Some(target) = self.memory.target.clone() else { return };
        if self.fetch_fails >= self.settings.fetch_tries.max(1) {
            let why = self.retry.as_ref().map_or("", |retry| retry.why.as_str());
            let why = format!("its artifact cannot be had: {why}");
            self.return_any(own.seat.as_ref());
            self.refuse(&why);
            return;
        }
        match self.memory.stage {
            Stage::Discovered | Stage::Fetching if self.errand.is_none() && self.may(Work::Fetch) => {
                self.go(Stage::Fetching);
                self.run_errand(Effect::Fetch { artifact: target.artifact });
            }
            Stage::Verified if self.errand.is_none() => {
                self.run_errand(Effect::Stage { digest: target.artifact.digest });
            }
            Stage::Staged | Stage::Armed if !self.is_staged() => self.go(Stage::Discovered),
            Stage::Staged => self.get_ready(view, own, &target),
            Stage::Armed => self.armed(view, own),
            _ => {}
        }
    }

    fn get_ready(&mut self, view: &ChainView, own: &RolloutView, target: &Target) {
        use SeatState::{Assigned, Leased, Lost, Waiting};
        let phase = own.rollout.phase(&own.progress, &view.brakes, view.now);
        if takes_ready(phase) && !self.has_said("ready") {
            self.memory.said.clear();
            self.say(Report::Ready { release: target.release });
        }
        let seat = own.seat.as_ref().map(|seat| seat.state);
        if matches!(seat, Some(Assigned | Waiting | Leased | Lost)) {
            self.go(Stage::Armed);
        }
    }

    fn armed(&mut self, view: &ChainView, own: &RolloutView) {
        let Some(seat) = own.seat.as_ref() else { return };
        match seat.state {
            SeatState::Leased | SeatState::Lost if seat.attempt <= self.memory.closed_attempt => {
                self.give_back_again(seat.attempt, view.now.height);
            }
            SeatState::Leased if !self.is_called_off(view, own) && !is_over(own, seat, view) => {
                self.take_lease(view, own, seat);
            }
            SeatState::Leased | SeatState::Lost => self.give_back(seat.attempt),
            SeatState::Assigned | SeatState::Waiting => self.ask(view, own, seat, Purpose::Activate),
            SeatState::Refused
            | SeatState::Trial
            | SeatState::Healthy
            | SeatState::Failed
            | SeatState::RolledBack
            | SeatState::Contained => {}
        }
    }

    fn take_lease(&mut self, view: &ChainView, own: &RolloutView, seat: &Seat) {
        let height = view.now.height;
        let skew_blocks = own.leave_height().map_or(0, |asked| height.0.saturating_sub(asked.0));
        self.memory.generation.attempt = seat.attempt;
        self.memory.said.clear();
        self.memory.hosts_lost = 0;
        self.memory.left_armed = Some(LeftArmed { height, skew_blocks });
        self.memory.downtime = Downtime::default();
        self.memory.why = None;
        self.go(Stage::Leased);
    }

    /// What the chain would answer now, by the chain's own rule.
    pub(crate) fn would_grant(
        &self,
        view: &ChainView,
        own: &RolloutView,
        seat: &Seat,
        purpose: Purpose,
    ) -> Option<LeaseAnswer> {
        let node = view.node.as_ref()?;
        let mut progress = own.progress.clone();
        let mut seat = seat.clone();
        let is_current = is_current(view, own);
        own.rollout
            .grant(&mut progress, &mut seat, node, purpose, view.down, is_current, &view.brakes, view.now)
            .ok()
    }

    /// Asks for a lease when it would be granted, or when asking puts the node among those that wait.
    fn ask(&mut self, view: &ChainView, own: &RolloutView, seat: &Seat, purpose: Purpose) {
        let counts = match self.would_grant(view, own, seat, purpose) {
            Some(LeaseAnswer::Granted { .. }) => true,
            Some(LeaseAnswer::Waiting { recorded, .. }) => recorded,
            Some(LeaseAnswer::Held { .. }) | None => false,
        };
        let recent = self.asked.is_some_and(|asked| {
            asked.state == seat.state && !asked.mark.is_old(self.now_ms, view.now.height, &self.settings)
        });
        if counts && !recent && at_tip(view) {
            let mark = Mark::new(self.now_ms, view.now.height);
            self.asked = Some(Asked { mark, state: seat.state });
            self.out.push(Effect::AskLease { rollout: own.id, purpose });
        }
    }

    pub(crate) fn has_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// A committed node whose rollout goes back, or went: under a lease while it is healthy for the chain, at once where
    /// it failed, which needs none.
    fn follow_back(&mut self, view: &ChainView, own: &RolloutView) {
        match own.rollout.phase(&own.progress, &view.brakes, view.now) {
            RolloutPhase::RollingBack | RolloutPhase::Ended(Outcome::RolledBack) => {}
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_)
            | RolloutPhase::Halted
            | RolloutPhase::Ended(_) => return,
        }
        let Some(seat) = own.seat.as_ref() else { return };
        match seat.state {
            SeatState::Healthy => self.ask(view, own, seat, Purpose::RollBack),
            SeatState::Leased if seat.going_back && !is_over(own, seat, view) => self.go_back(),
            SeatState::Leased | SeatState::Lost if seat.going_back => {
                self.give_back_again(seat.attempt, view.now.height);
            }
            SeatState::Failed => self.go_back(),
            SeatState::Assigned
            | SeatState::Refused
            | SeatState::Waiting
            | SeatState::Leased
            | SeatState::Lost
            | SeatState::Trial
            | SeatState::RolledBack
            | SeatState::Contained => {}
        }
    }

    /// Does the chain no longer want a switch begun or gone on with before it happened: braked, halted, going back,
    /// ended, or its release not allowed?
    pub(crate) fn is_called_off(&self, view: &ChainView, own: &RolloutView) -> bool {
        let runs = match own.rollout.phase(&own.progress, &view.brakes, view.now) {
            RolloutPhase::Wave(_) => true,
            RolloutPhase::Ended(Outcome::Completed) => is_current(view, own),
            RolloutPhase::Drawing
            | RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Halted
            | RolloutPhase::RollingBack
            | RolloutPhase::Ended(_) => false,
        };
        !runs
            || view.brakes.holding(view.now).is_some()
            || check_standing(own.standing).is_err()
            || !self.is_staged()
    }

    /// Did a vote cancel the rollout, and may another still take that back?
    pub(crate) fn is_cancelled(own: &RolloutView) -> bool {
        own.progress.outcome.is_none()
            && own.progress.halted.is_some_and(|halt| halt.cause == HaltCause::Cancelled)
    }
}

/// Facts that are older than the tip start nothing that the chain must answer.
pub(crate) fn at_tip(view: &ChainView) -> bool {
    view.now.height >= Height(view.tip.0)
}

/// Has this node gone through the rollout already, by the chain's word? Then its journal was lost, and a person decides.
pub(crate) fn past_this(seat: Option<&Seat>) -> bool {
    use SeatState::{Contained, Failed, Healthy, RolledBack, Trial};
    seat.is_some_and(|seat| matches!(seat.state, Trial | Healthy | Failed | RolledBack | Contained))
}
