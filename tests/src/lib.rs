//! One harness for the whole house: scenarios, wire goldens, counting store, tidy.

pub mod env;
pub mod setup;
