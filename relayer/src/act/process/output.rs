//! Where a daemon writes: files that outlive every agent, bounded in size.
//!
//! Never a pipe: a pipe dies with its reader, and the daemon with the pipe. A file may be renamed only while nobody writes
//! to it, so names are rotated before a start; while the daemon runs, old blocks are punched out of its file, which loses
//! no byte that is being written and needs no help of the daemon.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use crate::act::durable::DiskError;

const BLOCK_BYTES: u64 = 4096;

/// The files of a daemon's standard output and error, which may be one and the same.
#[derive(Clone, Debug)]
pub struct Output {
    /// Standard output goes here.
    pub stdout: PathBuf,
    /// Standard error goes here.
    pub stderr: PathBuf,
    /// Bytes on the disk above which a file is rotated at the next start, and trimmed to half of them while it is
    /// written to.
    pub bytes_max: u64,
    /// How many older files are kept, as `<name>.1`, the newest, up to `<name>.<keep>`.
    pub keep: u32,
}

impl Output {
    /// Rotates what has grown too large and opens both files for appending. Only for moments without a daemon.
    pub(super) fn open(&self) -> Result<(File, File), DiskError> {
        Ok((self.open_one(&self.stdout)?, self.open_one(&self.stderr)?))
    }

    fn open_one(&self, path: &Path) -> Result<File, DiskError> {
        if std::fs::metadata(path).is_ok_and(|meta| meta.len() > self.bytes_max) {
            rotate(path, self.keep).map_err(|e| DiskError::new("rotate", path, e))?;
        }
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| DiskError::new("open the daemon's output", path, e))
    }

    /// Frees the oldest part of a file that a running daemon made too large; its length stays, the freed part reads as
    /// zeros. Answers whether anything was freed: some file systems cannot.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn trim(&self) -> Result<bool, DiskError> {
        let mut freed = false;
        for path in [&self.stdout, &self.stderr] {
            freed |= self.trim_one(path).map_err(|e| DiskError::new("trim", path, e))?;
        }
        Ok(freed)
    }

    fn trim_one(&self, path: &Path) -> io::Result<bool> {
        let file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(e),
        };
        let meta = file.metadata()?;
        if meta.blocks().saturating_mul(512) <= self.bytes_max {
            return Ok(false);
        }
        let old = meta.len().saturating_sub(self.bytes_max / 2) / BLOCK_BYTES * BLOCK_BYTES;
        if old == 0 {
            return Ok(false);
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&file, flags, 0, old) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        let from = numbered(path, number);
        if from.exists() {
            std::fs::rename(from, numbered(path, number + 1))?;
        }
    }
    std::fs::rename(path, numbered(path, 1))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn output(folder: &Path, bytes_max: u64, keep: u32) -> Output {
        Output { stdout: folder.join("out"), stderr: folder.join("err"), bytes_max, keep }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_rotated_above_its_bound_and_only_some_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let output = output(folder.path(), 4, 2);
        for (bytes, expected) in [
            ("1234", vec!["err", "out"]),
            ("5", vec!["err", "out"]),
            ("second", vec!["err", "out", "out.1"]),
            ("third!", vec!["err", "out", "out.1", "out.2"]),
            ("fourth", vec!["err", "out", "out.1", "out.2"]),
        ] {
            let (mut out, _) = output.open().unwrap();
            assert_eq!(names(folder.path()), expected);
            out.write_all(bytes.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            (read("out"), read("out.1"), read("out.2")),
            ("fourth".into(), "third!".into(), "second".into())
        );
    }

    #[test]
    fn nothing_older_is_kept_when_none_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let output = output(folder.path(), 0, 0);
        for _ in 0..3 {
            output.open().unwrap().0.write_all(b"x").unwrap();
            assert_eq!(names(folder.path()), ["err", "out"]);
            assert_eq!(std::fs::read(folder.path().join("out")).unwrap(), b"x");
        }
    }

    #[test]
    fn trimming_frees_the_old_part_under_a_writer_and_keeps_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let output = output(folder.path(), 1 << 20, 1);
        let (mut out, _) = output.open().unwrap();
        assert!(!output.trim().unwrap());
        out.write_all(&vec![b'a'; 3 << 20]).unwrap();
        out.sync_all().unwrap();
        if output.trim().unwrap() {
            let meta = out.metadata().unwrap();
            assert!(meta.blocks() * 512 <= 1 << 20, "{} blocks", meta.blocks());
        }
        out.write_all(b"end").unwrap();
        let bytes = std::fs::read(&output.stdout).unwrap();
        assert_eq!(bytes.len(), (3 << 20) + 3);
        assert!(bytes.ends_with(b"aaaend"));
    }
}
