//! Leases: permission to be down now, so that unavailable power stays bounded (NODE-3; design 4, "Activation").

use super::report::{enter, leave};
use super::{ATTEMPTS_MAX, Outcome, Progress, Rollout, RolloutPhase, Seat, SeatState};
use crate::brake::Brakes;
use crate::clock::{Now, Span};
use crate::node::{Component, Node};
use crate::units::Power;
use crate::waiting::WaitingOn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a lease is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Purpose {
    /// To switch to the release.
    Activate,
    /// To take a healthy node back.
    RollBack,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// The node may be down now, for this try.
    Granted {
        /// Number of the try.
        attempt: u8,
        /// Power that joined what is down.
        down: Power,
    },
    /// Not yet; `recorded` is whether the facts changed.
    Waiting {
        /// On what.
        on: WaitingOn,
        /// It is the first time that the node waits.
        recorded: bool,
    },
    /// It has one: nothing changes.
    Held {
        /// Number of the try.
        attempt: u8,
    },
}

/// What giving a lease back did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// It is given back.
    Now {
        /// Power that left what is down.
        up: Power,
    },
    /// It was, or it ended otherwise: nothing changes.
    Before,
}

/// What the crank on a lease did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// It has run out.
    Now,
    /// It is good for a while yet.
    Early {
        /// Until it may be expired.
        left: Span,
    },
    /// None is out.
    NotHeld,
}

/// Why a lease is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseRefused {
    /// The node never reported ready.
    #[error("the node has no seat in this rollout yet; report ready first")]
    NoSeat,
    /// The rollout grants none now.
    #[error("no lease is granted while the rollout is {phase:?}")]
    Phase {
        /// Its phase.
        phase: RolloutPhase,
    },
    /// The node is past it.
    #[error("a node that is {from} takes no lease for this purpose")]
    State {
        /// Where the node is.
        from: String,
    },
    /// All tries are used.
    #[error("all {ATTEMPTS_MAX} tries of this node are used; a vote must decide")]
    Attempts,
    /// It has none to give back.
    #[error("the node holds no lease")]
    NotHeld,
    /// The lease is for another try.
    #[error("the node holds a lease for try {held}, not for try {named}; nothing was given back")]
    OtherAttempt {
        /// The seat's try.
        held: u8,
        /// The message's.
        named: u8,
    },
    /// The new release was started: a report ends the lease now.
    #[error("the release was activated under this lease; report how it went")]
    Activated,
}

fn state(seat: &Seat) -> LeaseRefused {
    LeaseRefused::State { from: format!("{:?}", seat.state).to_lowercase() }
}

impl Rollout {
    /// Is its release what the component runs now, with no rollout in motion? Only then late nodes switch to it.
    #[must_use]
    pub fn is_current(&self, component: &Component) -> bool {
        component.current == self.release && component.live.is_none()
    }

    /// Grants a lease, or says what it waits on. `down` is the group's power that is down by lease now;
    /// `is_current` as [`Rollout::is_current`] says, asked where it has completed.
    ///
    /// # Errors
    /// [`LeaseRefused`]; nothing is changed then.
    #[expect(clippy::too_many_arguments, reason = "each is one stored fact that the decision rests on")]
    pub fn grant(
        &self,
        progress: &mut Progress,
        seat: &mut Seat,
        node: &Node,
        purpose: Purpose,
        down: Power,
        is_current: bool,
        brakes: &Brakes,
        now: Now,
    ) -> Result<LeaseAnswer, LeaseRefused> {
        if seat.lease.is_some() && seat.state == SeatState::Leased {
            return Ok(LeaseAnswer::Held { attempt: seat.attempt });
        }
        self.move_waiters(progress, brakes, now);
        let on = match purpose {
            Purpose::Activate => self.may_activate(progress, seat, node, is_current, brakes, now)?,
            Purpose::RollBack => self.may_go_back(progress, seat, brakes, now)?,
        };
        if purpose == Purpose::Activate && seat.attempt >= ATTEMPTS_MAX {
            return Err(LeaseRefused::Attempts);
        }
        let wave = self.wave_of(progress, node.no, seat);
        let full = (!self.plan.lease_fits(down, seat.absence(), self.registered))
            .then_some(WaitingOn::Power { down, asked: seat.absence(), bound_bps: self.plan.lease_bps });
        if let Some(on) = on.or(full) {
            let recorded = matches!(on, WaitingOn::Power { .. })
                && seat.state == SeatState::Assigned
                && may_wait(progress, wave);
            if recorded {
                seat.state = SeatState::Waiting;
                seat.deferred = None;
                enter(progress, wave, seat);
            }
            return Ok(LeaseAnswer::Waiting { on, recorded });
        }
        leave(progress, wave, seat);
        if purpose == Purpose::Activate {
            if seat.state == SeatState::Waiting {
                seat.moved = wave.filter(|wave| Some(*wave) != seat.wave);
            }
            seat.attempt = seat.attempt.saturating_add(1);
            seat.said.clear();
            // No sum will say that it ran the release.
            progress.touched |= seat.power == Power(0);
        } else {
            seat.going_back = true;
        }
        seat.state = SeatState::Leased;
        seat.deferred = None;
        seat.lease = Some(now.into());
        let joined = if seat.down { Power(0) } else { seat.absence() };
        seat.down = true;
        enter(progress, wave, seat);
        self.mark_gate(progress, brakes, now);
        Ok(LeaseAnswer::Granted { attempt: seat.attempt, down: joined })
    }

