//! Transactions that wait for a block, checked against the state that those before them leave.

use std::collections::{HashMap, HashSet, VecDeque};

use cosmwasm_std::Coin;

use crate::allowance::{Rest, Sponsor};
use crate::ante::{Ante, Standing, Tx, TxError};
use crate::blocks::Hash;
use crate::config::Limits;
use crate::machine::Machine;

/// Hashes remembered to refuse a transaction that was sent before (CometBFT's `cache_size`).
const SEEN_MAX: usize = 10_000;

/// The waiting transactions.
pub(crate) struct Mempool {
    limits: Limits,
    waiting: VecDeque<Tx>,
    bytes: usize,
    /// Signers as the waiting transactions leave them.
    standings: HashMap<String, Standing>,
    /// Allowances, by granter and grantee, likewise.
    rests: HashMap<(String, String), Rest>,
    seen: HashSet<Hash>,
    seen_order: VecDeque<Hash>,
}

impl Mempool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            bytes: 0,
            standings: HashMap::new(),
            rests: HashMap::new(),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Transactions and bytes that wait.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.waiting.len(), self.bytes)
    }

    /// Refuses a transaction that was sent before or finds no room, in CometBFT's words.
    pub(crate) fn room(&self, hash: &Hash, bytes: usize) -> Result<(), String> {
        let (txs, txs_max) = (self.waiting.len(), self.limits.mempool_txs);
        let (held, held_max) = (self.bytes, self.limits.mempool_bytes);
        if txs >= txs_max || held + bytes > held_max {
            return Err(format!(
                "mempool is full: number of txs {txs} (max: {txs_max}), total txs bytes {held} (max: {held_max})"
            ));
        }
        if self.seen.contains(hash) {
            return Err("tx already exists in cache".to_owned());
        }
        Ok(())
    }

    /// Checks a transaction against the state that the waiting ones leave, and queues it.
    ///
    /// # Errors
    /// The refusal of the checks.
    pub(crate) fn check(&mut self, mut tx: Tx, ante: &Ante<'_>, machine: &Machine) -> Result<(), TxError> {
        let standing = self.standing(&tx.signer, machine);
        let granter = tx.granter().map(str::to_owned);
        let sponsor = granter.as_deref().map(|granter| self.sponsor(granter, &tx.signer, machine));
        let passed = ante.verify(&tx, standing.as_ref(), sponsor.as_ref())?;
        if let Some(mut standing) = standing {
            standing.sequence += 1;
            standing.public_key = standing.public_key.or(passed.key);
            if granter.is_none() {
                spend(&mut standing.balance, &tx.fee);
            }
            self.standings.insert(tx.signer.clone(), standing);
        }
        if let (Some(granter), Some(rest)) = (granter, passed.rest) {
            if let Some(mut standing) = self.standing(&granter, machine) {
                spend(&mut standing.balance, &tx.fee);
                self.standings.insert(granter.clone(), standing);
            }
            self.rests.insert((granter, tx.signer.clone()), rest);
        }
        tx.signature_checked = true;
        self.remember(tx.hash);
        self.bytes += tx.bytes.len();
        self.waiting.push_back(tx);
        Ok(())
    }

    /// An account as the waiting transactions leave it.
    fn standing(&self, address: &str, machine: &Machine) -> Option<Standing> {
        self.standings.get(address).cloned().or_else(|| machine.standing(address))
    }

    /// A granter as the waiting transactions leave it and its allowance.
    fn sponsor(&self, granter: &str, grantee: &str, machine: &Machine) -> Sponsor {
        let mut sponsor = machine.sponsor(granter, grantee);
        if let Some(standing) = self.standings.get(granter) {
            sponsor.balance.clone_from(&standing.balance);
        }
        if let Some(rest) = self.rests.get(&(granter.to_owned(), grantee.to_owned())) {
            sponsor.allowance.clone_from(rest);
        }
        sponsor
    }

    /// Takes the transactions of the next block, oldest first.
    pub(crate) fn take(&mut self, txs_max: usize) -> Vec<Tx> {
        let count = self.waiting.len().min(txs_max);
        let taken: Vec<Tx> = self.waiting.drain(..count).collect();
        self.bytes -= taken.iter().map(|tx| tx.bytes.len()).sum::<usize>();
        taken
    }

    /// Checks what still waits against the state after a block and drops what no longer passes.
    pub(crate) fn recheck(&mut self, ante: &Ante<'_>, machine: &Machine) {
        self.standings.clear();
        self.rests.clear();
        self.bytes = 0;
        for tx in std::mem::take(&mut self.waiting) {
            let hash = tx.hash;
            if self.check(tx, ante, machine).is_err() {
                self.forget(&hash);
            }
        }
    }

    /// Lets a transaction be sent again.
    pub(crate) fn forget(&mut self, hash: &Hash) {
        self.seen.remove(hash);
    }

    fn remember(&mut self, hash: Hash) {
        if self.seen.insert(hash) {
            self.seen_order.push_back(hash);
        }
        while self.seen_order.len() > SEEN_MAX {
            if let Some(oldest) = self.seen_order.pop_front() {
                self.seen.remove(&oldest);
            }
        }
    }
}

fn spend(balance: &mut [Coin], fee: &[Coin]) {
    for coin in fee {
        if let Some(held) = balance.iter_mut().find(|held| held.denom == coin.denom) {
            held.amount = held.amount.saturating_sub(coin.amount);
        }
    }
}
