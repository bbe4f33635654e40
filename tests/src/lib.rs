//! One harness for the whole house: scenarios, wire goldens, counting store, tidy.

pub mod counting;
pub mod env;
pub mod fleet;
pub mod rebuilt;
pub mod setup;
