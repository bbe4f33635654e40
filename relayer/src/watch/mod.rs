//! Following the chain: the present first, the missed blocks behind it.
//!
//! [`Watcher`] does two things at once. It publishes the newest block as soon as it knows it ([`Tip`]), so that an
//! agent that was away acts on the present state without having walked the gap. And it walks every block from its
//! cursor to the tip, in order, and hands what the contract said to a [`Consumer`]. No block is left out without
//! being told: what a node has pruned arrives as a [`Step::Gap`].
//!
//! The cursor on disk is written after a step was applied, never before. So a killed agent sees its last steps
//! again, and misses none.

mod cursor;
mod heads;
mod proved;
mod wake;
mod walk;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use concord_decide::Distrust;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

pub use cursor::{Cursor, CursorError};
pub use proved::publish_proved;

use crate::causes::told;
use crate::chain::{Address, ContractEvent, Head, Rpc, RpcError};

/// Where the walk is and what it found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One block. Most say nothing.
    Block {
        /// Its height.
        height: u64,
        /// What the contract said, in the order of the chain.
        events: Vec<ContractEvent>,
    },
    /// Blocks that no configured node can show any more. Read the state instead of what they said.
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
}

impl Step {
    /// The height up to which everything is known after this step.
    #[must_use]
    pub fn reaches(&self) -> u64 {
        match self {
            Self::Block { height, .. } => *height,
            Self::Gap { to, .. } => *to,
        }
    }
}

/// Takes the steps, one after the other. Returning `Ok` means that the step is applied and may be forgotten.
pub trait Consumer: Send {
    /// Applies a step. The same step may come again after a crash.
    ///
    /// # Errors
    /// Any error ends the watcher with [`Fault::Consumer`]; the cursor stays before this step.
    fn apply(&mut self, step: Step) -> impl Future<Output = Result<(), ConsumerGone>> + Send;
}

/// The consumer takes no more steps.
#[derive(Debug, thiserror::Error)]
#[error("the receiver of block steps is gone")]
pub struct ConsumerGone;

/// A bounded channel takes steps too; then "applied" means "handed over", which suits wake-ups.
impl Consumer for mpsc::Sender<Step> {
    async fn apply(&mut self, step: Step) -> Result<(), ConsumerGone> {
        self.send(step).await.map_err(|_| ConsumerGone)
    }
}

/// How well the source of heads answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing was heard yet.
    Connecting,
    /// A node at the tip of the right chain answers.
    Live,
    /// The nodes answer, but are not at the tip.
    CatchingUp,
    /// No node answers usefully.
    Lost {
        /// The last failure, as text.
        why: String,
    },
    /// What the nodes show may not be believed.
    Distrusted {
        /// Of which kind.
        cause: Distrust,
        /// Why, and what to do.
        why: String,
    },
}

/// The newest block as far as known, and how fresh that knowledge is.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The newest block; `None` before the first answer.
    pub head: Option<Head>,
    /// When the height last rose, on the monotonic clock.
    pub risen: Instant,
    /// Who says so.
    pub source: Source,
}

impl Tip {
    /// Before anything was heard.
    #[must_use]
    pub fn unheard() -> Self {
        Self { head: None, risen: Instant::now(), source: Source::Connecting }
    }

    /// For how long the height has stood still. With no source at all this grows too, which is the point.
    #[must_use]
    pub fn still_for(&self) -> Duration {
        self.risen.elapsed()
    }
}

/// How to watch.
#[derive(Clone, Debug)]
pub struct WatchSettings {
    /// The contract whose events are picked out.
    pub contract: Address,
    /// The cursor's file.
    pub cursor_path: PathBuf,
    /// Where a watcher without a cursor starts: after this block. `None`: at the tip, as the present is read
    /// from state anyway.
    pub start_after: Option<u64>,
    /// The longest wait between two looks at the tip. Half the block interval is used when that is shorter.
    pub poll_longest: Duration,
    /// A height that stands still this long makes the watcher try another endpoint.
    pub still_longest: Duration,
    /// How many blocks are asked for at once.
    pub in_flight: usize,
    /// Whether to open a websocket for wake-ups.
    pub websocket: bool,
}

impl WatchSettings {
    /// Settings for one contract: from the tip, a look every second at least, another endpoint after 30 s,
    /// eight blocks in flight, with a websocket.
    #[must_use]
    pub fn new(contract: Address, cursor_path: PathBuf) -> Self {
        Self {
            contract,
            cursor_path,
            start_after: None,
            poll_longest: Duration::from_secs(1),
            still_longest: Duration::from_secs(30),
            in_flight: 8,
            websocket: true,
        }
    }
}

/// Why the watcher stopped. Each needs a human; the node keeps running meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Every endpoint serves another chain.
    #[error("the source is another chain")]
    WrongChain(#[source] RpcError),
    /// The source's height fell: a reset chain, or one restored from a backup.
    #[error("the source went back")]
    WentBack(#[source] RpcError),
    /// The cursor is ahead of the chain.
    #[error(
        "expected a chain at height {cursor} or above, as the cursor was there, found {tip}; if the chain was reset \
         on purpose, remove the cursor's file"
    )]
    CursorAhead {
        /// Where the cursor is.
        cursor: u64,
        /// Where the chain is.
        tip: u64,
    },
    /// The cursor cannot be read or kept.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// Nobody takes the steps any more.
    #[error(transparent)]
    Consumer(#[from] ConsumerGone),
}

