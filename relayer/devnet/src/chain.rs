//! The chain's own thread: it owns the state machine, makes a block on every tick and answers the
//! commands that need the state.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use crate::ante::{self, Ante, Mode, TX_BYTES_MAX, TxError};
use crate::blocks::{Block, BlockStore, Hash, TxRecord};
use crate::config::{DevnetConfig, DevnetError, Limits};
use crate::machine::Machine;
use crate::mempool::Mempool;
use crate::query::QueryError;
use crate::shared::Shared;
use crate::store::{Change, History};

/// Commands that may wait for the chain's thread.
pub(crate) const COMMANDS_MAX: usize = 1_024;

/// Blocks that are published at once on a fast advance.
const ADVANCE_BATCH: u64 = 1_000;

/// What a broadcast came to.
pub(crate) enum Broadcast {
    /// The transaction was checked; without an error it waits for a block.
    Checked { hash: Hash, error: Option<TxError> },
    /// The mempool did not take it, in CometBFT's words.
    Refused { reason: String },
}

/// What the chain's thread is asked for.
pub(crate) enum Command {
    Broadcast { bytes: Vec<u8>, reply: oneshot::Sender<Broadcast> },
    Query { path: String, data: Vec<u8>, reply: oneshot::Sender<(u64, Result<Vec<u8>, QueryError>)> },
    Advance { blocks: u64, seconds: u64, reply: oneshot::Sender<u64> },
}

/// Chain time: genesis time, plus what passed on the host's monotonic clock, plus what was skipped.
struct Clock {
    genesis_nanos: u64,
    started: Instant,
    skipped: Duration,
}

impl Clock {
    fn start(config: &DevnetConfig) -> Self {
        let genesis = match config.genesis_time_seconds {
            Some(seconds) => Duration::from_secs(seconds),
            // A host clock before 1970 starts the chain at 1970.
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        Self { genesis_nanos: nanos(genesis), started: Instant::now(), skipped: Duration::ZERO }
    }

    fn after(&self, parent_nanos: u64) -> u64 {
        let passed = nanos(self.started.elapsed()).saturating_add(nanos(self.skipped));
        self.genesis_nanos.saturating_add(passed).max(parent_nanos + 1)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The chain. It never leaves the thread that made it.
pub(crate) struct Chain {
    machine: Machine,
    mempool: Mempool,
    config: DevnetConfig,
    limits: Limits,
    clock: Clock,
    height: u64,
    tip: Block,
    blocks: Arc<BlockStore>,
    history: Arc<History>,
    shared: Option<Arc<Shared>>,
}

/// What the readers of a new chain share with it.
pub(crate) struct Born {
    pub(crate) contract: String,
    pub(crate) genesis_nanos: u64,
    /// Events of the instantiation, as a JSON list.
    pub(crate) genesis_events: String,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) history: Arc<History>,
}

impl Chain {
    /// Makes the genesis state and block 1, which carries it.
    ///
    /// # Errors
    /// [`DevnetError::Genesis`].
    pub(crate) fn genesis(config: DevnetConfig, limits: Limits) -> Result<(Self, Born), DevnetError> {
        let clock = Clock::start(&config);
        let genesis_nanos = clock.genesis_nanos;
        let (machine, genesis) = Machine::genesis(&config, genesis_nanos)?;
        let origin = Block::origin(genesis_nanos);
        let blocks = Arc::new(BlockStore::new(origin.clone(), limits));
        let history = Arc::new(History::default());
        let mut chain = Self {
            machine,
            mempool: Mempool::new(limits),
            config,
            limits,
            clock,
            height: 0,
            tip: origin,
            blocks: Arc::clone(&blocks),
            history: Arc::clone(&history),
            shared: None,
        };
        chain.commit(genesis_nanos, Vec::new());
        let genesis_events = crate::events::list_json(&genesis.events);
        let born = Born { contract: genesis.contract, genesis_nanos, genesis_events, blocks, history };
        Ok((chain, born))
    }

    /// Makes blocks and answers commands until told to stop.
    pub(crate) async fn run(
        mut self,
        shared: Arc<Shared>,
        mut commands: mpsc::Receiver<Command>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.shared = Some(shared);
        let first = tokio::time::Instant::now() + self.config.block_time;
        let mut ticks = tokio::time::interval_at(first, self.config.block_time);
        // A slow block is followed by one tick, not by a burst that makes up for the time.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => self.make_block(),
                command = commands.recv() => match command {
                    Some(command) => self.handle(command),
                    None => return,
                },
            }
        }
    }

