//! SHA-256 digests and the canonical, length-prefixed encoding that they are taken of.

use core::fmt;
use core::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; lower-case hex in JSON and in print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits, found {found:?}")]
pub struct DigestError {
    /// What came, shortened to 80 characters.
    pub found: String,
}

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first six bytes in hex, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    /// Parses exactly 64 lower-case hexadecimal digits: one digest has one spelling.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let refused = || DigestError { found: text.chars().take(80).collect() };
        if text.len() != 64 {
            return Err(refused());
        }
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(refused());
            };
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                return Err(refused());
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> String {
        "Digest".to_owned()
    }

    fn json_schema(generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
        let mut schema = String::json_schema(generator).into_object();
        schema.string().pattern = Some("^[0-9a-f]{64}$".to_owned());
        schema.into()
    }
}

/// Writes fields one after the other, each behind its length, so that two different values never have the same
/// bytes.
#[derive(Clone, Debug)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Starts an encoding of one kind of thing; `domain` keeps kinds and versions apart.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self(Vec::new()).text(domain)
    }

    /// Appends bytes behind their length (eight bytes, big-endian).
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Appends a number as eight bytes, big-endian, behind their length.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Appends a list: its length, then each item by `write`.
    #[must_use]
    pub fn list<T>(self, items: &[T], write: impl Fn(Self, &T) -> Self) -> Self {
        let counted = self.number(items.len() as u64);
        items.iter().fold(counted, write)
    }

    /// The bytes so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The digest of the bytes so far.
    #[must_use]
    pub fn digest(self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_everything_else() {
        let digest = Digest::of(b"concord");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in ["", "00", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"g".repeat(64)] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn moving_a_border_between_fields_changes_the_digest() {
        let one = Canonical::new("t").text("ab").text("c").digest();
        let two = Canonical::new("t").text("a").text("bc").digest();
        assert_ne!(one, two);
        assert_ne!(
            Canonical::new("t").list(&["a", "b"], |c, t| c.text(t)).digest(),
            Canonical::new("t").list(&["a"], |c, t| c.text(t)).text("b").digest(),
        );
    }
}
