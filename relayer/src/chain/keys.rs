//! Key files: made from the system's randomness, readable by their owner only, never printed.
//!
//! A file is JSON `{kind, address, pubkey, key}` with hex values, the same with the key sealed under a passphrase
//! ([`super::seal`]), or just the hex or the BIP-39 phrase of a secp256k1 key. It must be a
//! regular file of mode 0600 (or 0400) that belongs to the user who runs the program; anything else is refused
//! before a byte of it is used.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bip39::Mnemonic;
use ed25519_dalek::Signer as _;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use zeroize::{Zeroize, Zeroizing};

use super::address::{Address, AddressError};
use super::seal::{PASSPHRASE_BYTES_MAX, PASSPHRASE_BYTES_MIN, Passphrase, Sealed};

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Transactions, and auditors' claims.
    Secp256k1,
    /// Auditors' claims only.
    Ed25519,
}

/// The path of CosmJS, wasmd and Keplr for the first account.
const HD_PATH: &str = "m/44'/118'/0'/0/0";
/// No key file is longer than this.
const FILE_BYTES_MAX: u64 = 4096;

/// Why a key could not be read, made or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system said no.
    #[error("cannot {verb} key file {path}; check the path and who owns its folder")]
    File {
        /// open, read, create or write.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Others can read or write the file.
    #[error(
        "expected mode 0600 of key file {path}, found {mode:04o}; run chmod 600 on it, and replace the key if others saw it"
    )]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file belongs to somebody else.
    #[error("expected key file {path} to belong to user {expected}, found {found}; run chown on it")]
    Owner {
        /// Which file.
        path: PathBuf,
        /// Who runs this program.
        expected: u32,
        /// Who owns the file.
        found: u32,
    },
    /// The path leads to something that is no regular file.
    #[error("expected a regular file at {path}, found something else; give the path of a key file")]
    NoFile {
        /// Which path.
        path: PathBuf,
    },
    /// The content is no key. It is not repeated here.
    #[error("expected {expected}, found {found}; make a new key or import it again")]
    Content {
        /// What should be there.
        expected: &'static str,
        /// What is wrong, without the content.
        found: String,
    },
    /// The file is sealed, and nobody gave a passphrase.
    #[error(
        "expected a passphrase for key file {path}, which is sealed, found none; write it to a file of mode 0600 and name \
         that in client.passphrase_file (flag --passphrase-file), for an agent in node.passphrase_file"
    )]
    Sealed {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase does not open the file.
    #[error(
        "expected the passphrase of key file {path}, found another, or the file was changed; give the right one, or the \
         file from its backup"
    )]
    Passphrase {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is too short to protect anything, or too long to be one.
    #[error(
        "expected a passphrase of {PASSPHRASE_BYTES_MIN} to {PASSPHRASE_BYTES_MAX} bytes, found {found} bytes; choose another"
    )]
    PassphraseLength {
        /// Its length in bytes.
        found: usize,
    },
    /// The address prefix is unusable.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// A key pair. Prints its kind and public key only; its secret is wiped when it goes.
pub struct Key {
    secret: Secret,
}

