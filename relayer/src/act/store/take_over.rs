//! Taking a binary of the host over, whose digest somebody else vouches for.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use concord_schema::Digest;
use sha2::{Digest as _, Sha256};

use super::{COPY_BYTES, Store, StoreError, open_plain, read_part};

/// Called with the bytes that are copied and the bytes that there are.
pub(crate) type Copied<'a> = &'a dyn Fn(u64, u64);

/// A binary of the host that was opened, and whose bytes are the expected ones. Nothing of it is stored yet.
#[derive(Debug)]
pub struct Offered {
    path: PathBuf,
    file: File,
    expected: Digest,
    bytes: u64,
    bytes_max: u64,
}

impl Offered {
    /// Opens a binary and hashes it.
    ///
    /// # Errors
    /// [`StoreError::OtherBytes`] for another binary, [`StoreError::Unfit`] for what is no ordinary file or has no byte or
    /// more than `bytes_max`, [`StoreError::Unreadable`].
    pub fn open(path: &Path, expected: &Digest, bytes_max: u64) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Unreadable { path: path.to_path_buf(), source };
        let unfit = |found: String| StoreError::Unfit { path: path.to_path_buf(), found, bytes_max };
        // `current` of an existing tree is often a link, so the last link is followed here.
        let path_real = path.canonicalize().map_err(failed)?;
        let file = open_plain(&path_real).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() {
            let found = if meta.is_dir() { "a folder" } else { "something else" };
            return Err(unfit(found.to_owned()));
        }
        if meta.len() == 0 || meta.len() > bytes_max {
            return Err(unfit(format!("{} bytes", meta.len())));
        }
        let (path, expected, bytes) = (path.to_path_buf(), *expected, meta.len());
        let mut offered = Self { path, file, expected, bytes, bytes_max };
        offered.read(|_, _| Ok(()))?;
        Ok(offered)
    }

    /// The open binary.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Reads it from its start to its end and makes sure of its digest; `each` part comes with the bytes so far. Answers
    /// its length.
    fn read(
        &mut self,
        mut each: impl FnMut(&[u8], u64) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let (path, bytes_max) = (self.path.clone(), self.bytes_max);
        let failed = |source| StoreError::Unreadable { path: path.clone(), source };
        let (found, bytes) = read_through(&mut self.file, failed, |part, bytes| {
            // It may grow while it is read.
            if bytes > bytes_max {
                let found = format!("more than {bytes_max} bytes while reading");
                return Err(StoreError::Unfit { path: path.clone(), found, bytes_max });
            }
            each(part, bytes)
        })?;
        if found != self.expected {
            return Err(StoreError::OtherBytes { path, found, expected: self.expected });
        }
        Ok(bytes)
    }
}

impl Store {
    /// Copies a binary of the host into the store, durably, and answers its length in bytes. The binary itself is left
    /// alone.
    ///
    /// # Errors
    /// [`StoreError::OtherBytes`] for one that changed since it was opened, as [`Offered::open`] else, or the disk.
    pub fn take_over(&self, mut offered: Offered, copied: Copied<'_>) -> Result<u64, StoreError> {
        let (expected, all) = (offered.expected, offered.bytes);
        let mut draft = self.draft()?;
        // It may have changed since it was hashed, and then the copy is dropped with its draft.
        let bytes = offered.read(|part, bytes| {
            draft.write_all(part)?;
            copied(bytes, all);
            Ok(())
        })?;
        self.publish(draft, &expected)?;
        Ok(bytes)
    }
}

/// Reads a file from its start to its end; `each` part comes with the bytes so far. Answers digest and length.
fn read_through(
    source: &mut File,
    failed: impl Fn(io::Error) -> StoreError,
    mut each: impl FnMut(&[u8], u64) -> Result<(), StoreError>,
) -> Result<(Digest, u64), StoreError> {
    source.rewind().map_err(&failed)?;
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; COPY_BYTES];
    while let Some(part) = read_part(source, &mut buffer).map_err(&failed)? {
        bytes = bytes.saturating_add(part.len() as u64);
        hash.update(part);
        each(part, bytes)?;
    }
    Ok((Digest(hash.finalize().into()), bytes))
}
