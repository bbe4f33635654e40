//! A localnet of real wasmd, and accounts that send what is measured, one transaction a message.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use concord::chain::keys::{Key, Kind};
use concord::chain::rpc::{Broadcast, Settings};
use concord::chain::sign::{Coin, Envelope, Execute, GasPrice, Signed, executes, sign_any};
use concord::chain::{Account, Address, At, Included, Rpc};
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output};
use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use prost::Message;
use serde::Deserialize;
use tokio::time::Instant;

use super::super::error::{BenchError, step};

/// The prefix of its addresses.
pub(crate) const PREFIX: &str = "wasm";
/// The price of gas, in the denomination of the net.
const GAS_PRICE: &str = "0.025";
/// What each account gets for its fees.
const COINS: u128 = 50_000_000;
/// Accounts that one transaction gives coins to.
const FUNDED_EACH: usize = 200;
/// The most gas of a transaction of which many are sent without a simulation each.
const GAS_OF_MANY: u64 = 400_000;
/// The limit that `concord` asks for, as a percentage of the simulated use.
const GAS_PERCENT: u64 = 130;
/// Blocks that a transaction lives.
const TIMEOUT_BLOCKS: u64 = 100;
/// The longest that a message may be refused, and a transaction wait for its block.
const LONGEST: Duration = Duration::from_secs(90);
/// From one look to the next.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Told {
    chain_id: String,
    fee_denom: String,
    base_port: u16,
}

#[derive(Deserialize)]
struct Known {
    name: String,
    mnemonic: String,
}

/// An account whose key the measurement holds, and nobody else signs with.
pub(crate) struct Actor {
    key: Key,
    /// Its address.
    pub(crate) address: Address,
    number: Cell<u64>,
    sequence: Cell<u64>,
}

impl Actor {
    fn new(key: Key) -> Result<Self, BenchError> {
        let address = key.address(PREFIX).map_err(step("make an address"))?;
        Ok(Self { key, address, number: Cell::new(0), sequence: Cell::new(0) })
    }

    /// Its address, as messages have it.
    pub(crate) fn text(&self) -> String {
        self.address.text().to_owned()
    }
}

/// A running localnet.
pub(crate) struct Net {
    folder: PathBuf,
    /// A client of the kind that agents use.
    pub(crate) rpc: Rpc,
    chain_id: String,
    denom: String,
    url: String,
    price: GasPrice,
    /// Holds the coins.
    pub(crate) deployer: Actor,
}

impl Net {
    /// The net that `localnet.sh up` made in a folder.
    ///
    /// # Errors
    /// [`BenchError`] where there is none, or it does not answer.
    pub(crate) async fn open(folder: &Path) -> Result<Self, BenchError> {
        let read = |name| std::fs::read(folder.join(name)).map_err(step("read the net's folder"));
        let told: Told = serde_json::from_slice(&read("net.json")?).map_err(step("read net.json"))?;
        let known: Vec<Known> =
            serde_json::from_slice(&read("accounts.json")?).map_err(step("read accounts.json"))?;
        let deployer = known.iter().find(|one| one.name == "deployer").ok_or_else(|| BenchError::Other {
            expected: "an account named deployer",
            found: "none".to_owned(),
        })?;
        let key =
            Key::import(Kind::Secp256k1, &deployer.mnemonic).map_err(step("read the deployer's key"))?;
        let url = format!("http://127.0.0.1:{}", told.base_port.saturating_add(7));
        let rpc =
            Rpc::new(Settings::new(&told.chain_id, vec![url.clone()])).map_err(step("make a client"))?;
        let price =
            format!("{GAS_PRICE}{}", told.fee_denom).parse().map_err(step("read the price of gas"))?;
        let net = Self {
            folder: folder.to_owned(),
            rpc,
            chain_id: told.chain_id,
            denom: told.fee_denom,
            url,
            price,
            deployer: Actor::new(key)?,
        };
        net.know(&net.deployer).await?;
        Ok(net)
    }

