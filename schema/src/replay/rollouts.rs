//! Entries about rollouts and the nodes in them.

use super::{At, Replay, ReplayError};
use crate::brake::Brakes;
use crate::clock::Moment;
use crate::event::Event;
use crate::node::Node;
use crate::release::{ReleaseFacts, Standing};
use crate::report::Report;
use crate::rollout::{
    Advanced, Candidate, Drawn, Expired, Heard, Hearing, LeaseAnswer, Outcome, Progress, Purpose, Returned,
    Rollout, Seat, Transition,
};
use crate::units::{Height, NodeNo, Power, RolloutId, Seconds};

/// A rollout and what its rules rest on. `progress` is a copy, put back by [`Replay::put`].
struct Moving {
    id: RolloutId,
    rollout: Rollout,
    progress: Progress,
    brakes: Brakes,
}

impl Replay {
    pub(super) fn take_rollout(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        match event {
            Event::RolloutStarted { rollout, proposal, registered, .. } => {
                self.rollout_started(at, at.rollout(rollout)?, proposal, registered)
            }
            Event::Drawn { rollout, seed } => {
                let mut moving = self.moving(at, rollout)?;
                let from = moving.brakes.clock(at.now);
                moving.progress.drawn = Some(Drawn { seed: at.parse("seed", seed)?, from });
                self.put(moving);
                Ok(())
            }
            Event::WaveOpened { rollout, wave, height, canaries } => {
                let wave = at.parse("wave", wave)?;
                let height = Height(at.parse("height", height)?);
                self.advanced(at, rollout, canaries, Transition::WaveOpened { wave, height })
            }
            Event::HeightFixed { rollout, wave, height } => {
                let wave = at.parse("wave", wave)?;
                let height = Height(at.parse("height", height)?);
                self.advanced(at, rollout, "-", Transition::HeightFixed { wave, height })
            }
            Event::WaitersMoved { rollout, wave, power } => {
                let wave = at.parse("wave", wave)?;
                let power = Power(at.parse("power", power)?);
                self.advanced(at, rollout, "-", Transition::WaitersMoved { wave, power })
            }
            Event::RolloutHalted { rollout, cause } => self.halted(at, rollout, cause),
            Event::RolloutResumed { rollout } => {
                let mut moving = self.moving(at, rollout)?;
                // Whether its voters could know the halt was asked when it was executed.
                let voted = Moment(u64::MAX, u64::MAX);
                moving
                    .rollout
                    .resume(&mut moving.progress, &moving.brakes, voted, at.now)
                    .map_err(|error| at.refused("the resumption", error))?;
                self.put(moving);
                Ok(())
            }
            Event::RollingBack { rollout, .. } => self.rolling_back(at, rollout),
            Event::RollingBackStalled { rollout } => {
                self.advanced(at, rollout, "-", Transition::RollingBackStalled)
            }
            Event::RolloutEnded { rollout, outcome, unaccounted } => {
                self.ended(at, rollout, outcome, unaccounted)
            }
            _ => Ok(()),
        }
    }

    fn moving(&self, at: &At<'_>, rollout: &str) -> Result<Moving, ReplayError> {
        let id = at.rollout(rollout)?;
        let rollout = at.found(self.rollouts.get(&id), "rollout", id)?.clone();
        let progress = at.found(self.progress.get(&id), "rollout", id)?.clone();
        let brakes = self.brakes_on(at, Some(&rollout.component))?;
        Ok(Moving { id, rollout, progress, brakes })
    }

    fn put(&mut self, moving: Moving) {
        self.progress.insert(moving.id, moving.progress);
    }

