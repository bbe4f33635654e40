//! What is trusted, from where, and for how long: anchors, terms, the newest verified header, and the file that keeps
//! them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tendermint::block::Header;
use tendermint::validator::Set;
use tendermint::{Hash, Time, hash};

use crate::block::{Block, app_hash, keep_set, kept_set, time_text};
use crate::fork::Evidence;
use crate::reason::{Reason, demand};

/// A block that a human vouched for: what `--trust H:HASH` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anchor {
    height: u64,
    hash: [u8; 32],
}

/// A text that is no anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected HEIGHT:HASH with a height from 1 and 64 hex digits, found {found:?}; take both from a block explorer or another operator's node"
)]
pub struct AnchorError {
    /// The text, cut to 128 characters.
    pub found: String,
}

impl Anchor {
    /// The anchor at a height from 1.
    #[must_use]
    pub fn new(height: u64, hash: [u8; 32]) -> Option<Self> {
        (height > 0 && i64::try_from(height).is_ok()).then_some(Self { height, hash })
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.height
    }

    /// The hash of its header.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::Sha256(self.hash)
    }
}

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let wrong = || AnchorError { found: text.chars().take(128).collect() };
        let (height, hash) = text.split_once(':').ok_or_else(wrong)?;
        // A sign or a space would parse, and is no height.
        let digits = height.bytes().all(|byte| byte.is_ascii_digit());
        let height = height.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).map_err(|_| wrong())?;
        Self::new(height, bytes).ok_or_else(wrong)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.height, hex::encode_upper(self.hash))
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// For how long a header is trusted, and by how much clocks may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TermsText", into = "TermsText")]
pub struct Terms {
    trusting: Duration,
    drift: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsText {
    trusting_seconds: u64,
    drift_seconds: u64,
}

/// The longest trusting period that is believed before an unbonding time is proved: two thirds of a year.
pub const TRUSTING_SECONDS_MAX: u64 = 8 * 30 * 86_400;
/// More than this between a host and the chain is a wrong clock, not drift.
pub const DRIFT_SECONDS_MAX: u64 = 60;

/// Terms that protect nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// A trusting period of nothing, or of more than any chain's.
    #[error(
        "expected a trusting period from 1 to {seconds_max} s, found {found}; take two thirds of the chain's unbonding time"
    )]
    Trusting {
        /// The most.
        seconds_max: u64,
        /// As given.
        found: u64,
    },
    /// More drift than clocks have.
    #[error("expected a drift of at most {seconds_max} s, found {found}; correct the host's clock instead")]
    Drift {
        /// The most.
        seconds_max: u64,
        /// As given.
        found: u64,
    },
    /// A trusting period that outlives the validators' stake.
    #[error(
        "expected a trusting period of at most {seconds_max} s, two thirds of the unbonding time of {unbonding} s, found {found}; shorten it"
    )]
    Unbonding {
        /// The most.
        seconds_max: u64,
        /// The proved unbonding time.
        unbonding: u64,
        /// As given.
        found: u64,
    },
}

impl Terms {
    /// Terms of a trusting period and a drift, both in seconds.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn new(trusting_seconds: u64, drift_seconds: u64) -> Result<Self, TermsError> {
        if trusting_seconds == 0 || trusting_seconds > TRUSTING_SECONDS_MAX {
            return Err(TermsError::Trusting { seconds_max: TRUSTING_SECONDS_MAX, found: trusting_seconds });
        }
        if drift_seconds > DRIFT_SECONDS_MAX {
            return Err(TermsError::Drift { seconds_max: DRIFT_SECONDS_MAX, found: drift_seconds });
        }
        Ok(Self {
            trusting: Duration::from_secs(trusting_seconds),
            drift: Duration::from_secs(drift_seconds),
        })
    }

    /// The same terms, if they fit the chain's proved unbonding time: who signed a header must still have stake to
    /// lose while it is trusted.
    ///
    /// # Errors
    /// [`TermsError::Unbonding`] above two thirds.
    pub fn within(self, unbonding_seconds: u64) -> Result<Self, TermsError> {
        let found = self.trusting.as_secs();
        if u128::from(found) * 3 > u128::from(unbonding_seconds) * 2 {
            let seconds_max = unbonding_seconds.saturating_mul(2) / 3;
            return Err(TermsError::Unbonding { seconds_max, unbonding: unbonding_seconds, found });
        }
        Ok(self)
    }

    /// The trusting period.
    #[must_use]
    pub fn trusting(&self) -> Duration {
        self.trusting
    }

    /// The drift.
    #[must_use]
    pub fn drift(&self) -> Duration {
        self.drift
    }
}

impl TryFrom<TermsText> for Terms {
    type Error = TermsError;

    fn try_from(text: TermsText) -> Result<Self, TermsError> {
        Self::new(text.trusting_seconds, text.drift_seconds)
    }
}

impl From<Terms> for TermsText {
    fn from(terms: Terms) -> Self {
        Self { trusting_seconds: terms.trusting.as_secs(), drift_seconds: terms.drift.as_secs() }
    }
}

