//! The agent beside every node, and everyone else's command line.

pub mod act;
pub mod chain;
pub mod journal;
