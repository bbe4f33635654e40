//! A rollout: a plan in motion. Stored facts, and the phase they are in (design 4).
//!
//! `Rollout` is fixed when it starts; everything that moves is in the small [`Progress`] and in one [`Seat`] a node,
//! so that a report costs the same with ten nodes and with a thousand. Both are written with every report, so their
//! JSON names are one or two letters; a name stands in the `rename` beside its field.

mod advance;
mod decide_by_vote;
mod draw;
mod lease;
mod phase;
mod ready;
mod report;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{plan as sample_plan, sample_release};
mod vote;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advance::{Advanced, CANDIDATES_MAX, Candidate, Transition};
pub use draw::DrawRefused;
pub use lease::{Expired, LeaseAnswer, LeaseRefused, Purpose, Returned};
pub use report::{Heard, Hearing, ReportRefused, Said};
pub use vote::VoteRefused;

use crate::clock::{Moment, Now};
use crate::digest::Digest;
use crate::node::Lot;
use crate::plan::{OnFailure, Plan};
use crate::release::Reversibility;
use crate::units::{BPS_WHOLE, Bps, Height, NodeNo, Power, ProposalId, RolloutId, Seconds};

/// The most tries of one node in one rollout.
pub const ATTEMPTS_MAX: u8 = 5;
/// The most nodes that are moved into an empty first wave.
pub const CANARIES_MAX: usize = 2;

/// The seed, once drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Drawn {
    /// Places every node in a wave. Base64 in JSON.
    #[serde(rename = "s", with = "draw::base64")]
    #[schemars(with = "String")]
    pub seed: Digest,
    /// When preparation began, on the braked clock.
    #[serde(rename = "f")]
    pub from: Moment,
}

/// Stored facts of a rollout that reports never change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rollout {
    /// Version of these facts.
    pub v: u8,
    /// The proposal that decided it.
    pub proposal: ProposalId,
    /// What is upgraded.
    pub component: String,
    /// Its group, for the bound on what is down.
    pub group: String,
    /// The release that it brings.
    pub release: Digest,
    /// Its version.
    pub version: String,
    /// The release of before: where rolling back leads.
    pub previous: Digest,
    /// Its version.
    pub previous_version: String,
    /// How the upgrade can be undone.
    pub reversibility: Reversibility,
    /// How.
    pub plan: Plan,
    /// The snapshot: nodes count as of this epoch.
    pub epoch: u32,
    /// The snapshot's sum.
    pub registered: Power,
    /// The first block whose time may be the seed.
    pub draw_from: Height,
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Outcome {
    /// Every wave passed; the release is the component's current one.
    Completed,
    /// Everything that ran it went back, or was given up at the deadline.
    RolledBack,
    /// It stays as it is; people decide.
    Contained,
    /// Too few got ready in time.
    Expired,
    /// A vote ended it before any node activated.
    Cancelled,
}

/// Why a rollout halted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum HaltCause {
    /// A failure bar was crossed.
    Failures,
    /// The wave's gate was not reached by its deadline; what was silent counts as failed.
    Stalled,
    /// A vote cancelled it after a node had activated.
    Cancelled,
}

/// A halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Halt {
    /// Why.
    #[serde(rename = "c")]
    pub cause: HaltCause,
    /// Since when, on the raw clock: the brake never holds up a way back.
    #[serde(rename = "s")]
    pub since: Moment,
}

/// The open wave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Open {
    /// Which.
    #[serde(rename = "w")]
    pub wave: u8,
    /// Since when, on the braked clock.
    #[serde(rename = "s")]
    pub since: Moment,
    /// Its earliest activation height, on the raw clock.
    #[serde(rename = "h")]
    pub height: Height,
    /// Its gate wants healthy reports of two organisations.
    #[serde(rename = "two", default, skip_serializing_if = "core::ops::Not::not")]
    pub wants_two: bool,
    /// Power that waits for a lease.
    #[serde(rename = "q", default, skip_serializing_if = "is_zero")]
    pub waiting: Power,
    /// What waited past the deadline counts in the next wave, and gets its leases there.
    #[serde(rename = "mv", default, skip_serializing_if = "core::ops::Not::not")]
    pub moved: bool,
    /// Power under a lease, not yet activated.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    pub leased: Power,
    /// Power on trial.
    #[serde(rename = "t", default, skip_serializing_if = "is_zero")]
    pub trial: Power,
    /// Healthy power.
    #[serde(rename = "y", default, skip_serializing_if = "is_zero")]
    pub healthy: Power,
    /// Organisations of healthy nodes, two at most; kept where the gate wants two.
    #[serde(rename = "of", default, skip_serializing_if = "Vec::is_empty")]
    pub healthy_of: Vec<String>,
    /// Since when the gate has been reached, on the braked clock; void if it drops.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Moment>,
}

fn is_zero(power: &Power) -> bool {
    *power == Power(0)
}

