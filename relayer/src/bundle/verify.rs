//! Goes through a bundle's proof, with no network.

use concord_prove::{Anchor, Light, Reason, Root, Step, Terms, Time, Trusted, light_block, verify_header};
use concord_schema::ProposalId;

use super::facts::facts;
use super::{Bundle, BundleError, Facts};
use crate::chain::Address;

/// What a bundle proves.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The proposal's facts.
    pub facts: Facts,
    /// How old the newest header is, in seconds, by this machine's clock: nothing later is known.
    pub age_seconds: u64,
}

/// Verifies a bundle from an anchor that the reader vouches for, about the contract that the reader names.
///
/// # Errors
/// [`BundleError`]; the first step that does not hold.
pub async fn verify(
    bundle: &Bundle,
    contract: &Address,
    anchor: Anchor,
    terms: Terms,
    now: Time,
) -> Result<Verified, BundleError> {
    let foreign = |expected: String, found: String| Err(BundleError::Foreign { expected, found });
    if bundle.contract != contract.text() {
        return foreign(contract.text().to_owned(), bundle.contract.chars().take(128).collect());
    }
    if bundle.anchor_height != anchor.height() {
        let expected = format!("anchor height {}", anchor.height());
        return foreign(expected, format!("anchor height {}", bundle.anchor_height));
    }
    let sources = std::slice::from_ref(bundle);
    let begun = Light::begin(sources, &bundle.chain_id, anchor, "", terms, now).await;
    let light = begun.verdict.proved().map_err(BundleError::unproved("the anchor"))?;
    let mut trusted = light.latest().clone();
    for height in &bundle.path {
        let what = format!("the header of height {height}");
        let stepped = step(bundle, &trusted, *height, &terms, now).await;
        trusted = stepped.map_err(BundleError::unproved(what))?;
    }
    let root = root_of(&trusted)?;
    let facts = facts(bundle, &bundle.chain_id, contract, ProposalId(bundle.proposal), &root).await?;
    let age = now.duration_since(root.time).unwrap_or_default();
    Ok(Verified { facts, age_seconds: age.as_secs() })
}

async fn step(
    bundle: &Bundle,
    trusted: &Trusted,
    height: u64,
    terms: &Terms,
    now: Time,
) -> Result<Trusted, Reason> {
    let block = light_block(bundle, height).await?;
    match verify_header(trusted, &block, terms, now)? {
        Step::Verified(next) => Ok(*next),
        Step::TooFar { total, tallied } => Err(Reason::Power { total, tallied }),
    }
}

/// What a verified header proves.
pub(super) fn root_of(trusted: &Trusted) -> Result<Root, BundleError> {
    let bytes = trusted.header().app_hash.as_bytes();
    let app_hash =
        bytes.try_into().map_err(|_| Reason::AppHash { height: trusted.height(), bytes: bytes.len() });
    let app_hash = app_hash.map_err(BundleError::unproved("any state"))?;
    Ok(Root { height: trusted.height(), time: trusted.time(), app_hash })
}