    /// Why a node does not move now; `down` and `is_current` as for [`Rollout::grant`].
    #[expect(clippy::too_many_arguments, reason = "each is one stored fact that the answer rests on")]
    #[must_use]
    pub fn seat_waiting_on(
        &self,
        progress: &Progress,
        seat: &Seat,
        node: &Node,
        down: Power,
        is_current: bool,
        brakes: &Brakes,
        now: Now,
    ) -> WaitingOn {
        let purpose = match seat.state {
            SeatState::Assigned | SeatState::Waiting => Purpose::Activate,
            SeatState::Healthy if progress.rolling_back.is_some() => Purpose::RollBack,
            SeatState::Leased => {
                let end = seat.lease.unwrap_or_default().plus(&self.plan.lease);
                return WaitingOn::Holder { left: end.left(&now.into()) };
            }
            SeatState::Refused
            | SeatState::Lost
            | SeatState::Trial
            | SeatState::Failed
            | SeatState::Contained => return WaitingOn::Node,
            SeatState::Healthy | SeatState::RolledBack => return WaitingOn::Nothing,
        };
        let (mut progress_after, mut seat_after) = (progress.clone(), seat.clone());
        match self.grant(&mut progress_after, &mut seat_after, node, purpose, down, is_current, brakes, now) {
            Ok(LeaseAnswer::Waiting { on, .. }) => on,
            Ok(LeaseAnswer::Granted { .. } | LeaseAnswer::Held { .. }) => WaitingOn::Node,
            Err(_) => self.waiting_on(progress, brakes, now),
        }
    }

