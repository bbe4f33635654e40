//! The newest state that can be proved, published in place of the newest block that a node tells of.

use std::time::Duration;

use concord_prove::Reason;
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
/// For so long after a proof, what only waits for a block or a witness is no reason to stop acting: a witness that
/// restarts would else cost every lease. The facts of then are no older than a slow block makes them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Without any wake-up the chain is asked this often.
const LOOK_LONGEST: Duration = Duration::from_secs(1);

/// Publishes what `chain` proves, for ever, or until nobody listens any more. What a watcher was told only wakes it: a
/// node that lies about its height must move nothing.
pub async fn publish_proved<C: Chain>(chain: C, mut woken: watch::Receiver<Tip>, proved: watch::Sender<Tip>) {
    let mut hurry = (0, Instant::now());
    let mut proof = None;
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
        if height > 0 {
            proof = Some(Instant::now());
        }
        let since_proof = proof.map_or(Duration::MAX, |proof| proof.elapsed());
        note(&proved, head.unwrap_or_else(|_| Err(late())), since_proof);
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
    RpcError::Unproved(Box::new(Reason::NoAnswer { why }))
}

fn note(proved: &watch::Sender<Tip>, head: Result<Head, RpcError>, since_proof: Duration) {
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
            let Some(source) = source(&error, since_proof) else { return false };
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
fn source(error: &RpcError, since_proof: Duration) -> Option<Source> {
    match error {
        RpcError::Distrusted { cause, why } => Some(Source::Distrusted { cause: *cause, why: why.clone() }),
        RpcError::Unproved(reason) => match **reason {
            Reason::CatchingUp { .. } => Some(Source::CatchingUp),
            Reason::Ahead { .. } | Reason::StateAhead { .. } | Reason::NoWitness { .. }
                if since_proof < PATIENCE =>
            {
                None
            }
            _ => Some(Source::Lost { why: told(error) }),
        },
        error => Some(Source::Lost { why: told(error) }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use concord_decide::Distrust;
    use serde_json::Value;

    use super::*;
    use crate::chain::{Address, At};

    const LONGEST: Duration = Duration::from_secs(20);

    fn unproved(reason: Reason) -> RpcError {
        RpcError::Unproved(Box::new(reason))
    }

    fn forked() -> RpcError {
        RpcError::Distrusted { cause: Distrust::Forked, why: "two headers".to_owned() }
    }

    #[test]
    fn waiting_for_a_witness_is_no_loss_for_a_while_and_all_else_is_at_once() {
        let lost = |source: Option<Source>| matches!(source, Some(Source::Lost { .. }));
        let waits = [
            Reason::NoWitness { height: 9 },
            Reason::Ahead { asked: 9, latest: 8 },
            Reason::StateAhead { asked: 9, latest: 9 },
        ];
        let just_before = PATIENCE - Duration::from_millis(1);
        for reason in waits {
            let error = unproved(reason);
            assert_eq!(source(&error, just_before), None, "{error}");
            assert!(lost(source(&error, PATIENCE)) && lost(source(&error, Duration::MAX)), "{error}");
        }
        assert_eq!(
            source(&unproved(Reason::CatchingUp { height: 9 }), Duration::ZERO),
            Some(Source::CatchingUp)
        );
        assert!(lost(source(&unproved(Reason::ValueDiffers), Duration::ZERO)));
        assert!(matches!(
            source(&forked(), Duration::ZERO),
            Some(Source::Distrusted { cause: Distrust::Forked, .. })
        ));
    }

    /// Tells one head after the other, the last one again and again.
    #[derive(Clone)]
    struct Told(Arc<Mutex<VecDeque<Result<u64, ()>>>>);

    impl Chain for Told {
        async fn head(&self) -> Result<Head, RpcError> {
            let mut heads = self.0.lock().unwrap();
            let next = if heads.len() > 1 { heads.pop_front() } else { heads.front().copied() };
            let height = next.unwrap().map_err(|()| forked())?;
            Ok(Head { height, time_nanos: Some(height), lowest: 1 })
        }

        async fn block_time_nanos(&self, _: u64) -> Result<u64, RpcError> {
            unreachable!("only heads are asked for")
        }

        async fn raw(&self, _: &Address, _: &[u8], _: u64) -> Result<Option<Vec<u8>>, RpcError> {
            unreachable!("only heads are asked for")
        }

        async fn smart(&self, _: &Address, _: &Value, _: At) -> Result<Vec<u8>, RpcError> {
            unreachable!("only heads are asked for")
        }
    }

    #[tokio::test]
    async fn what_is_told_wakes_and_only_what_is_proved_is_published() {
        let heads = Told(Arc::new(Mutex::new([Ok(7)].into())));
        let (told, woken) = watch::channel(Tip::unheard());
        let (proved, mut seen) = watch::channel(Tip::unheard());
        let task = tokio::spawn(publish_proved(heads.clone(), woken, proved));
        let mut until = async |what: &str, is_so: &(dyn Fn(&Tip) -> bool + Sync)| {
            let waited = timeout(LONGEST, seen.wait_for(|tip| is_so(tip))).await;
            waited.unwrap_or_else(|_| panic!("{what}")).unwrap().clone()
        };
        let at = |height: u64| {
            move |tip: &Tip| {
                tip.source == Source::Live && tip.head.as_ref().is_some_and(|head| head.height == height)
            }
        };
        until("a proved head", &at(7)).await;
        // A node that lies about its height wakes it, and moves nothing.
        told.send_modify(|tip| tip.head = Some(Head { height: 9_999, time_nanos: None, lowest: 1 }));
        heads.0.lock().unwrap().push_back(Ok(8));
        let tip = until("the next head", &at(8)).await;
        assert_eq!(tip.head.unwrap().time_nanos, Some(8));
        heads.0.lock().unwrap().push_back(Err(()));
        until(
            "distrust",
            &|tip| matches!(&tip.source, Source::Distrusted { why, .. } if why == "two headers"),
        )
        .await;
        heads.0.lock().unwrap().push_back(Ok(8));
        until("the same head, believed again", &at(8)).await;
        // It goes on without the watcher, and ends with its listener.
        drop(told);
        heads.0.lock().unwrap().push_back(Ok(9));
        until("a head that nobody told of", &at(9)).await;
        drop(seen);
        timeout(LONGEST, task).await.unwrap().unwrap();
    }
}
