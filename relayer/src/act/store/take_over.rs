//! Taking a binary of the host over, whose digest somebody else vouches for.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use concord_schema::Digest;
use sha2::{Digest as _, Sha256};

use super::{COPY_BYTES, Store, StoreError, open_plain, read_part};

/// Called with the bytes that are copied and the bytes that there are.
pub(crate) type Copied<'a> = &'a dyn Fn(u64, u64);

impl Store {
    /// Copies a binary of the host into the store, durably, if its digest is `expected`, and answers its length in bytes.
    /// It is hashed first: nothing of another file is ever stored. The binary itself is left alone.
    ///
    /// # Errors
    /// [`StoreError::OtherBytes`] for another binary, [`StoreError::Unfit`] for what is no ordinary file or has no byte or
    /// more than `bytes_max`, or the disk.
    pub fn take_over(
        &self,
        path: &Path,
        expected: &Digest,
        bytes_max: u64,
        copied: Copied<'_>,
    ) -> Result<u64, StoreError> {
        let unfit = |found: String| StoreError::Unfit { path: path.to_path_buf(), found, bytes_max };
        let failed = |source| StoreError::Unreadable { path: path.to_path_buf(), source };
        let other = |found| StoreError::OtherBytes { path: path.to_path_buf(), found, expected: *expected };
        // `current` of an existing tree is often a link, so the last link is followed here.
        let path_real = path.canonicalize().map_err(failed)?;
        let mut source = open_plain(&path_real).map_err(failed)?;
        let meta = source.metadata().map_err(failed)?;
        if !meta.is_file() {
            let found = if meta.is_dir() { "a folder" } else { "something else" };
            return Err(unfit(found.to_owned()));
        }
        if meta.len() == 0 || meta.len() > bytes_max {
            return Err(unfit(format!("{} bytes", meta.len())));
        }
        // It may grow while it is read.
        let bounded = |bytes: u64| {
            let grown = || unfit(format!("more than {bytes_max} bytes while reading"));
            if bytes > bytes_max { Err(grown()) } else { Ok(()) }
        };
        let (found, _) = read_through(&mut source, failed, |_, bytes| bounded(bytes))?;
        if found != *expected {
            return Err(other(found));
        }
        let mut draft = self.draft()?;
        let (found, bytes) = read_through(&mut source, failed, |part, bytes| {
            bounded(bytes)?;
            draft.write_all(part)?;
            copied(bytes, meta.len());
            Ok(())
        })?;
        // It may have changed since it was hashed, and then the copy is dropped with its draft.
        if found != *expected {
            return Err(other(found));
        }
        self.publish(draft, expected)?;
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
