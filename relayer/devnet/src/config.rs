//! What a devnet is started with, and its bounds.

use std::net::SocketAddr;
use std::time::Duration;

use cosmwasm_std::Empty;
use cw_multi_test::Contract;
use thiserror::Error;

/// What a devnet is started with.
#[derive(Clone)]
pub struct DevnetConfig {
    /// Where the RPC listens; port 0 takes a free one, told by [`crate::Devnet::rpc_address`].
    pub listen: SocketAddr,
    /// The chain id that transactions are signed for, 1 to 50 characters.
    pub chain_id: String,
    /// A block is made on every tick of this length, with or without transactions.
    pub block_time: Duration,
    /// Time of block 1 in Unix seconds; the host's clock at the start when `None`.
    pub genesis_time_seconds: Option<u64>,
    /// The human-readable part of every address, such as `wasm`.
    pub bech32_prefix: String,
    /// Accounts that exist at genesis, numbered from 0 in this order.
    pub accounts: Vec<GenesisAccount>,
    /// Makes the contract that is instantiated at genesis.
    pub contract: fn() -> Box<dyn Contract<Empty>>,
    /// How that contract is instantiated.
    pub instantiate: Instantiate,
    /// The denomination that pays fees.
    pub fee_denom: String,
    /// The lowest gas price taken, in thousandths of `fee_denom` per unit of gas; 0 takes any fee.
    pub gas_price_min_milli: u64,
}

/// An account that exists at genesis with its coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Bech32 address of 20 bytes.
    pub address: String,
    /// What it holds; a denomination stands here once.
    pub coins: Vec<GenesisCoin>,
}

/// An amount of one denomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisCoin {
    /// Denomination, such as `ustake`.
    pub denom: String,
    /// Amount in that denomination.
    pub amount: u128,
}

/// How the contract is instantiated at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instantiate {
    /// Address of the creator; it needs not be a genesis account.
    pub sender: String,
    /// The instantiate message.
    pub msg: serde_json::Value,
    /// Label of the contract, not empty.
    pub label: String,
    /// Who may migrate it, if anyone.
    pub admin: Option<String>,
}

/// Bounds of a devnet. Each has a default; [`crate::start_bounded`] takes others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Blocks and their results kept for readers; older ones are answered as pruned.
    pub blocks_kept: u64,
    /// Transactions kept for readers; above it the oldest blocks are pruned.
    pub txs_kept: usize,
    /// Transactions that may wait for a block.
    pub mempool_txs: usize,
    /// Bytes of transactions that may wait for a block.
    pub mempool_bytes: usize,
    /// Transactions in one block.
    pub block_txs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            blocks_kept: 200_000,
            txs_kept: 200_000,
            mempool_txs: 5_000,
            mempool_bytes: 64 << 20,
            block_txs: 1_000,
        }
    }
}

/// Why a devnet did not start.
#[derive(Debug, Error)]
pub enum DevnetError {
    /// A value of the configuration is out of its range.
    #[error("devnet config: {field} is {found}, expected {expected}")]
    Config {
        /// The field of [`DevnetConfig`].
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The RPC address cannot be listened on.
    #[error("cannot listen on {address}; choose a free address or port 0")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The chain's thread did not start.
    #[error("cannot start the thread of the chain")]
    Thread {
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The genesis state was refused; the text is the chain's or the contract's.
    #[error("genesis failed: {reason}")]
    Genesis {
        /// What the chain or the contract said.
        reason: String,
    },
}

/// The shortest and the longest block time taken.
const BLOCK_TIME: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3_600);

/// No date of a chain lies beyond the year 2200; nanoseconds since 1970 fit a u64 until 2554.
const GENESIS_TIME_SECONDS_MAX: u64 = 7_258_118_400;

impl DevnetConfig {
    /// Refuses what the chain could not run with.
    pub(crate) fn check(&self) -> Result<(), DevnetError> {
        let refuse = |field, found: String, expected| Err(DevnetError::Config { field, found, expected });
        if !(1..=50).contains(&self.chain_id.len()) {
            return refuse("chain_id", self.chain_id.clone(), "1 to 50 characters");
        }
        if !BLOCK_TIME.contains(&self.block_time) {
            return refuse("block_time", format!("{:?}", self.block_time), "1 ms to 1 h");
        }
        if let Some(seconds) = self.genesis_time_seconds
            && seconds > GENESIS_TIME_SECONDS_MAX
        {
            return refuse("genesis_time_seconds", seconds.to_string(), "a time before 2200");
        }
        let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !(1..=20).contains(&self.bech32_prefix.len()) || !lower(&self.bech32_prefix) {
            let expected = "1 to 20 small letters";
            return refuse("bech32_prefix", self.bech32_prefix.clone(), expected);
        }
        if self.fee_denom.is_empty() {
            return refuse("fee_denom", String::new(), "a denomination");
        }
        Ok(())
    }
}
