//! The CosmWasm contract: storage and entry points, one verb a file.
//!
//! Rules live with their nouns in `concord-schema`; a verb loads facts, asks the rule, stores what it says and logs
//! it. An error leaves no trace, and a repeat writes nothing.

pub mod auth;
pub mod case;
pub mod contract;
pub mod door;
pub mod error;
pub mod execute;
pub mod load;
pub mod log;
pub mod query;
pub mod state;
pub mod stored;

pub use error::ContractError;
