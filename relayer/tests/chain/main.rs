//! The agent's way to the chain, tried against a node that misbehaves on purpose.
#![cfg(test)]

mod devnet;
mod mock;
mod outbox;
mod rpc;
mod send;
mod watch;
