//! The agent's write-ahead journal: what it meant to do before it did it, and what came of it.
//!
//! [`Journal::append`] returns when the record is on the disk. Records live in numbered segments, one of them live; a new
//! segment starts with a snapshot and takes over by one rename, so there is never a moment without a whole journal.
//! A tail that a crash tore off is cut and reported; anything else that cannot be read is an error for a person to look
//! at, because a journal with a hole in it would let the agent do a thing twice.
//!
//! The room knows nothing of what it records: any type with serde will do.

mod frame;
mod lock;
mod reserve;
mod segment;

use std::fs::File;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::act::durable::{self, DiskError, is_full};

pub use frame::LAYOUT;
pub use lock::{FolderLock, LockError};

use reserve::Reserve;
use segment::Segment;

/// The bounds of one journal.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of JSON in one record, at most.
    pub payload_bytes_max: u32,
    /// Bytes of a segment after which [`Journal::needs_rewrite`] says yes.
    pub segment_bytes: u64,
    /// Bytes of a segment that are refused to be read or written at all.
    pub segment_bytes_max: u64,
    /// Bytes kept aside for a full disk; 0 turns that off.
    pub reserve_bytes: u64,
}

impl Default for Limits {
    /// 256 KiB a record, a new segment from 4 MiB on, nothing above 64 MiB, 1 MiB aside.
    fn default() -> Self {
        Self {
            payload_bytes_max: 256 << 10,
            segment_bytes: 4 << 20,
            segment_bytes_max: 64 << 20,
            reserve_bytes: 1 << 20,
        }
    }
}

/// Why the journal cannot be read or written. All of them need a person or another try; none may be passed over.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A record that is not the last one does not check out, or more than one record is unreadable at the end.
    #[error("the journal {} is damaged at byte {offset}, where record {seq} should stand: keep a copy, then restore the file or hand the node to `concord init --adopt`", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the bad record starts.
        offset: u64,
        /// The number it should have.
        seq: u64,
    },
    /// The first bytes of a segment are not a journal's.
    #[error("{} is no journal segment: expected its header of {} bytes, keep a copy and restore the file", path.display(), frame::HEADER_BYTES)]
    Header {
        /// The segment.
        path: PathBuf,
    },
    /// Another version of the program wrote it.
    #[error("the journal {} has layout {found}, this agent reads layout {}: start the agent that wrote it", path.display(), LAYOUT)]
    Layout {
        /// The segment.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
    /// A record is whole, but not one that this program knows.
    #[error("record {seq} of the journal {} is whole but unknown to this agent: start the agent that wrote it", path.display())]
    Unknown {
        /// The segment.
        path: PathBuf,
        /// Its number.
        seq: u64,
        /// What is unexpected in it.
        #[source]
        source: serde_json::Error,
    },
    /// A record cannot be written as JSON.
    #[error("a record cannot be written as JSON: report it as a defect of the agent")]
    Encode(#[source] serde_json::Error),
    /// A record is larger than [`Limits::payload_bytes_max`].
    #[error("a record has {found} bytes, at most {max} are written: report it as a defect of the agent")]
    PayloadTooLong {
        /// Its bytes.
        found: u64,
        /// The bound.
        max: u32,
    },
    /// A segment is larger than [`Limits::segment_bytes_max`].
    #[error("the journal {} has or would have {found} bytes, at most {max} are expected: let it be rewritten, or look what fills it", path.display())]
    SegmentTooLong {
        /// The segment.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The bound.
        max: u64,
    },
    /// An earlier write or sync failed, so what is on the disk is not known until it is read again.
    #[error("the journal {} is closed after a failed write: open it again", path.display())]
    Closed {
        /// The segment.
        path: PathBuf,
    },
    /// No space was left, the reserve included. Nothing was written.
    #[error("the disk under {} is full and the journal's reserve is used up: free some space", path.display())]
    Full {
        /// The segment.
        path: PathBuf,
    },
    /// The disk did not do what it was asked to.
    #[error("the journal's disk failed")]
    Disk(#[from] DiskError),
}

impl JournalError {
    /// Whether there was no space, on the disk or in the segment: a matter of time and of its operator.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full { .. } | Self::SegmentTooLong { .. } => true,
            Self::Disk(error) => error.is_full(),
            _ => false,
        }
    }
}

