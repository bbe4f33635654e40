//! Signatures of validators, all of a commit at once.

use ed25519_zebra::batch;
use ed25519_zebra::{Signature as RawSignature, VerificationKey, VerificationKeyBytes};
use tendermint::block::CommitSig;
use tendermint::block::signed_header::SignedHeader;
use tendermint::crypto::signature::{Error, Verifier};
use tendermint::validator::{Info, Set};
use tendermint::vote::{SignedVote, Type, ValidatorIndex, Vote};
use tendermint::{PublicKey, Signature};

use crate::reason::{Reason, demand};

/// Lets the light client's tally count votes by their signers alone, without looking at a signature.
///
/// What it counts is believed only after [`check_signatures`] has verified every vote of the commit, at the cost of
/// about half of one by one. `verify` is the only user, and asks for both.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unread;

impl Verifier for Unread {
    fn verify(_: PublicKey, _: &[u8], _: &Signature) -> Result<(), Error> {
        Ok(())
    }
}

/// One vote of a commit, ready to be verified.
struct Signed {
    key: VerificationKeyBytes,
    signature: RawSignature,
    message: Vec<u8>,
    is_nil: bool,
    address: tendermint::account::Id,
}

impl Signed {
    fn new(
        header: &SignedHeader,
        entry: &CommitSig,
        place: usize,
        validator: &Info,
    ) -> Result<Option<Self>, Reason> {
        let (validator_address, timestamp, signature, is_nil) = match entry {
            CommitSig::BlockIdFlagAbsent => return Ok(None),
            CommitSig::BlockIdFlagCommit { validator_address, timestamp, signature } => {
                (*validator_address, *timestamp, signature, false)
            }
            CommitSig::BlockIdFlagNil { validator_address, timestamp, signature } => {
                (*validator_address, *timestamp, signature, true)
            }
        };
        // A signature at another place would be verified with the wrong key.
        demand(validator_address == validator.address, || Reason::SignerPlace { place })?;
        let wrong = || reason(is_nil, validator_address);
        let commit = &header.commit;
        let vote = Vote {
            vote_type: Type::Precommit,
            height: commit.height,
            round: commit.round,
            block_id: (!is_nil).then_some(commit.block_id),
            timestamp: Some(timestamp),
            validator_address,
            validator_index: ValidatorIndex::try_from(place).map_err(|_| wrong())?,
            signature: signature.clone(),
            extension: Vec::new(),
            extension_signature: None,
        };
        let vote =
            SignedVote::from_vote(vote, header.header.chain_id.clone()).ok_or(Reason::SignatureMissing)?;
        let key = validator.pub_key.ed25519().ok_or_else(wrong)?;
        let key = VerificationKeyBytes::try_from(key.as_bytes()).map_err(|_| wrong())?;
        let signature = RawSignature::from_slice(vote.signature().as_bytes()).map_err(|_| wrong())?;
        Ok(Some(Self { key, signature, message: vote.sign_bytes(), is_nil, address: validator_address }))
    }

    fn is_valid(&self) -> bool {
        VerificationKey::try_from(self.key)
            .is_ok_and(|key| key.verify(&self.signature, &self.message).is_ok())
    }
}

fn reason(is_nil: bool, address: tendermint::account::Id) -> Reason {
    let address = address.to_string();
    if is_nil { Reason::NilSignature { address } } else { Reason::Signature { address } }
}

/// Verifies every vote of a commit, those for nil too, each with the key of the validator at its place (CometBFT looks
/// them up there: its types/validation.go).
///
/// The rules are those of ZIP-215, which are CometBFT's (its crypto/ed25519): a signature that the chain accepts must not
/// be refused here, or one odd validator could blind every agent. By these rules a batch says what its members say.
///
/// # Errors
/// [`Reason`], naming the first wrong one.
pub(crate) fn check_signatures(header: &SignedHeader, validators: &Set) -> Result<(), Reason> {
    let mut votes = Vec::with_capacity(header.commit.signatures.len());
    for (place, (entry, validator)) in
        header.commit.signatures.iter().zip(validators.validators()).enumerate()
    {
        votes.extend(Signed::new(header, entry, place, validator)?);
    }
    let mut all = batch::Verifier::new();
    for vote in &votes {
        all.queue((vote.key, vote.signature, &vote.message));
    }
    if all.verify(rand::thread_rng()).is_ok() {
        return Ok(());
    }
    let wrong = votes.iter().find(|vote| !vote.is_valid());
    // A batch that fails has a wrong member; were none found, the commit is refused all the same.
    let culprit = wrong.or(votes.first());
    demand(false, || culprit.map_or(Reason::CommitEmpty, |vote| reason(vote.is_nil, vote.address)))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use tendermint::crypto::default::signature::Verifier as Default;

    use super::*;

    fn both(key: &[u8], message: &[u8], signature: &[u8]) -> (bool, bool) {
        let signature = Signature::new(signature).unwrap().unwrap();
        let Some(key) = PublicKey::from_raw_ed25519(key) else { return (false, false) };
        let own = VerificationKeyBytes::try_from(key.ed25519().unwrap().as_bytes()).unwrap();
        let raw = RawSignature::from_slice(signature.as_bytes()).unwrap();
        let mut all = batch::Verifier::new();
        all.queue((own, raw, &message));
        let batched = all.verify(rand::thread_rng()).is_ok();
        let alone = VerificationKey::try_from(own).is_ok_and(|key| key.verify(&raw, message).is_ok());
        assert_eq!(batched, alone);
        (batched, <Default as Verifier>::verify(key, message, &signature).is_ok())
    }

    #[test]
    fn it_says_what_the_light_clients_own_verifier_says() {
        let own = SigningKey::from_bytes(&[7; 32]);
        let key = own.verifying_key().to_bytes();
        let good = own.sign(b"vote").to_bytes();
        assert_eq!(both(&key, b"vote", &good), (true, true));
        assert_eq!(both(&key, b"note", &good), (false, false));
        for place in 0..64 {
            let mut changed = good;
            changed[place] ^= 1;
            assert_eq!(both(&key, b"vote", &changed), (false, false), "{place}");
        }
        // A key of order eight, a commitment of nothing, and zero: valid for every message by ZIP-215, and for one
        // in eight by stricter rules.
        let odd_key =
            hex::decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").unwrap();
        let mut odd = [0; 64];
        odd[0] = 1;
        for message in 0..16_u8 {
            assert_eq!(both(&odd_key, &[message], &odd), (true, true), "{message}");
        }
        // The commitment that is not reduced, and a scalar that is not: the first is allowed, the second never.
        let unreduced =
            hex::decode("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").unwrap();
        let mut lax = odd;
        lax[..32].copy_from_slice(&unreduced);
        assert_eq!(both(&odd_key, b"any", &lax), (true, true));
        let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
        odd[32..].copy_from_slice(&order);
        assert_eq!(both(&odd_key, b"any", &odd), (false, false));
    }
}
