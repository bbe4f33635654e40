//! What a run came to.

use std::collections::BTreeMap;

use concord_schema::Digest;
use concord_schema::rollout::Outcome;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// Blocks that passed.
    pub blocks: u64,
    /// Messages that the contract was sent.
    pub messages: u64,
    /// Turns of all machines.
    pub steps: u64,
    /// Effects that were performed.
    pub effects: u64,
    /// Deaths of agents.
    pub crashes: u64,
    /// How each rollout ended.
    pub outcomes: Vec<Outcome>,
    /// How often each stage was entered.
    pub stages: BTreeMap<&'static str, u64>,
    /// Hash of the log's head: the same for the same seed.
    pub head: Digest,
}

impl Summary {
    /// Adds another run's counts; the seed and head stay.
    pub fn add(&mut self, other: &Self) {
        self.blocks = self.blocks.saturating_add(other.blocks);
        self.messages = self.messages.saturating_add(other.messages);
        self.steps = self.steps.saturating_add(other.steps);
        self.effects = self.effects.saturating_add(other.effects);
        self.crashes = self.crashes.saturating_add(other.crashes);
        self.outcomes.extend(other.outcomes.iter().copied());
        for (stage, count) in &other.stages {
            let sum = self.stages.entry(stage).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// How many rollouts ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|ended| **ended == outcome).count()
    }
}

impl core::fmt::Display for Summary {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { blocks, messages, steps, effects, crashes, .. } = self;
        writeln!(
            f,
            "{blocks} blocks, {messages} messages, {steps} turns, {effects} effects, {crashes} deaths of agents"
        )?;
        for outcome in [
            Outcome::Completed,
            Outcome::RolledBack,
            Outcome::Contained,
            Outcome::Expired,
            Outcome::Cancelled,
        ] {
            write!(f, "{outcome:?} {} ", self.ended(outcome))?;
        }
        write!(f, "\n{:?}", self.stages)
    }
}
