//! A little space set aside, so that the last words still fit on a full disk.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const RESERVE_NAME: &str = "reserve";
const BLOCK: [u8; 4096] = [0x5a; 4096];

/// A file of fixed size beside the segments. It is deleted when an append finds the disk full, and made again when there
/// is space.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    pub(super) fn new(folder: &Path, bytes: u64) -> Self {
        Self { path: folder.join(RESERVE_NAME), bytes }
    }

    pub(super) fn is_filled(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() >= self.bytes)
    }

    /// Writes the reserve, real bytes and not a hole. What does not fit is removed again.
    pub(super) fn fill(&self) -> io::Result<()> {
        if self.bytes == 0 || self.is_filled() {
            return Ok(());
        }
        let filled = self.write();
        if filled.is_err() {
            drop(std::fs::remove_file(&self.path));
        }
        filled
    }

    fn write(&self) -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        let mut left = self.bytes;
        while left > 0 {
            let part = usize::try_from(left).map_or(BLOCK.len(), |left| left.min(BLOCK.len()));
            file.write_all(BLOCK.get(..part).unwrap_or_default())?;
            left -= part as u64;
        }
        file.sync_all()
    }

    /// Gives the space back; says whether there was any to give.
    pub(super) fn release(&self) -> bool {
        let held = self.bytes > 0 && self.path.exists();
        held && std::fs::remove_file(&self.path).is_ok()
    }
}
