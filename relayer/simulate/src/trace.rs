//! The last events of a run, for the message of a failure.

use std::collections::VecDeque;

/// The most events that are kept.
const EVENTS_MAX: usize = 80;

/// The newest events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(VecDeque<String>);

impl Trace {
    pub(crate) fn note(&mut self, height: u64, what: impl core::fmt::Display) {
        if self.0.len() >= EVENTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(format!("  {height} {what}"));
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}
