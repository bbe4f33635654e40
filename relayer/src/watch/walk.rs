//! Every block from the cursor to the tip, in order.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Consumer, Counters, Cursor, Fault, Step, Tip, WatchSettings};
use crate::causes::told;
use crate::chain::{Backoff, BackoffRange, ContractEvent, Rpc, RpcError};

/// While far behind, the cursor is kept after this many blocks ..
const KEEP_BLOCKS: u64 = 1_000;
/// .. or this long, whichever comes first. Seeing them again after a crash is cheaper than a sync per block.
const KEEP_SPAN: Duration = Duration::from_millis(500);
/// A block below the tip whose results do not come in this many tries will not get any.
const NO_RESULTS_TRIES_MAX: u32 = 20;
/// An endpoint that does not answer may have kept what the others have pruned. It is waited for this many tries,
/// some minutes; a dead one must not hold the walk for ever.
const DOUBT_TRIES_MAX: u32 = 20;
/// Results follow their block within milliseconds, so the waits for them are short.
const MOMENT: BackoffRange =
    BackoffRange { first: Duration::from_millis(20), longest: Duration::from_millis(200) };

/// Walks for ever; returns only with a fault.
pub(super) async fn walk<C: Consumer>(
    rpc: &Rpc,
    settings: &WatchSettings,
    cursor: Option<&Cursor>,
    mut tips: watch::Receiver<Tip>,
    consumer: &mut C,
    counters: &Counters,
) -> Fault {
    let first = wait_above(&mut tips, None).await;
    let start = match (cursor, settings.start_after) {
        (Some(cursor), _) => cursor.height,
        (None, Some(height)) => height,
        (None, None) => first,
    };
    // Within the slack another node behind the same address is simply a little late.
    if start > first.saturating_add(rpc.settings().slack_blocks) {
        return Fault::CursorAhead { cursor: start, tip: first };
    }
    let mut walk = Walk {
        rpc,
        settings,
        consumer,
        counters,
        cursor: Cursor::at(start, &rpc.settings().chain_id, settings.contract.text()),
        kept: start,
        kept_at: Instant::now(),
        is_kept: true,
    };
    if cursor.is_none() {
        walk.keep().await;
    }
    Counters::set(&counters.cursor_height, start);
    loop {
        let tip = wait_above(&mut tips, Some(walk.cursor.height)).await;
        if let Err(fault) = walk.up_to(tip, &tips).await {
            return fault;
        }
    }
}

/// Waits for a tip, above a height if one is given.
async fn wait_above(tips: &mut watch::Receiver<Tip>, below: Option<u64>) -> u64 {
    let is_above =
        |tip: &Tip| tip.head.as_ref().is_some_and(|head| below.is_none_or(|below| head.height > below));
    let seen = tips.wait_for(is_above).await.ok().and_then(|tip| tip.head.as_ref().map(|head| head.height));
    match seen {
        Some(height) => height,
        // The publisher is gone, and with it the watcher.
        None => std::future::pending().await,
    }
}

/// What asking for one block came to.
enum Found {
    Events(Vec<ContractEvent>),
    /// The node's lowest block is this one.
    PrunedBelow(u64),
    /// No node will ever show it.
    Never,
    /// The nodes keep no results at all.
    Discarded,
}

struct Walk<'w, C> {
    rpc: &'w Rpc,
    settings: &'w WatchSettings,
    consumer: &'w mut C,
    counters: &'w Counters,
    cursor: Cursor,
    kept: u64,
    kept_at: Instant,
    is_kept: bool,
}

