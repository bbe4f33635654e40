//! What a report changes (design 4, "Buckets" and "Reports").

use serde::{Deserialize, Serialize};

use super::{Halt, HaltCause, Progress, Rollout, RolloutPhase, Seat, SeatState, note};
use crate::brake::Brakes;
use crate::clock::Now;
use crate::digest::Digest;
use crate::node::Node;
use crate::report::Report;
use crate::units::{Power, RolloutId, Seconds};

/// What a node said, in a few bytes: the kind's letter and the first six bytes of the statement's digest, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Said(String);

impl Said {
    pub(super) fn of(report: &Report) -> Self {
        let digest: String = report.digest().to_string().chars().take(12).collect();
        Self(format!("{}{digest}", report.letter()))
    }

    fn is_of_kind(&self, report: &Report) -> bool {
        self.0.starts_with(report.letter())
    }
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It changed the facts. `halted` and `rolling_back`: it crossed a bar, and what followed in this transaction.
    Counted {
        /// It halted the rollout.
        halted: bool,
        /// It started the way back, or showed on it that the release fails on two organisations' nodes: it is denied.
        rolling_back: bool,
        /// Power that left what is down.
        up: Power,
    },
    /// Said before, with the same payload: nothing changes.
    Repeated,
    /// Said before, otherwise: the first stands; `first` is whether this is the first time that it is seen.
    Equivocation {
        /// It is to be remembered now.
        first: bool,
    },
}

/// A report, with what its answer rests on beside the moving facts.
#[derive(Clone, Copy, Debug)]
pub struct Hearing<'a> {
    /// The rollout that it is sent to.
    pub rollout: RolloutId,
    /// Who says it.
    pub node: &'a Node,
    /// What it says.
    pub report: &'a Report,
    /// The brakes on the rollout's component.
    pub brakes: &'a Brakes,
    /// The block that hears it.
    pub now: Now,
}

/// Why a report is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportRefused {
    /// The rollout takes no such report now.
    #[error("a {kind} report is not taken while the rollout is {phase:?}")]
    Phase {
        /// The report's kind.
        kind: &'static str,
        /// The rollout's phase.
        phase: RolloutPhase,
    },
    /// The node cannot say this from where it is.
    #[error("a node that is {from} cannot report {kind}; allowed from: {allowed}")]
    Move {
        /// The report's kind.
        kind: &'static str,
        /// Where the node is.
        from: String,
        /// Where it would have to be.
        allowed: &'static str,
    },
    /// The report is about another try.
    #[error("the report is about try {found}; the node's current try is {expected}")]
    Attempt {
        /// The node's try.
        expected: u8,
        /// The report's.
        found: u8,
    },
    /// It is about another release.
    #[error("the report names release {found}, expected {expected}")]
    Release {
        /// What it must name.
        expected: Digest,
        /// What it names.
        found: Digest,
    },
    /// The node registered after the snapshot and all waves are open, or it never got ready.
    #[error("the node has no seat in this rollout; report ready first, or look for it in a newer one")]
    NoSeat,
    /// A node has one seat, and this one is still needed where it is.
    #[error(
        "the node is bound to rollout {rollout}, which is in motion or holds a lease that is not over; report or return the lease there first"
    )]
    Elsewhere {
        /// Where its seat is.
        rollout: RolloutId,
    },
    /// A deferral to a time that has come.
    #[error("the node defers to {until} s, and it is {now} s already; report ready")]
    Due {
        /// From when on it would be ready.
        until: Seconds,
        /// Block time.
        now: Seconds,
    },
}

pub(super) fn moved(report: &Report, seat: Option<&Seat>, allowed: &'static str) -> ReportRefused {
    let from =
        seat.map_or_else(|| "not seated".to_owned(), |seat| format!("{:?}", seat.state).to_lowercase());
    ReportRefused::Move { kind: report.kind(), from, allowed }
}

impl Rollout {
    /// Takes a report: changes `progress` and `seat`, or says why not. `seat` is `None` before a node's first word here.
    ///
    /// # Errors
    /// [`ReportRefused`]; nothing is changed then.
    pub fn hear(
        &self,
        progress: &mut Progress,
        seat: &mut Option<Seat>,
        hearing: &Hearing<'_>,
    ) -> Result<Heard, ReportRefused> {
        let (report, now) = (hearing.report, hearing.now);
        if let Some(heard) = self.repeated(seat.as_mut(), report) {
            return Ok(heard);
        }
        match report {
            Report::Ready { release } if *release != self.release => {
                Err(ReportRefused::Release { expected: self.release, found: *release })
            }
            Report::Deferred { until } if *until <= now.time => {
                Err(ReportRefused::Due { until: *until, now: now.time })
            }
            Report::Ready { .. } | Report::Deferred { .. } => self.hear_ready(progress, seat, hearing),
            Report::Refused { .. } => self.hear_refused(progress, seat, hearing),
            Report::Activated { .. }
            | Report::Healthy { .. }
            | Report::Failed { .. }
            | Report::RolledBack { .. }
            | Report::Contained { .. } => {
                let seat = seat.as_mut().ok_or(ReportRefused::NoSeat)?;
                self.hear_seated(progress, seat, hearing)
            }
        }
    }

