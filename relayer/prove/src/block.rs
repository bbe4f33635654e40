//! A light block: a header, who signed it, and who signs the next one.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tendermint::block::Header;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::{Info, Set};
use tendermint::vote::Power;
use tendermint::{Hash, PublicKey, Time, account};

use crate::reason::{Reason, cut, demand};
use crate::wire::VALIDATORS_MAX;

/// A validator as it is told: address, key and power. The address is only believed when it is the key's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    address: account::Id,
    pub_key: PublicKey,
    voting_power: Power,
}

/// Puts members in the chain's order.
///
/// # Errors
/// [`Reason`] for an address that is not the key's, a member that comes twice, and powers that are no powers. None
/// of these would be noticed by the set's hash, which covers keys and powers only.
pub fn assemble(members: Vec<Member>) -> Result<Set, Reason> {
    let count = members.len();
    demand(count <= VALIDATORS_MAX, || Reason::ValidatorsTooMany {
        count_max: VALIDATORS_MAX,
        found: count,
    })?;
    let mut total = 0_u64;
    let mut infos = Vec::with_capacity(count);
    for member in members {
        let expected = account::Id::from(member.pub_key);
        demand(member.address == expected, || Reason::ValidatorAddress {
            expected: expected.to_string(),
            found: member.address.to_string(),
        })?;
        demand(member.voting_power.value() > 0, || Reason::ValidatorPower)?;
        total = total.saturating_add(member.voting_power.value());
        infos.push(Info::new(member.pub_key, member.voting_power));
    }
    // The set's own constructor would panic here.
    demand(total <= Set::MAX_TOTAL_VOTING_POWER, || Reason::ValidatorPower)?;
    let set = Set::without_proposer(infos);
    let mut addresses: Vec<_> = set.validators().iter().map(|info| info.address).collect();
    addresses.sort_unstable();
    let twice = addresses.windows(2).find(|pair| pair.first() == pair.last());
    demand(twice.is_none(), || Reason::ValidatorTwice {
        address: twice.and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default(),
    })?;
    Ok(set)
}

/// A validator in our own files: its address follows from its key.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: PublicKey,
    power: u64,
}

pub(crate) fn keep_set<S: Serializer>(set: &Set, serializer: S) -> Result<S::Ok, S::Error> {
    serializer
        .collect_seq(set.validators().iter().map(|info| Kept { key: info.pub_key, power: info.power() }))
}

pub(crate) fn kept_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Set, D::Error> {
    let kept = Vec::<Kept>::deserialize(deserializer)?;
    let members = kept.into_iter().map(|one| {
        let voting_power = Power::try_from(one.power).map_err(serde::de::Error::custom)?;
        Ok(Member { address: account::Id::from(one.key), pub_key: one.key, voting_power })
    });
    assemble(members.collect::<Result<_, D::Error>>()?).map_err(serde::de::Error::custom)
}

/// A header with its commit, its validators and the next ones, as one source showed it. Not verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub(crate) signed: SignedHeader,
    #[serde(serialize_with = "keep_set", deserialize_with = "kept_set")]
    pub(crate) validators: Set,
    #[serde(serialize_with = "keep_set", deserialize_with = "kept_set")]
    pub(crate) next_validators: Set,
}

impl Block {
    /// A block from what a source told.
    ///
    /// # Errors
    /// Those of [`assemble`].
    pub fn told(signed: SignedHeader, validators: Vec<Member>, next: Vec<Member>) -> Result<Self, Reason> {
        Ok(Self::new(signed, assemble(validators)?, assemble(next)?))
    }

    /// A block from its parts. The sets must come from [`assemble`]: a tally finds signers by their addresses, which
    /// are their keys' only there.
    pub(crate) fn new(signed: SignedHeader, validators: Set, next_validators: Set) -> Self {
        Self { signed, validators, next_validators }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.signed.header
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.signed.header.height.value()
    }

    /// Its header's time.
    #[must_use]
    pub fn time(&self) -> Time {
        self.signed.header.time
    }

    /// Its header's hash, computed.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.signed.header.hash()
    }
}

/// 32 bytes of an app hash, or why there are none.
pub(crate) fn app_hash(header: &Header) -> Result<[u8; 32], Reason> {
    let bytes = header.app_hash.as_bytes();
    bytes.try_into().map_err(|_| Reason::AppHash { height: header.height.value(), bytes: bytes.len() })
}

pub(crate) fn time_text(time: Time) -> String {
    cut(&time.to_rfc3339())
}