/// A verified header with the validators of the block after it: all that the next verification needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TrustedText")]
pub struct Trusted {
    pub(crate) header: Header,
    #[serde(serialize_with = "keep_set")]
    pub(crate) next_validators: Set,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedText {
    header: Header,
    #[serde(deserialize_with = "kept_set")]
    next_validators: Set,
}

impl TryFrom<TrustedText> for Trusted {
    type Error = Reason;

    /// A file that was cut or mixed up must not become the root of all trust.
    fn try_from(text: TrustedText) -> Result<Self, Reason> {
        let TrustedText { header, next_validators } = text;
        demand(next_validators.hash() == header.next_validators_hash, || Reason::NextValidatorsHash)?;
        Ok(Self { header, next_validators })
    }
}

impl Trusted {
    pub(crate) fn from_verified(block: &Block) -> Self {
        Self { header: block.header().clone(), next_validators: block.next_validators.clone() }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.header.height.value()
    }

    /// Its header's time.
    #[must_use]
    pub fn time(&self) -> Time {
        self.header.time
    }

    /// It as an anchor, for people to compare.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        match self.header.hash() {
            Hash::Sha256(hash) => Anchor::new(self.height(), hash),
            Hash::None => None,
        }
    }

    /// Whether it may still be built on.
    ///
    /// # Errors
    /// [`Reason::TrustExpired`].
    pub fn check_age(&self, terms: &Terms, now: Time) -> Result<(), Reason> {
        let ended = (self.time() + terms.trusting()).ok();
        demand(ended.is_some_and(|ended| ended > now), || Reason::TrustExpired {
            height: self.height(),
            ended: ended.map(time_text).unwrap_or_default(),
            now: time_text(now),
        })
    }
}

/// A verified header as readers need it: the app hash in it proves the state after the block before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The header's height.
    pub height: u64,
    /// The header's time.
    pub time: Time,
    /// The root of all stores after block `height - 1`.
    pub app_hash: [u8; 32],
}

impl Root {
    pub(crate) fn of(header: &Header) -> Result<Self, Reason> {
        Ok(Self { height: header.height.value(), time: header.time, app_hash: app_hash(header)? })
    }

    /// The height of the state that it proves.
    #[must_use]
    pub fn state_height(&self) -> u64 {
        self.height.saturating_sub(1)
    }
}

/// The trust of one chain, as the caller keeps it in a file: written after every header that was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustFile {
    /// The form of this file.
    pub version: u32,
    /// The chain.
    pub chain_id: String,
    /// Where trust began.
    pub anchor: Anchor,
    /// Why the operator set this anchor, in his words; at most 1,024 characters.
    pub reason: String,
    /// For how long.
    pub terms: Terms,
    /// The newest verified header.
    pub latest: Trusted,
    /// Two verified headers of one height. While it stands here nothing is believed; only a new anchor removes it.
    pub forked: Option<Box<Evidence>>,
}

/// The form of [`TrustFile`] that this build writes and reads.
pub const TRUST_VERSION: u32 = 1;

/// A trust file that must not be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("the trust file cannot be read; set a new anchor: concord trust set H:HASH --reason ..")]
    Unreadable(#[source] serde_json::Error),
    /// A form of another release.
    #[error(
        "expected a trust file of form {TRUST_VERSION}, found {found}; use the release that wrote it, or set a new anchor"
    )]
    Version {
        /// As found.
        found: u32,
    },
    /// The trust of another chain.
    #[error(
        "expected the trust file of chain {expected}, found that of {found}; give each chain its own folder"
    )]
    Chain {
        /// The configured chain.
        expected: String,
        /// The file's.
        found: String,
    },
    /// A newest header that is older than the anchor.
    #[error("expected a newest header at height {anchor} or above, found {latest}; set a new anchor")]
    BelowAnchor {
        /// The anchor's height.
        anchor: u64,
        /// The newest header's.
        latest: u64,
    },
}

/// The longest trust file: 1,000 validators and the evidence of a fork.
pub const TRUST_BYTES_MAX: usize = 4 << 20;

impl TrustFile {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn read(bytes: &[u8], chain_id: &str) -> Result<Self, TrustError> {
        let file: Self = serde_json::from_slice(bytes).map_err(TrustError::Unreadable)?;
        if file.version != TRUST_VERSION {
            return Err(TrustError::Version { found: file.version });
        }
        for found in [&file.chain_id, &file.latest.header.chain_id.to_string()] {
            if found != chain_id {
                return Err(TrustError::Chain { expected: chain_id.to_owned(), found: found.clone() });
            }
        }
        let (anchor, latest) = (file.anchor.height(), file.latest.height());
        if latest < anchor || (latest == anchor && file.latest.anchor() != Some(file.anchor)) {
            return Err(TrustError::BelowAnchor { anchor, latest });
        }
        Ok(file)
    }

    /// The bytes to keep.
    ///
    /// # Errors
    /// What the JSON writer says; no state of this type makes it fail.
    pub fn bytes(&self) -> Result<Vec<u8>, TrustError> {
        serde_json::to_vec(self).map_err(TrustError::Unreadable)
    }
}

/// The hash of 32 bytes as a header tells it.
#[must_use]
pub fn hash_text(hash: &Hash) -> String {
    match hash {
        Hash::Sha256(bytes) => hex::encode_upper(bytes),
        hash::Hash::None => String::new(),
    }
}