    /// Its chain id.
    pub(crate) fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// A file of the net's folder, which only its owner can enter.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs `concord` as the deployer, with gas for an instantiation of a thousand operators.
    ///
    /// # Errors
    /// [`BenchError`] with the command's own words.
    pub(crate) async fn concord(&self, program: &Path, arguments: &[&str]) -> Result<Vec<u8>, BenchError> {
        let key = self.file("bench.key");
        if !key.exists() {
            self.deployer.key.create(&key, PREFIX).map_err(step("write the deployer's key"))?;
        }
        let ran = tokio::process::Command::new(program)
            .args(arguments)
            .args(["--node", &self.url, "--chain-id", &self.chain_id, "--key"])
            .arg(&key)
            .arg("--json")
            .env("CONCORD_GAS__PRICE", GAS_PRICE)
            .env("CONCORD_GAS__DENOM", &self.denom)
            .env("CONCORD_GAS__LIMIT_MAX", "90000000")
            .kill_on_drop(true)
            .output()
            .await
            .map_err(step("run concord"))?;
        self.know(&self.deployer).await?;
        if ran.status.success() {
            return Ok(ran.stdout);
        }
        let found = String::from_utf8_lossy(&ran.stderr).into_owned();
        Err(BenchError::Other { expected: "a command that succeeds", found })
    }

    /// Asks the chain for an account's number and sequence.
    async fn know(&self, actor: &Actor) -> Result<(), BenchError> {
        let account =
            self.rpc.account(&actor.address, At::Latest).await.map_err(step("ask for an account"))?;
        let account = account.ok_or_else(|| BenchError::Other {
            expected: "a funded account",
            found: format!("none of {}", actor.address.text()),
        })?;
        actor.number.set(account.number);
        actor.sequence.set(account.sequence);
        Ok(())
    }

