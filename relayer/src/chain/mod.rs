//! The way to the chain: calls, keys, transactions and events.
//!
//! Nothing here decides anything. `rpc` asks several nodes and says which one failed and why; `answer` reads
//! what they say; `event` picks out what one contract said; `keys`, `sign` and `send` put a transaction on
//! chain and find out what became of it. `light` proves what is read, and `reader` is either way of reading. The wire
//! is that of CometBFT 0.38.

pub mod address;
pub mod advice;
pub mod answer;
pub mod backoff;
mod endpoint;
pub mod error;
pub mod event;
pub mod feegrant;
pub mod keys;
pub mod light;
pub mod module;
mod query;
pub mod reader;
pub mod rpc;
pub mod seal;
pub mod send;
pub mod sign;
pub mod wasm;

use std::future::Future;

pub use address::Address;
pub use answer::{Account, Head, Included};
pub use backoff::{Backoff, BackoffRange};
pub use error::{Refused, RpcError};
pub use event::ContractEvent;
pub use light::LightChain;
pub use reader::Reader;
pub use rpc::{Rpc, Settings};

/// The height at which a state is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Whatever the answering node holds as its newest state. For people, never for a decision.
    Latest,
    /// The state after this block, and no other.
    Height(u64),
}

/// What a decision needs to read from a chain. A port, so that a run loop can be tried against a chain that
/// lives in its test.
pub trait Chain: Send + Sync {
    /// The newest block, after the checks at the door (chain id, not catching up, not going back).
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    fn head(&self) -> impl Future<Output = Result<Head, RpcError>> + Send;

    /// The time in the header of block `height`, in nanoseconds since 1970.
    ///
    /// # Errors
    /// [`RpcError`], by cause; a block that the node does not hold is one.
    fn block_time_nanos(&self, height: u64) -> impl Future<Output = Result<u64, RpcError>> + Send;

    /// The bytes a contract stores under `key` in the state after block `height`; `None` when the key is absent.
    ///
    /// # Errors
    /// [`RpcError`], by cause; a state that the node does not hold is an error, never an absence.
    fn raw(
        &self,
        contract: &Address,
        key: &[u8],
        height: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, RpcError>> + Send;

    /// A contract's JSON answer to `query`.
    ///
    /// # Errors
    /// [`RpcError`], by cause; [`RpcError::Query`] carries the contract's own text.
    fn smart(
        &self,
        contract: &Address,
        query: &serde_json::Value,
        at: At,
    ) -> impl Future<Output = Result<Vec<u8>, RpcError>> + Send;
}
