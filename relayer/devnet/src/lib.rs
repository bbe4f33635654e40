//! An embedded single-process chain for development that speaks the CometBFT RPC.
//!
//! One process, in memory: CometBFT 0.38's JSON-RPC over HTTP and websocket in front of
//! cw-multi-test with one contract, so a client that knows wasmd needs to know nothing of it.
//! Transactions are real (secp256k1, direct or amino JSON; chain id, account number, sequence, fee,
//! timeout height), blocks come on a tick, and `/store/wasm/key` answers at each of the last 1,000
//! heights. `POST /control/advance` and `GET /control/info` are its own.
//!
//! It is for development only. It differs from a real chain in what follows:
//! - nobody signs its blocks and nothing is proved: `prove=true` is an error, a commit carries one
//!   absent signature, header and state hashes are its own;
//! - it runs no wasm: each upload is a code of its own checksum that runs the built-in contract;
//! - it measures no gas: an estimate is always [`GAS_USED`], and nothing runs out of gas;
//! - a transaction has one signer and carries `MsgExecuteContract`, `MsgInstantiateContract`,
//!   `MsgInstantiateContract2`, `MsgStoreCode`, `MsgSend`, `MsgGrantAllowance` or `MsgRevokeAllowance`, the last
//!   two and a predictable instantiation signed direct only; a fee granter pays as x/feegrant lets it;
//! - a raw read outside of the 1,000 heights is an error with code 38 or 26, where a real node may
//!   answer an empty value with code 0 and the log `version does not exist`.

mod allowance;
mod amino;
mod ante;
mod blocks;
mod chain;
mod codes;
mod config;
mod control;
mod events;
mod ledger;
mod listener;
mod machine;
mod mempool;
mod message;
mod query;
mod rpc;
mod search;
mod server;
mod shared;
mod store;
mod websocket;

pub use config::{DevnetConfig, DevnetError, GenesisAccount, GenesisCoin, Instantiate, Limits};
pub use control::{ADVANCE_BLOCKS_MAX, ADVANCE_SECONDS_MAX};
pub use machine::GAS_USED;
pub use server::{Devnet, start, start_bounded};
