//! Account and contract addresses.

use std::fmt;
use std::str::FromStr;

use cosmrs::AccountId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A bech32 address together with the bytes it stands for, so that it is decoded once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    bytes: Vec<u8>,
}

/// A text that is no bech32 address.
#[derive(Debug, thiserror::Error)]
#[error("expected a bech32 address such as wasm1.., found {found:?}: {cause}; copy it again from its source")]
pub struct AddressError {
    /// The text as it was given, cut to 128 characters.
    pub found: String,
    /// What the decoder disliked.
    pub cause: String,
}

impl Address {
    /// An address from its bytes (20 for an account, 32 for a contract) and its chain's prefix.
    ///
    /// # Errors
    /// A prefix or length that bech32 account ids do not allow.
    pub fn new(prefix: &str, bytes: &[u8]) -> Result<Self, AddressError> {
        let id = AccountId::new(prefix, bytes).map_err(|cause| AddressError {
            found: prefix.chars().take(128).collect(),
            cause: cause.to_string(),
        })?;
        Ok(Self { text: id.to_string(), bytes: id.to_bytes() })
    }

    /// The address as people write it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the chain calls its addresses with: the part before the last 1, as the part after it knows none.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.rsplit_once('1').map_or("", |(prefix, _)| prefix)
    }

    /// The address as storage keys hold it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let id: AccountId = text.parse().map_err(|cause: cosmrs::ErrorReport| AddressError {
            found: text.chars().take(128).collect(),
            cause: cause.to_string(),
        })?;
        Ok(Self { text: id.to_string(), bytes: id.to_bytes() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