enum Secret {
    // Both types wipe themselves on drop.
    Secp256k1(Box<k256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    pubkey: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl Stored {
    fn parse(text: &str) -> Result<Self, KeyError> {
        // The parser's own text may quote the content, so only the place is told.
        let stored: Self = serde_json::from_str(text).map_err(|error| KeyError::Content {
            expected: "a key file {kind, address, pubkey, key or sealed}",
            found: format!("json that does not fit at line {} column {}", error.line(), error.column()),
        })?;
        if stored.key.is_empty() == stored.sealed.is_none() {
            let found = "both or none".to_owned();
            return Err(KeyError::Content { expected: "a key file with one of key and sealed", found });
        }
        Ok(stored)
    }

    /// What a sealed secret is bound to.
    fn bound(&self) -> Vec<u8> {
        format!("concord key {:?} {}", self.kind, self.pubkey.to_ascii_lowercase()).into_bytes()
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Key {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Content`] if the system gives none.
    pub fn generate(kind: Kind) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        // A random scalar is out of range once in 2^128; the loop is there for the proof, not for the practice.
        for _ in 0..4 {
            rand::rngs::OsRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|error| KeyError::Content {
                expected: "randomness from the system",
                found: error.to_string(),
            })?;
            if let Ok(key) = Self::from_bytes(kind, bytes.as_slice()) {
                return Ok(key);
            }
        }
        Err(KeyError::Content { expected: "usable randomness from the system", found: "none".into() })
    }

    /// A key from its 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Content`] for another length or a scalar out of range.
    pub fn from_bytes(kind: Kind, bytes: &[u8]) -> Result<Self, KeyError> {
        let wrong =
            |found: &str| KeyError::Content { expected: "a key of 32 bytes", found: found.to_owned() };
        let secret = match kind {
            Kind::Secp256k1 => {
                let key = k256::ecdsa::SigningKey::from_slice(bytes)
                    .map_err(|_| wrong("bytes that are no scalar"))?;
                Secret::Secp256k1(Box::new(key))
            }
            Kind::Ed25519 => {
                let bytes: &[u8; 32] = bytes.try_into().map_err(|_| wrong("another length"))?;
                Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(bytes)))
            }
        };
        Ok(Self { secret })
    }

    /// A key from what a person pipes in: 64 hex digits, or for secp256k1 a BIP-39 phrase of 12, 15, 18, 21 or 24 English
    /// words (path m/44'/118'/0'/0/0, no passphrase).
    ///
    /// # Errors
    /// [`KeyError::Content`], which does not repeat the text.
    pub fn import(kind: Kind, text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.contains(char::is_whitespace) {
            return Self::from_phrase(kind, text);
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(text, bytes.as_mut_slice()).map_err(|_| KeyError::Content {
            expected: "64 hex digits or a phrase of 12 to 24 words",
            found: format!("{} characters of something else", text.chars().count()),
        })?;
        Self::from_bytes(kind, bytes.as_slice())
    }

    fn from_phrase(kind: Kind, text: &str) -> Result<Self, KeyError> {
        let wrong = |found: &str| KeyError::Content {
            expected: "a BIP-39 phrase of 12, 15, 18, 21 or 24 English words",
            found: found.to_owned(),
        };
        if kind != Kind::Secp256k1 {
            return Err(wrong("a phrase for an ed25519 key, which has no such path"));
        }
        let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "));
        let phrase = Mnemonic::parse_in_normalized(bip39::Language::English, words.as_str())
            .map_err(|_| wrong("another number of words, an unknown word or a wrong checksum"))?;
        let path = HD_PATH.parse().map_err(|_| wrong("an unusable path"))?;
        let seed = Zeroizing::new(phrase.to_seed_normalized(""));
        let derived = bip32::XPrv::derive_from_path(seed.as_slice(), &path)
            .map_err(|_| wrong("a seed without a key"))?;
        Ok(Self { secret: Secret::Secp256k1(Box::new(derived.private_key().clone())) })
    }

    /// Reads a key file that is not sealed.
    ///
    /// # Errors
    /// [`KeyError`], by cause; the mode and the owner are checked on the opened file, before it is read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_sealed(path, || Ok(None))
    }

    /// Reads a key file. `passphrase` is asked only when the file is sealed.
    ///
    /// # Errors
    /// As [`Key::load`], and [`KeyError::Sealed`] or [`KeyError::Passphrase`].
    pub fn load_sealed(
        path: &Path,
        passphrase: impl FnOnce() -> Result<Option<Passphrase>, KeyError>,
    ) -> Result<Self, KeyError> {
        Self::read(&read_private(path)?, path, passphrase)
    }

    /// Reads what a key file holds. `path` says in errors where the text came from.
    ///
    /// # Errors
    /// [`KeyError::Content`], [`KeyError::Sealed`] or [`KeyError::Passphrase`].
    pub fn read(
        text: &str,
        path: &Path,
        passphrase: impl FnOnce() -> Result<Option<Passphrase>, KeyError>,
    ) -> Result<Self, KeyError> {
        if !text.trim_start().starts_with('{') {
            return Self::import(Kind::Secp256k1, text);
        }
        let stored = Stored::parse(text)?;
        let key = match &stored.sealed {
            None => Self::import(stored.kind, &stored.key)?,
            Some(sealed) => {
                let passphrase = passphrase()?.ok_or_else(|| KeyError::Sealed { path: path.to_owned() })?;
                let opened = sealed.open(&stored.bound(), &passphrase)?;
                let bytes = opened.ok_or_else(|| KeyError::Passphrase { path: path.to_owned() })?;
                Self::from_bytes(stored.kind, &bytes)?
            }
        };
        if hex::encode(key.public()) != stored.pubkey.to_ascii_lowercase() {
            let found = "a pubkey that belongs to another key".into();
            return Err(KeyError::Content { expected: "a key file whose key and pubkey match", found });
        }
        Ok(key)
    }

    /// Writes a new key file of mode 0600, durably. `prefix` is the address prefix of the chain.
    ///
    /// # Errors
    /// [`KeyError::File`] when the file exists (it is never replaced) or cannot be written.
    pub fn create(&self, path: &Path, prefix: &str) -> Result<(), KeyError> {
        self.write(path, prefix, None)
    }

    /// The same, sealed under a passphrase.
    ///
    /// # Errors
    /// As [`Key::create`].
    pub fn create_sealed(&self, path: &Path, prefix: &str, passphrase: &Passphrase) -> Result<(), KeyError> {
        self.write(path, prefix, Some(passphrase))
    }

    fn write(&self, path: &Path, prefix: &str, passphrase: Option<&Passphrase>) -> Result<(), KeyError> {
        let address = match self.kind() {
            Kind::Secp256k1 => Some(self.address(prefix)?.text().to_owned()),
            Kind::Ed25519 => None,
        };
        let secret = Zeroizing::new(self.secret_bytes());
        let mut stored = Stored {
            kind: self.kind(),
            address,
            pubkey: hex::encode(self.public()),
            key: String::new(),
            sealed: None,
        };
        match passphrase {
            None => stored.key = hex::encode(secret.as_slice()),
            Some(passphrase) => stored.sealed = Some(Sealed::seal(&secret, &stored.bound(), passphrase)?),
        }
        let mut text = Zeroizing::new(serde_json::to_string_pretty(&stored).map_err(|_| {
            KeyError::Content { expected: "a key that can be written", found: "one that cannot".into() }
        })?);
        text.push('\n');
        let failed = |verb| move |source| KeyError::File { verb, path: path.to_owned(), source };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed("create"))?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        });
        if let Err(source) = written {
            // Half a key is worse than none; the file is ours, as create_new made it.
            let _ = std::fs::remove_file(path);
            return Err(failed("write")(source));
        }
        Ok(())
    }

    /// What it signs with.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.secret {
            Secret::Secp256k1(_) => Kind::Secp256k1,
            Secret::Ed25519(_) => Kind::Ed25519,
        }
    }

    /// The public key: 33 compressed bytes for secp256k1, 32 for ed25519.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Secp256k1(key) => key.verifying_key().to_encoded_point(true).as_bytes().to_vec(),
            Secret::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
        }
    }

    /// The account that the public key stands for.
    ///
    /// # Errors
    /// [`KeyError::Content`] for ed25519, which has no account; [`KeyError::Address`] for a bad prefix.
    pub fn address(&self, prefix: &str) -> Result<Address, KeyError> {
        if self.kind() != Kind::Secp256k1 {
            let found = "an ed25519 key".to_owned();
            return Err(KeyError::Content { expected: "a secp256k1 key, which has an account", found });
        }
        let hash = cosmrs::tendermint::account::Id::from(
            cosmrs::tendermint::public_key::Secp256k1::from_sec1_bytes(&self.public())
                .map_err(|error| KeyError::Content { expected: "a public key", found: error.to_string() })?,
        );
        Ok(Address::new(prefix, hash.as_bytes())?)
    }

    /// A 64-byte signature: r and s over SHA-256 of the bytes for secp256k1, over the bytes for ed25519.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        match &self.secret {
            Secret::Secp256k1(key) => {
                let signature: k256::ecdsa::Signature = key.sign(bytes);
                // The chain refuses the other of the two valid s values.
                signature.normalize_s().unwrap_or(signature).to_bytes().into()
            }
            Secret::Ed25519(key) => key.sign(bytes).to_bytes(),
        }
    }

    fn secret_bytes(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Secp256k1(key) => key.to_bytes().to_vec(),
            Secret::Ed25519(key) => key.to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({:?}, pubkey {})", self.kind(), hex::encode(self.public()))
    }
}

