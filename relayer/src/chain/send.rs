//! From messages to a known outcome: simulate, sign, broadcast, confirm.
//!
//! Every transaction carries a timeout height, so that it is always decidable what became of it: it is in a block,
//! or the chain has passed the height and it never will be. A retry signs anew only after one of the two.

use std::time::Duration;

use cosmrs::Any;
use tokio::time::Instant;

use super::address::{Address, AddressError};
use super::answer::{Account, Included};
use super::error::{Cause, Refused, RpcError};
use super::keys::{Key, KeyError};
use super::rpc::{Broadcast, Rpc};
use super::sign::{Envelope, Execute, GasPrice, SignError, Signed, executes, sign_any};
use super::{At, Backoff};

/// How transactions are priced and how long they live.
#[derive(Clone, Debug)]
pub struct Pricing {
    /// Price of one unit of gas.
    pub gas_price: GasPrice,
    /// The gas limit as a percentage of the simulated use; 130 leaves room for state that grew meanwhile.
    pub gas_percent: u32,
    /// No transaction may use more gas: what a node says of its simulation decides the fee, and a false one would empty
    /// the account.
    pub gas_max: u64,
    /// A transaction is dead this many blocks after the tip at which it was signed.
    pub timeout_blocks: u64,
    /// Who pays the fee instead of the hot key.
    pub fee_granter: Option<Address>,
    /// How often to look for an outcome.
    pub poll: Duration,
    /// How long [`Sender::send`] waits for an outcome, as a halted chain passes no timeout height.
    pub patience: Duration,
}

impl Pricing {
    /// 130 % of the simulated gas, at most ten million, 20 blocks, no granter, a look every 200 ms, two minutes of patience.
    #[must_use]
    pub fn new(gas_price: GasPrice) -> Self {
        Self {
            gas_price,
            gas_percent: 130,
            gas_max: 10_000_000,
            timeout_blocks: 20,
            fee_granter: None,
            poll: Duration::from_millis(200),
            patience: Duration::from_secs(120),
        }
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in a block and did what it was meant to.
    Included(Included),
    /// Its timeout height passed and it is in no block; it never will be.
    Expired,
    /// Refused: in a simulation, at a node's door, or in a block (then fee and sequence are gone).
    Refused(Refused),
}

/// Why an outcome is not known.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The chain could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The transaction could not be made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key has no address.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A prefix or address is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The chain has never seen the account.
    #[error(
        "expected account {address} on chain, found none; send it coins, or grant it a fee allowance, first"
    )]
    NoAccount {
        /// The account.
        address: String,
    },
    /// The simulation asks for more gas than the operator allows.
    #[error(
        "expected at most {max} gas, found {found} from the node's simulation; nothing was signed: see that the node is \
         to be trusted, or raise gas.limit_max"
    )]
    Gas {
        /// The limit.
        max: u64,
        /// What would be asked for.
        found: u64,
    },
    /// The sequence was wrong again and again: somebody else signs with the same key.
    #[error(
        "account sequence was wrong {tries} times running; make sure that no other program signs with this key"
    )]
    Sequence {
        /// How many times.
        tries: u32,
    },
    /// No outcome within the patience. It may still come.
    #[error(
        "no outcome of transaction {hash} after {seconds} s; look it up again, it is dead after height {timeout_height}"
    )]
    Pending {
        /// Its hash.
        hash: String,
        /// After which block it is dead.
        timeout_height: u64,
        /// How long was waited.
        seconds: u64,
    },
}

/// A transaction that may be on its way, as far as confirming it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its hash.
    pub hash: String,
    /// The last block that may include it.
    pub timeout_height: u64,
    /// The account sequence it uses.
    pub sequence: u64,
}

impl From<&Signed> for Sent {
    fn from(signed: &Signed) -> Self {
        Self { hash: signed.hash.clone(), timeout_height: signed.timeout_height, sequence: signed.sequence }
    }
}

/// What is known of a sent transaction at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Its outcome.
    Settled(Outcome),
    /// It was executed, but no node keeps an index that says how it ended.
    Used {
        /// A block by which it was.
        height: u64,
    },
    /// Neither in a block nor dead.
    Open {
        /// The tip when this was found.
        tip: u64,
    },
}

/// How often a wrong sequence is corrected before giving up.
const SEQUENCE_TRIES_MAX: u32 = 5;
/// Blocks after which a transaction that no index shows counts as dead although its sequence was used.
const INDEX_LAG_BLOCKS: u64 = 5;

