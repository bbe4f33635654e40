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
        /// The start of the host in which it is started; older agents did not say.
        #[serde(default)]
        boot_id: Option<String>,
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
    /// The start of the host that the newest start belongs to, if it is known.
    pub boot_id: Option<String>,
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
                // A start asks again for what is pending, and that is journaled too: it is the same, not one more.
                for effect in effects.into_iter().filter(Effect::is_repeated) {
                    if !self.pending.contains(&effect) {
                        self.pending.push(effect);
                    }
                }
            }
            Record::Done { effect, .. } => {
                if let Some(at) = self.pending.iter().position(|pending| pending.name() == effect) {
                    self.pending.remove(at);
                }
            }
            Record::Run { number, run, boot_id } => {
                self.run = Some((number, run));
                self.boot_id = boot_id;
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
        let boot_id = self.boot_id.clone();
        let run = self.run.clone().map(|(number, run)| Record::Run { number, run, boot_id });
        let daemon = self.run.as_ref().zip(self.identity.clone());
        let daemon = daemon.map(|((number, _), identity)| Record::Daemon { number: *number, identity });
        step.into_iter().chain(run).chain(daemon).collect()
    }
}

#[cfg(test)]
mod tests {
    use concord_decide::{Memory, Served};
    use concord_schema::report::Report;
    use concord_schema::{Digest, RolloutId};

    use super::*;
    use crate::act::process::RunToken;

    fn memory() -> Memory {
        let digest = Digest::of(b"v1");
        Memory::new(Served { release: digest, version: "1.0.0".to_owned(), artifact: digest })
    }

    fn step(effects: Vec<Effect>) -> Record {
        Record::Step { at_ms: 1, memory: Box::new(memory()), effects }
    }

    fn report(reason: &str) -> Effect {
        let report = Report::Refused { reason: reason.to_owned() };
        Effect::Report { rollout: RolloutId(1), report }
    }

    fn run(number: u64) -> Record {
        let run = Run { token: RunToken::random(), executable: Digest::of(b"v1") };
        Record::Run { number, run, boot_id: Some("boot".to_owned()) }
    }

    fn daemon(number: u64, of: &Record) -> Record {
        let Record::Run { run, .. } = of else { panic!("a start") };
        let identity = Identity { run: run.clone(), pid: 7, start_ticks: 1, boot_id: "boot".to_owned() };
        Record::Daemon { number, identity }
    }

    /// NODE-1: an effect that was journaled and is not known to be done is asked for again; one that is done is not.
    #[test]
    fn what_was_meant_and_not_done_is_repeated() {
        let recalled = Recalled::of([step(vec![report("a")]), step(vec![Effect::Commit, Effect::Look])]);
        assert_eq!(recalled.pending, vec![report("a"), Effect::Commit]);
        let done = Record::Done { effect: "report".to_owned(), failed: None };
        let recalled = Recalled::of([step(vec![report("a")]), done, step(vec![Effect::Commit])]);
        assert_eq!(recalled.pending, vec![Effect::Commit]);
    }

    /// A start asks again for what was pending, and journals that. An agent that dies at each start must not have twice
    /// as much to say every time.
    #[test]
    fn what_is_asked_for_again_is_pending_once() {
        let starts = (0..20).map(|_| step(vec![report("a"), report("b")]));
        let recalled = Recalled::of(starts);
        assert_eq!(recalled.pending, vec![report("a"), report("b")]);
        let done = Record::Done { effect: "report".to_owned(), failed: None };
        assert_eq!(Recalled::of(recalled.records(1).into_iter().chain([done])).pending, vec![report("b")]);
    }

    #[test]
    fn a_start_without_a_process_is_one_whose_daemon_must_be_looked_for() {
        let (first, second) = (run(1), run(2));
        let recalled = Recalled::of([first.clone(), daemon(1, &first), second.clone()]);
        assert_eq!(recalled.run.as_ref().map(|(number, _)| *number), Some(2));
        assert_eq!(recalled.identity, None);
        let late = Recalled::of([first.clone(), second.clone(), daemon(1, &first)]);
        assert_eq!(late.identity, None, "the process of an older start says nothing about the newest");
        let known = Recalled::of([second.clone(), daemon(2, &second)]);
        assert!(known.identity.is_some());
    }

    #[test]
    fn a_new_segment_says_the_same() {
        let start = run(3);
        let recalled = Recalled::of([step(vec![report("a")]), start.clone(), daemon(3, &start)]);
        assert_eq!(Recalled::of(recalled.records(2)), recalled);
        assert_eq!(Recalled::of([]).records(2), vec![]);
    }

    #[test]
    fn records_survive_the_journal() {
        let start = run(1);
        for record in [step(vec![report("a"), Effect::Look]), start.clone(), daemon(1, &start)] {
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
        }
    }
}