    fn hear_seated(
        &self,
        progress: &mut Progress,
        seat: &mut Seat,
        hearing: &Hearing<'_>,
    ) -> Result<Heard, ReportRefused> {
        let Hearing { node, report, brakes, now, .. } = *hearing;
        if report.attempt() != seat.attempt {
            return Err(ReportRefused::Attempt { expected: seat.attempt, found: report.attempt() });
        }
        self.check_move(progress, seat, report)?;
        self.move_waiters(progress, brakes, now);
        let phase = self.phase(progress, brakes, now);
        let wave = self.wave_of(progress, node.no, seat);
        let power = seat.power;
        leave(progress, wave, seat);
        let mut crossed = (false, false);
        let up = match report {
            Report::Activated { .. } => {
                seat.state = SeatState::Trial;
                enter(progress, wave, seat);
                progress.running = progress.running.plus(power);
                seat.running = true;
                Power(0)
            }
            Report::Healthy { .. } => {
                seat.state = SeatState::Healthy;
                enter(progress, wave, seat);
                if let Some(open) = progress.open_mut(wave).filter(|open| open.wants_two) {
                    note(&mut open.healthy_of, &node.organisation, power);
                }
                comes_up(seat)
            }
            Report::Failed { .. } => {
                seat.state = SeatState::Failed;
                crossed = self.fails(progress, phase, wave, power, Some(&node.organisation), now);
                Power(0)
            }
            Report::RolledBack { .. } => {
                seat.state = SeatState::RolledBack;
                stops_running(progress, seat);
                comes_up(seat)
            }
            Report::Contained { .. } => {
                // Whoever stops acting has failed, said so or not; the release may run there until it is proven back.
                // But it says nothing of a release that it never started.
                if seat.state != SeatState::Failed {
                    let of = seat.running.then_some(node.organisation.as_str());
                    crossed = self.fails(progress, phase, wave, power, of, now);
                }
                seat.state = SeatState::Contained;
                Power(0)
            }
            Report::Ready { .. } | Report::Refused { .. } | Report::Deferred { .. } => Power(0),
        };
        if !matches!(report, Report::Activated { .. }) {
            seat.lease = None;
            seat.going_back = false;
        }
        seat.said.push(Said::of(report));
        self.mark_gate(progress, brakes, now);
        Ok(Heard::Counted { halted: crossed.0, rolling_back: crossed.1, up })
    }

    /// The answer to what was said before. A node that is past `ready` for this release said it, whether or not its
    /// newest try has the words.
    fn repeated(&self, seat: Option<&mut Seat>, report: &Report) -> Option<Heard> {
        let seat = seat?;
        let before_tries = report.attempt() == 0 && takes_no_try(report);
        if !before_tries && report.attempt() != seat.attempt {
            return None;
        }
        let ready = matches!(report, Report::Ready { release } if *release == self.release)
            && seat.state != SeatState::Refused
            && seat.deferred.is_none();
        let said = Said::of(report);
        if ready || seat.said.contains(&said) {
            return Some(Heard::Repeated);
        }
        if !seat.said.iter().any(|earlier| earlier.is_of_kind(report)) {
            return None;
        }
        let first = !seat.equivocated;
        seat.equivocated = true;
        Some(Heard::Equivocation { first })
    }

    /// The table of legal moves; healthy to failed stays legal until the end.
    fn check_move(&self, progress: &Progress, seat: &Seat, report: &Report) -> Result<(), ReportRefused> {
        use SeatState::{Contained, Failed, Healthy, Leased, Lost, Trial};
        let back = progress.rolling_back.is_some() || seat.going_back;
        let (legal, allowed) = match report {
            Report::Activated { .. } => {
                (matches!(seat.state, Leased | Lost) && !seat.running && !seat.going_back, "leased, lost")
            }
            Report::Healthy { .. } => (seat.state == Trial, "trial"),
            Report::Failed { .. } => {
                (matches!(seat.state, Leased | Lost | Trial | Healthy), "leased, lost, trial, healthy")
            }
            Report::RolledBack { release, .. } => {
                if *release != self.previous {
                    return Err(ReportRefused::Release { expected: self.previous, found: *release });
                }
                // From its trial a node may go back for a reason that is not the release's, and says nothing against it.
                let ran = back && matches!(seat.state, Healthy | Leased | Lost);
                (
                    ran || matches!(seat.state, Trial | Failed | Contained),
                    "trial, failed, contained, or on its way back",
                )
            }
            Report::Contained { .. } => (
                matches!(seat.state, Leased | Lost | Trial | Healthy | Failed),
                "leased, lost, trial, healthy, failed",
            ),
            Report::Ready { .. } | Report::Refused { .. } | Report::Deferred { .. } => (false, "not seated"),
        };
        if legal { Ok(()) } else { Err(moved(report, Some(seat), allowed)) }
    }

