//! The agent's pure machine: (stage, input) -> (stage, effects, waiting on).
