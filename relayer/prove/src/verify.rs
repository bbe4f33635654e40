//! Verdicts on headers: one block against itself, and against a trusted one. Pure.
//!
//! The checks are those of the Tendermint light client (`tendermint-light-client-verifier`), with two additions.
//! Every signature of a commit is verified, not only as many as make two thirds: an honest commit holds no wrong one,
//! so that a wrong one tells a liar. And addresses and places are checked, which no hash covers.

use std::time::Duration;

use tendermint::block::Header;
use tendermint::{Hash, Time};
use tendermint_light_client_verifier::errors::VerificationErrorDetail as Detail;
use tendermint_light_client_verifier::operations::ProdCommitValidator;
use tendermint_light_client_verifier::operations::voting_power::ProvidedVotingPowerCalculator;
use tendermint_light_client_verifier::options::Options as VerifierOptions;
use tendermint_light_client_verifier::predicates::ProdPredicates;
use tendermint_light_client_verifier::types::{TrustThreshold, TrustedBlockState, UntrustedBlockState};
use tendermint_light_client_verifier::{PredicateVerifier, Verdict as Verified, Verifier};

use crate::block::{Block, time_text};
use crate::reason::{Reason, cut};
use crate::signature::{Unread, check_signatures};
use crate::trust::{Terms, Trusted};

/// The production verifier, with the signatures put off until the cheaper checks are through.
type Prod = PredicateVerifier<ProdPredicates, ProvidedVotingPowerCalculator<Unread>, ProdCommitValidator>;

fn verifier() -> Prod {
    PredicateVerifier::new(ProdPredicates, ProvidedVotingPowerCalculator::default(), ProdCommitValidator)
}

/// Where a verified step led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The block is verified and may be trusted.
    Verified(Box<Trusted>),
    /// The block may be good, but too few of the trusted validators are among its signers, whose signatures were not even
    /// looked at: go by a block between.
    TooFar {
        /// The trusted set's power.
        total: u64,
        /// What of it signed.
        tallied: u64,
    },
}

/// Verifies a block against a trusted one: `now` is the host's clock.
///
/// # Errors
/// [`Reason`], one for each check.
pub fn verify_header(trusted: &Trusted, block: &Block, terms: &Terms, now: Time) -> Result<Step, Reason> {
    let context = Context { trusted: Some(trusted), block, drift: terms.drift(), now };
    let options = VerifierOptions {
        trust_threshold: TrustThreshold::ONE_THIRD,
        trusting_period: terms.trusting(),
        clock_drift: terms.drift(),
    };
    let old = TrustedBlockState {
        chain_id: &trusted.header.chain_id,
        header_time: trusted.header.time,
        height: trusted.header.height,
        next_validators: &trusted.next_validators,
        next_validators_hash: trusted.header.next_validators_hash,
    };
    match verifier().verify_update_header(untrusted(block), old, &options, now) {
        Verified::Success => {}
        Verified::NotEnoughTrust(tally) => {
            return Ok(Step::TooFar { total: tally.total, tallied: tally.tallied });
        }
        Verified::Invalid(detail) => return Err(context.reason(detail)),
    }
    check_signatures(&block.signed, &block.validators)?;
    Ok(Step::Verified(Box::new(Trusted::from_verified(block))))
}

/// Verifies a block against nothing but itself: its validators are the header's, and more than two thirds of them
/// signed it. With a hash that is known from elsewhere, that is the anchor.
///
/// # Errors
/// [`Reason`], one for each check.
pub fn verify_alone(block: &Block) -> Result<(), Reason> {
    let context = Context { trusted: None, block, drift: Duration::ZERO, now: block.time() };
    let verifier = verifier();
    for verdict in
        [verifier.verify_validator_sets(&untrusted(block)), verifier.verify_commit(&untrusted(block))]
    {
        match verdict {
            Verified::Success => {}
            Verified::NotEnoughTrust(tally) => {
                return Err(Reason::Power { total: tally.total, tallied: tally.tallied });
            }
            Verified::Invalid(detail) => return Err(context.reason(detail)),
        }
    }
    check_signatures(&block.signed, &block.validators)
}

/// Verifies an older header by the one above it, which names its parent by hash.
///
/// # Errors
/// [`Reason::ParentHash`].
pub fn verify_parent(child: &Header, parent: &Header) -> Result<(), Reason> {
    let named = child.last_block_id.map_or(Hash::None, |id| id.hash);
    crate::reason::demand(named == parent.hash(), || Reason::ParentHash { height: parent.height.value() })
}

fn untrusted(block: &Block) -> UntrustedBlockState<'_> {
    UntrustedBlockState {
        signed_header: &block.signed,
        validators: &block.validators,
        next_validators: Some(&block.next_validators),
    }
}

/// What a reason tells beside the verifier's own words.
struct Context<'b> {
    trusted: Option<&'b Trusted>,
    block: &'b Block,
    drift: Duration,
    now: Time,
}

impl Context<'_> {
    fn reason(&self, detail: Detail) -> Reason {
        let found = self.block.height();
        let trusted = self.trusted.map_or(0, Trusted::height);
        match detail {
            Detail::HeaderFromTheFuture(future) => Reason::Future {
                drift_seconds: self.drift.as_secs(),
                now: time_text(self.now),
                found: time_text(future.header_time),
            },
            Detail::NotEnoughTrust(low) => {
                Reason::Power { total: low.tally.total, tallied: low.tally.tallied }
            }
            Detail::InsufficientSignersOverlap(low) => {
                Reason::Power { total: low.tally.total, tallied: low.tally.tallied }
            }
            Detail::DuplicateValidator(twice) => Reason::SignerTwice { address: twice.address.to_string() },
            Detail::MissingSignature(_) => Reason::SignatureMissing,
            Detail::InvalidSignature(wrong) => {
                Reason::Signature { address: wrong.validator.address.to_string() }
            }
            Detail::InvalidCommitValue(_) => Reason::HeaderHash,
            Detail::InvalidValidatorSet(_) => Reason::ValidatorsHash,
            // One error of the verifier for two checks: the set against its own header, and against its parent's.
            Detail::InvalidNextValidatorSet(_) => {
                if self.block.next_validators.hash() != self.block.header().next_validators_hash {
                    Reason::NextValidatorsHash
                } else {
                    Reason::Succession
                }
            }
            Detail::NonIncreasingHeight(_) => Reason::HeightBack { trusted, found },
            Detail::ChainIdMismatch(other) => {
                Reason::ChainId { expected: cut(&other.expected), found: cut(&other.got) }
            }
            Detail::NonMonotonicBftTime(back) => Reason::TimeBack {
                trusted: time_text(back.trusted_header_bft_time),
                found: time_text(back.header_bft_time),
            },
            Detail::NotWithinTrustPeriod(over) => Reason::TrustExpired {
                height: trusted,
                ended: time_text(over.expires_at),
                now: time_text(over.now),
            },
            Detail::NoSignatureForCommit(_) => Reason::CommitEmpty,
            Detail::MismatchPreCommitLength(lengths) => Reason::CommitLength {
                validators: lengths.validator_length,
                signatures: lengths.pre_commit_length,
            },
            Detail::FaultySigner(faulty) => Reason::SignerUnknown { address: faulty.signer.to_string() },
            Detail::Tendermint(_) => Reason::Malformed {
                part: "a header whose times can be added",
                why: cut(&detail_text(&detail)),
            },
        }
    }
}

fn detail_text(detail: &Detail) -> String {
    format!("{detail:?}")
}
