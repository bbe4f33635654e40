//! The devnet from outside: a client signs, broadcasts and reads over loopback.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod grants;
mod harness;
mod rpc;
mod transactions;
