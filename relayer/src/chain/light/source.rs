//! Endpoints as sources of proofs, and which of them rest.
//!
//! The score here is another one than that of plain calls: a node that answers plain calls well may still lie about
//! state, and must not win its place back by telling the height.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use concord_prove::{Course, Question, Reason, Refusal, Source, TEXT_MAX};

use crate::causes::told;
use crate::chain::error::RpcError;
use crate::chain::{BackoffRange, Rpc};

/// A header needs a first source and a witness.
const SOURCES_MIN: usize = 2;
/// The most doublings of a rest.
const DOUBLINGS_MAX: u32 = 16;
/// Who failed is on probation for so long: it rests longer each time, and is waited for less. Doing well meanwhile
/// changes nothing, as a node that lies about values may well tell the truth about headers.
const PROBATION: Duration = Duration::from_secs(600);
/// A node on probation has this long to answer, so that one that stalls costs its whole call once and no more.
const PATIENCE: Duration = Duration::from_secs(2);

/// One endpoint of a client.
#[derive(Clone, Debug)]
pub struct RpcSource {
    rpc: Rpc,
    place: usize,
    label: String,
    patience: Option<Duration>,
}

impl Source for RpcSource {
    fn label(&self) -> String {
        self.label.clone()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let request = question.body().as_bytes().to_vec();
        let posted = self.rpc.post_to(self.place, request, question.bytes_max());
        let answer = match self.patience {
            None => posted.await,
            Some(patience) => tokio::time::timeout(patience, posted).await.map_err(|_| Reason::NoAnswer {
                why: format!("{} did not answer within {} ms", self.label, ms(patience)),
            })?,
        };
        answer.map_err(|error| match error {
            RpcError::Oversize { bytes_max, .. } => {
                Reason::Oversize { bytes_max, bytes: bytes_max.saturating_add(1) }
            }
            error => Reason::NoAnswer { why: told(&error).chars().take(TEXT_MAX).collect() },
        })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    failures: u32,
    failed: Option<Instant>,
    until: Option<Instant>,
}

impl Rest {
    fn is_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    /// Failures that count still.
    fn failures(&self, now: Instant) -> u32 {
        let is_new = |failed: Instant| now.saturating_duration_since(failed) < PROBATION;
        if self.failed.is_some_and(is_new) { self.failures } else { 0 }
    }

    /// Takes one more failure; how long the node rests.
    fn fail(&mut self, now: Instant, range: BackoffRange) -> Duration {
        let failures = self.failures(now);
        let span = range.first.saturating_mul(1 << failures.min(DOUBLINGS_MAX)).min(range.longest);
        *self =
            Self { failures: failures.saturating_add(1), failed: Some(now), until: now.checked_add(span) };
        span
    }
}

/// All endpoints of a client.
#[derive(Debug)]
pub(super) struct Sources {
    rpc: Rpc,
    labels: Vec<String>,
    rests: Mutex<Vec<Rest>>,
}

impl Sources {
    pub(super) fn new(rpc: Rpc) -> Self {
        let labels = rpc.labels();
        let rests = Mutex::new(vec![Rest::default(); labels.len()]);
        Self { rpc, labels, rests }
    }

    fn rests(&self) -> MutexGuard<'_, Vec<Rest>> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to ask, the best one first. Who rests is left out, as long as a first source and a witness remain: a node
    /// that stalls would else delay every header by a whole call.
    pub(super) fn ordered(&self) -> Vec<RpcSource> {
        let now = Instant::now();
        let rests = self.rests();
        let mut places: Vec<(bool, u32, usize)> = rests
            .iter()
            .enumerate()
            .map(|(place, rest)| (rest.is_on(now), rest.failures(now), place))
            .collect();
        places.sort_unstable();
        let awake = places.iter().filter(|(rests, ..)| !rests).count();
        places.truncate(awake.max(SOURCES_MIN));
        let source = |(_, failures, place): (bool, u32, usize)| {
            let label = self.labels.get(place).cloned().unwrap_or_default();
            RpcSource { rpc: self.rpc.clone(), place, label, patience: (failures > 0).then_some(PATIENCE) }
        };
        places.into_iter().map(source).collect()
    }

    /// Notes how the sources that were asked did. Waiting blames nobody.
    pub(super) fn judge(&self, asked: &[RpcSource], refusals: &[Refusal]) {
        for (index, source) in asked.iter().enumerate() {
            let mut own = refusals.iter().filter(|refusal| refusal.source == index);
            let blamed = own.find(|refusal| refusal.reason.course() == Course::NextSource);
            let mut rests = self.rests();
            let (Some(Refusal { reason, .. }), Some(rest)) = (blamed, rests.get_mut(source.place)) else {
                continue;
            };
            let rests_ms = ms(rest.fail(Instant::now(), self.rpc.settings().backoff));
            drop(rests);
            tracing::warn!(endpoint = source.label, reason = reason.name(), why = %reason, rests_ms, "an endpoint does not prove what it shows");
            self.rpc.blame(source.place);
        }
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_with_each_failure_until_probation_is_over() {
        let range = BackoffRange { first: Duration::from_millis(250), longest: Duration::from_millis(1_500) };
        let mut rest = Rest::default();
        let began = Instant::now();
        let spans: Vec<u64> = (0..4).map(|_| ms(rest.fail(began, range))).collect();
        assert_eq!(spans, [250, 500, 1_000, 1_500]);
        assert!(rest.is_on(began) && !rest.is_on(began + range.longest));
        let just_before = began + PROBATION - Duration::from_millis(1);
        assert_eq!((rest.failures(just_before), rest.failures(began + PROBATION)), (4, 0));
        assert_eq!(ms(rest.fail(began + PROBATION, range)), 250, "it begins anew");
    }
}
