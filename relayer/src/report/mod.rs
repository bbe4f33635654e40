//! Telling the chain what happened here. A report that fails never changes what the node does.

mod courier;
pub mod outbox;

pub use courier::Courier;
pub use outbox::{Entry, Limits, Outbox, OutboxError, Put, State};
