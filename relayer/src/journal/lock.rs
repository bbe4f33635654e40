//! One agent per folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use thiserror::Error;

const LOCK_NAME: &str = "LOCK";

/// A killed agent's lock lives on in a child that it was about to start, until that child's `exec` closes it. That takes
/// microseconds, so a few short tries tell it apart from an agent that really runs.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Why a folder could not be locked.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another agent{} holds the folder {}: stop it first, or give this one its own folder", holder(*pid), folder.display())]
    Held {
        /// The folder that was asked for.
        folder: PathBuf,
        /// The process that wrote the lock file, when it can be read. A hint for people; nothing may decide by it.
        pid: Option<u32>,
    },
    /// The lock file cannot be opened, written or locked.
    #[error("could not lock the folder {}: expected a local folder that the agent's user may write to", folder.display())]
    Unusable {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

/// The right to write to one folder, held from [`FolderLock::take`] until it is dropped or the process dies.
///
/// It is a `flock` on the file `LOCK`, so the system itself releases it with the process, however that ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
    folder: PathBuf,
}

impl FolderLock {
    /// Takes the lock of `folder`, which must exist.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it, [`LockError::Unusable`] when the folder cannot carry a lock.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { folder: folder.to_path_buf(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK_NAME))
            .map_err(unusable)?;
        let mut tries = TRIES;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if tries > 1 => {
                    tries -= 1;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(LockError::Held { folder: folder.to_path_buf(), pid: read_pid(&mut file) });
                }
                Err(e) => return Err(unusable(e.into())),
            }
        }
        // The number is for the error text of the next one who tries, so a full disk must not stop the agent here.
        drop(write_pid(&mut file));
        Ok(Self { _file: file, folder: folder.to_path_buf() })
    }

    /// The folder that this lock is about.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_folder_and_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        assert_eq!(first.folder(), folder.path());
        let refused = FolderLock::take(folder.path()).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(&folder.path().display().to_string()), "{text}");
        assert!(text.contains("another agent"), "{text}");
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(first);
        FolderLock::take(folder.path()).unwrap();
    }

    #[test]
    fn other_folders_do_not_disturb_each_other() {
        let one = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let _first = FolderLock::take(one.path()).unwrap();
        let _second = FolderLock::take(other.path()).unwrap();
    }

    #[test]
    fn a_missing_folder_is_unusable() {
        let folder = tempfile::tempdir().unwrap();
        let error = FolderLock::take(&folder.path().join("missing")).unwrap_err();
        assert!(matches!(error, LockError::Unusable { .. }), "{error}");
    }
}
