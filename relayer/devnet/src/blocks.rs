//! The blocks that were made, shared with every reader of the RPC.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::broadcast;

use crate::config::Limits;
use crate::events::TxResult;

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// Blocks that a slow websocket client may lag behind before it misses some.
const NOTICES_MAX: usize = 256;

/// A transaction of a block. The result's JSON is rendered once, as it is read often.
pub(crate) struct TxRecord {
    pub(crate) hash: Hash,
    pub(crate) bytes: Vec<u8>,
    pub(crate) result: TxResult,
    pub(crate) json: String,
}

/// A block as it is kept: an empty one takes some 64 bytes.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) time_nanos: u64,
    pub(crate) hash: Hash,
    /// The state's hash after this block; the header of the next block carries it.
    pub(crate) app_hash: Arc<Hash>,
    pub(crate) txs: Option<Arc<[TxRecord]>>,
}

impl Block {
    /// The state before block 1.
    pub(crate) fn origin(time_nanos: u64) -> Self {
        Self { time_nanos, hash: [0; 32], app_hash: Arc::new(Sha256::digest(b"").into()), txs: None }
    }

    /// The transactions of the block.
    pub(crate) fn txs(&self) -> &[TxRecord] {
        self.txs.as_deref().unwrap_or_default()
    }

    /// The hash over the transactions of the block.
    pub(crate) fn data_hash(&self) -> Hash {
        let mut hasher = Sha256::new();
        for tx in self.txs() {
            hasher.update(tx.hash);
        }
        hasher.finalize().into()
    }

    /// The block after `parent`. Its hash covers chain id, height, time, parent, state and
    /// transactions; it is not CometBFT's header hash, as nobody signs or proves it.
    pub(crate) fn after(
        parent: &Self,
        chain_id: &str,
        height: u64,
        time_nanos: u64,
        app_hash: Arc<Hash>,
        txs: Vec<TxRecord>,
    ) -> Self {
        let mut block =
            Self { time_nanos, hash: [0; 32], app_hash, txs: (!txs.is_empty()).then(|| txs.into()) };
        let mut hasher = Sha256::new();
        hasher.update(chain_id.as_bytes());
        hasher.update(height.to_be_bytes());
        hasher.update(time_nanos.to_be_bytes());
        hasher.update(parent.hash);
        hasher.update(parent.app_hash.as_slice());
        hasher.update(block.data_hash());
        block.hash = hasher.finalize().into();
        block
    }
}

/// Why a height has no block. The texts are CometBFT's (`rpc/core/env.go`).
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum BlockError {
    #[error("height must be greater than 0, but got {height}")]
    NotPositive { height: i64 },
    #[error("height {height} must be less than or equal to the current blockchain height {latest}")]
    Future { height: u64, latest: u64 },
    #[error("height {height} is not available, lowest height is {lowest}")]
    Pruned { height: u64, lowest: u64 },
}

struct Rows {
    lowest: u64,
    blocks: VecDeque<Block>,
    /// The parent of the lowest block, which its header refers to.
    parent: Block,
    index: HashMap<Hash, (u64, usize)>,
    with_txs: BTreeSet<u64>,
    txs: usize,
}

/// One block, its parent and its height.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) height: u64,
    pub(crate) block: Block,
    pub(crate) parent: Block,
}

/// A transaction in its place.
#[derive(Clone)]
pub(crate) struct TxPlace {
    pub(crate) height: u64,
    pub(crate) index: usize,
    txs: Arc<[TxRecord]>,
}

impl TxPlace {
    /// The transaction.
    pub(crate) fn tx(&self) -> Option<&TxRecord> {
        self.txs.get(self.index)
    }
}

/// The last blocks of the chain.
pub(crate) struct BlockStore {
    rows: RwLock<Rows>,
    limits: Limits,
    notices: broadcast::Sender<u64>,
}

impl BlockStore {
    /// A store before block 1; `origin` stands as the parent of block 1.
    pub(crate) fn new(origin: Block, limits: Limits) -> Self {
        Self {
            rows: RwLock::new(Rows {
                lowest: 1,
                blocks: VecDeque::new(),
                parent: origin,
                index: HashMap::new(),
                with_txs: BTreeSet::new(),
                txs: 0,
            }),
            limits,
            notices: broadcast::channel(NOTICES_MAX).0,
        }
    }

    /// Appends blocks in order, prunes the oldest and tells the subscribers.
    pub(crate) fn push(&self, blocks: Vec<Block>) {
        let mut heights = Vec::with_capacity(blocks.len());
        {
            let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
            for block in blocks {
                heights.push(rows.push(block));
            }
            rows.prune(&self.limits);
        }
        for height in heights {
            // Nobody may be subscribed.
            let _ = self.notices.send(height);
        }
    }

