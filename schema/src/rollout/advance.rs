//! The crank: persists what the phases already say, and names what it did or what it waits on (design 4).

use super::phase::After;
use super::{Halt, HaltCause, NodeNo, Open, Outcome, Progress, Rollout, RolloutPhase};
use crate::brake::Brakes;
use crate::clock::{Moment, Now};
use crate::units::{Height, Power};
use crate::waiting::WaitingOn;

/// What a crank did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// A wave opened.
    WaveOpened {
        /// Which.
        wave: u8,
        /// Its earliest activation height.
        height: Height,
    },
    /// A height that passed under a brake was replaced.
    HeightFixed {
        /// The wave.
        wave: u8,
        /// The new height.
        height: Height,
    },
    /// Power that waited past the deadline moved to the next wave.
    WaitersMoved {
        /// From this wave.
        wave: u8,
        /// How much.
        power: Power,
    },
    /// The wave's gate was not reached in time.
    Halted(HaltCause),
    /// The way back began: the release failed on two organisations' nodes, or a vote took it back. It is denied.
    RollingBack,
    /// The way back began since a wave stalled. Silence proves nothing against the release: nothing is denied.
    RollingBackStalled,
    /// It ended. `unaccounted`: power that never reported that it is back.
    Ended {
        /// How.
        outcome: Outcome,
        /// Power that is unaccounted for.
        unaccounted: Power,
    },
}

/// The answer of a crank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// It changed the facts.
    Did(Transition),
    /// Nothing is due.
    WaitingOn(WaitingOn),
    /// It has ended; nothing is ever due again.
    Settled(Outcome),
}

/// The most nodes that are looked at for an empty first wave.
pub const CANDIDATES_MAX: usize = 8;

/// A node that is ready, and could be moved into the first wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub node: NodeNo,
    /// What it counts for.
    pub power: Power,
    /// The wave of its lot.
    pub wave: u8,
    /// Who controls it.
    pub organisation: String,
}

impl Rollout {
    /// Does the one thing that is due now. `candidates`: nodes that are ready, lowest lot first, read only where
    /// [`Rollout::lacks_canaries`], at most [`CANDIDATES_MAX`].
    pub fn advance(
        &self,
        progress: &mut Progress,
        candidates: &[Candidate],
        brakes: &Brakes,
        now: Now,
    ) -> Advanced {
        if let Some(outcome) = progress.outcome {
            return Advanced::Settled(outcome);
        }
        if progress.rolling_back.is_some() {
            return self.advance_back(progress, now);
        }
        if progress.halted.is_some() {
            return self.advance_halted(progress, now);
        }
        if let Some(open) = &progress.open {
            let wave = open.wave;
            return self.advance_wave(progress, wave, brakes, now);
        }
        match self.phase(progress, brakes, now) {
            RolloutPhase::Drawing => Advanced::WaitingOn(WaitingOn::Draw { from: self.draw_from }),
            RolloutPhase::Ended(outcome) => end(progress, outcome),
            RolloutPhase::Preparing
            | RolloutPhase::Postponed
            | RolloutPhase::Wave(_)
            | RolloutPhase::Halted
            | RolloutPhase::RollingBack => self.advance_preparing(progress, candidates, brakes, now),
        }
    }

    /// Why it does not move now.
    #[must_use]
    pub fn waiting_on(&self, progress: &Progress, brakes: &Brakes, now: Now) -> WaitingOn {
        match self.advance(&mut progress.clone(), &[], brakes, now) {
            Advanced::Did(_) => WaitingOn::Advance,
            Advanced::WaitingOn(on) => on,
            Advanced::Settled(_) => WaitingOn::Nothing,
        }
    }

    /// Is there anything for [`Rollout::advance`] to do? What an agent asks before it spends a fee.
    #[must_use]
    pub fn is_due(&self, progress: &Progress, brakes: &Brakes, now: Now) -> bool {
        matches!(self.advance(&mut progress.clone(), &[], brakes, now), Advanced::Did(_))
    }

    fn advance_preparing(
        &self,
        progress: &mut Progress,
        candidates: &[Candidate],
        brakes: &Brakes,
        now: Now,
    ) -> Advanced {
        if !self.is_ready(progress) {
            let bar_bps = self.plan.ready_bps;
            let waiting =
                WaitingOn::Readiness { ready: progress.ready, registered: self.registered, bar_bps };
            return Advanced::WaitingOn(waiting);
        }
        if let Some(scope) = brakes.holding(now) {
            return Advanced::WaitingOn(WaitingOn::Brake { scope });
        }
        self.seat_canaries(progress, candidates);
        match next_wave(progress, 0) {
            Some(wave) => self.open_wave(progress, wave, brakes, now),
            None => end(progress, Outcome::Completed),
        }
    }

    /// Is the first wave about to open with fewer than two organisations in it?
    #[must_use]
    pub fn lacks_canaries(&self, progress: &Progress, brakes: &Brakes, now: Now) -> bool {
        let phase = self.phase(progress, brakes, now);
        matches!(phase, RolloutPhase::Preparing | RolloutPhase::Postponed)
            && self.is_ready(progress)
            && brakes.holding(now).is_none()
            && progress.first_of.len() < 2
    }

    /// Fills a first wave of fewer than two organisations from the nodes that are ready, lowest lot first.
    fn seat_canaries(&self, progress: &mut Progress, candidates: &[Candidate]) {
        for Candidate { node, power, wave, organisation } in candidates.iter().take(CANDIDATES_MAX) {
            if progress.first_of.len() >= 2 || progress.canaries.len() >= super::CANARIES_MAX {
                return;
            }
            if *wave == 0 || *power == Power(0) || progress.first_of.contains(organisation) {
                continue;
            }
            move_assigned(progress, *wave, 0, *power);
            progress.first_of.push(organisation.clone());
            progress.canaries.push(*node);
        }
    }

