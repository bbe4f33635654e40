//! What the journal holds: intent before each effect, result after it (NODE-1).

use concord_decide::{Effect, Memory};
use serde::{Deserialize, Serialize};

use crate::act::process::{Identity, Run};

/// One record of the agent's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// A turn of the machine: what it remembers now, and what it is about to do.
    Step {
        /// Milliseconds of the clock that goes on over a restart of the agent.
        at_ms: u64,
        /// The machine's memory.
        memory: Box<Memory>,
        /// What is done next, in order.
        effects: Vec<Effect>,
    },
    /// An effect of the newest step is over.
    Done {
        /// Its word.
        effect: String,
        /// How it failed, if it did.
        failed: Option<String>,
    },
    /// A daemon is about to be started.
    Run {
        /// The machine's number of it.
        number: u64,
        /// Its token and digest.
        run: Run,
    },
    /// It was started.
    Daemon {
        /// The machine's number of it.
        number: u64,
        /// Its process.
        identity: Identity,
    },
}

/// What a journal comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recalled {
    /// The newest memory; `None` for a folder that was never adopted.
    pub memory: Option<Memory>,
    /// Effects that must be repeated: journaled, and not known to be done.
    pub pending: Vec<Effect>,
    /// The newest start.
    pub run: Option<(u64, Run)>,
    /// The newest start's process, if it is known.
    pub identity: Option<Identity>,
}

impl Recalled {
    /// Goes through the records, oldest first.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut recalled = Self::default();
        for record in records {
            recalled.take(record);
        }
        recalled
    }

    /// Goes one record further.
    pub fn take(&mut self, record: Record) {
        match record {
            Record::Step { memory, effects, .. } => {
                self.memory = Some(*memory);
                self.pending.extend(effects.into_iter().filter(Effect::is_repeated));
            }
            Record::Done { effect, .. } => {
                if let Some(at) = self.pending.iter().position(|pending| pending.name() == effect) {
                    self.pending.remove(at);
                }
            }
            Record::Run { number, run } => {
                self.run = Some((number, run));
                self.identity = None;
            }
            Record::Daemon { number, identity } => {
                if self.run.as_ref().is_some_and(|(newest, _)| *newest == number) {
                    self.identity = Some(identity);
                }
            }
        }
    }

    /// The records that say the same, for a new segment.
    #[must_use]
    pub fn records(&self, at_ms: u64) -> Vec<Record> {
        let step = self.memory.clone().map(|memory| Record::Step {
            at_ms,
            memory: Box::new(memory),
            effects: self.pending.clone(),
        });
        let run = self.run.clone().map(|(number, run)| Record::Run { number, run });
        let daemon = self.run.as_ref().zip(self.identity.clone());
        let daemon = daemon.map(|((number, _), identity)| Record::Daemon { number: *number, identity });
        step.into_iter().chain(run).chain(daemon).collect()
    }
}
