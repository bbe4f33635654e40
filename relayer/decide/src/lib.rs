//! The agent's pure machine: (stage, input) -> (stage, effects, waiting on).
//!
//! [`Agent::step`] takes what happened and answers what to do. No I/O, clock, randomness, hash order, float or panic: the
//! same inputs always give the same steps, and time is an argument.
//!
//! How a caller drives it, for each input: `step`; if [`Step::must_journal`], make `(memory, effects)` durable; perform the
//! effects in order; feed each answer back as an input. After a crash: [`Agent::resume`] with the newest memory and the
//! effects of journaled steps that are not known to be done.
//!
//! Invariants: NODE-1 whatever the host did, the journal asked for; NODE-4 never two releases, never an unknown one: a
//! start is asked for only when no daemon is alive and `current` is what the journal says; NODE-5 a rolled-back digest
//! never comes back by itself.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(
    clippy::disallowed_macros,
    clippy::disallowed_types,
    clippy::exit,
    clippy::float_arithmetic,
    clippy::string_slice,
    clippy::unreachable
)]

mod admit;
mod back;
mod crank;
pub mod effect;
mod explain;
mod follow;
mod hear;
mod host;
pub mod input;
pub mod limits;
pub mod memory;
pub mod moves;
mod said;
pub mod settings;
pub mod stage;
mod switch;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod waiting;

pub use effect::{Crank, Effect, Work};
pub use input::{ChainView, DaemonView, DiskView, Ended, Input, Link, RolloutView, Verdict};
pub use limits::Limits;
pub use memory::{Denied, Generation, Memory, Served, Target};
pub use settings::Settings;
pub use stage::{Move, Stage};
pub use trial::Trial;
pub use waiting::{AgentWaiting, Distrust, Fault};

use std::sync::Arc;

use concord_schema::{Height, RolloutId};

use crank::Due;
use follow::Asked;
use host::{Respawn, Retry};
use said::Mark;

/// The most turns of one step: more than any way through the stages without an effect between.
const TURNS_MAX: u8 = 32;

/// What a turn came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Stages that were passed, in order.
    pub moves: Vec<Move>,
    /// What to do, in order.
    pub effects: Vec<Effect>,
    /// Where the node is now.
    pub stage: Stage,
    /// Why nothing more happens now.
    pub waiting_on: AgentWaiting,
    /// The memory is another one than before.
    pub changed: bool,
}

impl Step {
    /// Must memory and effects be durable before the effects are performed?
    #[must_use]
    pub fn must_journal(&self) -> bool {
        self.changed || !self.effects.is_empty()
    }
}

/// The machine of one node.
#[derive(Clone, Debug)]
pub struct Agent {
    settings: Settings,
    memory: Memory,
    now_ms: u64,
    /// What is known of the host; `None` where it must look.
    host: Option<DiskView>,
    /// Work under way that changes the host.
    work: Option<Effect>,
    /// When it was begun.
    work_since_ms: u64,
    /// A download or a check under way, beside it.
    errand: Option<Effect>,
    /// When it was begun.
    errand_since_ms: u64,
    retry: Option<Retry>,
    respawn: Respawn,
    /// Failures of fetching and checking in this rollout.
    fetch_fails: u8,
    view: Option<Arc<ChainView>>,
    /// The newest height of facts that counted.
    seen: Height,
    /// Why the source is no base for acting, and the milliseconds since it was.
    stale: Option<(u64, String)>,
    /// Why what it says may not be believed; then it is no base for acting either.
    distrust: Option<Distrust>,
    probing: bool,
    trial: Trial,
    drain_done: bool,
    /// How the daemon ended in this stage, where it was seen.
    exited: Option<String>,
    /// An exit of the run that is being started, heard before the answer to its start.
    early_exit: Option<(u64, Option<i32>, Option<i32>)>,
    asked: Option<Asked>,
    repeated: Option<Mark>,
    returned: Option<Mark>,
    cranked: Option<Mark>,
    due: Option<Due>,
    out: Vec<Effect>,
    moves: Vec<Move>,
    waiting: AgentWaiting,
}