    /// New accounts with coins for fees.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn accounts(&self, count: usize) -> Result<Vec<Actor>, BenchError> {
        let fresh = || Key::generate(Kind::Secp256k1).map_err(step("make a key")).and_then(Actor::new);
        let actors: Vec<Actor> = (0..count).map(|_| fresh()).collect::<Result<_, _>>()?;
        for some in actors.chunks(FUNDED_EACH) {
            let outputs = some
                .iter()
                .map(|one| Output { address: one.text(), coins: vec![self.coin(COINS)] })
                .collect();
            let sum = COINS.saturating_mul(some.len() as u128);
            let inputs = vec![Input { address: self.deployer.text(), coins: vec![self.coin(sum)] }];
            let value = MsgMultiSend { inputs, outputs }.encode_to_vec();
            let message = Any { type_url: "/cosmos.bank.v1beta1.MsgMultiSend".into(), value };
            self.send_any(&self.deployer, &message).await?;
        }
        for actor in &actors {
            self.know(actor).await?;
        }
        Ok(actors)
    }

    /// Accounts' first transactions: they store public keys, which is no figure of any contract.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn warm(&self, actors: &[&Actor]) -> Result<(), BenchError> {
        let first = |actor: &Actor| {
            let (from_address, to_address) = (actor.text(), actor.text());
            let value = MsgSend { from_address, to_address, amount: vec![self.coin(1)] }.encode_to_vec();
            Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value }
        };
        let messages: Vec<(&Actor, Any)> = actors.iter().map(|actor| (*actor, first(actor))).collect();
        self.send_many_any(&messages).await.map(drop)
    }

    fn coin(&self, amount: u128) -> ProtoCoin {
        ProtoCoin { denom: self.denom.clone(), amount: amount.to_string() }
    }

    async fn sign(&self, actor: &Actor, message: &Any, gas: u64) -> Result<Signed, BenchError> {
        let tip = self.rpc.status().await.map_err(step("ask for the tip"))?.height;
        self.sign_at(actor, message, gas, tip)
    }

    fn sign_at(&self, actor: &Actor, message: &Any, gas: u64, tip: u64) -> Result<Signed, BenchError> {
        let envelope = Envelope {
            chain_id: &self.chain_id,
            account: Account { number: actor.number.get(), sequence: actor.sequence.get(), height: 0 },
            gas,
            fee: self.price.fee(gas.max(1)),
            fee_granter: None,
            timeout_height: tip.saturating_add(TIMEOUT_BLOCKS),
        };
        sign_any(&actor.key, std::slice::from_ref(message), &envelope).map_err(step("sign"))
    }

    async fn broadcast(&self, actor: &Actor, signed: &Signed) -> Result<(), BenchError> {
        match self.rpc.broadcast(&signed.bytes).await.map_err(step("broadcast a transaction"))? {
            Broadcast::Taken => {
                actor.sequence.set(actor.sequence.get().saturating_add(1));
                Ok(())
            }
            refused @ Broadcast::Refused { .. } => {
                Err(BenchError::Other { expected: "a taken transaction", found: format!("{refused:?}") })
            }
        }
    }

    async fn included(&self, signed: &Signed) -> Result<Included, BenchError> {
        let began = Instant::now();
        loop {
            match self.rpc.tx(&signed.hash).await.map_err(step("look a transaction up"))? {
                Some(included) if included.code == 0 => return Ok(included),
                Some(failed) => {
                    let found = failed.log;
                    return Err(BenchError::Other {
                        expected: "a transaction that does what it says",
                        found,
                    });
                }
                None if began.elapsed() < LONGEST => tokio::time::sleep(LOOK).await,
                None => return Err(late("a transaction in a block", "none".to_owned())),
            }
        }
    }

    /// Sends one message as soon as a simulation takes it, and waits for its block. The gas limit is `concord`'s own.
    ///
    /// # Errors
    /// [`BenchError`] where it stays refused, with the last refusal.
    pub(crate) async fn send_any(&self, actor: &Actor, message: &Any) -> Result<Included, BenchError> {
        let began = Instant::now();
        loop {
            let trial = self.sign(actor, message, 0).await?;
            match self.rpc.simulate(&trial.bytes).await.map_err(step("simulate"))? {
                Ok(used) => {
                    let gas = used.saturating_mul(GAS_PERCENT) / 100;
                    let signed = self.sign(actor, message, gas).await?;
                    self.broadcast(actor, &signed).await?;
                    return self.included(&signed).await;
                }
                Err(_) if began.elapsed() < LONGEST => tokio::time::sleep(LOOK).await,
                Err(refused) => return Err(late("a message that is taken", refused.log)),
            }
        }
    }

    /// Sends a contract's message as [`Net::send_any`] does.
    ///
    /// # Errors
    /// As [`Net::send_any`].
    pub(crate) async fn send(
        &self,
        actor: &Actor,
        contract: &str,
        msg: impl serde::Serialize,
    ) -> Result<Included, BenchError> {
        self.send_any(actor, &call(actor, contract, msg)?).await
    }

    /// Sends many messages of different accounts, as many a block as fit, and waits for all.
    ///
    /// # Errors
    /// [`BenchError`] for the first that is refused or fails.
    pub(crate) async fn send_many_any(
        &self,
        messages: &[(&Actor, Any)],
    ) -> Result<Vec<Included>, BenchError> {
        let tip = self.rpc.status().await.map_err(step("ask for the tip"))?.height;
        let mut sent = Vec::with_capacity(messages.len());
        for (actor, message) in messages {
            let signed = self.sign_at(actor, message, GAS_OF_MANY, tip)?;
            self.broadcast(actor, &signed).await?;
            sent.push(signed);
        }
        let mut all = Vec::with_capacity(sent.len());
        for signed in &sent {
            all.push(self.included(signed).await?);
        }
        Ok(all)
    }

    /// Waits until the tip is at a height.
    ///
    /// # Errors
    /// [`BenchError`] where it does not come.
    pub(crate) async fn reach(&self, height: u64) -> Result<u64, BenchError> {
        let began = Instant::now();
        loop {
            let tip = self.rpc.status().await.map_err(step("ask for the tip"))?.height;
            if tip >= height {
                return Ok(tip);
            }
            if began.elapsed() >= LONGEST {
                return Err(late("a block", format!("height {tip}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A contract's message from an account, as the chain takes it.
pub(crate) fn call(actor: &Actor, contract: &str, msg: impl serde::Serialize) -> Result<Any, BenchError> {
    let msg = serde_json::to_value(msg).map_err(step("write a message"))?;
    let execute = Execute { contract: contract.to_owned(), msg, funds: Vec::<Coin>::new() };
    executes(actor.address.text(), &[execute])
        .pop()
        .ok_or_else(|| BenchError::Other { expected: "a message", found: "none".to_owned() })
}

/// Something did not come within the patience.
pub(crate) fn late(what: &'static str, found: String) -> BenchError {
    BenchError::Late { what, seconds: LONGEST.as_secs(), found }
}