impl<C: Consumer> Walk<'_, C> {
    /// Applies all blocks up to `tip`. Some are asked for at once; all are applied in order.
    async fn up_to(&mut self, tip: u64, tips: &watch::Receiver<Tip>) -> Result<(), Fault> {
        while self.cursor.height < tip {
            let from = self.cursor.height.saturating_add(1);
            let (rpc, settings, counters) = (self.rpc, self.settings, self.counters);
            let mut blocks = stream::iter(from..=tip)
                .map(|height| async move { (height, find(rpc, settings, counters, height, tips).await) })
                .buffered(settings.in_flight.max(1));
            while let Some((height, found)) = blocks.next().await {
                match found {
                    Found::Events(events) => self.apply(Step::Block { height, events }).await?,
                    Found::PrunedBelow(lowest) => {
                        // What is pruned now is pruned for the requests in flight too, so the stream starts again.
                        let to = lowest.saturating_sub(1).clamp(height, tip);
                        self.gap(height, to).await?;
                        break;
                    }
                    Found::Never => self.gap(height, height).await?,
                    Found::Discarded => {
                        self.gap(height, tip).await?;
                        break;
                    }
                }
            }
        }
        self.keep().await;
        Ok(())
    }

    async fn gap(&mut self, from: u64, to: u64) -> Result<(), Fault> {
        tracing::warn!(from, to, "blocks are pruned everywhere; the state is read instead");
        self.counters.gaps.inc();
        self.counters.blocks_missed.inc_by(to.saturating_sub(from).saturating_add(1));
        self.apply(Step::Gap { from, to }).await
    }

    /// Applies a step, then moves the cursor. Never the other way round.
    async fn apply(&mut self, step: Step) -> Result<(), Fault> {
        let reaches = step.reaches();
        if matches!(step, Step::Block { .. }) {
            self.counters.blocks.inc();
        }
        self.consumer.apply(step).await?;
        self.cursor.height = reaches;
        Counters::set(&self.counters.cursor_height, reaches);
        if reaches.saturating_sub(self.kept) >= KEEP_BLOCKS || self.kept_at.elapsed() >= KEEP_SPAN {
            self.keep().await;
        }
        Ok(())
    }

    /// Keeps the cursor if it can: one that is behind only shows blocks again, so a full disk is no reason to stop.
    async fn keep(&mut self) {
        match self.cursor.keep(&self.settings.cursor_path).await {
            Ok(()) => self.is_kept = true,
            Err(error) => {
                if std::mem::replace(&mut self.is_kept, false) {
                    tracing::warn!(why = told(&error), "the cursor could not be kept; it is tried again");
                }
            }
        }
        // A failure is paced as a success is.
        self.kept = self.cursor.height;
        self.kept_at = Instant::now();
    }
}

/// Asks for one block until there is an answer, for ever if need be.
async fn find(
    rpc: &Rpc,
    settings: &WatchSettings,
    counters: &Counters,
    height: u64,
    tips: &watch::Receiver<Tip>,
) -> Found {
    let mut backoff = Backoff::new(rpc.settings().backoff);
    let mut moment = Backoff::new(MOMENT);
    let (mut empty, mut doubts) = (0_u32, 0_u32);
    loop {
        match rpc.block_events(height, &settings.contract).await {
            Ok(events) => return Found::Events(events),
            Err(RpcError::Pruned { lowest, .. }) if lowest > height => return Found::PrunedBelow(lowest),
            Err(RpcError::Discarded { .. }) => return Found::Discarded,
            Err(RpcError::InDoubt { told }) => {
                doubts = doubts.saturating_add(1);
                match *told {
                    RpcError::Pruned { lowest, .. } if doubts >= DOUBT_TRIES_MAX && lowest > height => {
                        return Found::PrunedBelow(lowest);
                    }
                    RpcError::Discarded { .. } if doubts >= DOUBT_TRIES_MAX => return Found::Discarded,
                    _ => tracing::debug!(height, "pruned at one endpoint, no answer from another"),
                }
            }
            Err(RpcError::NoResults { .. }) => {
                // The newest block's results are written a moment after the block. A block further down has had
                // its moment.
                let tip = tips.borrow().head.as_ref().map_or(0, |head| head.height);
                empty = empty.saturating_add(u32::from(height.saturating_add(1) < tip));
                if empty >= NO_RESULTS_TRIES_MAX {
                    return Found::Never;
                }
                counters.retries.inc();
                moment.rest().await;
                continue;
            }
            Err(error) => tracing::debug!(height, %error, "block not read yet"),
        }
        counters.retries.inc();
        backoff.rest().await;
    }
}
