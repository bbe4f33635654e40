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
#![deny(
    clippy::arithmetic_side_effects,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    clippy::exit,
    clippy::float_arithmetic,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod effect;
pub mod input;
pub mod memory;
pub mod settings;
pub mod stage;
pub mod waiting;

pub use effect::{Crank, Effect, Work};
pub use input::{ChainView, DaemonView, DiskView, Ended, Input, Link, RolloutView, Verdict};
pub use memory::{Generation, Memory, Served, Target};
pub use settings::Settings;
pub use stage::{Move, Stage};
pub use waiting::{AgentWaiting, Fault};

use concord_schema::RolloutId;

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
        let _ = (pending, disk, chain, now_ms);
        let stage = memory.stage;
        (
            Self { settings, memory },
            Step {
                moves: Vec::new(),
                effects: Vec::new(),
                stage,
                waiting_on: AgentWaiting::View,
                changed: false,
            },
        )
    }

    /// Takes one input at `now_ms` (see [`Agent::resume`]).
    pub fn step(&mut self, now_ms: u64, input: Input) -> Step {
        let _ = (now_ms, input, &self.settings);
        Step {
            moves: Vec::new(),
            effects: Vec::new(),
            stage: self.memory.stage,
            waiting_on: AgentWaiting::View,
            changed: false,
        }
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
    pub fn waiting_on(&self) -> AgentWaiting {
        AgentWaiting::View
    }
}
