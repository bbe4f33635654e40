//! What a node keeps over the death of its agent: the journal, as the agent writes and reads it, and the outbox.

use std::collections::BTreeMap;

use concord_decide::{Crank, Effect, Memory};
use concord_schema::msg::ExecuteMsg;

use crate::failure::Breach;
use crate::host::Started;

/// One record.
#[derive(Clone, Debug)]
enum Record {
    /// A turn: its memory in bytes, and what is done next.
    Step { memory: Vec<u8>, effects: Vec<Effect> },
    /// An effect is over.
    Done(&'static str),
    /// A daemon is about to be started.
    Run(Started),
}

/// The records since the newest one that says everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    records: Vec<Record>,
    count: u64,
}

/// What a journal comes to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recalled {
    pub(crate) memory: Option<Memory>,
    pub(crate) pending: Vec<Effect>,
    pub(crate) started: Option<Started>,
}

/// Records after which the journal is written anew.
const RECORDS_MAX: usize = 64;

fn torn(error: &serde_json::Error) -> Breach {
    Breach::new("NODE-1", format!("the journal cannot be read: {error}"))
}

impl Journal {
    fn push(&mut self, record: Record) {
        self.count = self.count.saturating_add(1);
        self.records.push(record);
    }

    /// Number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.count
    }

    pub(crate) fn step(&mut self, memory: &Memory, effects: &[Effect]) -> Result<(), Breach> {
        let memory = serde_json::to_vec(memory).map_err(|error| torn(&error))?;
        self.push(Record::Step { memory, effects: effects.to_vec() });
        if self.records.len() > RECORDS_MAX {
            let recalled = self.recall()?;
            let newest = self.records.pop();
            self.records.clear();
            self.records.extend(recalled.started.map(Record::Run));
            if let Some(Record::Step { memory, effects }) = newest {
                let mut all = recalled.pending;
                all.retain(|pending| !effects.contains(pending));
                all.extend(effects);
                self.records.push(Record::Step { memory, effects: all });
            }
        }
        Ok(())
    }

    pub(crate) fn done(&mut self, effect: &'static str) {
        self.push(Record::Done(effect));
    }

    pub(crate) fn run(&mut self, started: Started) {
        self.push(Record::Run(started));
    }

    /// Did the newest step ask for this effect (NODE-1)?
    pub(crate) fn intends(&self, effect: &Effect) -> bool {
        let newest = self.records.iter().rev().find_map(|record| match record {
            Record::Step { effects, .. } => Some(effects),
            Record::Done(_) | Record::Run(_) => None,
        });
        newest.is_some_and(|effects| effects.contains(effect))
    }

    /// Reads it from the beginning.
    pub(crate) fn recall(&self) -> Result<Recalled, Breach> {
        let mut recalled = Recalled::default();
        let mut newest = None;
        for record in &self.records {
            match record {
                Record::Step { memory, effects } => {
                    newest = Some(memory);
                    // A start says again what was pending, and journals that: it is the same, not one more.
                    for effect in effects.iter().filter(|effect| effect.is_repeated()) {
                        if !recalled.pending.contains(effect) {
                            recalled.pending.push(effect.clone());
                        }
                    }
                }
                Record::Done(name) => {
                    let at = recalled.pending.iter().position(|pending| pending.name() == *name);
                    if let Some(at) = at {
                        recalled.pending.remove(at);
                    }
                }
                Record::Run(started) => recalled.started = Some(*started),
            }
        }
        recalled.memory =
            newest.map(|memory| serde_json::from_slice(memory)).transpose().map_err(|error| torn(&error))?;
        Ok(recalled)
    }

    pub(crate) fn started(&self) -> Option<Started> {
        self.records.iter().rev().find_map(|record| match record {
            Record::Run(started) => Some(*started),
            Record::Step { .. } | Record::Done(_) => None,
        })
    }
}

/// Where a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// Under way until this block.
    Sent {
        /// The block.
        due: u64,
    },
    /// Answered or lost: said again if the machine asks.
    Over,
}

/// Letters in the order that they were put in; each key once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    letters: BTreeMap<u64, (String, ExecuteMsg, Mail)>,
    next: u64,
}

impl Outbox {
    /// Puts a letter in, unless it is on its way.
    pub(crate) fn put(&mut self, key: String, message: ExecuteMsg, due: u64) {
        let known =
            self.letters.iter().find(|(_, letter)| letter.0 == key).map(|(no, letter)| (*no, letter.2));
        match known {
            Some((_, Mail::Sent { .. })) => return,
            Some((no, Mail::Over)) => {
                self.letters.remove(&no);
            }
            None => {}
        }
        self.letters.insert(self.next, (key, message, Mail::Sent { due }));
        self.next = self.next.saturating_add(1);
    }

    /// The first letter under way, if its time has come: letters of one node stay in order.
    pub(crate) fn due(&self, height: u64) -> Option<(u64, ExecuteMsg)> {
        let (no, letter) = self.letters.iter().find(|(_, letter)| matches!(letter.2, Mail::Sent { .. }))?;
        match letter.2 {
            Mail::Sent { due } if due <= height => Some((*no, letter.1.clone())),
            Mail::Sent { .. } | Mail::Over => None,
        }
    }

    pub(crate) fn mark(&mut self, no: u64, mail: Mail) {
        if let Some(letter) = self.letters.get_mut(&no) {
            letter.2 = mail;
        }
    }
}

/// An effect's message and the key that makes a repeat the same; `None` for one that is no message.
pub(crate) fn letter(effect: &Effect, seq: u64) -> Option<(String, ExecuteMsg)> {
    Some(match effect {
        Effect::Report { rollout, report } => (
            format!("report-{rollout}-{}-{}-{}", report.attempt(), report.kind(), report.digest().short()),
            ExecuteMsg::Report { rollout: *rollout, report: report.clone() },
        ),
        Effect::AskLease { rollout, purpose } => {
            (format!("lease-{rollout}-{seq}"), ExecuteMsg::Lease { rollout: *rollout, purpose: *purpose })
        }
        Effect::ReturnLease { rollout, attempt } => (
            format!("return-{rollout}-{attempt}"),
            ExecuteMsg::ReturnLease { rollout: *rollout, attempt: *attempt },
        ),
        Effect::Crank { rollout, crank: Crank::Draw } => {
            (format!("draw-{rollout}-{seq}"), ExecuteMsg::Draw { rollout: *rollout })
        }
        Effect::Crank { rollout, crank: Crank::Advance } => {
            (format!("advance-{rollout}-{seq}"), ExecuteMsg::Advance { rollout: *rollout })
        }
        _ => return None,
    })
}
