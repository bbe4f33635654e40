//! The agent beside every node, and everyone else's command line.

pub mod act;
pub mod agent;
pub mod bundle;
pub mod causes;
pub mod chain;
pub mod cli;
pub mod config;
pub mod demo;
pub mod journal;
pub mod report;
pub mod watch;