    /// Counts a node's failure, and tests the bars; answers as [`Rollout::judge_failures`]. `organisation`: whose failure
    /// it is, where it speaks against the release.
    fn fails(
        &self,
        progress: &mut Progress,
        phase: RolloutPhase,
        wave: Option<u8>,
        power: Power,
        organisation: Option<&str>,
        now: Now,
    ) -> (bool, bool) {
        let known = progress.failed_of.len();
        if let Some(sum) = progress.wave_mut(wave) {
            sum.1 = sum.1.plus(power);
            if let Some(organisation) = organisation {
                note(&mut progress.failed_of, organisation, power);
            }
        }
        if phase == RolloutPhase::RollingBack {
            // Whatever sent it back, a stall perhaps, now it is known that the release fails on two.
            let two = known < 2 && progress.failed_of.len() >= 2 && self.goes_back();
            if two && progress.rolling_back.is_none() {
                progress.go_back(now);
            }
            return (false, two);
        }
        self.judge_failures(progress, phase, wave, now)
    }

    /// Tests the bars in the transaction that reports the failure. One organisation alone only halts; the failure
    /// of a second one, also while halted, applies the policy at once. Returns (halted, rolling back) by this.
    fn judge_failures(
        &self,
        progress: &mut Progress,
        phase: RolloutPhase,
        wave: Option<u8>,
        now: Now,
    ) -> (bool, bool) {
        if !matches!(phase, RolloutPhase::Wave(_) | RolloutPhase::Halted) {
            return (false, false);
        }
        let sum = wave.and_then(|wave| progress.waves.get(usize::from(wave))).copied().unwrap_or_default();
        let crossed = self.plan.failure.wave_bps.exceeded_by(sum.1, sum.0)
            || self.plan.failure.rollout_bps.exceeded_by(progress.failed(), self.registered);
        let halts = crossed && phase != RolloutPhase::Halted;
        if halts {
            progress.halted = Some(Halt { cause: HaltCause::Failures, since: now.into() });
        }
        let failed = crossed || progress.halted.is_some_and(|halt| halt.cause == HaltCause::Failures);
        let back = failed && progress.failed_of.len() >= 2 && self.goes_back();
        if back {
            progress.go_back(now);
        }
        (halts, back)
    }

    /// Stores when the open wave's gate was reached, and forgets it when it drops.
    pub(super) fn mark_gate(&self, progress: &mut Progress, brakes: &Brakes, now: Now) {
        let reached = self.gate_reached(progress) && !self.is_overdue(progress, brakes, now);
        if let Some(open) = progress.open.as_mut() {
            open.gate = if reached { open.gate.or(Some(brakes.clock(now))) } else { None };
        }
    }

    /// Has healthy power reached the open wave's gate? Wave 0 wants two organisations when it has two, or had: where the
    /// second one left, all power of the wave that is left stands in for it.
    #[must_use]
    pub fn gate_reached(&self, progress: &Progress) -> bool {
        let Some(open) = &progress.open else {
            return false;
        };
        let index = usize::from(open.wave);
        let (Some(wave), Some(sum)) = (self.plan.waves.get(index), progress.waves.get(index)) else {
            return false;
        };
        if progress.rolling_back.is_some() {
            return false;
        }
        let all = !open.moved && open.healthy >= sum.0;
        let two = !open.wants_two || open.healthy_of.len() >= 2 || all;
        two && open.healthy > Power(0) && wave.healthy_bps.reached_by(open.healthy, sum.0)
    }
}

/// Is it about the rollout, and not about one of the node's tries?
fn takes_no_try(report: &Report) -> bool {
    matches!(report, Report::Ready { .. } | Report::Refused { .. } | Report::Deferred { .. })
}

/// Takes a node's power out of the bucket that its seat names.
pub(super) fn leave(progress: &mut Progress, wave: Option<u8>, seat: &Seat) {
    shift(progress, wave, seat, |sum| *sum = sum.minus(seat.power));
}

/// Puts a node's power into the bucket that its seat names.
pub(super) fn enter(progress: &mut Progress, wave: Option<u8>, seat: &Seat) {
    shift(progress, wave, seat, |sum| *sum = sum.plus(seat.power));
}

fn shift(progress: &mut Progress, wave: Option<u8>, seat: &Seat, change: impl Fn(&mut Power)) {
    // A node on its way back is in `running` already.
    if seat.state == SeatState::Leased && !seat.running {
        change(&mut progress.leased);
    }
    let Some(open) = progress.open_mut(wave) else {
        return;
    };
    match seat.state {
        SeatState::Waiting => change(&mut open.waiting),
        SeatState::Leased => change(&mut open.leased),
        SeatState::Trial => change(&mut open.trial),
        SeatState::Healthy => change(&mut open.healthy),
        SeatState::Assigned
        | SeatState::Refused
        | SeatState::Lost
        | SeatState::Failed
        | SeatState::RolledBack
        | SeatState::Contained => {}
    }
}

fn comes_up(seat: &mut Seat) -> Power {
    let up = if seat.down { seat.absence() } else { Power(0) };
    seat.down = false;
    up
}

fn stops_running(progress: &mut Progress, seat: &mut Seat) {
    if seat.running {
        progress.running = progress.running.minus(seat.power);
        seat.running = false;
    }
}
