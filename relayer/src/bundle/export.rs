//! Makes a bundle: goes the whole way of a proof by one node, and keeps what it answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use concord_prove::{
    Anchor, BLOCKS_MAX, Light, Question, Reason, Source, Step, Terms, Time, light_block, standing,
    verify_header,
};
use concord_schema::ProposalId;
use serde_json::Value;

use super::facts::facts;
use super::verify::root_of;
use super::{Bundle, BundleError, Facts, VERSION};
use crate::chain::Address;

/// A node whose answers are kept.
struct Recorder<'s, S> {
    source: &'s S,
    answers: Mutex<BTreeMap<String, Value>>,
}

impl<S: Source> Source for Recorder<'_, S> {
    fn label(&self) -> String {
        self.source.label()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let body = self.source.ask(question).await?;
        // What is no JSON is refused by its reader in a moment, and the whole recording with it.
        if let Ok(answer) = serde_json::from_slice(&body) {
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(question.name(), answer);
        }
        Ok(body)
    }
}

/// What a bundle is to be about.
#[derive(Clone, Debug)]
pub struct Order {
    /// The chain.
    pub chain_id: String,
    /// The coordinator.
    pub contract: Address,
    /// The proposal.
    pub proposal: ProposalId,
    /// Where the reader's trust begins.
    pub anchor: Anchor,
    /// For how long headers are trusted.
    pub terms: Terms,
}

/// Makes a bundle about the newest state that can be proved, from the first source by which that goes to its end. With
/// two sources or more, the newest header is one that two of them show; with one there is no witness.
///
/// # Errors
/// [`BundleError`], the first source's where none will do.
pub async fn export<S: Source>(
    sources: &[S],
    order: &Order,
    now: Time,
) -> Result<(Bundle, Facts), BundleError> {
    let target = target(sources, order, now).await.map_err(BundleError::unproved("the newest header"))?;
    let mut failed = None;
    for source in sources {
        match record(source, order, target, now).await {
            Ok(done) => return Ok(done),
            Err(error) => {
                tracing::warn!(endpoint = source.label(), %error, "no bundle can be made from this endpoint");
                failed = failed.or(Some(error));
            }
        }
    }
    Err(failed.unwrap_or_else(|| BundleError::unproved("anything")(Reason::Sources { found: 0 })))
}

async fn target<S: Source>(sources: &[S], order: &Order, now: Time) -> Result<u64, Reason> {
    if let [only] = sources {
        return Ok(standing(only, &order.chain_id).await?.latest);
    }
    let begun = Light::begin(sources, &order.chain_id, order.anchor, "", order.terms, now).await;
    let mut light = begun.verdict.proved()?;
    Ok(light.tip(sources, now).await.verdict.proved()?.height)
}

async fn record<S: Source>(
    source: &S,
    order: &Order,
    target: u64,
    now: Time,
) -> Result<(Bundle, Facts), BundleError> {
    let recorder = [Recorder { source, answers: Mutex::default() }];
    let begun = Light::begin(&recorder, &order.chain_id, order.anchor, "", order.terms, now).await;
    let light = begun.verdict.proved().map_err(BundleError::unproved("the anchor"))?;
    let [recorder] = &recorder;
    let climbed = climb(recorder, &light, target, &order.terms, now).await;
    let (path, trusted) = climbed.map_err(BundleError::unproved(format!("the header of height {target}")))?;
    let root = root_of(&trusted)?;
    let facts = facts(recorder, &order.chain_id, &order.contract, order.proposal, &root).await?;
    let answers = std::mem::take(&mut *recorder.answers.lock().unwrap_or_else(PoisonError::into_inner));
    let bundle = Bundle {
        version: VERSION,
        chain_id: order.chain_id.clone(),
        contract: order.contract.text().to_owned(),
        proposal: order.proposal.0,
        anchor_height: order.anchor.height(),
        path,
        answers,
    };
    Ok((bundle, facts))
}

/// The heights by which the target is reached, halving where too few of the trusted validators signed.
async fn climb<S: Source>(
    source: &S,
    light: &Light,
    target: u64,
    terms: &Terms,
    now: Time,
) -> Result<(Vec<u64>, concord_prove::Trusted), Reason> {
    let mut trusted = light.latest().clone();
    let (mut path, mut ahead) = (Vec::new(), vec![target]);
    let mut fetched = 0_usize;
    while let Some(height) = ahead.last().copied() {
        fetched = fetched.saturating_add(1);
        if fetched > BLOCKS_MAX {
            let trusted = light.latest().height();
            return Err(Reason::TooManyBlocks { blocks_max: BLOCKS_MAX, trusted, target });
        }
        let block = light_block(source, height).await?;
        match verify_header(&trusted, &block, terms, now)? {
            Step::Verified(next) => {
                trusted = *next;
                path.push(height);
                ahead.pop();
            }
            Step::TooFar { total, tallied } => {
                let middle = trusted.height().midpoint(height);
                if middle <= trusted.height() {
                    return Err(Reason::Power { total, tallied });
                }
                ahead.push(middle);
            }
        }
    }
    Ok((path, trusted))
}