    fn handle(&mut self, command: Command) {
        // A client that no longer waits for its answer is no concern of the chain.
        match command {
            Command::Broadcast { bytes, reply } => {
                let _ = reply.send(self.broadcast(bytes));
            }
            Command::Query { path, data, reply } => {
                let ante = ante(&self.config, Mode::Simulate, self.height, self.tip.time_nanos);
                let answer = self.machine.query(&path, &data, &ante);
                let _ = reply.send((self.height, answer));
            }
            Command::Advance { blocks, seconds, reply } => {
                self.advance(blocks, seconds);
                let _ = reply.send(self.height);
            }
        }
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Broadcast {
        if bytes.len() > TX_BYTES_MAX {
            let found = bytes.len();
            let reason = format!("Tx too large. Max size is {TX_BYTES_MAX}, but got {found}");
            return Broadcast::Refused { reason };
        }
        let hash = ante::hash(&bytes);
        if let Err(reason) = self.mempool.room(&hash, bytes.len()) {
            return Broadcast::Refused { reason };
        }
        let ante = ante(&self.config, Mode::Check, self.height, self.tip.time_nanos);
        let checked = ante::decode(bytes).and_then(|tx| self.mempool.check(tx, &ante, &self.machine));
        self.report_mempool();
        Broadcast::Checked { hash, error: checked.err() }
    }

    /// Makes the next block of what waits.
    pub(crate) fn make_block(&mut self) {
        let time_nanos = self.clock.after(self.tip.time_nanos);
        let height = self.height + 1;
        self.machine.open_block(height, time_nanos);
        let ante = ante(&self.config, Mode::Deliver, height, time_nanos);
        let waiting = self.mempool.take(self.limits.block_txs);
        let mut records = Vec::with_capacity(waiting.len());
        for tx in waiting {
            let result = self.machine.deliver(&tx, &ante);
            if result.code != 0 {
                self.mempool.forget(&tx.hash);
            }
            records.push(TxRecord { hash: tx.hash, bytes: tx.bytes, json: result.to_json(), result });
        }
        let busy = !records.is_empty();
        self.commit(time_nanos, records);
        if busy || !self.mempool.is_empty() {
            let check = crate::chain::ante(&self.config, Mode::Check, self.height, self.tip.time_nanos);
            self.mempool.recheck(&check, &self.machine);
            self.report_mempool();
        }
    }

    /// Ends the block. The state is published before the block, so whoever sees a block can read
    /// the state after it.
    fn commit(&mut self, time_nanos: u64, txs: Vec<TxRecord>) {
        let height = self.height + 1;
        let changes = self.machine.end_block(time_nanos);
        let app_hash = app_hash(&self.tip.app_hash, &changes);
        let chain_id = &self.config.chain_id;
        let block = Block::after(&self.tip, chain_id, height, time_nanos, app_hash, txs);
        self.history.record(height, changes);
        self.blocks.push(vec![block.clone()]);
        self.tip = block;
        self.height = height;
    }

    /// Makes empty blocks and spreads the seconds over them. Waiting transactions wait on.
    fn advance(&mut self, blocks: u64, seconds: u64) {
        let skipped = Duration::from_secs(seconds);
        let (start, total) = (self.tip.time_nanos, nanos(skipped));
        let mut batch = Vec::new();
        for number in 1..=blocks {
            let share = u128::from(total) * u128::from(number) / u128::from(blocks);
            let time = start.saturating_add(u64::try_from(share).unwrap_or(u64::MAX));
            let time_nanos = time.max(self.tip.time_nanos + 1);
            self.height += 1;
            let app_hash = Arc::clone(&self.tip.app_hash);
            let chain_id = &self.config.chain_id;
            let block = Block::after(&self.tip, chain_id, self.height, time_nanos, app_hash, Vec::new());
            batch.push(block.clone());
            self.tip = block;
            if number % ADVANCE_BATCH == 0 || number == blocks {
                self.history.record(self.height, Vec::new());
                self.blocks.push(std::mem::take(&mut batch));
            }
        }
        self.clock.skipped += skipped;
        self.machine.grants.sweep(self.tip.time_nanos);
        self.machine.open_block(self.height, self.tip.time_nanos);
        let check = ante(&self.config, Mode::Check, self.height, self.tip.time_nanos);
        self.mempool.recheck(&check, &self.machine);
        self.report_mempool();
    }

    fn report_mempool(&self) {
        if let Some(shared) = &self.shared {
            let (txs, bytes) = self.mempool.load();
            shared.mempool_txs.store(txs, Ordering::Relaxed);
            shared.mempool_bytes.store(bytes, Ordering::Relaxed);
        }
    }
}

fn ante(config: &DevnetConfig, mode: Mode, height: u64, time_nanos: u64) -> Ante<'_> {
    Ante {
        mode,
        chain_id: &config.chain_id,
        height,
        time_nanos,
        bech32_prefix: &config.bech32_prefix,
        fee_denom: &config.fee_denom,
        gas_price_min_milli: config.gas_price_min_milli,
    }
}

/// The state's hash changes exactly when the state does; it proves nothing.
fn app_hash(parent: &Arc<Hash>, changes: &[Change]) -> Arc<Hash> {
    if changes.is_empty() {
        return Arc::clone(parent);
    }
    let mut hasher = Sha256::new();
    hasher.update(parent.as_slice());
    for (key, value) in changes {
        hasher.update((key.len() as u64).to_be_bytes());
        hasher.update(key);
        match value {
            Some(value) => {
                hasher.update([1]);
                hasher.update((value.len() as u64).to_be_bytes());
                hasher.update(value);
            }
            None => hasher.update([0]),
        }
    }
    Arc::new(hasher.finalize().into())
}

#[cfg(test)]
mod tests;
