//! A devnet with the real coordinator, and the operators whose keys the measurement holds.

use std::time::Duration;

use concord::chain::answer::Account;
use concord::chain::keys::{Key, Kind};
use concord::chain::rpc::{Broadcast, Settings};
use concord::chain::sign::{Coin, Envelope, Execute, GasPrice, Signed, sign};
use concord::chain::{Address, At, Rpc};
use concord::cli::devnet::{FundedAccount, Genesis};
use concord_devnet::Devnet;
use concord_schema::Power;
use concord_schema::msg::{ExecuteMsg, GenesisOperator};
use concord_schema::release::Artifact;
use serde_json::json;
use tokio::time::Instant;

use super::error::{BenchError, step};

/// The documented genesis is the deployment; operators and baseline are put into it.
pub(crate) const GENESIS: &str = include_str!("../../../docs/genesis.example.json");
/// From one block to the next, as in the demo.
pub(crate) const BLOCK_TIME: Duration = Duration::from_millis(100);
/// The price of gas, in the denomination of the genesis.
pub(crate) const GAS_PRICE: &str = "0.025";
/// What each operator holds and may register; far more than is needed.
const COINS: u128 = 1_000_000_000;
const POWER: Power = Power(1_000);
/// More gas than the devnet ever says that a transaction used.
const GAS_LIMIT: u64 = 1_000_000;
/// The longest that a transaction may wait for its block.
const INCLUDED_LONGEST: Duration = Duration::from_secs(60);
/// From one look at a level to the next.
const LOOK: Duration = Duration::from_millis(10);
/// The longest that a fast advance may take.
const ADVANCE_LONGEST: Duration = Duration::from_secs(60);

/// An operator's key with its account.
pub(crate) struct Operator {
    /// The owner key.
    pub(crate) key: Key,
    /// Its account.
    pub(crate) address: Address,
}

/// A running devnet.
pub(crate) struct Deployment {
    devnet: Devnet,
    /// What pays fees.
    pub(crate) denom: String,
    /// The only component.
    pub(crate) component: String,
    /// The coordinator.
    pub(crate) contract: Address,
    /// The prefix of addresses.
    pub(crate) prefix: String,
    /// A client of the kind that agents use.
    pub(crate) rpc: Rpc,
    /// Who runs nodes.
    pub(crate) operators: Vec<Operator>,
}

