//! Artifacts by content: what a release's bytes are called is what they are.
//!
//! ```text
//! cas/sha256/<64 hex>     an artifact, mode 0555, complete and verified when it got its name
//! fetch/                  what is being downloaded or copied; swept at every start
//! current  -> cas/sha256/<64 hex>     what runs, or runs next
//! previous -> cas/sha256/<64 hex>     what ran before
//! ```
//!
//! `current` missing and `current` pointing at nothing are answers of their own: neither is ever read as "start the
//! oldest release". Invariant NODE-2: bytes are hashed through the very descriptor that is later executed.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use concord_schema::Digest;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::durable::{self, DiskError, Draft, create_dir, replace_link};

mod take_over;

pub use take_over::Offered;

const CONTENT: &str = "cas/sha256";
const FETCH: &str = "fetch";
const CURRENT: &str = "current";
const PREVIOUS: &str = "previous";

/// Readable and executable by all, writable by nobody.
const ARTIFACT_MODE: u32 = 0o555;
const FOLDER_MODE: u32 = 0o700;
const COPY_BYTES: usize = 128 << 10;

/// The two links of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// What runs, or runs next.
    Current,
    /// What ran before.
    Previous,
}

impl Link {
    fn name(self) -> &'static str {
        match self {
            Self::Current => CURRENT,
            Self::Previous => PREVIOUS,
        }
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The artifact is not in the store.
    #[error("artifact {digest} is not in the store {}: fetch it first", store.display())]
    Absent {
        /// What was asked for.
        digest: Digest,
        /// The store's folder.
        store: PathBuf,
    },
    /// The file under the artifact's name has other bytes.
    #[error(
        "the stored artifact {expected} has the digest {found} now: its disk or somebody changed it, fetch it again"
    )]
    Corrupt {
        /// Its name.
        expected: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// `current` or `previous` points at an artifact that is not there.
    #[error("{} points at artifact {digest}, which is not in the store: restore that file or point it elsewhere with `concord init --adopt`", link.display())]
    Dangling {
        /// The link.
        link: PathBuf,
        /// Where it points.
        digest: Digest,
    },
    /// `current` or `previous` is no link into the store.
    #[error("{} is no link to an artifact of this store (found {found:?}): remove it and run `concord init --adopt`", link.display())]
    Foreign {
        /// The link.
        link: PathBuf,
        /// Where it points, or what it is.
        found: String,
    },
    /// A binary that should be taken over is no ordinary file, or too large.
    #[error("{} cannot be taken over: expected an ordinary file of 1 to {bytes_max} bytes, found {found}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
        /// The bound.
        bytes_max: u64,
    },
    /// A binary that should be taken over is another one. Nothing of it is stored.
    #[error("{} has digest {found}, expected {expected}: give the binary with that digest", path.display())]
    OtherBytes {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: Digest,
        /// What it must be.
        expected: Digest,
    },
    /// A binary that should be taken over cannot be read.
    #[error("cannot read {} to take it over: check its path and who may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The disk did not do what it was asked to.
    #[error("the store's disk failed")]
    Disk(#[from] DiskError),
}

impl StoreError {
    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Disk(e) if e.is_full())
    }
}

/// An artifact whose bytes were hashed through [`Verified::file`], positioned at its start. Execute this descriptor and
/// not the name: between the two nobody can put other bytes.
#[derive(Debug)]
pub struct Verified {
    /// The open file.
    pub file: File,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub bytes: u64,
    stamp: Stamp,
}

/// What the system notes of a file's last change: length, and seconds and nanoseconds of data and of the file itself. The
/// latter nobody can set.
type Stamp = (u64, [i64; 4]);

fn stamp(file: &File) -> io::Result<Stamp> {
    let meta = file.metadata()?;
    Ok((meta.len(), [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()]))
}

impl Verified {
    /// Makes sure that the descriptor still has the bytes that were hashed: they are hashed again where the system notes a
    /// change of the file since. The descriptor is left at its start.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when somebody wrote into the file, or the disk.
    pub fn recheck(&self, store: &Store) -> Result<(), StoreError> {
        let path = store.path_of(&self.digest);
        let failed = |e| DiskError::new("read", &path, e);
        if stamp(&self.file).map_err(failed)? == self.stamp {
            return Ok(());
        }
        let mut file = self.file.try_clone().map_err(failed)?;
        let (found, _) = digest_of(&mut file).map_err(failed)?;
        if found == self.digest { Ok(()) } else { Err(StoreError::Corrupt { expected: self.digest, found }) }
    }
}

