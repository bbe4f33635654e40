//! Follows the tip and reads the facts at it. Events only wake it; a state at a height is what it hands on, and the
//! newest replaces an older one that nobody took.

use std::time::Duration;

use concord_decide::{ChainView, Input};
use concord_schema::{Height, Now, RolloutId, Seconds};
use tokio::sync::watch;

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
    /// Facts at a height.
    View(Box<ChainView>),
    /// The source is no base for acting.
    Stale {
        /// Milliseconds since the height last rose.
        since_ms: u64,
        /// Why, for people.
        why: String,
    },
}

impl News {
    /// As the machine takes it.
    #[must_use]
    pub(super) fn input(self) -> Input {
        match self {
            Self::View(view) => Input::Chain(view),
            Self::Stale { since_ms, .. } => Input::Stale { since_ms },
        }
    }
}

/// Reads a view for each new tip, until nobody wants it. `own`: the rollout that the node acts in. `still_longest`: a
/// height that stands still for longer is stale.
pub(super) async fn follow<C: Chain>(
    chain: C,
    mut viewer: Viewer,
    mut tips: watch::Receiver<Tip>,
    own: watch::Receiver<Option<RolloutId>>,
    still_longest: Duration,
    news: watch::Sender<Option<News>>,
) {
    let mut last = 0;
    loop {
        let tip = tips.borrow_and_update().clone();
        let fresh = tip.still_for() <= still_longest;
        let next = match (&tip.head, &tip.source) {
            (Some(head), Source::Live) if fresh && head.height > last => {
                let acts_in = *own.borrow();
                let read = read(&chain, &mut viewer, head, acts_in).await;
                if matches!(read, News::View(_)) {
                    last = head.height;
                }
                Some(read)
            }
            (Some(_), Source::Live) if fresh => None,
            (_, source) => Some(News::Stale { since_ms: millis(tip.still_for()), why: why(source) }),
        };
        if let Some(next) = next {
            news.send_replace(Some(next));
        }
        if news.is_closed() {
            return;
        }
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
        Source::Lost { why } => why.clone(),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

async fn read<C: Chain>(chain: &C, viewer: &mut Viewer, head: &Head, own: Option<RolloutId>) -> News {
    let height = Height(head.height);
    let stale = |why: String| News::Stale { since_ms: 0, why };
    let Some(time_nanos) = head.time_nanos else {
        return stale(format!("block {height} has no time that can be read"));
    };
    let now = Now { height, time: Seconds(time_nanos / NANOS) };
    match tokio::time::timeout(READ_LONGEST, viewer.view(chain, now, height, own)).await {
        Ok(Ok(view)) => News::View(Box::new(view)),
        Ok(Err(error)) => stale(told(&error)),
        Err(_) => {
            stale(format!("the facts at height {height} took longer than {} s", READ_LONGEST.as_secs()))
        }
    }
}