    fn may_activate(
        &self,
        progress: &Progress,
        seat: &Seat,
        node: &Node,
        is_current: bool,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Option<WaitingOn>, LeaseRefused> {
        if !matches!(seat.state, SeatState::Assigned | SeatState::Waiting) {
            return Err(state(seat));
        }
        let phase = self.phase(progress, brakes, now);
        let open = match phase {
            RolloutPhase::Preparing | RolloutPhase::Postponed => {
                return Ok(Some(WaitingOn::Readiness {
                    ready: progress.ready,
                    registered: self.registered,
                    bar_bps: self.plan.ready_bps,
                }));
            }
            RolloutPhase::Wave(wave) => Some(wave),
            RolloutPhase::Ended(Outcome::Completed) if is_current => None,
            RolloutPhase::Drawing
            | RolloutPhase::Halted
            | RolloutPhase::RollingBack
            | RolloutPhase::Ended(_) => {
                return Err(LeaseRefused::Phase { phase });
            }
        };
        if let Some(scope) = brakes.holding(now) {
            return Ok(Some(WaitingOn::Brake { scope }));
        }
        if let Some(until) = seat.deferred.filter(|until| now.time < *until) {
            return Ok(Some(WaitingOn::Deferred { until }));
        }
        let (Some(open_wave), Some(open)) = (open, &progress.open) else {
            return Ok(None);
        };
        // One that got ready after the last wave opened goes when the waves are through.
        let Some(wave) = self.wave_of(progress, node.no, seat) else {
            return Ok(Some(WaitingOn::Completion));
        };
        if wave > open_wave {
            return Ok(Some(WaitingOn::Wave { wave, open: open_wave }));
        }
        if now.height < open.height {
            return Ok(Some(WaitingOn::ActivationHeight { height: open.height }));
        }
        if self.height_is_void(progress, brakes, now) {
            return Ok(Some(WaitingOn::NewHeight));
        }
        Ok(None)
    }

    fn may_go_back(
        &self,
        progress: &Progress,
        seat: &Seat,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Option<WaitingOn>, LeaseRefused> {
        let phase = self.phase(progress, brakes, now);
        // The end of the way back gives up counting, and not the bound: who is left goes back under leases too.
        if !matches!(phase, RolloutPhase::RollingBack | RolloutPhase::Ended(Outcome::RolledBack)) {
            return Err(LeaseRefused::Phase { phase });
        }
        if seat.state == SeatState::Healthy { Ok(None) } else { Err(state(seat)) }
    }

    /// An activation height that passed under a brake is void until `advance` fixes a new one. Once a lease was
    /// granted at it, it is used. No height is fixed under a brake, so only one pulled between the fixing and the
    /// height can cover it; the chain does not remember the block in which such a brake ended, so any counts.
    #[must_use]
    pub fn height_is_void(&self, progress: &Progress, brakes: &Brakes, now: Now) -> bool {
        let Some(open) = &progress.open else {
            return false;
        };
        let used = open.leased.plus(open.trial).plus(open.healthy) > Power(0)
            || progress.waves.get(usize::from(open.wave)).is_some_and(|sum| sum.1 > Power(0));
        let last = open.height.0;
        let fixed = last.saturating_sub(self.plan.notice_blocks.0);
        !used && now.height >= open.height && brakes.pulled_within(fixed, last)
    }

    /// Gives a lease back: the try is closed, and the node goes on serving the release of before. A repeat changes
    /// nothing.
    ///
    /// # Errors
    /// [`LeaseRefused::NotHeld`], [`LeaseRefused::OtherAttempt`] or [`LeaseRefused::Activated`].
    pub fn give_back(
        &self,
        progress: &mut Progress,
        seat: &mut Seat,
        node: &Node,
        attempt: u8,
    ) -> Result<Returned, LeaseRefused> {
        match seat.state {
            SeatState::Leased | SeatState::Lost if seat.attempt == attempt => {}
            SeatState::Leased | SeatState::Lost => {
                return Err(LeaseRefused::OtherAttempt { held: seat.attempt, named: attempt });
            }
            SeatState::Trial => return Err(LeaseRefused::Activated),
            _ if attempt > 0 && seat.attempt == attempt => return Ok(Returned::Before),
            _ => return Err(LeaseRefused::NotHeld),
        }
        let wave = self.wave_of(progress, node.no, seat);
        leave(progress, wave, seat);
        seat.state = if seat.going_back { SeatState::Healthy } else { SeatState::Assigned };
        enter(progress, wave, seat);
        seat.lease = None;
        seat.going_back = false;
        let up = if seat.down { seat.absence() } else { Power(0) };
        seat.down = false;
        Ok(Returned::Now { up })
    }

    /// Ends a lease that ran out: the node is unknown, and stays in what is down until it reports. A crank, so it
    /// says what it waits on.
    pub fn expire(&self, progress: &mut Progress, seat: &mut Seat, node: &Node, now: Now) -> Expired {
        let (SeatState::Leased, Some(granted)) = (seat.state, seat.lease) else {
            return Expired::NotHeld;
        };
        let end = granted.plus(&self.plan.lease);
        if !end.is_over(&now.into()) {
            return Expired::Early { left: end.left(&now.into()) };
        }
        let wave = self.wave_of(progress, node.no, seat);
        leave(progress, wave, seat);
        seat.state = SeatState::Lost;
        progress.touched |= !seat.going_back;
        Expired::Now
    }
}

/// Only who asks in the open wave before its deadline joins what waits: the counter is what moves on.
fn may_wait(progress: &Progress, wave: Option<u8>) -> bool {
    progress.open.as_ref().is_some_and(|open| Some(open.wave) == wave && !open.moved)
}
