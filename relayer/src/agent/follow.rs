//! Follows the tip and reads the facts at it. Events only wake it; states at heights are what it hands on, older ones
//! first. The state that lets a node leave Armed is never passed over: a read that came late goes back to it.

use std::time::{Duration, Instant};

use concord_decide::{ChainView, Distrust, Input};
use concord_schema::{Height, Now, RolloutId, Seconds};
use tokio::sync::{mpsc, watch};

use super::view::Viewer;
use crate::causes::told;
use crate::chain::{Chain, Head};
use crate::watch::{Source, Tip};

/// The longest that one view may take to be read.
const READ_LONGEST: Duration = Duration::from_secs(20);
const NANOS: u64 = 1_000_000_000;

/// What is known of the chain.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// Facts at a height, and when they were read.
    View(Box<ChainView>, Instant),
    /// The source is no base for acting.
    Stale {
        /// Milliseconds since the height last rose.
        since_ms: u64,
        /// Why, for people.
        why: String,
    },
    /// What the source shows may not be believed.
    Distrusted {
        /// Of which kind.
        cause: Distrust,
        /// Why, and what to do.
        why: String,
    },
}

impl News {
    /// As the machine takes it. Facts that waited for longer than a height may stand still are those of the past: the
    /// node may leave Armed on them, as it does on each older state, and asks and stops for nothing before it has newer ones.
    #[must_use]
    pub(super) fn input(self, still_longest: Duration) -> Input {
        match self {
            Self::View(mut view, read) => {
                if read.elapsed() > still_longest {
                    view.tip = view.tip.max(Height(view.now.height.0.saturating_add(1)));
                }
                Input::Chain(view)
            }
            Self::Stale { since_ms, .. } => Input::Stale { since_ms },
            Self::Distrusted { cause, why } => Input::Distrust { cause, why },
        }
    }
}

/// The most news that wait to be taken: it reads on only when there is room, so that what is taken is new.
pub(super) const NEWS_MAX: usize = 2;

/// Reads a view for each new tip, until nobody wants it. `own`: the rollout that the node acts in. `still_longest`: a
/// height that stands still for longer is stale.
pub(super) async fn follow<C: Chain>(
    chain: C,
    mut viewer: Viewer,
    mut tips: watch::Receiver<Tip>,
    own: watch::Receiver<Option<RolloutId>>,
    still_longest: Duration,
    news: mpsc::Sender<News>,
) {
    let mut last = 0;
    while let Ok(mut room) = news.reserve_many(NEWS_MAX).await {
        let tip = tips.borrow_and_update().clone();
        let fresh = tip.still_for() <= still_longest;
        let next = match (&tip.head, &tip.source) {
            (Some(head), Source::Live) if fresh && head.height > last => {
                let acts_in = *own.borrow();
                let read = read(&chain, &mut viewer, head, head.height, acts_in).await;
                if let News::View(view, _) = &read {
                    let passed = passed_over(view, acts_in, last);
                    last = head.height;
                    if let Some(height) = passed
                        && let earlier @ News::View(..) =
                            read_at(&chain, &mut viewer, head, height, acts_in).await
                        && let Some(place) = room.next()
                    {
                        place.send(earlier);
                    }
                }
                Some(read)
            }
            (Some(_), Source::Live) if fresh => None,
            (_, Source::Distrusted { cause, why }) => {
                Some(News::Distrusted { cause: *cause, why: why.clone() })
            }
            (_, source) => Some(News::Stale { since_ms: millis(tip.still_for()), why: why(source) }),
        };
        if let (Some(next), Some(place)) = (next, room.next()) {
            place.send(next);
        }
        drop(room);
        // A tip that never comes must be noticed too.
        match tokio::time::timeout(still_longest, tips.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => return,
        }
    }
}

fn why(source: &Source) -> String {
    match source {
        Source::Connecting => "no node has answered yet".to_owned(),
        Source::Live => "the height stands still".to_owned(),
        Source::CatchingUp => "the nodes are catching up".to_owned(),
        Source::Lost { why } | Source::Distrusted { why, .. } => why.clone(),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The block that this node's lease waited for, if no view was read at it: between the newest one before (0: none)
/// and this one. Facts of before the agent's start are no base for leaving Armed.
fn passed_over(view: &ChainView, own: Option<RolloutId>, last: u64) -> Option<u64> {
    let rollouts = [view.own.as_ref(), view.rollout.as_ref()];
    let own = rollouts.into_iter().flatten().find(|rollout| Some(rollout.id) == own)?;
    let height = own.leave_height()?.0;
    (last > 0 && last < height && height < view.now.height.0).then_some(height)
}

fn stale(why: String) -> News {
    News::Stale { since_ms: 0, why }
}

async fn read_at<C: Chain>(
    chain: &C,
    viewer: &mut Viewer,
    head: &Head,
    height: u64,
    own: Option<RolloutId>,
) -> News {
    match chain.block_time_nanos(height).await {
        Ok(time_nanos) => {
            let at = Head { height, time_nanos: Some(time_nanos), ..head.clone() };
            read(chain, viewer, &at, head.height, own).await
        }
        Err(error) => stale(told(&error)),
    }
}

/// The facts in the state after block `at`; `tip` is the newest block known.
async fn read<C: Chain>(chain: &C, viewer: &mut Viewer, at: &Head, tip: u64, own: Option<RolloutId>) -> News {
    let height = Height(at.height);
    let Some(time_nanos) = at.time_nanos else {
        return stale(format!("block {height} has no time that can be read"));
    };
    let now = Now { height, time: Seconds(time_nanos / NANOS) };
    match tokio::time::timeout(READ_LONGEST, viewer.view(chain, now, Height(tip), own)).await {
        Ok(Ok(view)) => News::View(Box::new(view), Instant::now()),
        Ok(Err(error)) => stale(told(&error)),
        Err(_) => {
            stale(format!("the facts at height {height} took longer than {} s", READ_LONGEST.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests;
