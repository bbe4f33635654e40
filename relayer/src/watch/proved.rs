//! The newest state that can be proved, published in place of the newest block that a node tells of.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Source, Tip};
use crate::causes::told;
use crate::chain::{Chain, Head, RpcError};

/// The longest that one head may take to be proved.
const PROVE_LONGEST: Duration = Duration::from_secs(60);
/// Looks are at least this far apart.
const LOOK_SHORTEST: Duration = Duration::from_millis(20);
/// A state that a witness does not show yet is asked for again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What was told and is not proved after this long is taken for a lie, and no reason to hurry.
const TOLD_LONGEST: Duration = Duration::from_secs(5);
/// Without any wake-up the chain is asked this often.
const LOOK_LONGEST: Duration = Duration::from_secs(1);

/// Publishes what `chain` proves, for ever, or until nobody listens any more. What a watcher was told only wakes it: a
/// node that lies about its height must move nothing.
pub async fn publish_proved<C: Chain>(chain: C, mut woken: watch::Receiver<Tip>, proved: watch::Sender<Tip>) {
    let mut hurry = (0, Instant::now());
    while !proved.is_closed() {
        let began = Instant::now();
        let told_height = woken.borrow_and_update().head.as_ref().map_or(0, |head| head.height);
        if told_height != hurry.0 {
            hurry = (told_height, began);
        }
        let head = timeout(PROVE_LONGEST, chain.head()).await;
        let height = match &head {
            Ok(Ok(head)) => head.height,
            Ok(Err(_)) | Err(_) => 0,
        };
        note(&proved, head.unwrap_or_else(|_| Err(late())));
        // The newest block proves the state before it.
        let is_behind = told_height > height.saturating_add(1) && hurry.1.elapsed() < TOLD_LONGEST;
        let wait = if is_behind { LOOK_AGAIN } else { LOOK_LONGEST };
        // A watcher that is gone wakes nobody, and the chain is looked at all the same.
        if !matches!(timeout(wait, woken.changed()).await, Ok(Ok(()))) {
            sleep(wait.saturating_sub(began.elapsed())).await;
        }
        sleep(LOOK_SHORTEST).await;
    }
}

fn late() -> RpcError {
    let why = format!("the newest header took longer than {} s to be proved", PROVE_LONGEST.as_secs());
    RpcError::Unproved(Box::new(concord_prove::Reason::NoAnswer { why }))
}

fn note(proved: &watch::Sender<Tip>, head: Result<Head, RpcError>) {
    proved.send_if_modified(|tip| match head {
        Ok(head) => {
            let came_back = std::mem::replace(&mut tip.source, Source::Live) != Source::Live;
            let rose = tip.head.as_ref().is_none_or(|known| head.height > known.height);
            if rose {
                tip.head = Some(head);
                tip.risen = Instant::now();
            }
            rose || came_back
        }
        Err(error) => {
            let source = match source(&error) {
                Some(source) => source,
                None => return false,
            };
            let is_news = tip.source != source;
            if is_news {
                tracing::warn!(why = told(&error), "the chain is not proved");
                tip.source = source;
            }
            is_news
        }
    });
}

/// What a failure makes of the source; `None` where the next look will do.
fn source(error: &RpcError) -> Option<Source> {
    use concord_prove::Reason;
    match error {
        RpcError::Distrusted { cause, why } => Some(Source::Distrusted { cause: *cause, why: why.clone() }),
        RpcError::Unproved(reason) => match **reason {
            // A block that the chain has not made yet. How long that may last is told by the height that stands still.
            Reason::Ahead { .. } | Reason::StateAhead { .. } => None,
            Reason::CatchingUp { .. } => Some(Source::CatchingUp),
            _ => Some(Source::Lost { why: told(error) }),
        },
        error => Some(Source::Lost { why: told(error) }),
    }
}
