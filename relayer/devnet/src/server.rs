//! Start and stop of a devnet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::chain::{Born, COMMANDS_MAX, Chain, Command};
use crate::config::{DevnetConfig, DevnetError, Limits};
use crate::listener::{CONNECTIONS_MAX, Seats};
use crate::rpc;
use crate::shared::Shared;

/// How long open requests may go on after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running devnet. Dropping it stops the chain and the RPC without waiting for them.
pub struct Devnet {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

/// Starts a devnet with the default [`Limits`] and returns once block 1 is made and the RPC
/// answers.
///
/// # Errors
/// [`DevnetError`] when a value, the address or the genesis state is refused.
pub async fn start(config: DevnetConfig) -> Result<Devnet, DevnetError> {
    start_bounded(config, Limits::default()).await
}

/// Starts a devnet with other bounds than the default.
///
/// # Errors
/// As [`start`].
pub async fn start_bounded(config: DevnetConfig, limits: Limits) -> Result<Devnet, DevnetError> {
    config.check()?;
    let address = config.listen;
    let refuse = move |source| DevnetError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let rpc_address = listener.local_addr().map_err(refuse)?;
    let (stop, stopped) = watch::channel(false);
    let (commands, queue) = mpsc::channel(COMMANDS_MAX);
    let (ended, end) = oneshot::channel();
    let seat = Seat { queue, stopped: stopped.clone(), ended };
    let (born, begin) = spawn_chain(config.clone(), limits, seat).await?;
    let shared = Arc::new(Shared::new(&config, born, rpc_address, commands, stopped));
    // The thread waits for this before its first tick; it is there as it has just answered.
    let _ = begin.send(Arc::clone(&shared));
    let server = serve(listener, Arc::clone(&shared));
    tracing::warn!(
        chain_id = %shared.chain_id,
        contract = %shared.contract,
        rpc = %rpc_address,
        "devnet started: for development only, it keeps nothing and proves nothing"
    );
    Ok(Devnet { shared, stop, server, ended: end })
}

/// What the chain's thread needs besides its configuration.
struct Seat {
    queue: mpsc::Receiver<Command>,
    stopped: watch::Receiver<bool>,
    ended: oneshot::Sender<()>,
}

async fn spawn_chain(
    config: DevnetConfig,
    limits: Limits,
    seat: Seat,
) -> Result<(Born, oneshot::Sender<Arc<Shared>>), DevnetError> {
    let (born, birth) = oneshot::channel();
    let (begin, begun) = oneshot::channel();
    let thread = |source| DevnetError::Thread { source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(thread)?;
    thread::Builder::new()
        .name("devnet-chain".to_owned())
        .spawn(move || {
            let Seat { queue, stopped, ended } = seat;
            match Chain::genesis(config, limits) {
                Ok((mut chain, first)) => {
                    // A weight counts from the block after it was set: whoever finds the devnet up can propose.
                    chain.make_block();
                    if born.send(Ok(first)).is_ok()
                        && let Ok(shared) = begun.blocking_recv()
                    {
                        runtime.block_on(chain.run(shared, queue, stopped));
                    }
                }
                Err(error) => drop(born.send(Err(error))),
            }
            // Nobody may be waiting for the end.
            let _ = ended.send(());
        })
        .map_err(thread)?;
    let first =
        birth.await.map_err(|_| DevnetError::Genesis { reason: "the contract panicked".to_owned() })??;
    Ok((first, begin))
}

fn serve(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    let until = {
        let shared = Arc::clone(&shared);
        async move { shared.stopped().await }
    };
    let listener = Seats::new(listener, CONNECTIONS_MAX);
    let router = rpc::router(shared);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
            tracing::error!(%error, "devnet rpc ended");
        }
    })
}

impl Devnet {
    /// Where the RPC listens.
    pub fn rpc_address(&self) -> SocketAddr {
        self.shared.rpc_address
    }

    /// Address of the contract that was instantiated at genesis.
    pub fn contract_address(&self) -> &str {
        &self.shared.contract
    }

    /// The chain id.
    pub fn chain_id(&self) -> &str {
        &self.shared.chain_id
    }

    /// Stops the chain and the RPC; open requests have two seconds to end.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let mut server = self.server;
        if tokio::time::timeout(STOP_TIMEOUT, &mut server).await.is_err() {
            server.abort();
        }
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.ended).await;
    }

    /// Waits until the chain's thread ends by itself, which it does only after a failure.
    pub async fn wait(self) {
        let _ = self.ended.await;
    }
}
