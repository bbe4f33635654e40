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

/// One endpoint.
#[derive(Clone, Debug)]
pub(super) struct RpcSource {
    rpc: Rpc,
    place: usize,
    label: String,
}

impl Source for RpcSource {
    fn label(&self) -> String {
        self.label.clone()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let request = question.body().as_bytes().to_vec();
        self.rpc.post_to(self.place, request, question.bytes_max()).await.map_err(|error| match error {
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
    until: Option<Instant>,
}

impl Rest {
    fn is_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
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
        let mut places: Vec<(bool, u32, usize)> =
            rests.iter().enumerate().map(|(place, rest)| (rest.is_on(now), rest.failures, place)).collect();
        places.sort_unstable();
        let awake = places.iter().filter(|(rests, ..)| !rests).count();
        places.truncate(awake.max(SOURCES_MIN));
        let source = |(_, _, place): (bool, u32, usize)| {
            let label = self.labels.get(place).cloned().unwrap_or_default();
            RpcSource { rpc: self.rpc.clone(), place, label }
        };
        places.into_iter().map(source).collect()
    }

    /// Notes how the sources that were asked did. Waiting blames nobody.
    pub(super) fn judge(&self, asked: &[RpcSource], refusals: &[Refusal], has_proof: bool) {
        let BackoffRange { first, longest } = self.rpc.settings().backoff;
        for (index, source) in asked.iter().enumerate() {
            let mut own = refusals.iter().filter(|refusal| refusal.source == index);
            let blamed = own.find(|refusal| refusal.reason.course() == Course::NextSource);
            let mut rests = self.rests();
            let Some(rest) = rests.get_mut(source.place) else { continue };
            if let Some(Refusal { reason, .. }) = blamed {
                let span = first.saturating_mul(1 << rest.failures.min(DOUBLINGS_MAX)).min(longest);
                rest.failures = rest.failures.saturating_add(1);
                rest.until = Some(Instant::now() + span);
                tracing::warn!(endpoint = source.label, reason = reason.name(), why = %reason, rests_ms = ms(span), "an endpoint does not prove what it shows");
                self.rpc.blame(source.place);
            } else if has_proof && !refusals.iter().any(|refusal| refusal.source == index) {
                *rest = Rest::default();
            }
        }
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