impl Deployment {
    /// Starts a chain on which `operators` accounts run nodes of a component. `baseline` replaces the artifact of its
    /// current release.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn start(operators: usize, baseline: Option<Artifact>) -> Result<Self, BenchError> {
        Self::start_with(operators, baseline, |_| ()).await
    }

    /// The same, with a change to the genesis before anything else is put into it.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn start_with(
        operators: usize,
        baseline: Option<Artifact>,
        change: impl FnOnce(&mut Genesis),
    ) -> Result<Self, BenchError> {
        let mut genesis: Genesis = serde_json::from_str(GENESIS).map_err(step("read the genesis"))?;
        change(&mut genesis);
        let prefix = genesis.bech32_prefix.clone();
        let denom = genesis.fee_denom.clone();
        let none = || BenchError::Other { expected: "a component in the genesis", found: "none".to_owned() };
        let first = genesis.instantiate.components.first_mut().ok_or_else(none)?;
        if let Some(baseline) = baseline {
            first.baseline.artifacts = vec![baseline];
        }
        let component = first.name.clone();
        let operators: Vec<Operator> =
            (0..operators).map(|_| Operator::new(&prefix)).collect::<Result<_, _>>()?;
        genesis.instantiate.operators = (0_usize..)
            .zip(&operators)
            .map(|(index, operator)| GenesisOperator {
                addr: operator.address.text().to_owned(),
                organisation: format!("operator-{index}"),
                component: component.clone(),
                power: POWER,
            })
            .collect();
        let coins = || vec![Coin { denom: denom.clone(), amount: COINS }];
        genesis.accounts.extend(
            operators.iter().map(|operator| FundedAccount {
                address: operator.address.text().to_owned(),
                coins: coins(),
            }),
        );
        let listen = ([127, 0, 0, 1], 0).into();
        let config = genesis.config(listen, BLOCK_TIME).map_err(step("set the devnet up"))?;
        let devnet = concord_devnet::start(config).await.map_err(step("start the devnet"))?;
        let contract: Address =
            devnet.contract_address().parse().map_err(step("read the contract's address"))?;
        let address = format!("http://{}", devnet.rpc_address());
        let rpc = Rpc::new(Settings::new(devnet.chain_id(), vec![address])).map_err(step("make a client"))?;
        Ok(Self { devnet, denom, component, contract, prefix, rpc, operators })
    }

    /// Where its RPC is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.devnet.rpc_address())
    }

    /// Its chain id.
    pub(crate) fn chain_id(&self) -> &str {
        self.devnet.chain_id()
    }

    /// The newest height.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn tip(&self) -> Result<u64, BenchError> {
        Ok(self.rpc.status().await.map_err(step("ask for the tip"))?.height)
    }

    /// Makes empty blocks at once, with the time that they would have taken.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn advance(&self, blocks: u64) -> Result<(), BenchError> {
        let block_ms = u64::try_from(BLOCK_TIME.as_millis()).unwrap_or(u64::MAX);
        let seconds = blocks.saturating_mul(block_ms) / 1_000;
        let http = reqwest::Client::builder().no_proxy().timeout(ADVANCE_LONGEST).build();
        let asked = http
            .map_err(step("make an http client"))?
            .post(format!("{}/control/advance", self.url()))
            .json(&json!({ "blocks": blocks, "seconds": seconds }));
        let answer = asked.send().await.and_then(reqwest::Response::error_for_status);
        answer.map_err(step("advance the devnet")).map(drop)
    }

    /// Signs the registration of a node; `account` carries the sequence.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) fn registration(
        &self,
        operator: &Operator,
        account: Account,
        node_id: &str,
        hot_key: &Address,
    ) -> Result<Signed, BenchError> {
        let message = ExecuteMsg::Register {
            component: self.component.clone(),
            node_id: node_id.to_owned(),
            power: Power(1),
            hot_key: hot_key.text().to_owned(),
        };
        let msg = serde_json::to_value(message).map_err(step("write a message"))?;
        let execute = Execute { contract: self.contract.text().to_owned(), msg, funds: Vec::new() };
        let price: GasPrice =
            format!("{GAS_PRICE}{}", self.denom).parse().map_err(step("read the price of gas"))?;
        let envelope = Envelope {
            chain_id: self.chain_id(),
            account,
            gas: GAS_LIMIT,
            fee: price.fee(GAS_LIMIT),
            fee_granter: None,
            timeout_height: 0,
        };
        sign(&operator.key, operator.address.text(), &[execute], &envelope).map_err(step("sign"))
    }

    /// An operator's account as the chain has it.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn account(&self, operator: &Operator) -> Result<Account, BenchError> {
        let account = self.rpc.account(&operator.address, At::Latest).await;
        account.map_err(step("ask for an account"))?.ok_or_else(|| BenchError::Other {
            expected: "the account of an operator",
            found: "none".to_owned(),
        })
    }

    /// Hands a transaction over.
    ///
    /// # Errors
    /// [`BenchError`], also when it is refused.
    pub(crate) async fn broadcast(&self, signed: &Signed) -> Result<(), BenchError> {
        match self.rpc.broadcast(&signed.bytes).await.map_err(step("broadcast a transaction"))? {
            Broadcast::Taken => Ok(()),
            refused @ Broadcast::Refused { .. } => {
                Err(BenchError::Other { expected: "a taken transaction", found: format!("{refused:?}") })
            }
        }
    }

    /// Waits until a transaction is in a block, and did what it was meant to.
    ///
    /// # Errors
    /// [`BenchError`], also when it failed or never comes.
    pub(crate) async fn included(&self, signed: &Signed) -> Result<(), BenchError> {
        let began = Instant::now();
        loop {
            match self.rpc.tx(&signed.hash).await.map_err(step("look a transaction up"))? {
                Some(included) if included.code == 0 => return Ok(()),
                Some(failed) => {
                    return Err(BenchError::Other {
                        expected: "a transaction that does what it says",
                        found: failed.log,
                    });
                }
                None if began.elapsed() < INCLUDED_LONGEST => tokio::time::sleep(LOOK).await,
                None => {
                    return Err(BenchError::Late {
                        what: "a transaction in a block",
                        seconds: INCLUDED_LONGEST.as_secs(),
                        found: "none".to_owned(),
                    });
                }
            }
        }
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.devnet.stop().await;
    }
}

impl Operator {
    fn new(prefix: &str) -> Result<Self, BenchError> {
        let key = Key::generate(Kind::Secp256k1).map_err(step("make a key"))?;
        let address = key.address(prefix).map_err(step("make an address"))?;
        Ok(Self { key, address })
    }
}