/// A record with its number. Numbers rise by one and never start again, not even in a new segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// The number.
    pub seq: u64,
    /// What was recorded.
    pub record: T,
}

/// The beginning of a record whose append never returned, found at the end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it starts in the segment.
    pub offset: u64,
    /// How many bytes of it there are.
    pub bytes: u64,
}

/// What a journal holds.
#[derive(Debug)]
pub struct Contents<T> {
    /// The records of the live segment, oldest first; after a rewrite the first ones are its snapshot.
    pub entries: Vec<Entry<T>>,
    /// The torn tail, if there was one.
    pub torn: Option<Torn>,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The record's number.
    pub seq: u64,
    /// The disk was full and the reserve had to be given up for this record: stop fetching, ask for space.
    pub disk_full: bool,
}

/// The two calls that a full or failing disk answers; tests put their own disk here.
pub(crate) trait Medium {
    fn write_all(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    fn sync_data(&mut self, file: &File) -> io::Result<()>;
}

/// The disk itself.
#[derive(Debug)]
pub struct Disk;

impl Medium for Disk {
    fn write_all(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync_data(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// An open journal. The caller holds the folder's [`FolderLock`]; two writers would interleave.
#[derive(Debug)]
#[expect(private_bounds, reason = "other disks are for this room's tests only")]
pub struct Journal<T, M: Medium = Disk> {
    folder: PathBuf,
    limits: Limits,
    live: Segment,
    next_seq: u64,
    closed: bool,
    reserve: Reserve,
    medium: M,
    record: PhantomData<fn(&T)>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens the journal in `folder`, or starts one there, and answers what it holds. A torn tail is cut off.
    ///
    /// # Errors
    /// Everything but a torn tail that is not as it was written, and a disk that cannot be read and written.
    pub fn open(folder: &Path, limits: Limits) -> Result<(Self, Contents<T>), JournalError> {
        Self::open_on(folder, limits, Disk)
    }

    /// Reads the journal in `folder` without changing a byte: for a new program that tries whether it understands the
    /// real journal, and for whoever follows an agent at work. A torn tail may then be an append under way.
    ///
    /// # Errors
    /// As [`Journal::open`]; a folder without a journal is an empty one.
    pub fn inspect(folder: &Path, limits: Limits) -> Result<Contents<T>, JournalError> {
        // A writer may replace the segment between listing and reading; then the newer one is there to be read.
        let mut tries = 8_u32;
        loop {
            let Some(number) = segment::newest(folder)? else {
                return Ok(Contents { entries: Vec::new(), torn: None });
            };
            match segment::read(folder, number, &limits) {
                Ok(read) => return Ok(read.contents),
                Err(JournalError::Disk(e)) if e.source.kind() == io::ErrorKind::NotFound && tries > 0 => {
                    tries -= 1;
                }
                Err(e) => return Err(e),
            }
        }
    }
}

#[expect(private_bounds, reason = "other disks are for this room's tests only")]
impl<T: Serialize + DeserializeOwned, M: Medium> Journal<T, M> {
    pub(crate) fn open_on(
        folder: &Path,
        limits: Limits,
        medium: M,
    ) -> Result<(Self, Contents<T>), JournalError> {
        durable::create_dir(folder, 0o700)?;
        let number = if let Some(number) = segment::newest(folder)? {
            number
        } else {
            segment::create::<T>(folder, 1, 1, &[], &limits)?;
            1
        };
        let read = segment::read::<T>(folder, number, &limits)?;
        let mut live = Segment::open(folder, number)?;
        if let Some(torn) = read.contents.torn {
            live.cut(torn.offset)?;
        }
        segment::sweep(folder, number)?;
        let journal = Self {
            folder: folder.to_path_buf(),
            limits,
            live,
            next_seq: read.next_seq,
            closed: false,
            reserve: Reserve::new(folder, limits.reserve_bytes),
            medium,
            record: PhantomData,
        };
        // Without a reserve the agent still works; it has only less room for the day the disk is full.
        drop(journal.reserve.fill());
        Ok((journal, read.contents))
    }

    /// Records one thing and returns when it is on the disk.
    ///
    /// # Errors
    /// [`JournalError::Full`] and [`JournalError::PayloadTooLong`] leave the journal as it was. After any other one it is
    /// closed: whether the record is there is only known after opening it again.
    pub fn append(&mut self, record: &T) -> Result<Appended, JournalError> {
        if self.closed {
            return Err(JournalError::Closed { path: self.live.path.clone() });
        }
        let seq = self.next_seq;
        let bytes = segment::encode(record, seq, &self.limits)?;
        self.live.check_room(bytes.len() as u64, &self.limits)?;
        // From here on an early return means that the disk is in an unknown state.
        self.closed = true;
        let disk_full = self.write(&bytes)?;
        self.medium.sync_data(&self.live.file).map_err(|e| DiskError::new("sync", &self.live.path, e))?;
        self.live.bytes += bytes.len() as u64;
        self.next_seq = seq.saturating_add(1);
        self.closed = false;
        Ok(Appended { seq, disk_full })
    }

    /// Writes at the end of the live segment; on a full disk takes back what was half written, gives up the reserve and
    /// tries once more.
    fn write(&mut self, bytes: &[u8]) -> Result<bool, JournalError> {
        let mut disk_full = false;
        loop {
            let error = match self.medium.write_all(&mut self.live.file, bytes) {
                Ok(()) => return Ok(disk_full),
                Err(e) => e,
            };
            let end = self.live.bytes;
            self.live.cut(end)?;
            if !is_full(&error) {
                return Err(DiskError::new("write", &self.live.path, error).into());
            }
            if disk_full || !self.reserve.release() {
                self.closed = false;
                return Err(JournalError::Full { path: self.live.path.clone() });
            }
            disk_full = true;
        }
    }

    /// Whether the live segment has grown beyond [`Limits::segment_bytes`], so that the caller should
    /// [`Journal::rewrite`] it at a quiet moment.
    #[must_use]
    pub fn needs_rewrite(&self) -> bool {
        self.live.bytes > self.limits.segment_bytes
    }

    /// Starts a new segment that holds only `snapshot`, which must say all that still matters of the records so far.
    /// The change is one rename: after a crash either the old segment is there, whole, or the new one.
    ///
    /// # Errors
    /// When the new segment cannot be written; the old one is then still live and can be appended to, unless the new one
    /// had its name already, which closes the journal until it is opened again.
    pub fn rewrite(&mut self, snapshot: &[T]) -> Result<(), JournalError> {
        if self.closed {
            return Err(JournalError::Closed { path: self.live.path.clone() });
        }
        let number = self.live.number.saturating_add(1);
        // Once the new segment has its name, a record appended to the old one would be lost.
        self.closed = true;
        let create = || segment::create(&self.folder, number, self.next_seq, snapshot, &self.limits);
        let created = match create() {
            // The new segment is shorter than the old one, which it makes room of; the reserve is for just that.
            Err(JournalError::Disk(e)) if e.is_full() && self.reserve.release() => create(),
            created => created,
        };
        if let Err(e) = created {
            let unnamed = segment::newest(&self.folder).is_ok_and(|newest| newest == Some(self.live.number));
            self.closed = !unnamed;
            return Err(e);
        }
        self.live = Segment::open(&self.folder, number)?;
        self.next_seq = self.next_seq.saturating_add(snapshot.len() as u64);
        self.closed = false;
        segment::sweep(&self.folder, number)?;
        Ok(())
    }

    /// Sets the reserve aside again when there is space, and says whether it is there now. Cheap when it is.
    pub fn fill_reserve(&mut self) -> bool {
        self.reserve.fill().is_ok()
    }

    /// The number that the next record will have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Whether it must be opened again before anything can be appended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The folder of its segments.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The live segment, for error texts.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.live.path
    }
}

#[cfg(test)]
mod tests;
