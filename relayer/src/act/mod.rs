//! What the agent does to its host: files, downloads, the daemon's process, and the questions it asks about its health.
//!
//! The room carries out what was decided elsewhere and says what came of it. Every act is safe to repeat, because a
//! recovered agent repeats the one whose result it cannot find in its journal.

pub mod durable;
pub mod fetch;
pub mod probe;
pub mod process;
pub mod signer;
pub mod store;
