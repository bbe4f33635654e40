//! Key files under a passphrase: scrypt makes a key of it, XChaCha20-Poly1305 seals the secret with that key.
//!
//! scrypt takes 128 MiB and about half a second, so that guessing is dear. What a file asks for is bounded, as a file
//! may come from elsewhere. Kind and public key are bound to the sealed secret: no file passes for another.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{KeyError, read_private};

/// Cost of a new file's scrypt: N = 2^17, r = 8, p = 1.
const LOG_N: u8 = 17;
const R: u32 = 8;
const P: u32 = 1;
/// The most that a file's scrypt may ask for: 1 GiB.
const LOG_N_MAX: u8 = 20;
/// A passphrase has at least so many bytes: the file is worth what guessing it costs.
pub const PASSPHRASE_BYTES_MIN: usize = 8;
/// And at most so many.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// What opens a sealed key file. Wiped when it goes, and never printed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase that somebody typed. A line break at its end is none of it.
    ///
    /// # Errors
    /// [`KeyError::PassphraseLength`] for one that is too short or too long.
    pub fn new(mut text: Zeroizing<String>) -> Result<Self, KeyError> {
        let end = text.trim_end_matches(['\n', '\r']).len();
        text.truncate(end);
        if (PASSPHRASE_BYTES_MIN..=PASSPHRASE_BYTES_MAX).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(KeyError::PassphraseLength { found: text.len() })
    }

    /// Whether two are the same, such as when one is typed twice.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// The passphrase in a file, which must be as private as a key file.
    ///
    /// # Errors
    /// [`KeyError`], by cause.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::new(read_private(path)?)
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Passphrase")
    }
}

/// A secret under a passphrase, as a key file holds it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    log_n: u8,
    r: u32,
    p: u32,
    salt: String,
    nonce: String,
    secret: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kdf {
    Scrypt,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cipher {
    XChaCha20Poly1305,
}

impl Sealed {
    /// Seals a secret; `bound` is what it is bound to.
    pub(super) fn seal(secret: &[u8], bound: &[u8], passphrase: &Passphrase) -> Result<Self, KeyError> {
        Self::seal_at(secret, bound, passphrase, LOG_N)
    }

    fn seal_at(secret: &[u8], bound: &[u8], passphrase: &Passphrase, log_n: u8) -> Result<Self, KeyError> {
        let (mut salt, mut nonce) = ([0_u8; 16], [0_u8; 24]);
        for bytes in [salt.as_mut_slice(), nonce.as_mut_slice()] {
            rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|error| KeyError::Content {
                expected: "randomness from the system",
                found: error.to_string(),
            })?;
        }
        let mut sealed = Self {
            kdf: Kdf::Scrypt,
            cipher: Cipher::XChaCha20Poly1305,
            log_n,
            r: R,
            p: P,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            secret: String::new(),
        };
        let cipher = sealed.cipher(&salt, passphrase)?;
        let payload = Payload { msg: secret, aad: bound };
        let bytes = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| odd("a secret that can be sealed", "one that cannot"))?;
        sealed.secret = hex::encode(bytes);
        Ok(sealed)
    }

    /// Opens it; `Ok(None)` for another passphrase, or a file that somebody changed.
    pub(super) fn open(
        &self,
        bound: &[u8],
        passphrase: &Passphrase,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let hex = |text: &str| hex::decode(text).map_err(|_| odd("a sealed key in hex", "something else"));
        let (salt, nonce, secret) = (hex(&self.salt)?, hex(&self.nonce)?, hex(&self.secret)?);
        let nonce: [u8; 24] = nonce.try_into().map_err(|_| odd("a nonce of 24 bytes", "another length"))?;
        let cipher = self.cipher(&salt, passphrase)?;
        let payload = Payload { msg: secret.as_slice(), aad: bound };
        Ok(cipher.decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new))
    }

    fn cipher(&self, salt: &[u8], passphrase: &Passphrase) -> Result<XChaCha20Poly1305, KeyError> {
        if self.log_n > LOG_N_MAX || self.r > R || self.p > P {
            return Err(odd("scrypt of at most N = 2^20, r = 8, p = 1", "one that would take more"));
        }
        let params = scrypt::Params::new(self.log_n, self.r, self.p, 32)
            .map_err(|_| odd("parameters of scrypt", "others"))?;
        let mut key = [0_u8; 32];
        let made = scrypt::scrypt(passphrase.0.as_bytes(), salt, &params, &mut key);
        let cipher = XChaCha20Poly1305::new(&key.into());
        key.zeroize();
        made.map_err(|_| odd("a key of 32 bytes", "another length"))?;
        Ok(cipher)
    }
}

fn odd(expected: &'static str, found: &str) -> KeyError {
    KeyError::Content { expected, found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
    }

    #[test]
    fn only_the_passphrase_opens_and_nothing_may_be_changed() {
        let sealed = || Sealed::seal_at(b"secret", b"bound", &passphrase("correct horse"), 4).unwrap();
        let opened = |sealed: &Sealed, bound: &[u8], text: &str| {
            sealed.open(bound, &passphrase(text)).unwrap().map(|bytes| bytes.to_vec())
        };
        assert_eq!(opened(&sealed(), b"bound", "correct horse").as_deref(), Some(b"secret".as_slice()));
        assert_eq!(opened(&sealed(), b"bound", "correct horse\n").as_deref(), Some(b"secret".as_slice()));
        assert_eq!(opened(&sealed(), b"bound", "incorrect horse"), None);
        assert_eq!(opened(&sealed(), b"other", "correct horse"), None);
        let flip = |text: &str| {
            let (first, rest) = text.split_at(1);
            format!("{}{rest}", if first == "0" { "1" } else { "0" })
        };
        for field in 0..3 {
            let mut changed = sealed();
            let text = match field {
                0 => &mut changed.salt,
                1 => &mut changed.nonce,
                _ => &mut changed.secret,
            };
            *text = flip(text);
            assert_eq!(opened(&changed, b"bound", "correct horse"), None, "field {field}");
        }
        assert_ne!(sealed().secret, sealed().secret, "salt and nonce are new each time");
    }

    #[test]
    fn a_file_cannot_ask_for_more_than_the_bound() {
        let change: [fn(&mut Sealed); 5] = [
            |sealed| sealed.log_n = LOG_N_MAX + 1,
            |sealed| sealed.r = R + 1,
            |sealed| sealed.p = P + 1,
            |sealed| sealed.nonce.truncate(46),
            |sealed| sealed.salt = "zz".to_owned(),
        ];
        for change in change {
            let mut sealed = Sealed::seal_at(b"secret", b"", &passphrase("correct horse"), 4).unwrap();
            change(&mut sealed);
            assert!(matches!(sealed.open(b"", &passphrase("correct horse")), Err(KeyError::Content { .. })));
        }
    }

    #[test]
    fn a_passphrase_has_both_ends() {
        for (length, fits) in [(0, false), (7, false), (8, true), (1_024, true), (1_025, false)] {
            assert_eq!(Passphrase::new(Zeroizing::new("x".repeat(length))).is_ok(), fits, "{length}");
        }
        assert!(!format!("{:?}", passphrase("correct horse")).contains("horse"));
    }
}