impl Agent {
    /// Goes on after a start or a crash. `pending`: effects of journaled steps that are not known to be done. `now_ms`:
    /// milliseconds of a clock that never goes back while the host is up (boot time, so that it goes on over a restart
    /// of the agent). Without `chain` it goes on as far as the disk alone carries it.
    #[must_use]
    pub fn resume(
        settings: Settings,
        memory: Memory,
        pending: Vec<Effect>,
        disk: DiskView,
        chain: Option<ChainView>,
        now_ms: u64,
    ) -> (Self, Step) {
        let mut agent = Self {
            settings,
            memory,
            now_ms,
            host: None,
            work: None,
            work_since_ms: now_ms,
            errand: None,
            errand_since_ms: now_ms,
            retry: None,
            respawn: Respawn::default(),
            fetch_fails: 0,
            view: None,
            seen: Height(0),
            stale: None,
            distrust: None,
            probing: false,
            trial: Trial::new(now_ms),
            drain_done: false,
            exited: None,
            early_exit: None,
            asked: None,
            repeated: None,
            returned: None,
            cranked: None,
            due: None,
            out: pending.into_iter().filter(Effect::is_repeated).collect(),
            moves: Vec::new(),
            waiting: AgentWaiting::View,
        };
        let before = agent.memory.clone();
        // A host that started anew counts from zero again: what was before cannot be told, and counts as nothing.
        if let Some(from_ms) = agent.memory.downtime.from_ms.as_mut() {
            *from_ms = (*from_ms).min(now_ms);
        }
        agent.see(disk);
        if let Some(view) = chain {
            agent.follow_view(view);
        }
        let step = agent.finish(&before);
        (agent, step)
    }

    /// Takes one input at `now_ms` (see [`Agent::resume`]).
    pub fn step(&mut self, now_ms: u64, input: Input) -> Step {
        let before = self.memory.clone();
        self.now_ms = self.now_ms.max(now_ms);
        self.hear(input);
        self.give_up();
        self.finish(&before)
    }

    /// What to journal.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The rollout that the node acts in; its facts belong into each [`ChainView`].
    #[must_use]
    pub fn own_rollout(&self) -> Option<RolloutId> {
        Some(self.memory.generation.rollout).filter(|id| id.0 > 0)
    }

    /// Why the agent waits: the newest step's answer.
    #[must_use]
    pub fn waiting_on(&self) -> &AgentWaiting {
        &self.waiting
    }

    /// The probes of the daemon's newest run.
    #[must_use]
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    fn finish(&mut self, before: &Memory) -> Step {
        for _ in 0..TURNS_MAX {
            let moves = self.moves.len();
            self.turn();
            if self.moves.len() == moves {
                break;
            }
        }
        if self.fault().is_none() {
            self.send_cranks();
            self.repeat();
        }
        self.waiting = self.explain();
        Step {
            moves: core::mem::take(&mut self.moves),
            effects: core::mem::take(&mut self.out),
            stage: self.memory.stage,
            waiting_on: self.waiting.clone(),
            changed: self.memory != *before,
        }
    }

    /// Does what the stage wants next, from what is known now: levels, not edges, so that a crash changes nothing.
    fn turn(&mut self) {
        match self.memory.stage {
            Stage::Idle
            | Stage::Discovered
            | Stage::Fetching
            | Stage::Verified
            | Stage::Staged
            | Stage::Armed
            | Stage::Committed
            | Stage::RolledBack
            | Stage::Refused
            | Stage::Cancelled
            | Stage::Expired
            | Stage::Contained { .. } => self.serve(),
            Stage::Leased
            | Stage::Draining
            | Stage::Stopped
            | Stage::Snapshotted
            | Stage::Switched
            | Stage::Booting
            | Stage::OnTrial
            | Stage::Restoring
            | Stage::RollingBack => self.move_on(),
        }
    }

    fn move_on(&mut self) {
        if self.work.is_some() || self.must_look() || self.fault().is_some() {
            return;
        }
        match self.memory.stage {
            Stage::Leased => self.leased(),
            Stage::Draining => self.draining(),
            Stage::Stopped => self.stopped(),
            Stage::Snapshotted => self.snapshotted(),
            Stage::Switched | Stage::Booting | Stage::OnTrial => self.try_out(),
            Stage::Restoring => self.restoring(),
            Stage::RollingBack => self.rolling_back(),
            Stage::Idle
            | Stage::Discovered
            | Stage::Fetching
            | Stage::Verified
            | Stage::Staged
            | Stage::Armed
            | Stage::Committed
            | Stage::RolledBack
            | Stage::Refused
            | Stage::Cancelled
            | Stage::Expired
            | Stage::Contained { .. } => {}
        }
    }

    /// Goes to a stage; what was asked or failed on the way to it is over.
    fn go(&mut self, to: Stage) {
        let from = self.memory.stage;
        if from == to {
            return;
        }
        self.moves.push(Move { from, to });
        self.memory.stage = to;
        self.retry = None;
        self.asked = None;
        self.drain_done = false;
        self.exited = None;
    }
}
