//! `devnet`: a chain for development in this process, with the coordinator on it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use concord_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisCoin, Instantiate};
use concord_schema::msg::InstantiateMsg;
use cosmwasm_std::Empty;
use cw_multi_test::{Contract, ContractWrapper};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::draft;
use super::error::CliError;
use super::output::{Answer, Screen};
use crate::causes::told;
use crate::chain::sign::Coin as TextCoin;

/// No genesis file is longer than this.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// How a devnet is started.
#[derive(Clone, Debug, Args)]
pub struct DevnetArgs {
    /// Genesis as JSON (see docs/genesis.example.json): the coordinator's settings and the funded accounts
    #[arg(long, value_name = "FILE")]
    pub genesis: PathBuf,
    /// Where its RPC listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26657")]
    pub listen: SocketAddr,
    /// Time between two blocks, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub block_time_ms: u64,
}

/// What a devnet starts from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The chain's id; `--chain-id` wins.
    pub chain_id: String,
    /// The human-readable part of its addresses.
    #[serde(default = "prefix")]
    pub bech32_prefix: String,
    /// Time of block 1 in Unix seconds; the host's clock at the start by default.
    #[serde(default)]
    pub genesis_time_seconds: Option<u64>,
    /// The denomination that pays fees.
    pub fee_denom: String,
    /// The lowest gas price taken, in thousandths of it; 0 takes any fee.
    #[serde(default)]
    pub gas_price_min_milli: u64,
    /// Accounts and what they hold.
    pub accounts: Vec<FundedAccount>,
    /// Who instantiates the coordinator.
    pub sender: String,
    /// How the coordinator is set up.
    pub instantiate: InstantiateMsg,
}

/// An account and what it holds at genesis.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundedAccount {
    /// Its address.
    pub address: String,
    /// What it holds.
    pub coins: Vec<TextCoin>,
}

fn prefix() -> String {
    "wasm".to_owned()
}

/// The coordinator as a contract of the devnet.
#[must_use]
pub fn coordinator() -> Box<dyn Contract<Empty>> {
    use concord_coordinator::contract::{execute, instantiate, query};
    Box::new(ContractWrapper::new(execute, instantiate, query))
}

/// Reads a genesis file.
///
/// # Errors
/// [`CliError::Genesis`] when it cannot be read or is no genesis.
pub fn genesis(path: &Path) -> Result<Genesis, CliError> {
    let refused = |detail: String| CliError::Genesis { path: path.to_owned(), detail };
    let bytes = draft::read(path, FILE_BYTES_MAX).map_err(|error| refused(told(&error)))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}

impl Genesis {
    /// What the devnet is started with.
    ///
    /// # Errors
    /// [`CliError::Usage`] if the coordinator's settings cannot be written as JSON.
    pub fn config(self, listen: SocketAddr, block_time: Duration) -> Result<DevnetConfig, CliError> {
        let msg = serde_json::to_value(&self.instantiate)
            .map_err(|error| CliError::Usage(format!("the coordinator's settings are no JSON: {error}")))?;
        let coins = |coins: Vec<TextCoin>| {
            coins.into_iter().map(|coin| GenesisCoin { denom: coin.denom, amount: coin.amount }).collect()
        };
        Ok(DevnetConfig {
            listen,
            chain_id: self.chain_id,
            block_time,
            genesis_time_seconds: self.genesis_time_seconds,
            bech32_prefix: self.bech32_prefix,
            accounts: self
                .accounts
                .into_iter()
                .map(|account| GenesisAccount { address: account.address, coins: coins(account.coins) })
                .collect(),
            contract: coordinator,
            instantiate: Instantiate { sender: self.sender, msg, label: "concord".to_owned(), admin: None },
            fee_denom: self.fee_denom,
            gas_price_min_milli: self.gas_price_min_milli,
        })
    }
}

/// Starts a devnet from a genesis file.
///
/// # Errors
/// [`CliError`]: the file, or [`CliError::Devnet`].
pub async fn start(args: &DevnetArgs, chain_id: Option<&str>) -> Result<(Devnet, Answer), CliError> {
    let mut genesis = genesis(&args.genesis)?;
    if let Some(chain_id) = chain_id {
        chain_id.clone_into(&mut genesis.chain_id);
    }
    let (denom, price) = (genesis.fee_denom.clone(), genesis.gas_price_min_milli);
    let short_floors = genesis.instantiate.floors.are_short();
    let devnet =
        concord_devnet::start(genesis.config(args.listen, Duration::from_millis(args.block_time_ms))?)
            .await?;
    let rpc = format!("http://{}", devnet.rpc_address());
    let (chain_id, contract) = (devnet.chain_id().to_owned(), devnet.contract_address().to_owned());
    let price = format!("{}.{:03}", price / 1_000, price % 1_000);
    let text = format!(
        "for development only: one process, in memory, nothing is proved\n\
         export CONCORD_CHAIN__RPC='[\"{rpc}\"]'\n\
         export CONCORD_CHAIN__CHAIN_ID={chain_id}\n\
         export CONCORD_CHAIN__CONTRACT={contract}\n\
         export CONCORD_GAS__PRICE={price}\n\
         export CONCORD_GAS__DENOM={denom}"
    );
    let json = json!({"rpc": rpc, "chain_id": chain_id, "contract": contract, "gas_price": price, "gas_denom": denom});
    Ok((devnet, Answer { short_floors, ..Answer::new(text, json) }))
}

/// Runs a devnet until it is interrupted.
///
/// # Errors
/// As [`start`], and [`CliError::Unexpected`] when the chain stops by itself.
pub async fn run(args: &DevnetArgs, chain_id: Option<&str>, screen: Screen) -> Result<(), CliError> {
    let (devnet, answer) = start(args, chain_id).await?;
    screen.show(&answer);
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|source| CliError::System { action: "listen for signals".to_owned(), source })?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = terminated.recv() => Ok(()),
        () = devnet.wait() => Err(CliError::Unexpected("the chain stopped by itself; see the log".to_owned())),
    }
}
