//! What runs beside the loop, each part in a task of its own. None of them may end before the loop does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use concord_schema::RolloutId;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::Work;
use crate::agent::error::AgentError;
use crate::agent::follow::{News, follow};
use crate::agent::http::{Pages, serve};
use crate::agent::upkeep::say_short_floors;
use crate::agent::view::Viewer;
use crate::chain::send::Sender;
use crate::chain::{LightChain, Reader, Rpc};
use crate::report::Courier;
use crate::watch::{Consumer, ConsumerGone, Step as BlockStep, Tip, Watcher, publish_proved};

/// A watcher that met a fault looks again after this: the fault may be mended meanwhile.
const WATCH_AGAIN: Duration = Duration::from_secs(5);

/// What runs beside the loop.
pub(super) struct Parts {
    pub(super) rpc: Rpc,
    pub(super) reader: Reader,
    pub(super) watcher: Watcher,
    pub(super) courier: Courier,
    pub(super) sender: Sender,
    pub(super) own: watch::Receiver<Option<RolloutId>>,
    pub(super) floors: watch::Sender<Option<bool>>,
}

impl Parts {
    pub(super) fn spawn(
        self,
        listener: TcpListener,
        work: &Work,
        news: mpsc::Sender<News>,
    ) -> JoinSet<AgentError> {
        let (node, chain) = (&work.config.node, &work.config.chain);
        let viewer =
            Viewer::new(chain.contract.clone(), node.operator.text(), &node.component, &node.node_id);
        let (courier, sender, tips) = (self.courier, self.sender, self.watcher.tip());
        let mut tasks = JoinSet::new();
        let mut spawn = |part: Pin<Box<dyn Future<Output = AgentError> + Send>>| {
            tasks.spawn(part.in_current_span());
        };
        spawn(Box::pin(serve_pages(listener, work.pages.clone())));
        let (rpc, contract) = (self.rpc, chain.contract.clone());
        spawn(Box::pin(async move { say_short_floors(&rpc, &contract, &self.floors).await }));
        spawn(Box::pin(async move { ended("courier", courier.run(sender).await) }));
        let tips = match &self.reader {
            Reader::Plain(_) => tips,
            Reader::Proved(light) => {
                let (proved, seen) = watch::channel(Tip::unheard());
                spawn(Box::pin(prove_tips(light.clone(), tips, proved)));
                seen
            }
        };
        spawn(Box::pin(follow_chain(self.reader, viewer, tips, self.own, chain.still_longest, news)));
        spawn(Box::pin(watch_blocks(self.watcher)));
        tasks
    }
}

fn ended(part: &'static str, why: impl std::fmt::Debug) -> AgentError {
    AgentError::Ended { part, why: format!("{why:?}") }
}

/// Why the loop ends where a part of it did.
pub(super) fn gone(part: Result<AgentError, JoinError>) -> AgentError {
    part.unwrap_or_else(|error| ended("task", error.to_string()))
}

async fn serve_pages(listener: TcpListener, pages: Arc<Pages>) -> AgentError {
    ended("pages", serve(listener, pages).await)
}

async fn prove_tips(light: LightChain, told: watch::Receiver<Tip>, proved: watch::Sender<Tip>) -> AgentError {
    publish_proved(light, told, proved).await;
    ended("proof of the chain", "nobody follows it any more")
}

async fn follow_chain(
    reader: Reader,
    viewer: Viewer,
    tips: watch::Receiver<Tip>,
    own: watch::Receiver<Option<RolloutId>>,
    still: Duration,
    news: mpsc::Sender<News>,
) -> AgentError {
    follow(reader, viewer, tips, own, still, news).await;
    ended("view of the chain", "the watcher is gone")
}

/// Walks every block behind the tip. A fault of the source needs a person, and no agent dies of it: the node runs on.
async fn watch_blocks(watcher: Watcher) -> AgentError {
    match watcher.run_on(Teller, WATCH_AGAIN).await {
        Err(gone) => ended("watcher", gone),
        Ok(never) => match never {},
    }
}

/// Tells what the contract said, block by block, and what could not be seen.
struct Teller;

impl Consumer for Teller {
    async fn apply(&mut self, step: BlockStep) -> Result<(), ConsumerGone> {
        match step {
            BlockStep::Block { height, events } => {
                for event in events {
                    let kind = event.value("kind").unwrap_or("-");
                    let rollout = event.value("rollout").unwrap_or("-");
                    tracing::debug!(height, kind, rollout, "the contract says");
                }
            }
            BlockStep::Gap { from, to, .. } => {
                tracing::warn!(
                    from,
                    to,
                    "no node can show these blocks any more; the present is read from state"
                );
            }
        }
        Ok(())
    }
}