/// What a wave holds: assigned power, and of it what failed. `[assigned, failed]` in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WaveSum(pub Power, pub Power);

/// Stored facts of a rollout that reports and cranks move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Progress {
    /// Version of these facts.
    pub v: u8,
    /// The seed, once drawn.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// Power that reported ready.
    #[serde(rename = "r")]
    pub ready: Power,
    /// Power that refused.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub refused: Power,
    /// One a wave.
    #[serde(rename = "w")]
    pub waves: Vec<WaveSum>,
    /// Organisations assigned to the first wave, two at most, until it opens.
    #[serde(rename = "of", default, skip_serializing_if = "Vec::is_empty")]
    pub first_of: Vec<String>,
    /// The first wave held two organisations once: its gate goes on wanting two, whoever of them leaves; until it opens.
    #[serde(rename = "two", default, skip_serializing_if = "core::ops::Not::not")]
    pub first_two: bool,
    /// Nodes moved into the first wave, so that there is always a canary.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<NodeNo>,
    /// The open wave.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Open>,
    /// Power under a lease to activate, in any wave.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    pub leased: Power,
    /// Power that runs the release: activated, and not yet back.
    #[serde(rename = "u", default, skip_serializing_if = "is_zero")]
    pub running: Power,
    /// A node may have run the release though no sum says so: its lease ran out, or it counts for nothing.
    #[serde(rename = "t", default, skip_serializing_if = "core::ops::Not::not")]
    pub touched: bool,
    /// Organisations whose nodes failed, two at most, until it goes back.
    #[serde(rename = "fo", default, skip_serializing_if = "Vec::is_empty")]
    pub failed_of: Vec<String>,
    /// It stands still until a vote or its deadline.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// It goes back since then, on the raw clock.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub rolling_back: Option<Moment>,
    /// It has ended.
    #[serde(rename = "end", default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// Where a node is in a rollout, as the chain knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum SeatState {
    /// Ready, in its wave.
    Assigned,
    /// Will not take part; its owner may change its mind until the waves open.
    Refused,
    /// Asked for a lease and did not get it yet.
    Waiting,
    /// May be down now.
    Leased,
    /// Its lease ended without a word; it stays in what is down.
    Lost,
    /// Runs the release on trial.
    Trial,
    /// Committed.
    Healthy,
    /// Failed; still on the release or going back.
    Failed,
    /// Back on the release of before.
    RolledBack,
    /// Needs its operator.
    Contained,
}

/// Stored facts of one node in the newest rollout that it takes part in. A node has one seat, which it takes along, so
/// that it never counts twice in what is down; what it did in earlier rollouts is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Seat {
    /// Version of these facts.
    pub v: u8,
    /// The rollout.
    #[serde(rename = "o")]
    pub rollout: RolloutId,
    /// The wave of its lot; `None` for one that got ready after the last wave opened, outside of the gates.
    #[serde(rename = "w")]
    pub wave: Option<u8>,
    /// The wave that it moved to, where it waited for its lease past a deadline.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<u8>,
    /// What it counts for.
    #[serde(rename = "p")]
    pub power: Power,
    /// Where it is.
    #[serde(rename = "s")]
    pub state: SeatState,
    /// Number of its newest try, from 1; 0 before the first lease.
    #[serde(rename = "a", default)]
    pub attempt: u8,
    /// When its lease was granted, on the raw clock.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Moment>,
    /// It counts in what is down.
    #[serde(rename = "d", default, skip_serializing_if = "core::ops::Not::not")]
    pub down: bool,
    /// It runs the release.
    #[serde(rename = "u", default, skip_serializing_if = "core::ops::Not::not")]
    pub running: bool,
    /// Its lease is for going back.
    #[serde(rename = "b", default, skip_serializing_if = "core::ops::Not::not")]
    pub going_back: bool,
    /// What it said in this try.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
    /// It said that it is ready from this block time on, and has not said `ready` since.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<Seconds>,
    /// It said two different things at once.
    #[serde(rename = "eq", default, skip_serializing_if = "core::ops::Not::not")]
    pub equivocated: bool,
}

impl Seat {
    /// What the node adds to what is down while it is: its power, at least one, so that a node without power is not
    /// down for nothing (NODE-3).
    #[must_use]
    pub fn absence(&self) -> Power {
        self.power.max(Power(1))
    }
}

/// Where a rollout is. Computed, never stored; terminal phases absorb (PHASE-1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum RolloutPhase {
    /// Waits for the block that fixes the seed.
    Drawing,
    /// Nodes get ready.
    Preparing,
    /// The one extension of it.
    Postponed,
    /// This wave is open.
    Wave(u8),
    /// Stands still until a vote or its deadline.
    Halted,
    /// Goes back.
    RollingBack,
    /// Ended.
    Ended(Outcome),
}

