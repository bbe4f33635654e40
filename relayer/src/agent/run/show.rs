//! What the loop shows of itself.

use concord_decide::{AgentWaiting, Memory, Stage};

use super::Work;
use crate::agent::setup;
use crate::agent::status::{Activation, DaemonStatus, Status};

impl Work {
    /// What nodes tell is no knowledge where it must be proved: a verified header proves the state before it.
    fn tip_height(&self) -> u64 {
        match (&self.config.chain.light, &self.view) {
            (None, _) => u64::try_from(self.counters.tip_height.get()).unwrap_or_default(),
            (Some(_), view) => view.as_ref().map_or(0, |view| view.tip.0.saturating_add(1)),
        }
    }

    pub(super) fn show(&self) {
        let memory = self.agent.memory();
        let height = |gauge: i64| u64::try_from(gauge).unwrap_or_default();
        self.pages.board.show(Status {
            stage: memory.stage.name().to_owned(),
            rollout: memory.generation.rollout.0,
            attempt: memory.generation.attempt,
            waiting_on: word(&self.waiting),
            sentence: self.waiting.to_string(),
            current: self.host.store.current().ok().flatten().map(|digest| digest.to_string()),
            daemon: self.host.daemon.as_ref().map(|(_, daemon)| DaemonStatus {
                pid: daemon.identity().pid,
                executable: daemon.identity().run.executable.to_string(),
            }),
            tip_height: self.tip_height(),
            verified_height: self.view.as_ref().map_or(0, |view| view.now.height.0),
            cursor_height: height(self.counters.cursor_height.get()),
            source: self.source.clone(),
            activation: memory.left_armed.map(|left| Activation {
                asked_height: left.height.0.saturating_sub(left.skew_blocks),
                left_armed_height: left.height.0,
                skew_blocks: left.skew_blocks,
            }),
            checks: self.checks.clone(),
            short_floors: *self.short_floors.borrow(),
            downtime_ms: memory.downtime.total_ms,
            outbox: self.open_reports,
            outbox_trouble: self.trouble.clone(),
            fault: self.book.full().map(str::to_owned).or_else(|| fault(&self.waiting, memory)),
            ..setup::blank(&self.config)
        });
    }
}

/// What needs a person: a fault, a node that its agent cannot bring further, or work that does not end.
fn fault(waiting: &AgentWaiting, memory: &Memory) -> Option<String> {
    match waiting {
        AgentWaiting::Fault { fault } => Some(fault.to_string()),
        AgentWaiting::Overdue { .. } => Some(waiting.to_string()),
        AgentWaiting::TrustExpired { why }
        | AgentWaiting::Forked { why }
        | AgentWaiting::ClockOff { why }
        | AgentWaiting::AgentTooOld { why }
        | AgentWaiting::Unproved { why } => Some(why.clone()),
        _ if matches!(memory.stage, Stage::Contained { .. }) => memory.why.clone(),
        _ => None,
    }
}

/// The word of a reason, as metrics and programs name it.
fn word(waiting: &AgentWaiting) -> String {
    match serde_json::to_value(waiting) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => "unnamed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use concord_decide::{Served, Work};
    use concord_schema::Digest;

    use super::*;

    #[test]
    fn work_that_does_not_end_needs_a_person() {
        let digest = Digest::of(b"v1");
        let mut memory =
            Memory::new(Served { release: digest, version: "1.0.0".to_owned(), artifact: digest });
        let overdue = AgentWaiting::Overdue { on: Work::Stop, for_ms: 61_000, limit_ms: 60_000 };
        assert_eq!(word(&overdue), "overdue");
        let said = fault(&overdue, &memory).unwrap();
        assert!(said.contains("stopping the daemon takes 61000 ms"), "{said}");
        assert_eq!(fault(&AgentWaiting::Working { on: Work::Stop }, &memory), None);
        memory.stage = Stage::Contained { running: true };
        memory.why = Some("it came up sick".to_owned());
        assert_eq!(fault(&AgentWaiting::View, &memory).as_deref(), Some("it came up sick"));
    }
}
