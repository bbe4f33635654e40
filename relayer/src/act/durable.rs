//! Writing files so that a power cut leaves either the old bytes or the new ones, never a mixture.
//!
//! The protocol is the one every write of the agent follows: a temporary file made with `O_EXCL` in the target's own
//! folder, its bytes, `fsync` of the file, `rename`, `fsync` of the folder. A failed `fsync` is never tried again on the
//! same file: the kernel may have dropped the dirty pages, so the file is thrown away and its writer starts over.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// How many leftover names are stepped over before a temporary file is given up.
const TEMPORARY_TRIES_MAX: u32 = 64;

/// The ending of every temporary name, by which leftovers of a crash are recognised.
pub(crate) const TEMPORARY_ENDING: &str = ".tmp";

static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// An operation on the disk that did not work, with the file it was about.
#[derive(Debug, Error)]
#[error("could not {action} {}{}", path.display(), advice(source))]
pub struct DiskError {
    /// What was tried, as a verb: `create`, `rename`, `sync the folder`.
    pub action: &'static str,
    /// The file or folder it was tried on.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_path_buf(), source }
    }

    /// Whether the disk, or the user's quota on it, is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        is_full(&self.source)
    }

    /// Whether the file system is mounted read-only or its permissions refuse the agent.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        is_read_only(&self.source)
    }
}

/// Whether an error says that no space or quota is left, or that the process may not write longer files.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn advice(error: &io::Error) -> &'static str {
    if is_full(error) {
        ": the disk is full, free some space and try again"
    } else if is_read_only(error) {
        ": expected a folder that the agent's user may write to, check its mount and permissions"
    } else {
        ""
    }
}

/// The folders that were synced, for tests: nothing else shows it short of a power cut.
#[cfg(test)]
pub(crate) static SYNCED: std::sync::Mutex<Vec<PathBuf>> = std::sync::Mutex::new(Vec::new());

/// How often a folder was synced so far.
#[cfg(test)]
pub(crate) fn synced(folder: &Path) -> usize {
    let all = SYNCED.lock().unwrap();
    all.iter().filter(|synced| **synced == *folder).count()
}

/// Makes the names inside `folder` durable: what was created, renamed or removed there survives a power cut.
///
/// # Errors
/// When the folder cannot be opened or the system cannot sync it.
pub fn fsync_dir(folder: &Path) -> Result<(), DiskError> {
    #[cfg(test)]
    SYNCED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(folder.to_path_buf());
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| DiskError::new("sync the folder", folder, e))
}

/// Creates `folder` with `mode` when it is not there, durably. Its parent must exist; a folder that exists is left as it
/// is, permissions included.
///
/// # Errors
/// When it cannot be created, or when something that is no folder has its name.
pub fn create_dir(folder: &Path, mode: u32) -> Result<(), DiskError> {
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), |parent| {
            if parent.as_os_str().is_empty() { fsync_dir(Path::new(".")) } else { fsync_dir(parent) }
        }),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(e) => Err(DiskError::new("create the folder", folder, e)),
    }
}

/// Replaces the file at `path` by one with these bytes and permission bits, atomically and durably.
///
/// After `Ok` the new bytes survive a power cut; after `Err` the old file is still whole.
///
/// # Errors
/// When any step fails; see [`DiskError::is_full`] and [`DiskError::is_read_only`].
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    let folder = parent(path);
    let mut draft = Draft::create(folder, mode)?;
    draft.write_all(bytes)?;
    draft.publish(path)
}

/// Makes `link` a symbolic link to `target`, replacing an older link atomically and durably: a reader sees the old target
/// or the new one, never none.
///
/// # Errors
/// When any step fails.
pub fn replace_link(link: &Path, target: &Path) -> Result<(), DiskError> {
    let folder = parent(link);
    let temporary = free_name(folder, |name| std::os::unix::fs::symlink(target, name))?.0;
    let renamed = std::fs::rename(&temporary, link);
    if let Err(e) = renamed {
        drop(std::fs::remove_file(&temporary));
        return Err(DiskError::new("replace the link", link, e));
    }
    fsync_dir(folder)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn free_name<T>(
    folder: &Path,
    mut create: impl FnMut(&Path) -> io::Result<T>,
) -> Result<(PathBuf, T), DiskError> {
    let process = std::process::id();
    for _ in 0..TEMPORARY_TRIES_MAX {
        let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{process}-{number}{TEMPORARY_ENDING}"));
        match create(&path) {
            Ok(made) => return Ok((path, made)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(DiskError::new("create", &path, e)),
        }
    }
    let path = folder.join(format!(".{process}-*{TEMPORARY_ENDING}"));
    let source = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(DiskError::new("find a free temporary name like", &path, source))
}

/// A file that is being written and does not exist under its name yet. Dropped without [`Draft::publish`] it is removed.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
    published: bool,
}

impl Draft {
    /// Starts a file in `folder`, which must be the folder it will be published in or one on the same file system, with
    /// these permission bits (independent of the umask).
    ///
    /// # Errors
    /// When the folder is full, read-only or missing.
    pub fn create(folder: &Path, mode: u32) -> Result<Self, DiskError> {
        let (path, file) = free_name(folder, |path| {
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
        })?;
        let draft = Self { file, path, published: false };
        draft
            .file
            .set_permissions(Permissions::from_mode(mode))
            .map_err(|e| DiskError::new("set the permissions of", &draft.path, e))?;
        Ok(draft)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When the disk does not take them all.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all(bytes).map_err(|e| DiskError::new("write", &self.path, e))
    }

    /// The descriptor, for callers that write by themselves.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where the bytes are until they are published.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, durably, in place of what had that name before.
    ///
    /// # Errors
    /// When syncing or renaming fails; the draft is then removed and the old file is untouched.
    pub fn publish(mut self, path: &Path) -> Result<(), DiskError> {
        self.file.sync_all().map_err(|e| DiskError::new("sync", &self.path, e))?;
        std::fs::rename(&self.path, path).map_err(|e| DiskError::new("rename into place", path, e))?;
        self.published = true;
        fsync_dir(parent(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // A leftover costs space and nothing else; the store sweeps it at the next start.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests;