    fn rollout_started(
        &mut self,
        at: &At<'_>,
        id: RolloutId,
        proposal: &str,
        registered: &str,
    ) -> Result<(), ReplayError> {
        let decided_by = at.proposal(proposal)?;
        let draft = at.found(self.drafts.get(&decided_by), "proposal", decided_by)?;
        let (release, plan) = at.found(draft.rollout(), "rollout of proposal", decided_by)?;
        let component = at.found(self.components.get_mut(&release.component), "component", decided_by)?;
        let rollout = component.start(id, decided_by, release, plan, at.now);
        at.agree("the registered power", rollout.registered.0, at.parse("registered", registered)?)?;
        let digest = rollout.release;
        at.found(self.standings.get_mut(&digest), "release", digest)?.standing = Standing::Allowed;
        self.progress.insert(id, Progress::new(plan.waves.len()));
        self.rollouts.insert(id, rollout);
        self.proposal_mut(at, decided_by)?.rollout = Some(id);
        Ok(())
    }

    /// A crank did this one thing.
    fn advanced(
        &mut self,
        at: &At<'_>,
        rollout: &str,
        canaries: &str,
        said: Transition,
    ) -> Result<(), ReplayError> {
        let mut moving = self.moving(at, rollout)?;
        let mut candidates = Vec::new();
        for node in canaries.split(',').filter(|node| *node != "-") {
            let node = at.node(node)?;
            let mut listed =
                self.ready_by_lot.iter().filter(|((of, _, no), _)| *of == moving.id && *no == node);
            let (_, (power, wave, organisation)) = at.found(listed.next(), "candidate", node)?;
            let (power, wave, organisation) = (*power, *wave, organisation.clone());
            candidates.push(Candidate { node, power, wave, organisation });
        }
        let Moving { rollout, progress, brakes, .. } = &mut moving;
        match rollout.advance(progress, &candidates, brakes, at.now) {
            Advanced::Did(did) if did == said => {}
            other => return Err(at.disagrees("the step", format!("{other:?}"), format!("{said:?}"))),
        }
        self.put(moving);
        Ok(())
    }

    /// By the report before it, then it has happened already; by a crank; or by a vote.
    fn halted(&mut self, at: &At<'_>, rollout: &str, cause: &str) -> Result<(), ReplayError> {
        match cause {
            "stalled" => {
                let cause = at.word("cause", cause)?;
                self.advanced(at, rollout, "-", Transition::Halted(cause))
            }
            "cancelled" => self.cancelled(at, rollout),
            _ => Ok(()),
        }
    }

    fn cancelled(&mut self, at: &At<'_>, rollout: &str) -> Result<(), ReplayError> {
        let mut moving = self.moving(at, rollout)?;
        moving
            .rollout
            .cancel(&mut moving.progress, &moving.brakes, at.now)
            .map_err(|error| at.refused("the cancellation", error))?;
        self.put(moving);
        Ok(())
    }

    /// By the report before it, or by a vote on one that goes back already, then only the denial is left; else by a crank
    /// or a vote, which change the same.
    fn rolling_back(&mut self, at: &At<'_>, rollout: &str) -> Result<(), ReplayError> {
        let mut moving = self.moving(at, rollout)?;
        let Moving { id, rollout, progress, brakes } = &mut moving;
        let (id, release) = (*id, rollout.release);
        if matches!(progress.outcome, Some(Outcome::Completed | Outcome::Contained)) {
            rollout
                .reopen_to_roll_back(progress, brakes, at.now)
                .map_err(|error| at.refused("the way back", error))?;
            let component = self.components.get_mut(&rollout.component);
            let component = at.found(component, "component", &rollout.component)?;
            component.take_back(id, rollout);
        } else {
            let back = rollout.roll_back(progress, brakes, at.now);
            back.map_err(|error| at.refused("the way back", error))?;
        }
        let denied = ReleaseFacts { rolled_back_by: Some(id), ..ReleaseFacts::new(Standing::RolledBack) };
        self.standings.insert(release, denied);
        self.put(moving);
        Ok(())
    }

