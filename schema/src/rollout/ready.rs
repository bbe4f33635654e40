//! A node's first word in a rollout, `ready`, `deferred` or `refused`, and the seat that it takes with it.

use super::report::{Said, moved};
use super::{Heard, Hearing, Progress, ReportRefused, Rollout, RolloutPhase, Seat, SeatState, note};
use crate::clock::Now;
use crate::node::Lot;
use crate::report::Report;
use crate::units::{Power, RolloutId};

impl Seat {
    /// A node's stored seat as rollout `id` sees it: its seat here, or the one that it has elsewhere.
    #[must_use]
    pub fn sort(stored: Option<Self>, id: RolloutId) -> (Option<Self>, Option<Self>) {
        match stored {
            Some(seat) if seat.rollout != id => (None, Some(seat)),
            here => (here, None),
        }
    }

    /// Lets the node's first word in another rollout take its seat there; answers what leaves what is down with it, since
    /// a node that speaks up is up. `rollout`: the one that it leaves, asked only where the seat counts in what is down, as
    /// no other holds a lease; `live`: its component's rollout in motion.
    ///
    /// # Errors
    /// [`ReportRefused::Elsewhere`] where the seat still counts: its rollout moves, or its lease runs.
    pub fn leave(
        &self,
        rollout: Option<&Rollout>,
        live: Option<RolloutId>,
        now: Now,
    ) -> Result<Power, ReportRefused> {
        let lease = self.lease.filter(|_| self.state == SeatState::Leased);
        let leased = lease
            .zip(rollout)
            .is_some_and(|(granted, rollout)| !granted.plus(&rollout.plan.lease).is_over(&now.into()));
        if live == Some(self.rollout) || leased {
            return Err(ReportRefused::Elsewhere { rollout: self.rollout });
        }
        Ok(if self.down { self.absence() } else { Power(0) })
    }

    /// The seat of a node's first word, or of its change of mind; an equivocation of before stays with it.
    fn taken(
        before: Option<&Self>,
        hearing: &Hearing<'_>,
        wave: Option<u8>,
        power: Power,
        state: SeatState,
    ) -> Self {
        let Hearing { rollout, report, .. } = *hearing;
        Self {
            v: 1,
            rollout,
            wave,
            moved: None,
            power,
            state,
            attempt: 0,
            lease: None,
            down: false,
            running: false,
            going_back: false,
            said: vec![Said::of(report)],
            deferred: match report {
                Report::Deferred { until } => Some(*until),
                _ => None,
            },
            equivocated: before.is_some_and(|seat| seat.equivocated),
        }
    }
}

impl Rollout {
    pub(super) fn hear_ready(
        &self,
        progress: &mut Progress,
        seat: &mut Option<Seat>,
        hearing: &Hearing<'_>,
    ) -> Result<Heard, ReportRefused> {
        let Hearing { node, report, brakes, now, .. } = *hearing;
        let phase = self.phase(progress, brakes, now);
        let (Some(drawn), true) = (progress.drawn, takes_ready(phase)) else {
            return Err(ReportRefused::Phase { kind: report.kind(), phase });
        };
        match seat.as_mut() {
            None => {}
            Some(held) if held.state == SeatState::Refused => {}
            // It counts as ready since it deferred; now nothing holds its lease up.
            Some(held) if held.deferred.is_some() && matches!(report, Report::Ready { .. }) => {
                held.deferred = None;
                held.said.push(Said::of(report));
                return Ok(Heard::Counted { halted: false, rolling_back: false, up: Power(0) });
            }
            Some(_) => return Err(moved(report, seat.as_ref(), "not seated, refused, deferred")),
        }
        if let Some(refused) = seat.as_ref() {
            progress.refused = progress.refused.minus(refused.power);
        }
        let (wave, power) = match node.power_at(self.epoch) {
            Some(power) => (self.wave_for(progress, Lot::draw(&drawn.seed, node.no), power), power),
            None => (None, node.power),
        };
        if let Some(sum) = progress.wave_mut(wave) {
            sum.0 = sum.0.plus(power);
            progress.ready = progress.ready.plus(power);
        }
        if wave == Some(0) {
            note(&mut progress.first_of, &node.organisation, power);
            progress.first_two |= progress.first_of.len() >= 2;
        }
        *seat = Some(Seat::taken(seat.as_ref(), hearing, wave, power, SeatState::Assigned));
        Ok(Heard::Counted { halted: false, rolling_back: false, up: Power(0) })
    }

    pub(super) fn hear_refused(
        &self,
        progress: &mut Progress,
        seat: &mut Option<Seat>,
        hearing: &Hearing<'_>,
    ) -> Result<Heard, ReportRefused> {
        let Hearing { node, report, brakes, now, .. } = *hearing;
        let phase = self.phase(progress, brakes, now);
        if !matches!(phase, RolloutPhase::Preparing | RolloutPhase::Postponed) {
            return Err(ReportRefused::Phase { kind: report.kind(), phase });
        }
        match seat.as_ref() {
            None => {}
            Some(held) if held.state == SeatState::Assigned => {
                if let Some(sum) = progress.wave_mut(held.wave) {
                    sum.0 = sum.0.minus(held.power);
                    progress.ready = progress.ready.minus(held.power);
                }
                // Another node of it may still be there; counting it out only brings in one canary more, while
                // counting it in would make the gate wait for an organisation that left.
                if held.wave == Some(0) {
                    progress.first_of.retain(|known| *known != node.organisation);
                }
            }
            Some(_) => return Err(moved(report, seat.as_ref(), "not seated, assigned")),
        }
        let power = node.power_at(self.epoch).unwrap_or_default();
        progress.refused = progress.refused.plus(power);
        *seat = Some(Seat::taken(seat.as_ref(), hearing, None, power, SeatState::Refused));
        Ok(Heard::Counted { halted: false, rolling_back: false, up: Power(0) })
    }
}

fn takes_ready(phase: RolloutPhase) -> bool {
    match phase {
        RolloutPhase::Preparing | RolloutPhase::Postponed | RolloutPhase::Wave(_) => true,
        RolloutPhase::Ended(outcome) => outcome == super::Outcome::Completed,
        RolloutPhase::Drawing | RolloutPhase::Halted | RolloutPhase::RollingBack => false,
    }
}