/// The text of a file that nobody but the user who runs this program can read or write.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |verb| move |source| KeyError::File { verb, path: path.to_owned(), source };
    // NONBLOCK so that a pipe in the place of a file is refused instead of waited for.
    let flags = rustix::fs::OFlags::NONBLOCK.union(rustix::fs::OFlags::CLOEXEC).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    let file =
        std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed("open"))?;
    let facts = file.metadata().map_err(failed("read"))?;
    if !facts.is_file() {
        return Err(KeyError::NoFile { path: path.to_owned() });
    }
    let us = rustix::process::geteuid().as_raw();
    if facts.uid() != us {
        return Err(KeyError::Owner { path: path.to_owned(), expected: us, found: facts.uid() });
    }
    let mode = facts.mode() & 0o7777;
    if mode & !0o600 != 0 {
        return Err(KeyError::Mode { path: path.to_owned(), mode });
    }
    // Room for the longest: a text that grows leaves its old bytes behind.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize + 1));
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed("read"))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let found = format!("more than {FILE_BYTES_MAX} bytes");
        return Err(KeyError::Content { expected: "a key file", found });
    }
    Ok(text)
}

/// SHA-256 in upper-case hex, the form in which CometBFT names a transaction.
#[must_use]
pub fn tx_hash(tx: &[u8]) -> String {
    hex::encode_upper(sha2::Sha256::digest(tx))
}

#[cfg(test)]
mod tests;