    /// Heights as they are made. A reader that falls behind by 256 blocks misses some.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<u64> {
        self.notices.subscribe()
    }

    /// The lowest and the latest height kept.
    pub(crate) fn range(&self) -> RangeInclusive<u64> {
        let rows = self.read();
        rows.lowest..=rows.latest()
    }

    /// The block at a height, the latest without one.
    ///
    /// # Errors
    /// [`BlockError`] when no block is kept at that height.
    pub(crate) fn view(&self, height: Option<i64>) -> Result<View, BlockError> {
        self.read().view(height)
    }

    /// The latest block's height and its copy, also right at the start.
    pub(crate) fn tip(&self) -> (u64, Block) {
        let rows = self.read();
        let block = rows.blocks.back().unwrap_or(&rows.parent).clone();
        (rows.latest(), block)
    }

    /// Runs `read` on one block without copying it.
    pub(crate) fn with_block<T>(
        &self,
        height: Option<i64>,
        read: impl FnOnce(u64, &Block) -> T,
    ) -> Result<T, BlockError> {
        let rows = self.read();
        let height = rows.resolve(height)?;
        let block = rows.at(height).ok_or(BlockError::Pruned { height, lowest: rows.lowest })?;
        Ok(read(height, block))
    }

    /// The transaction of a hash.
    pub(crate) fn find(&self, hash: &Hash) -> Option<TxPlace> {
        let rows = self.read();
        let (height, index) = *rows.index.get(hash)?;
        let txs = Arc::clone(rows.at(height)?.txs.as_ref()?);
        Some(TxPlace { height, index, txs })
    }

    /// The transactions of a range of heights, ascending. Only the blocks that have some are
    /// visited.
    pub(crate) fn txs_between(&self, heights: RangeInclusive<u64>) -> Vec<(u64, Arc<[TxRecord]>)> {
        if heights.is_empty() {
            return Vec::new();
        }
        let rows = self.read();
        rows.with_txs
            .range(heights)
            .filter_map(|height| Some((*height, Arc::clone(rows.at(*height)?.txs.as_ref()?))))
            .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Places every transaction of one block.
pub(crate) fn places(height: u64, txs: &Arc<[TxRecord]>) -> impl Iterator<Item = TxPlace> {
    let txs = Arc::clone(txs);
    (0..txs.len()).map(move |index| TxPlace { height, index, txs: Arc::clone(&txs) })
}

impl Rows {
    fn latest(&self) -> u64 {
        // `lowest` starts at 1, so this is 0 before block 1.
        self.lowest + self.blocks.len() as u64 - 1
    }

    fn at(&self, height: u64) -> Option<&Block> {
        let offset = usize::try_from(height.checked_sub(self.lowest)?).ok()?;
        self.blocks.get(offset)
    }

    fn resolve(&self, height: Option<i64>) -> Result<u64, BlockError> {
        let latest = self.latest();
        let Some(asked) = height else {
            return Ok(latest);
        };
        let height = match u64::try_from(asked) {
            Ok(height) if height > 0 => height,
            _ => return Err(BlockError::NotPositive { height: asked }),
        };
        if height > latest {
            return Err(BlockError::Future { height, latest });
        }
        if height < self.lowest {
            let lowest = self.lowest;
            return Err(BlockError::Pruned { height, lowest });
        }
        Ok(height)
    }

    fn view(&self, height: Option<i64>) -> Result<View, BlockError> {
        let height = self.resolve(height)?;
        let lowest = self.lowest;
        let block = self.at(height).ok_or(BlockError::Pruned { height, lowest })?;
        let parent = self.at(height - 1).unwrap_or(&self.parent);
        Ok(View { height, block: block.clone(), parent: parent.clone() })
    }

    fn push(&mut self, block: Block) -> u64 {
        let height = self.lowest + self.blocks.len() as u64;
        if !block.txs().is_empty() {
            self.with_txs.insert(height);
            self.txs += block.txs().len();
            for (index, tx) in block.txs().iter().enumerate() {
                self.index.insert(tx.hash, (height, index));
            }
        }
        self.blocks.push_back(block);
        height
    }

    fn prune(&mut self, limits: &Limits) {
        let blocks_max = limits.blocks_kept.max(1);
        while self.blocks.len() as u64 > blocks_max || (self.txs > limits.txs_kept && self.blocks.len() > 1) {
            let Some(block) = self.blocks.pop_front() else {
                return;
            };
            for tx in block.txs() {
                // A transaction that failed may have been sent again and stand in a later block.
                if self.index.get(&tx.hash).is_some_and(|(at, _)| *at == self.lowest) {
                    self.index.remove(&tx.hash);
                }
            }
            self.txs -= block.txs().len();
            self.with_txs.remove(&self.lowest);
            self.parent = block;
            self.lowest += 1;
        }
    }
}

#[cfg(test)]
mod tests;
