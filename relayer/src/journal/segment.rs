//! The files of a journal: `00000001.wal`, `00000002.wal`, …; the highest number is the live one.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frame::{self, FRAME_BYTES, HEADER_BYTES, Header, LAYOUT, Tail};
use super::{Contents, Entry, JournalError, Limits, Torn};
use crate::act::durable::{self, DiskError, Draft, TEMPORARY_ENDING};

const ENDING: &str = ".wal";

/// The live segment, open for appending.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) number: u32,
    /// Where the next record goes.
    pub(super) bytes: u64,
}

impl Segment {
    pub(super) fn open(folder: &Path, number: u32) -> Result<Self, JournalError> {
        let path = path_of(folder, number);
        let open = || {
            let file = OpenOptions::new().read(true).append(true).open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|e| DiskError::new("open for appending", &path, e))?;
        Ok(Self { file, path, number, bytes })
    }

    /// Shortens the segment to `offset`, durably.
    pub(super) fn cut(&mut self, offset: u64) -> Result<(), JournalError> {
        self.file
            .set_len(offset)
            .and_then(|()| self.file.sync_all())
            .map_err(|e| DiskError::new("cut the torn tail of", &self.path, e))?;
        self.bytes = offset;
        Ok(())
    }

    pub(super) fn check_room(&self, bytes: u64, limits: &Limits) -> Result<(), JournalError> {
        let found = self.bytes.saturating_add(bytes);
        if found > limits.segment_bytes_max {
            return Err(JournalError::SegmentTooLong {
                path: self.path.clone(),
                found,
                max: limits.segment_bytes_max,
            });
        }
        Ok(())
    }
}

/// What reading a segment gave.
pub(super) struct Read<T> {
    pub(super) contents: Contents<T>,
    pub(super) next_seq: u64,
}

fn path_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}{ENDING}"))
}

fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(ENDING)?;
    (digits.len() >= 8).then(|| digits.parse().ok()).flatten()
}

fn names(folder: &Path) -> Result<Vec<String>, JournalError> {
    let list = || {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    };
    list().map_err(|e| DiskError::new("list", folder, e).into())
}

/// The number of the live segment, if the folder has one.
pub(super) fn newest(folder: &Path) -> Result<Option<u32>, JournalError> {
    if !folder.exists() {
        return Ok(None);
    }
    Ok(names(folder)?.iter().filter_map(|name| number_of(name)).max())
}

/// Removes what a crash in the middle of [`create`] or after it left: older segments and temporary files.
pub(super) fn sweep(folder: &Path, live: u32) -> Result<(), JournalError> {
    let mut removed = false;
    for name in names(folder)? {
        let old = number_of(&name).is_some_and(|number| number < live);
        if old || name.ends_with(TEMPORARY_ENDING) {
            let path = folder.join(&name);
            std::fs::remove_file(&path).map_err(|e| DiskError::new("remove the leftover", &path, e))?;
            removed = true;
        }
    }
    if removed {
        durable::fsync_dir(folder)?;
    }
    Ok(())
}

/// One record as it lies in a segment.
pub(super) fn encode<T: Serialize>(record: &T, seq: u64, limits: &Limits) -> Result<Vec<u8>, JournalError> {
    let payload = serde_json::to_vec(record).map_err(JournalError::Encode)?;
    let max = limits.payload_bytes_max;
    let len = u32::try_from(payload.len())
        .ok()
        .filter(|len| *len <= max)
        .ok_or(JournalError::PayloadTooLong { found: payload.len() as u64, max })?;
    let mut bytes = Vec::with_capacity(FRAME_BYTES + payload.len());
    frame::encode(&mut bytes, seq, len, &payload);
    Ok(bytes)
}

/// Publishes a whole new segment that starts with `records`.
pub(super) fn create<T: Serialize>(
    folder: &Path,
    number: u32,
    first_seq: u64,
    records: &[T],
    limits: &Limits,
) -> Result<(), JournalError> {
    let header = Header { layout: LAYOUT, segment: number, first_seq };
    let mut bytes = header.encode();
    for (seq, record) in (first_seq..).zip(records) {
        bytes.extend_from_slice(&encode(record, seq, limits)?);
    }
    let path = path_of(folder, number);
    let found = bytes.len() as u64;
    if found > limits.segment_bytes_max {
        let max = limits.segment_bytes_max;
        return Err(JournalError::SegmentTooLong { path, found, max });
    }
    let mut draft = Draft::create(folder, 0o600)?;
    draft.write_all(&bytes)?;
    draft.publish(&path)?;
    Ok(())
}

/// Reads and checks a segment without changing it.
pub(super) fn read<T: DeserializeOwned>(
    folder: &Path,
    number: u32,
    limits: &Limits,
) -> Result<Read<T>, JournalError> {
    let path = path_of(folder, number);
    let bytes = load(&path, limits)?;
    let bad_header = || JournalError::Header { path: path.clone() };
    let header = Header::decode(&bytes).ok_or_else(bad_header)?;
    if header.layout != LAYOUT {
        return Err(JournalError::Layout { path, found: header.layout });
    }
    if header.segment != number {
        return Err(bad_header());
    }
    let body = bytes.get(HEADER_BYTES..).ok_or_else(bad_header)?;
    let (records, tail) = frame::scan(body, header.first_seq, limits.payload_bytes_max);
    let torn = match tail {
        Tail::Clean => None,
        Tail::Torn { offset, bytes } => Some(Torn { offset, bytes }),
        Tail::Damaged { offset, seq } => return Err(JournalError::Damaged { path, offset, seq }),
    };
    let next_seq = header.first_seq.saturating_add(records.len() as u64);
    let mut entries = Vec::with_capacity(records.len());
    for (seq, payload) in records {
        let record = serde_json::from_slice(payload).map_err(|source| JournalError::Unknown {
            path: path.clone(),
            seq,
            source,
        })?;
        entries.push(Entry { seq, record });
    }
    Ok(Read { contents: Contents { entries, torn }, next_seq })
}

fn load(path: &Path, limits: &Limits) -> Result<Vec<u8>, JournalError> {
    use std::io::Read as _;
    let failed = |e| DiskError::new("read", path, e);
    let file = File::open(path).map_err(failed)?;
    let max = limits.segment_bytes_max;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let found = bytes.len() as u64;
    if found > max {
        return Err(JournalError::SegmentTooLong { path: path.to_path_buf(), found, max });
    }
    Ok(bytes)
}