/// Signs with one key and follows what it sent. One per key: two would fight over the sequence.
#[derive(Debug)]
pub struct Sender {
    rpc: Rpc,
    key: Key,
    address: Address,
    pricing: Pricing,
    turn: tokio::sync::Mutex<()>,
}

impl Sender {
    /// A sender for `key`; `prefix` is the chain's address prefix.
    ///
    /// # Errors
    /// [`KeyError`] when the key has no account.
    pub fn new(rpc: Rpc, key: Key, prefix: &str, pricing: Pricing) -> Result<Self, KeyError> {
        let address = key.address(prefix)?;
        Ok(Self { rpc, key, address, pricing, turn: tokio::sync::Mutex::new(()) })
    }

    /// The same sender, which pays its fees itself.
    #[must_use]
    pub fn without_granter(mut self) -> Self {
        self.pricing.fee_granter = None;
        self
    }

    /// The account that signs.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The way to the chain.
    #[must_use]
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Pricing and patience.
    #[must_use]
    pub fn pricing(&self) -> &Pricing {
        &self.pricing
    }

    /// The account in the newest committed state, and the tip.
    ///
    /// # Errors
    /// [`SendError::NoAccount`], or the call's.
    pub async fn account(&self) -> Result<(Account, u64), SendError> {
        let tip = self.rpc.status().await?.height;
        // A query reads committed state only. The mempool's hint about a sequence is not used: it may be about
        // transactions that never get in.
        let account = self.rpc.account(&self.address, At::Latest).await?;
        let account =
            account.ok_or_else(|| SendError::NoAccount { address: self.address.text().to_owned() })?;
        Ok((account, tip.max(account.height)))
    }

    /// Simulates and signs. `Err` inside: the simulation refused.
    ///
    /// # Errors
    /// [`SendError`] when the chain could not be asked.
    pub async fn prepare(
        &self,
        messages: &[Execute],
        gas_percent: u32,
    ) -> Result<Result<Signed, Refused>, SendError> {
        self.prepare_any(&executes(self.address.text(), messages), gas_percent).await
    }

    /// The same with messages of any kind.
    ///
    /// # Errors
    /// As [`Sender::prepare`].
    pub async fn prepare_any(
        &self,
        messages: &[Any],
        gas_percent: u32,
    ) -> Result<Result<Signed, Refused>, SendError> {
        let (account, tip) = self.account().await?;
        let mut envelope = Envelope {
            chain_id: &self.rpc.settings().chain_id,
            account,
            gas: 0,
            // What a fee costs to take is gas too, and more so with a grant; without one the simulation would not show it.
            fee: self.pricing.gas_price.fee(1),
            fee_granter: self.pricing.fee_granter.as_ref().map(Address::text),
            timeout_height: tip.saturating_add(self.pricing.timeout_blocks),
        };
        let trial = sign_any(&self.key, messages, &envelope)?;
        let used = match self.rpc.simulate(&trial.bytes).await? {
            Ok(used) => used,
            Err(refused) => return Ok(Err(refused)),
        };
        let gas = u128::from(used).saturating_mul(u128::from(gas_percent)).div_ceil(100);
        envelope.gas = u64::try_from(gas).unwrap_or(u64::MAX);
        if envelope.gas > self.pricing.gas_max {
            return Err(SendError::Gas { max: self.pricing.gas_max, found: envelope.gas });
        }
        envelope.fee = self.pricing.gas_price.fee(envelope.gas);
        Ok(Ok(sign_any(&self.key, messages, &envelope)?))
    }

    /// Looks once at what became of a transaction.
    ///
    /// Dead is proved in one of two ways once the tip is past the timeout height: the account's sequence in a state
    /// after it is not past the transaction's (so it was never executed), or the index still shows nothing some blocks later.
    ///
    /// # Errors
    /// [`RpcError`] when the chain could not be asked.
    pub async fn sight(&self, sent: &Sent) -> Result<Sighting, RpcError> {
        // The tip first: a transaction included after a look cannot then be taken for a dead one.
        let tip = self.rpc.status().await?.height;
        match self.rpc.tx(&sent.hash).await {
            Ok(Some(included)) => return Ok(Sighting::Settled(outcome_of(included))),
            Ok(None) => {}
            Err(RpcError::Rpc { .. }) => return self.sight_by_sequence(sent, tip).await,
            Err(error) => return Err(error),
        }
        if tip <= sent.timeout_height {
            return Ok(Sighting::Open { tip });
        }
        let account = self.rpc.account(&self.address, At::Latest).await?;
        // An older state, from a node that is behind, proves nothing.
        let unused = account
            .is_some_and(|account| account.height > sent.timeout_height && account.sequence <= sent.sequence);
        let silent = tip > sent.timeout_height.saturating_add(INDEX_LAG_BLOCKS);
        if unused || silent { Ok(Sighting::Settled(Outcome::Expired)) } else { Ok(Sighting::Open { tip }) }
    }