impl RolloutPhase {
    /// Does nothing ever follow?
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

/// Adds the organisation of a node of this power to a list that tells one from two. A node that counts for nothing
/// speaks for nobody.
fn note(list: &mut Vec<String>, organisation: &str, power: Power) {
    if power > Power(0) && list.len() < 2 && !list.iter().any(|known| known == organisation) {
        list.push(organisation.to_owned());
    }
}

impl Rollout {
    /// How what it brought to the whole fleet can be undone; `None` unless it has completed.
    #[must_use]
    pub fn brought(&self, progress: &Progress) -> Option<Reversibility> {
        (progress.outcome == Some(Outcome::Completed)).then_some(self.reversibility)
    }

    /// Has ready power reached the plan's bar?
    #[must_use]
    pub fn is_ready(&self, progress: &Progress) -> bool {
        progress.ready > Power(0) && self.plan.ready_bps.reached_by(progress.ready, self.registered)
    }

    /// Can the bar not be reached any more, since too much power refused?
    #[must_use]
    pub fn is_refused(&self, progress: &Progress) -> bool {
        let spare = u16::try_from(BPS_WHOLE).unwrap_or(u16::MAX).saturating_sub(self.plan.ready_bps.0);
        Bps(spare).exceeded_by(progress.refused, self.registered)
    }

    /// When preparation ends, and when its extension does, on the braked clock.
    #[must_use]
    pub fn preparation_ends(&self, drawn: &Drawn) -> (Moment, Moment) {
        let first = drawn.from.plus(&self.plan.preparation);
        (first, first.plus(&self.plan.postponement))
    }

    /// The wave of a node that reports ready: the first whose bound exceeds its lot and that is not yet open; past
    /// its power cap, the next. `None` once the last one opened, or the rollout ended.
    #[must_use]
    pub fn wave_for(&self, progress: &Progress, lot: Lot, power: Power) -> Option<u8> {
        if progress.outcome.is_some() {
            return None;
        }
        let next = progress.open.as_ref().map_or(0, |open| usize::from(open.wave).saturating_add(1));
        let fits = |index: usize, cap: Option<Bps>| {
            let assigned = progress.assigned(index);
            cap.is_none_or(|cap| !cap.exceeded_by(assigned.plus(power), self.registered))
        };
        self.plan
            .waves
            .iter()
            .enumerate()
            .skip(next)
            .find(|(index, wave)| lot.is_below(wave.lot_bps) && fits(*index, wave.power_max_bps))
            .and_then(|(index, _)| u8::try_from(index).ok())
    }

    /// The wave that a seat acts in: a canary's is the first; one that waits for its lease is carried on by the waves
    /// that open, and past the open one's deadline into the next.
    #[must_use]
    pub fn wave_of(&self, progress: &Progress, node: NodeNo, seat: &Seat) -> Option<u8> {
        let lot = if progress.canaries.contains(&node) { Some(0) } else { seat.wave };
        let own = seat.moved.or(lot);
        match (own, &progress.open) {
            (Some(wave), Some(open)) if seat.state == SeatState::Waiting => {
                Some(wave.max(open.wave.saturating_add(u8::from(open.moved))))
            }
            _ => own,
        }
    }

    /// Does the policy take it back by itself?
    fn goes_back(&self) -> bool {
        self.plan.failure.on_crossed == OnFailure::RollBack
            && self.reversibility != Reversibility::ForwardOnly
    }
}

impl Progress {
    /// A rollout that has just started.
    #[must_use]
    pub fn new(waves: usize) -> Self {
        Self {
            v: 1,
            drawn: None,
            ready: Power(0),
            refused: Power(0),
            waves: vec![WaveSum::default(); waves],
            first_of: Vec::new(),
            first_two: false,
            canaries: Vec::new(),
            open: None,
            leased: Power(0),
            running: Power(0),
            touched: false,
            failed_of: Vec::new(),
            halted: None,
            rolling_back: None,
            outcome: None,
        }
    }

    /// Failed power over the whole rollout.
    #[must_use]
    pub fn failed(&self) -> Power {
        self.waves.iter().fold(Power(0), |sum, wave| sum.plus(wave.1))
    }

    /// Assigned power of a wave; of one that is not there, none.
    #[must_use]
    pub fn assigned(&self, wave: usize) -> Power {
        self.waves.get(wave).map_or(Power(0), |sum| sum.0)
    }

    /// Begins the way back. What only the gate and the halt asked for is forgotten; the log has it.
    fn go_back(&mut self, now: Now) {
        self.rolling_back = Some(now.into());
        self.halted = None;
        self.failed_of = Vec::new();
        if let Some(open) = self.open.as_mut() {
            open.wants_two = false;
            open.healthy_of = Vec::new();
            open.gate = None;
        }
    }

    fn wave_mut(&mut self, wave: Option<u8>) -> Option<&mut WaveSum> {
        self.waves.get_mut(usize::from(wave?))
    }

    /// The open wave, if it is this one.
    fn open_mut(&mut self, wave: Option<u8>) -> Option<&mut Open> {
        self.open.as_mut().filter(|open| Some(open.wave) == wave)
    }
}