    fn open_wave(&self, progress: &mut Progress, wave: u8, brakes: &Brakes, now: Now) -> Advanced {
        let height = Height(now.height.0.saturating_add(self.plan.notice_blocks.0));
        // Power that waits goes along, by its counter alone; its seats find the open wave by themselves.
        let (before, waiting, moved) = progress
            .open
            .as_ref()
            .map_or((wave, Power(0), true), |open| (open.wave, open.waiting, open.moved));
        if !moved {
            move_assigned(progress, before, wave, waiting);
        }
        let wants_two = wave == 0 && (progress.first_two || progress.first_of.len() >= 2);
        progress.first_of = Vec::new();
        progress.first_two = false;
        let since = brakes.clock(now);
        progress.open = Some(Open { wave, since, height, wants_two, waiting, ..Open::default() });
        Advanced::Did(Transition::WaveOpened { wave, height })
    }

    fn advance_wave(&self, progress: &mut Progress, wave: u8, brakes: &Brakes, now: Now) -> Advanced {
        if let Some(scope) = brakes.holding(now) {
            return Advanced::WaitingOn(WaitingOn::Brake { scope });
        }
        if self.height_is_void(progress, brakes, now) {
            let height = Height(now.height.0.saturating_add(self.plan.notice_blocks.0));
            if let Some(open) = progress.open.as_mut() {
                open.height = height;
            }
            return Advanced::Did(Transition::HeightFixed { wave, height });
        }
        let (Some(open), Some(spec)) = (progress.open.clone(), self.plan.waves.get(usize::from(wave))) else {
            return end(progress, Outcome::Completed);
        };
        let clock = brakes.clock(now);
        if let Some(gate) = open.gate {
            let until = gate.plus(&spec.soak);
            if !until.is_over(&clock) {
                return Advanced::WaitingOn(WaitingOn::Soak { wave, left: until.left(&clock) });
            }
            return match next_wave(progress, wave.saturating_add(1)) {
                Some(next) => self.open_wave(progress, next, brakes, now),
                None => end(progress, Outcome::Completed),
            };
        }
        let deadline = open.since.plus(&spec.deadline);
        if !deadline.is_over(&clock) {
            return Advanced::WaitingOn(WaitingOn::Gate {
                wave,
                healthy: open.healthy,
                assigned: progress.assigned(wave.into()),
                left: deadline.left(&clock),
            });
        }
        self.overdue(progress, wave, brakes, now)
    }

    /// The deadline passed without the gate: what waits for a lease moves on, once; else the wave is stalled.
    fn overdue(&self, progress: &mut Progress, wave: u8, brakes: &Brakes, now: Now) -> Advanced {
        let moved = self.move_waiters(progress, brakes, now);
        if progress.is_left() {
            // Everyone waited: there is nothing left to gate on here.
            return self.open_wave(progress, wave.saturating_add(1), brakes, now);
        }
        if let Some(power) = moved {
            return Advanced::Did(Transition::WaitersMoved { wave, power });
        }
        progress.halted = Some(Halt { cause: HaltCause::Stalled, since: now.into() });
        Advanced::Did(Transition::Halted(HaltCause::Stalled))
    }

    fn advance_halted(&self, progress: &mut Progress, now: Now) -> Advanced {
        let Some(halt) = progress.halted else {
            return Advanced::WaitingOn(WaitingOn::Completion);
        };
        let until = halt.since.plus(&self.plan.failure.halted);
        let raw: Moment = now.into();
        if !until.is_over(&raw) {
            return Advanced::WaitingOn(WaitingOn::HaltVote { cause: halt.cause, left: until.left(&raw) });
        }
        let began = match self.after_halt(progress, halt.cause) {
            After::Back => Transition::RollingBack,
            After::BackStalled => Transition::RollingBackStalled,
            After::Contained => return end(progress, Outcome::Contained),
        };
        progress.go_back(now);
        Advanced::Did(began)
    }

    fn advance_back(&self, progress: &mut Progress, now: Now) -> Advanced {
        let out = progress.running.plus(progress.leased);
        let raw: Moment = now.into();
        let until = progress.rolling_back.unwrap_or(raw).plus(&self.plan.failure.rolling_back);
        if out > Power(0) && !until.is_over(&raw) {
            return Advanced::WaitingOn(WaitingOn::GoingBack { power: out, left: until.left(&raw) });
        }
        end(progress, Outcome::RolledBack)
    }
}

pub(super) fn move_assigned(progress: &mut Progress, from: u8, to: u8, power: Power) {
    if let Some(sum) = progress.wave_mut(Some(from)) {
        sum.0 = sum.0.minus(power);
    }
    if let Some(sum) = progress.wave_mut(Some(to)) {
        sum.0 = sum.0.plus(power);
    }
}

/// The first wave from `from` on that holds any power; empty ones are skipped.
fn next_wave(progress: &Progress, from: u8) -> Option<u8> {
    progress
        .waves
        .iter()
        .enumerate()
        .skip(usize::from(from))
        .find(|(_, sum)| sum.0 > Power(0))
        .and_then(|(index, _)| u8::try_from(index).ok())
}

fn end(progress: &mut Progress, outcome: Outcome) -> Advanced {
    let unaccounted =
        if outcome == Outcome::RolledBack { progress.running.plus(progress.leased) } else { Power(0) };
    progress.outcome = Some(outcome);
    Advanced::Did(Transition::Ended { outcome, unaccounted })
}
