//! What every connection of the RPC shares.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::blocks::BlockStore;
use crate::chain::Command;
use crate::store::History;

/// How long a request waits for the chain's thread.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Websocket clients at once (CometBFT's `max_subscription_clients`).
const SOCKETS_MAX: usize = 100;

/// The chain's thread did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the chain did not answer within 60 s; it has stopped or is busy")]
pub(crate) struct Silent;

/// The state behind every handler.
pub(crate) struct Shared {
    pub(crate) chain_id: String,
    pub(crate) bech32_prefix: String,
    pub(crate) contract: String,
    pub(crate) genesis_nanos: u64,
    pub(crate) genesis_events: String,
    pub(crate) rpc_address: SocketAddr,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) history: Arc<History>,
    pub(crate) mempool_txs: AtomicUsize,
    pub(crate) mempool_bytes: AtomicUsize,
    pub(crate) sockets: Semaphore,
    stop: watch::Receiver<bool>,
    commands: mpsc::Sender<Command>,
}

impl Shared {
    pub(crate) fn new(
        config: &crate::DevnetConfig,
        born: crate::chain::Born,
        rpc_address: SocketAddr,
        commands: mpsc::Sender<Command>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            chain_id: config.chain_id.clone(),
            bech32_prefix: config.bech32_prefix.clone(),
            contract: born.contract,
            genesis_nanos: born.genesis_nanos,
            genesis_events: born.genesis_events,
            rpc_address,
            blocks: born.blocks,
            history: born.history,
            mempool_txs: AtomicUsize::new(0),
            mempool_bytes: AtomicUsize::new(0),
            sockets: Semaphore::new(SOCKETS_MAX),
            stop,
            commands,
        }
    }

    /// Waits until the devnet is told to stop.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // The sender is gone when the devnet was dropped, which stops it too.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Asks the chain's thread and waits for its answer.
    ///
    /// # Errors
    /// [`Silent`] when it has stopped or does not answer in time.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Silent> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.commands.send(command(reply)).await.map_err(|_| Silent)?;
            answer.await.map_err(|_| Silent)
        };
        tokio::time::timeout(ANSWER_TIMEOUT, asked).await.map_err(|_| Silent)?
    }
}