/// The artifacts of one agent. The caller holds the folder's lock.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, which must exist, and makes what is missing of it.
    ///
    /// # Errors
    /// When a folder cannot be made or an old download cannot be removed.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let folder = folder.canonicalize().map_err(|e| DiskError::new("find the folder", folder, e))?;
        let store = Self { folder };
        for name in ["cas", CONTENT, FETCH] {
            create_dir(&store.folder.join(name), FOLDER_MODE)?;
        }
        for folder in [store.fetch_folder(), store.folder.clone(), store.content_folder()] {
            sweep(&folder)?;
        }
        Ok(store)
    }

    /// Where the artifacts are, an absolute path without links.
    #[must_use]
    pub fn content_folder(&self) -> PathBuf {
        self.folder.join(CONTENT)
    }

    fn fetch_folder(&self) -> PathBuf {
        self.folder.join(FETCH)
    }

    /// The file that an artifact has or would have.
    #[must_use]
    pub fn path_of(&self, digest: &Digest) -> PathBuf {
        self.content_folder().join(digest.to_string())
    }

    /// Whether there is a file under the artifact's name. Says nothing about its bytes.
    #[must_use]
    pub fn holds(&self, digest: &Digest) -> bool {
        std::fs::symlink_metadata(self.path_of(digest)).is_ok_and(|meta| meta.is_file())
    }

    /// Bytes that an unprivileged process may still write on the store's file system.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let stat = rustix::fs::statvfs(&self.folder)
            .map_err(|e| DiskError::new("ask for the free space of", &self.folder, e.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Opens an artifact and hashes it through the descriptor that is answered. Blocks for about 1 ms a megabyte.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::Corrupt`], or the disk.
    pub fn open_verified(&self, expected: &Digest) -> Result<Verified, StoreError> {
        let path = self.path_of(expected);
        let failed = |e| DiskError::new("read", &path, e);
        let mut file = match open_plain(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Absent { digest: *expected, store: self.folder.clone() });
            }
            Err(e) => return Err(failed(e).into()),
        };
        // Taken first: a change while it is hashed shows as one afterwards.
        let stamp = stamp(&file).map_err(failed)?;
        let (digest, bytes) = digest_of(&mut file).map_err(failed)?;
        if digest != *expected {
            return Err(StoreError::Corrupt { expected: *expected, found: digest });
        }
        Ok(Verified { file, digest, bytes, stamp })
    }

    /// Starts an artifact. Only [`Store::publish`] gives it a name.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn draft(&self) -> Result<Draft, StoreError> {
        Ok(Draft::create(&self.fetch_folder(), ARTIFACT_MODE)?)
    }

    /// Gives a finished draft its name, durably. The caller hashed what it wrote; what is under the name already, and
    /// may be damaged, is replaced.
    ///
    /// # Errors
    /// When syncing or renaming fails.
    pub fn publish(&self, draft: Draft, digest: &Digest) -> Result<(), StoreError> {
        Ok(draft.publish(&self.path_of(digest))?)
    }

    /// What runs, or runs next.
    ///
    /// # Errors
    /// As [`Store::link`].
    pub fn current(&self) -> Result<Option<Digest>, StoreError> {
        self.link(Link::Current)
    }

    /// What ran before.
    ///
    /// # Errors
    /// As [`Store::link`].
    pub fn previous(&self) -> Result<Option<Digest>, StoreError> {
        self.link(Link::Previous)
    }

    /// Where a link points: `None` when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] when its artifact is gone, [`StoreError::Foreign`] when it is no link into the store. Each
    /// is a fault that a person must look at.
    pub fn link(&self, which: Link) -> Result<Option<Digest>, StoreError> {
        let link = self.folder.join(which.name());
        let foreign = |found: String| StoreError::Foreign { link: link.clone(), found };
        let target = match std::fs::read_link(&link) {
            Ok(target) => target,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                return Err(foreign("something that is no link".to_owned()));
            }
            Err(e) => return Err(DiskError::new("read the link", &link, e).into()),
        };
        let digest: Digest = target
            .strip_prefix(CONTENT)
            .ok()
            .and_then(Path::to_str)
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| foreign(target.display().to_string()))?;
        if !self.holds(&digest) {
            return Err(StoreError::Dangling { link, digest });
        }
        Ok(Some(digest))
    }

    /// Points `current` at `to` and `previous` at what was current, each by one atomic, durable rename. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when `to` is not in the store; the links are then as they were. A dangling or foreign
    /// `current` is an error too and not overwritten: see [`Store::point`].
    pub fn switch(&self, to: &Digest) -> Result<(), StoreError> {
        let current = self.current()?;
        if current == Some(*to) {
            // An earlier try may have ended between its rename and its sync.
            return self.sync();
        }
        if !self.holds(to) {
            return Err(StoreError::Absent { digest: *to, store: self.folder.clone() });
        }
        if let Some(current) = current {
            self.point(Link::Previous, &current)?;
        }
        self.point(Link::Current, to)
    }

    /// Makes durable what links and artifacts look like now, whoever left them so: what is seen may still be lost to a
    /// power cut, and must not be built upon before.
    ///
    /// # Errors
    /// When the disk cannot sync its folders.
    pub fn sync(&self) -> Result<(), StoreError> {
        durable::fsync_dir(&self.content_folder())?;
        Ok(durable::fsync_dir(&self.folder)?)
    }

    /// Makes an artifact durable that was found in the store, its bytes and its name.
    ///
    /// # Errors
    /// When the disk cannot sync them.
    pub fn sync_artifact(&self, found: &Verified) -> Result<(), StoreError> {
        let path = self.path_of(&found.digest);
        found.file.sync_all().map_err(|e| DiskError::new("sync", &path, e))?;
        Ok(durable::fsync_dir(&self.content_folder())?)
    }

    /// Points one link at an artifact, whatever it was before: to restore a link from the journal.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the artifact is not in the store, or the disk.
    pub fn point(&self, which: Link, to: &Digest) -> Result<(), StoreError> {
        if !self.holds(to) {
            return Err(StoreError::Absent { digest: *to, store: self.folder.clone() });
        }
        let target = Path::new(CONTENT).join(to.to_string());
        Ok(replace_link(&self.folder.join(which.name()), &target)?)
    }

    /// Removes a damaged artifact, durably, unless `current` names it.
    ///
    /// # Errors
    /// As [`Store::link`], or the disk.
    pub fn discard(&self, digest: &Digest) -> Result<(), StoreError> {
        if self.current()? == Some(*digest) {
            return Ok(());
        }
        let path = self.path_of(digest);
        std::fs::remove_file(&path).map_err(|e| DiskError::new("remove", &path, e))?;
        Ok(durable::fsync_dir(&self.content_folder())?)
    }

    /// Removes every artifact but `current`, `previous` and the `pinned` ones, and answers what it removed. Files whose
    /// names are no digests are left alone.
    ///
    /// # Errors
    /// When a link is dangling or foreign, before anything is removed; or the disk.
    pub fn collect(&self, pinned: &BTreeSet<Digest>) -> Result<Vec<Digest>, StoreError> {
        let keep: BTreeSet<Digest> =
            [self.current()?, self.previous()?].into_iter().flatten().chain(pinned.iter().copied()).collect();
        let folder = self.content_folder();
        let failed = |e| DiskError::new("list", &folder, e);
        let mut removed = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(digest) = name.to_str().and_then(|name| name.parse::<Digest>().ok()) else {
                continue;
            };
            if !keep.contains(&digest) {
                let path = self.path_of(&digest);
                std::fs::remove_file(&path).map_err(|e| DiskError::new("remove", &path, e))?;
                removed.push(digest);
            }
        }
        durable::fsync_dir(&folder)?;
        removed.sort_unstable();
        Ok(removed)
    }
}

/// Opens an existing file for reading. A link is refused, and a pipe does not block.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn read_part<'a>(source: &mut File, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    loop {
        match source.read(buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => return Ok(buffer.get(..count)),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// The digest and length of an open file, read from its start; it is left at its start.
pub(crate) fn digest_of(file: &mut File) -> io::Result<(Digest, u64)> {
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; COPY_BYTES];
    while let Some(part) = read_part(file, &mut buffer)? {
        hash.update(part);
        bytes = bytes.saturating_add(part.len() as u64);
    }
    file.rewind()?;
    Ok((Digest(hash.finalize().into()), bytes))
}

/// Removes what a crash left of unfinished files.
fn sweep(folder: &Path) -> Result<(), StoreError> {
    let failed = |e| DiskError::new("list", folder, e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().ends_with(durable::TEMPORARY_ENDING) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|e| DiskError::new("remove the leftover", &path, e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