    /// What the account alone says, where nodes answer neither a look-up nor a search. A used sequence is this
    /// transaction's once nothing else could have used it.
    async fn sight_by_sequence(&self, sent: &Sent, tip: u64) -> Result<Sighting, RpcError> {
        let account = self.rpc.account(&self.address, At::Latest).await?;
        Ok(match account {
            Some(account) if account.height <= sent.timeout_height => Sighting::Open { tip },
            Some(account) if account.sequence > sent.sequence => Sighting::Used { height: account.height },
            Some(_) => Sighting::Settled(Outcome::Expired),
            None => Sighting::Open { tip },
        })
    }

    /// Waits for the outcome of a sent transaction.
    ///
    /// # Errors
    /// [`SendError::Pending`] after the patience; failing calls are repeated until then.
    pub async fn confirm(&self, sent: &Sent) -> Result<Outcome, SendError> {
        let started = Instant::now();
        let mut backoff = Backoff::new(self.rpc.settings().backoff);
        loop {
            match self.sight(sent).await {
                Ok(Sighting::Settled(outcome)) => return Ok(outcome),
                Ok(Sighting::Open { .. } | Sighting::Used { .. }) => {
                    backoff.reset();
                    tokio::time::sleep(self.pricing.poll).await;
                }
                Err(error) if error.may_pass() => backoff.rest().await,
                Err(error) => return Err(error.into()),
            }
            if started.elapsed() >= self.pricing.patience {
                return Err(SendError::Pending {
                    hash: sent.hash.clone(),
                    timeout_height: sent.timeout_height,
                    seconds: started.elapsed().as_secs(),
                });
            }
        }
    }

    /// Sends messages in one transaction and waits for the outcome, for people at a command line. The agent's own
    /// reports go through the outbox.
    ///
    /// # Errors
    /// [`SendError`] when the outcome is not known.
    pub async fn send(&self, messages: &[Execute]) -> Result<Outcome, SendError> {
        self.send_any(&executes(self.address.text(), messages)).await
    }

    /// The same with messages of any kind, each from the sender's own account.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub async fn send_any(&self, messages: &[Any]) -> Result<Outcome, SendError> {
        let _turn = self.turn.lock().await;
        for _ in 0..SEQUENCE_TRIES_MAX {
            let signed = match self.prepare_any(messages, self.pricing.gas_percent).await? {
                Ok(signed) => signed,
                Err(refused) if refused.cause() == Cause::Sequence => {
                    self.next_block().await?;
                    continue;
                }
                Err(refused) => return Ok(Outcome::Refused(refused)),
            };
            match self.rpc.broadcast(&signed.bytes).await? {
                Broadcast::Taken => return self.confirm(&Sent::from(&signed)).await,
                // Another node may hold it: its own sequence then looks used. Only the chain knows.
                Broadcast::Refused { doubtful: true, .. } => return self.confirm(&Sent::from(&signed)).await,
                Broadcast::Refused { refused, .. } if refused.cause() == Cause::Sequence => {
                    self.next_block().await?
                }
                Broadcast::Refused { refused, .. } => return Ok(Outcome::Refused(refused)),
            }
        }
        Err(SendError::Sequence { tries: SEQUENCE_TRIES_MAX })
    }

    /// Waits until the tip rises, within the patience.
    ///
    /// # Errors
    /// [`SendError::Rpc`] when the chain could not be asked.
    pub async fn next_block(&self) -> Result<(), SendError> {
        let before = self.rpc.status().await?.height;
        let started = Instant::now();
        while started.elapsed() < self.pricing.patience {
            tokio::time::sleep(self.pricing.poll).await;
            if self.rpc.status().await?.height > before {
                break;
            }
        }
        Ok(())
    }
}

fn outcome_of(included: Included) -> Outcome {
    if included.code == 0 {
        return Outcome::Included(included);
    }
    Outcome::Refused(Refused { codespace: included.codespace, code: included.code, log: included.log })
}