/// What the watcher counts.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Blocks applied.
    pub blocks: Counter,
    /// Gaps told to the consumer.
    pub gaps: Counter,
    /// Blocks inside those gaps.
    pub blocks_missed: Counter,
    /// Answers from nodes that failed and were asked again.
    pub retries: Counter,
    /// Websockets lost or silent.
    pub sockets_lost: Counter,
    /// The newest height.
    pub tip_height: Gauge,
    /// The height up to which every block is applied.
    pub cursor_height: Gauge,
}

impl Counters {
    /// Puts the figures under the names of the agent's metrics page.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("watch_blocks", "Blocks applied", self.blocks.clone());
        registry.register("watch_gaps", "Gaps in the walked blocks", self.gaps.clone());
        registry.register(
            "watch_blocks_missed",
            "Blocks that no node could show",
            self.blocks_missed.clone(),
        );
        registry.register("watch_retries", "Failed calls that were repeated", self.retries.clone());
        registry.register("watch_sockets_lost", "Websockets lost or silent", self.sockets_lost.clone());
        registry.register("tip_height", "Newest block known", self.tip_height.clone());
        registry.register("cursor_height", "Every block up to here is applied", self.cursor_height.clone());
    }

    fn set(gauge: &Gauge, height: u64) {
        gauge.set(i64::try_from(height).unwrap_or(i64::MAX));
    }
}

/// Follows one contract on one chain.
#[derive(Debug)]
pub struct Watcher {
    rpc: Rpc,
    settings: WatchSettings,
    cursor: Option<Cursor>,
    tip: watch::Sender<Tip>,
    counters: Counters,
}

impl Watcher {
    /// A watcher that goes on where its cursor's file says.
    ///
    /// # Errors
    /// [`CursorError`] when the file is unreadable or about another chain or contract.
    pub fn new(rpc: Rpc, settings: WatchSettings) -> Result<Self, CursorError> {
        let cursor = Cursor::load(&settings.cursor_path, &rpc.settings().chain_id, settings.contract.text())?;
        let (tip, _) = watch::channel(Tip::unheard());
        let counters = Counters::default();
        // One round per call: repeating is the loops' own business, and never ends.
        Ok(Self { rpc: rpc.with_tries(1), settings, cursor, tip, counters })
    }

    /// The newest block, from now on.
    #[must_use]
    pub fn tip(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    /// What it counts.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Watches until a fault. Dropping the future stops it; the cursor then says what was applied and kept.
    ///
    /// # Errors
    /// [`Fault`]. Dead, late, lying or pruning nodes are no fault: they are asked again for ever.
    pub async fn run<C: Consumer>(self, mut consumer: C) -> Result<std::convert::Infallible, Fault> {
        Err(self.until_fault(&mut consumer).await)
    }

    /// Watches for ever: a fault needs a person, and is told as a lost source until it is mended. It is looked at again
    /// every `again`.
    ///
    /// # Errors
    /// [`ConsumerGone`], when nobody takes the steps any more.
    pub async fn run_on<C: Consumer>(
        mut self,
        mut consumer: C,
        again: Duration,
    ) -> Result<std::convert::Infallible, ConsumerGone> {
        loop {
            let fault = match self.until_fault(&mut consumer).await {
                Fault::Consumer(gone) => return Err(gone),
                fault => fault,
            };
            self.lose(&fault);
            loop {
                tokio::time::sleep(again).await;
                let settings = &self.settings;
                let chain_id = &self.rpc.settings().chain_id;
                match Cursor::load(&settings.cursor_path, chain_id, settings.contract.text()) {
                    Ok(cursor) => {
                        self.cursor = cursor;
                        break;
                    }
                    Err(error) => self.lose(&error.into()),
                }
            }
        }
    }

    /// Says that the source is no base for acting; once, as long as it is the same fault.
    fn lose(&self, fault: &Fault) {
        let source = Source::Lost { why: told(fault) };
        self.tip.send_if_modified(|tip| {
            let is_news = tip.source != source;
            if is_news {
                tracing::error!(why = told(fault), "the chain is not followed until this is mended");
                tip.source = source;
            }
            is_news
        });
    }

    async fn until_fault<C: Consumer>(&self, consumer: &mut C) -> Fault {
        let wake = tokio::sync::Notify::new();
        let tips = self.tip.subscribe();
        let start = self.cursor.as_ref().map_or(0, |cursor| cursor.height);
        let sockets = async {
            if self.settings.websocket {
                wake::listen(&self.rpc, &wake, &self.counters).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            fault = heads::publish(&self.rpc, &self.settings, start, &wake, &self.tip, &self.counters) => fault,
            fault = walk::walk(&self.rpc, &self.settings, self.cursor.as_ref(), tips, consumer, &self.counters) => fault,
            () = sockets => std::future::pending().await,
        }
    }
}