    fn ended(
        &mut self,
        at: &At<'_>,
        rollout: &str,
        outcome: &str,
        unaccounted: &str,
    ) -> Result<(), ReplayError> {
        let outcome: Outcome = at.word("outcome", outcome)?;
        if outcome == Outcome::Cancelled {
            self.cancelled(at, rollout)?;
        } else {
            let unaccounted = Power(at.parse("unaccounted", unaccounted)?);
            self.advanced(at, rollout, "-", Transition::Ended { outcome, unaccounted })?;
        }
        let Moving { id, rollout, .. } = self.moving(at, rollout)?;
        let component = self.components.get_mut(&rollout.component);
        at.found(component, "component", &rollout.component)?.settle(id, &rollout, outcome);
        Ok(())
    }

    pub(super) fn take_seat(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        match event {
            Event::Reported { rollout, node, report, attempt, detail } => {
                let report = said(at, report, attempt, detail)?;
                self.reported(at, rollout, node, &report)
            }
            Event::Equivocated { rollout, node, .. } => {
                let (id, node) = (at.rollout(rollout)?, at.node(node)?);
                let seat = self.seats.get_mut(&node).filter(|seat| seat.rollout == id);
                at.found(seat, "seat of node", node)?.equivocated = true;
                Ok(())
            }
            Event::Leased { rollout, node, attempt, purpose } => {
                let purpose: Purpose = at.word("purpose", purpose)?;
                let attempt: u8 = at.parse("attempt", attempt)?;
                self.asked(at, rollout, node, purpose, Some(attempt))
            }
            Event::LeaseWaits { rollout, node, .. } => self.asked(at, rollout, node, Purpose::Activate, None),
            Event::LeaseReturned { rollout, node } => {
                let (mut moving, node, mut seat) = self.seated(at, rollout, node)?;
                let attempt = seat.attempt;
                let returned = moving
                    .rollout
                    .give_back(&mut moving.progress, &mut seat, &node, attempt)
                    .map_err(|error| at.refused("the return", error))?;
                let Returned::Now { up } = returned else {
                    return Err(at.disagrees("the return", format!("{returned:?}"), "a lease came back"));
                };
                self.comes_up(&moving.rollout, up);
                self.seats.insert(node.no, seat);
                self.put(moving);
                Ok(())
            }
            Event::LeaseExpired { rollout, node } => {
                let (mut moving, node, mut seat) = self.seated(at, rollout, node)?;
                let expired = moving.rollout.expire(&mut moving.progress, &mut seat, &node, at.now);
                if expired != Expired::Now {
                    return Err(at.disagrees("the expiry", format!("{expired:?}"), "a lease ran out"));
                }
                self.seats.insert(node.no, seat);
                self.put(moving);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn seated(&self, at: &At<'_>, rollout: &str, node: &str) -> Result<(Moving, Node, Seat), ReplayError> {
        let moving = self.moving(at, rollout)?;
        let no = at.node(node)?;
        let node = at.found(self.nodes.get(&no), "node", no)?.clone();
        let seat = self.seats.get(&no).filter(|seat| seat.rollout == moving.id);
        let seat = at.found(seat, "seat of node", no)?.clone();
        Ok((moving, node, seat))
    }

    fn comes_up(&mut self, rollout: &Rollout, up: Power) {
        if let Some(down) = self.down.get_mut(&rollout.group) {
            *down = down.minus(up);
        }
    }

    fn reported(
        &mut self,
        at: &At<'_>,
        rollout: &str,
        node: &str,
        report: &Report,
    ) -> Result<(), ReplayError> {
        let mut moving = self.moving(at, rollout)?;
        let no = at.node(node)?;
        let node = at.found(self.nodes.get(&no), "node", no)?.clone();
        let stored = self.seats.get(&no).cloned();
        let (before, elsewhere) = Seat::sort(stored, moving.id);
        let mut seat = before.clone();
        let Moving { id, rollout, progress, brakes } = &mut moving;
        let hearing = Hearing { rollout: *id, node: &node, report, brakes, now: at.now };
        let heard =
            rollout.hear(progress, &mut seat, &hearing).map_err(|error| at.refused("the report", error))?;
        let Heard::Counted { up, .. } = heard else {
            return Err(at.disagrees("the report", format!("{heard:?}"), "it counted"));
        };
        if let Some(elsewhere) = elsewhere {
            let left = at.found(self.rollouts.get(&elsewhere.rollout), "rollout", elsewhere.rollout)?.clone();
            // Whether the other rollout moves was asked when the node spoke.
            let up = elsewhere
                .leave(Some(&left), None, at.now)
                .map_err(|error| at.refused("the new seat", error))?;
            self.comes_up(&left, up);
        }
        self.comes_up(&moving.rollout, up);
        self.list(&moving, &node, before.as_ref(), seat.as_ref());
        if let Some(seat) = seat {
            self.seats.insert(no, seat);
        }
        self.put(moving);
        Ok(())
    }

    /// Keeps the index of who could be a canary.
    fn list(&mut self, moving: &Moving, node: &Node, before: Option<&Seat>, after: Option<&Seat>) {
        let Some((lot, wave)) = moving.progress.listing(node.no, before, after) else {
            return;
        };
        let key: (RolloutId, u64, NodeNo) = (moving.id, lot.0, node.no);
        match (wave, after) {
            (Some(wave), Some(seat)) => {
                self.ready_by_lot.insert(key, (seat.power, wave, node.organisation.clone()));
            }
            _ => {
                self.ready_by_lot.remove(&key);
            }
        }
    }

    /// A lease was granted for a try, or its wait was recorded.
    fn asked(
        &mut self,
        at: &At<'_>,
        rollout: &str,
        node: &str,
        purpose: Purpose,
        granted: Option<u8>,
    ) -> Result<(), ReplayError> {
        let (mut moving, node, mut seat) = self.seated(at, rollout, node)?;
        let Moving { rollout, progress, brakes, .. } = &mut moving;
        let component = at.found(self.components.get(&rollout.component), "component", &rollout.component)?;
        let is_current = rollout.is_current(component);
        let down = at.found(self.down.get_mut(&rollout.group), "group", &rollout.group)?;
        let answer = rollout
            .grant(progress, &mut seat, &node, purpose, *down, is_current, brakes, at.now)
            .map_err(|error| at.refused("the lease", error))?;
        match (&answer, granted) {
            (LeaseAnswer::Granted { attempt, down: joined }, Some(said)) if *attempt == said => {
                *down = down.plus(*joined);
            }
            (LeaseAnswer::Waiting { recorded: true, .. }, None) => {}
            _ => return Err(at.disagrees("the lease", format!("{answer:?}"), format!("try {granted:?}"))),
        }
        self.seats.insert(node.no, seat);
        self.put(moving);
        Ok(())
    }
}

/// The report behind an entry.
fn said(at: &At<'_>, kind: &str, attempt: &str, detail: &str) -> Result<Report, ReplayError> {
    let attempt: u8 = at.parse("attempt", attempt)?;
    let reason = || detail.to_owned();
    Ok(match kind {
        "ready" => Report::Ready { release: at.parse("detail", detail)? },
        "refused" => Report::Refused { reason: reason() },
        "deferred" => Report::Deferred { until: Seconds(at.parse("detail", detail)?) },
        "activated" => Report::Activated { attempt, height: Height(at.parse("detail", detail)?) },
        "healthy" => {
            let parts = detail.strip_suffix(" ms").and_then(|detail| detail.split_once(", down "));
            let (height, downtime_ms) = parts.ok_or_else(|| at.malformed("detail", detail))?;
            Report::Healthy {
                attempt,
                height: Height(at.parse("detail", height)?),
                downtime_ms: at.parse("detail", downtime_ms)?,
            }
        }
        "failed" => Report::Failed { attempt, reason: reason() },
        "rolled_back" => Report::RolledBack { attempt, release: at.parse("detail", detail)? },
        "contained" => Report::Contained { attempt, reason: reason() },
        _ => return Err(at.malformed("report", kind)),
    })
}
