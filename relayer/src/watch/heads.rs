//! The newest block, published the moment it is known.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::{Counters, Fault, Source, Tip, WatchSettings};
use crate::chain::{Backoff, Head, Rpc, RpcError};

/// No two looks at the tip are closer than this, however often a socket wakes us.
const POLL_SHORTEST: Duration = Duration::from_millis(20);

/// Looks at the tip for ever; returns only with a fault. `start`: what the cursor says, 0 without one. A tip below it is
/// never published, since nobody may act on a chain that was reset.
pub(super) async fn publish(
    rpc: &Rpc,
    settings: &WatchSettings,
    start: u64,
    wake: &Notify,
    tip: &watch::Sender<Tip>,
    counters: &Counters,
) -> Fault {
    let mut backoff = Backoff::new(rpc.settings().backoff);
    let mut pace = Pace::new(settings.poll_longest);
    let mut watchdog = Instant::now();
    loop {
        match rpc.status().await {
            Ok(head) if start > head.height.saturating_add(rpc.settings().slack_blocks) => {
                return Fault::CursorAhead { cursor: start, tip: head.height };
            }
            Ok(head) => {
                backoff.reset();
                if note(tip, head, counters) {
                    pace.rose(Instant::now());
                    watchdog = Instant::now();
                }
                sleep(POLL_SHORTEST).await;
                // A wake-up only shortens the wait: with a dead socket the poll goes on.
                let _ = timeout(pace.wait(), wake.notified()).await;
            }
            Err(error @ RpcError::WrongChainId { .. }) => return Fault::WrongChain(error),
            Err(error @ RpcError::WentBack { .. }) => return Fault::WentBack(error),
            Err(error) => {
                counters.retries.inc();
                let source = match error {
                    RpcError::CatchingUp { .. } => Source::CatchingUp,
                    _ => Source::Lost { why: error.to_string() },
                };
                tip.send_if_modified(|tip| std::mem::replace(&mut tip.source, source.clone()) != source);
                backoff.rest().await;
            }
        }
        if watchdog.elapsed() > settings.still_longest.max(pace.interval.saturating_mul(3)) {
            rpc.demote_first();
            watchdog = Instant::now();
        }
    }
}

/// Publishes a head; true when the height rose.
fn note(tip: &watch::Sender<Tip>, head: Head, counters: &Counters) -> bool {
    let mut rose = false;
    tip.send_if_modified(|tip| {
        let came_back = std::mem::replace(&mut tip.source, Source::Live) != Source::Live;
        // A small fall within the door's slack is another node behind the same address; the higher one counts.
        rose = tip.head.as_ref().is_none_or(|known| head.height > known.height);
        if rose {
            Counters::set(&counters.tip_height, head.height);
            tip.head = Some(head);
            tip.risen = Instant::now();
        }
        rose || came_back
    });
    rose
}

/// How often to look: twice a block, as far as the last blocks tell.
struct Pace {
    longest: Duration,
    interval: Duration,
    last: Option<Instant>,
}

impl Pace {
    fn new(longest: Duration) -> Self {
        Self { longest, interval: longest, last: None }
    }

    fn rose(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            // A moving mean over about four blocks.
            self.interval = (self.interval.saturating_mul(3).saturating_add(now.duration_since(last))) / 4;
        }
    }

    fn wait(&self) -> Duration {
        (self.interval / 2).clamp(POLL_SHORTEST.min(self.longest), self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_the_blocks_and_never_leaves_its_bounds() {
        let longest = Duration::from_secs(1);
        let mut pace = Pace::new(longest);
        assert_eq!(pace.wait(), longest / 2);
        let mut now = Instant::now();
        for (block_ms, shortest_ms, longest_ms) in [(100, 49, 51), (6_000, 1_000, 1_000), (1, 20, 20)] {
            for _ in 0..80 {
                now += Duration::from_millis(block_ms);
                pace.rose(now);
            }
            let wait = pace.wait().as_millis();
            assert!((shortest_ms..=longest_ms).contains(&wait), "{wait} ms for blocks of {block_ms} ms");
        }
    }
}
