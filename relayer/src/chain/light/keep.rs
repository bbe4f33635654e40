//! The files of trust in an agent's folder: what is trusted, which code is accepted, and the evidence of a fork.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use concord_prove::{TRUST_BYTES_MAX, TrustFile};
use serde::{Deserialize, Serialize};

use crate::act::durable::{DiskError, replace_file};
use crate::causes::told;

/// The file of the newest verified header, in the agent's folder.
pub const TRUST: &str = "trust.json";
/// The file of the accepted code.
pub const ACCEPTED: &str = "accepted.json";
/// Only the agent's user reads and writes these files.
const FILE_MODE: u32 = 0o600;
/// The longest list of accepted code that is read.
const ACCEPTED_BYTES_MAX: usize = 1 << 16;
/// The most checksums that are accepted.
pub const CHECKSUMS_MAX: usize = 64;

/// SHA-256 of a contract's wasm.
pub type Checksum = [u8; 32];

/// A checksum in lower-case hex, as the file and the configuration hold it.
///
/// # Errors
/// A sentence that says what is expected.
pub fn read_checksum(text: &str) -> Result<Checksum, String> {
    let mut checksum = [0; 32];
    hex::decode_to_slice(text, &mut checksum).map_err(|_| {
        let found: String = text.chars().take(80).collect();
        format!("expected the SHA-256 of a contract's wasm as 64 hex digits, found {found:?}")
    })?;
    Ok(checksum)
}

/// Reads the trust of one chain from an agent's folder.
///
/// # Errors
/// A sentence that says what is wrong and what to do: it is shown to a person, nothing else can heal it.
pub fn read_trust(folder: &Path, chain_id: &str) -> Result<TrustFile, String> {
    let path = folder.join(TRUST);
    let bytes = read_bounded(&path, TRUST_BYTES_MAX)
        .map_err(|why| format!("{why}; set an anchor: concord trust set H:HASH --reason TEXT"))?;
    TrustFile::read(&bytes, chain_id).map_err(|error| format!("{}: {}", path.display(), told(&error)))
}

fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let unread = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(bound).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() > bytes_max {
        return Err(format!("expected at most {bytes_max} bytes in {}, found more", path.display()));
    }
    Ok(bytes)
}

/// Code that an operator accepted by the command line, with the contract that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedFile {
    contract: String,
    checksums: Vec<String>,
}

/// The checksums that were accepted for a contract by earlier commands; none where there is no such file.
///
/// # Errors
/// A sentence for a person.
pub fn read_accepted(folder: &Path, contract: &str) -> Result<Vec<Checksum>, String> {
    let path = folder.join(ACCEPTED);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = read_bounded(&path, ACCEPTED_BYTES_MAX)?;
    let file: AcceptedFile = serde_json::from_slice(&bytes).map_err(|error| {
        format!("{} cannot be read ({error}); remove it and accept the code anew", path.display())
    })?;
    if file.contract != contract {
        return Ok(Vec::new());
    }
    file.checksums.iter().take(CHECKSUMS_MAX).map(|text| read_checksum(text)).collect()
}

/// Keeps the accepted checksums of a contract.
///
/// # Errors
/// [`DiskError`].
pub fn keep_accepted(folder: &Path, contract: &str, checksums: &[Checksum]) -> Result<(), DiskError> {
    let checksums = checksums.iter().take(CHECKSUMS_MAX).map(hex::encode).collect();
    let file = AcceptedFile { contract: contract.to_owned(), checksums };
    write(&folder.join(ACCEPTED), &file)
}

/// Keeps the trust of one chain.
///
/// # Errors
/// [`DiskError`].
pub fn keep_trust(folder: &Path, file: &TrustFile) -> Result<(), DiskError> {
    write(&folder.join(TRUST), file)
}

fn write(path: &Path, content: &impl Serialize) -> Result<(), DiskError> {
    let bytes = serde_json::to_vec(content).map_err(|error| DiskError::new("write", path, error.into()))?;
    replace_file(path, &bytes, FILE_MODE)
}

/// Keeps what changed.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// Newest height and whether a fork was found, as they stand in the file.
    kept: Option<(u64, bool)>,
    is_told: bool,
}

impl Keeper {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: None, is_told: false }
    }

    /// Keeps the file where it changed. A disk that does not take it costs a way from an older header after a restart
    /// and nothing else, so the agent goes on, and tries again with the next one. A fork is kept before it is told.
    pub(super) fn keep(&mut self, file: &TrustFile) {
        let mark = (file.latest.height(), file.forked.is_some());
        if self.kept == Some(mark) {
            return;
        }
        let evidence = file.forked.as_ref().map_or(Ok(()), |evidence| {
            let path = self.folder.join(format!("fork-{}.json", evidence.height()));
            tracing::error!(evidence = %path.display(), first = evidence.first_source, second = evidence.second_source, "the chain is forked: two verified headers of one height");
            write(&path, evidence)
        });
        match evidence.and_then(|()| keep_trust(&self.folder, file)) {
            Ok(()) => {
                self.kept = Some(mark);
                self.is_told = false;
            }
            Err(error) if !self.is_told => {
                self.is_told = true;
                tracing::warn!(
                    why = told(&error),
                    "the newest verified header could not be kept; it is tried again"
                );
            }
            Err(_) => {}
        }
    }
}
