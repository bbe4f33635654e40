use super::*;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Note {
    Intent { effect: String },
    Done { code: u64 },
}

fn intent(text: &str) -> Note {
    Note::Intent { effect: text.into() }
}

const LIMITS: Limits =
    Limits { payload_bytes_max: 200, segment_bytes: 400, segment_bytes_max: 4000, reserve_bytes: 64 };

fn open(folder: &Path) -> (Journal<Note>, Contents<Note>) {
    Journal::open(folder, LIMITS).unwrap()
}

fn notes(contents: &Contents<Note>) -> Vec<Note> {
    contents.entries.iter().map(|entry| entry.record.clone()).collect()
}

fn written(folder: &Path, notes: &[Note]) -> PathBuf {
    let (mut journal, _) = open(folder);
    for note in notes {
        journal.append(note).unwrap();
    }
    journal.path().to_path_buf()
}

#[test]
fn what_was_appended_is_read_again_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let all = [intent("stop"), Note::Done { code: 3 }];
    written(folder.path(), &all);
    let (mut journal, contents) = open(folder.path());
    assert_eq!(notes(&contents), all);
    assert_eq!(contents.torn, None);
    let appended = journal.append(&intent("start")).unwrap();
    assert_eq!(appended, Appended { seq: 3, disk_full: false });
    let read = Journal::<Note>::inspect(folder.path(), LIMITS).unwrap();
    assert_eq!(read.entries.len(), 3);
}

#[test]
fn a_tail_torn_at_any_byte_of_the_last_record_is_cut_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one"), intent("two")]);
    let start = std::fs::metadata(&path).unwrap().len();
    written(folder.path(), &[intent("three")]);
    let whole = std::fs::read(&path).unwrap();
    let end = whole.len() as u64;
    for at in start..=end {
        std::fs::write(&path, &whole[..usize::try_from(at).unwrap()]).unwrap();
        let inspected = Journal::<Note>::inspect(folder.path(), LIMITS).unwrap();
        let (mut journal, contents) = open(folder.path());
        let torn = (at != start && at != end).then_some(Torn { offset: start, bytes: at - start });
        assert_eq!(contents.torn, torn, "cut at {at}");
        assert_eq!(inspected.torn, torn);
        let kept = if at == end { 3 } else { 2 };
        assert_eq!(contents.entries.len(), kept, "cut at {at}");
        journal.append(&intent("again")).unwrap();
        let (_, contents) = open(folder.path());
        assert_eq!(contents.torn, None);
        assert_eq!(contents.entries.len(), kept + 1);
    }
}

#[test]
fn a_last_record_with_a_changed_byte_is_torn_and_zeros_behind_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one"), intent("two")]);
    let whole = std::fs::read(&path).unwrap();
    let mut bad = whole.clone();
    *bad.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let (_, contents) = open(folder.path());
    assert_eq!(notes(&contents), [intent("one")]);
    assert!(contents.torn.is_some());

    let mut zeros = whole.clone();
    zeros.extend_from_slice(&[0; 100]);
    std::fs::write(&path, &zeros).unwrap();
    let (_, contents) = open(folder.path());
    assert_eq!(contents.entries.len(), 2);
    assert_eq!(contents.torn, Some(Torn { offset: whole.len() as u64, bytes: 100 }));
}

#[test]
fn a_changed_byte_anywhere_before_the_last_record_is_damage_and_nothing_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one"), intent("two")]);
    let last = std::fs::metadata(&path).unwrap().len();
    written(folder.path(), &[intent("three")]);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..usize::try_from(last).unwrap() {
        let mut bad = whole.clone();
        bad[at] ^= 0x40;
        std::fs::write(&path, &bad).unwrap();
        let error = Journal::<Note>::open(folder.path(), LIMITS).unwrap_err();
        let expected = if at < frame::HEADER_BYTES {
            matches!(error, JournalError::Header { .. })
        } else {
            matches!(error, JournalError::Damaged { .. })
        };
        assert!(expected, "byte {at}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), bad, "a damaged journal is left as it is");
    }
}

#[test]
fn too_much_unreadable_at_the_end_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one")]);
    let whole = std::fs::read(&path).unwrap();
    let most = frame::FRAME_BYTES + LIMITS.payload_bytes_max as usize;
    for (extra, fine) in [(most, true), (most + 1, false)] {
        let mut long = whole.clone();
        long.resize(whole.len() + extra, 0);
        std::fs::write(&path, &long).unwrap();
        assert_eq!(Journal::<Note>::open(folder.path(), LIMITS).is_ok(), fine, "{extra} bytes");
    }
}

#[test]
fn a_repeated_record_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one")]);
    let mut twice = std::fs::read(&path).unwrap();
    twice.extend_from_within(frame::HEADER_BYTES..);
    std::fs::write(&path, &twice).unwrap();
    let error = Journal::<Note>::open(folder.path(), LIMITS).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { seq: 2, .. }), "{error}");
}

#[test]
fn the_payload_and_the_segment_are_bounded_at_both_edges() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path());
    let around = serde_json::to_vec(&intent("")).unwrap().len();
    let fits = LIMITS.payload_bytes_max as usize - around;
    journal.append(&intent(&"x".repeat(fits))).unwrap();
    let error = journal.append(&intent(&"x".repeat(fits + 1))).unwrap_err();
    assert!(matches!(error, JournalError::PayloadTooLong { found: 201, max: 200 }), "{error}");
    let mut last = Ok(Appended { seq: 0, disk_full: false });
    for _ in 0..30 {
        last = journal.append(&intent(&"x".repeat(fits)));
        if last.is_err() {
            break;
        }
    }
    assert!(matches!(last, Err(JournalError::SegmentTooLong { max: 4000, .. })));
    // Refused before anything was written: a rewrite still helps.
    journal.rewrite(&[intent("all")]).unwrap();
    journal.append(&intent("on")).unwrap();
}

#[test]
fn a_rewrite_keeps_the_snapshot_and_the_numbers_and_removes_the_old_segment() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path());
    while !journal.needs_rewrite() {
        journal.append(&intent("step")).unwrap();
    }
    let seq = journal.next_seq();
    journal.rewrite(&[intent("snapshot"), Note::Done { code: 0 }]).unwrap();
    assert!(!journal.needs_rewrite());
    journal.append(&intent("after")).unwrap();
    let (_, contents) = open(folder.path());
    assert_eq!(notes(&contents), [intent("snapshot"), Note::Done { code: 0 }, intent("after")]);
    assert_eq!(contents.entries[0].seq, seq);
    let segments: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "reserve")
        .collect();
    assert_eq!(segments, ["00000002.wal"]);
}

#[test]
fn a_crash_around_the_rename_of_a_rewrite_leaves_one_whole_journal() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), &[intent("one")]);
    let before = std::fs::read(&old).unwrap();
    // Before the rename: a temporary file lies beside the live segment.
    std::fs::write(folder.path().join(".1-1.tmp"), b"half a segm").unwrap();
    let (mut journal, contents) = open(folder.path());
    assert_eq!(notes(&contents), [intent("one")]);
    assert!(!folder.path().join(".1-1.tmp").exists());
    // After the rename: the old segment is still there.
    journal.rewrite(&[intent("snapshot")]).unwrap();
    std::fs::write(&old, before).unwrap();
    let (_, contents) = open(folder.path());
    assert_eq!(notes(&contents), [intent("snapshot")]);
    assert!(!old.exists());
}

#[test]
fn a_record_of_another_program_is_named_and_not_skipped() {
    #[derive(Serialize, Deserialize)]
    struct Newer {
        purpose: u8,
    }
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &[intent("one")]);
    let mut other = Journal::<serde_json::Value>::open(folder.path(), LIMITS).unwrap().0;
    other.append(&serde_json::to_value(Newer { purpose: 1 }).unwrap()).unwrap();
    let error = Journal::<Note>::open(folder.path(), LIMITS).unwrap_err();
    assert!(matches!(error, JournalError::Unknown { seq: 2, .. }), "{error}");
}

#[test]
fn another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[]);
    let header = frame::Header { layout: LAYOUT + 1, segment: 1, first_seq: 1 };
    std::fs::write(&path, header.encode()).unwrap();
    let error = Journal::<Note>::open(folder.path(), LIMITS).unwrap_err();
    assert!(matches!(error, JournalError::Layout { found: 2, .. }), "{error}");
}

#[test]
fn a_segment_under_another_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &[intent("one")]);
    std::fs::rename(&path, folder.path().join("00000009.wal")).unwrap();
    let error = Journal::<Note>::open(folder.path(), LIMITS).unwrap_err();
    assert!(matches!(error, JournalError::Header { .. }), "{error}");
}

#[test]
fn inspecting_no_journal_finds_none_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("journal");
    assert!(Journal::<Note>::inspect(&missing, LIMITS).unwrap().entries.is_empty());
    assert!(!missing.exists());
}

/// A disk with a few bytes left that the reserve's removal gives back.
struct FullDisk {
    room: usize,
    reserve: PathBuf,
    reserve_room: usize,
    sync_fails: bool,
}

impl Medium for FullDisk {
    fn write_all(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if !self.reserve.exists() {
            self.room += std::mem::take(&mut self.reserve_room);
        }
        let part = bytes.len().min(self.room);
        file.write_all(&bytes[..part])?;
        if part < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= part;
        Ok(())
    }

    fn sync_data(&mut self, _: &File) -> io::Result<()> {
        if self.sync_fails {
            return Err(io::Error::other("input/output error"));
        }
        Ok(())
    }
}

fn full_disk(folder: &Path, room: usize, reserve_room: usize) -> FullDisk {
    FullDisk { room, reserve: folder.join("reserve"), reserve_room, sync_fails: false }
}

#[test]
fn a_full_disk_costs_the_reserve_first_and_then_refuses_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let one = frame::FRAME_BYTES + serde_json::to_vec(&intent("x")).unwrap().len();
    for room in 0..one {
        let inside = folder.path().join(room.to_string());
        let disk = full_disk(&inside, one + room, one - room);
        let (mut journal, _) = Journal::open_on(&inside, LIMITS, disk).unwrap();
        assert!(!journal.append(&intent("1")).unwrap().disk_full);
        assert!(journal.append(&intent("2")).unwrap().disk_full, "room {room}");
        assert!(!inside.join("reserve").exists());
        let error = journal.append(&intent("3")).unwrap_err();
        assert!(matches!(error, JournalError::Full { .. }), "{error}");
        // Space again: the same journal goes on.
        journal.medium.room = 1000;
        journal.append(&intent("4")).unwrap();
        assert!(journal.fill_reserve());
        let (_, contents) = open(&inside);
        assert_eq!(notes(&contents), [intent("1"), intent("2"), intent("4")]);
        assert_eq!(contents.torn, None);
    }
}

#[test]
fn after_a_failed_sync_the_journal_is_closed_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = full_disk(folder.path(), 1000, 0);
    disk.sync_fails = true;
    let (mut journal, _) = Journal::open_on(folder.path(), LIMITS, disk).unwrap();
    assert!(matches!(journal.append(&intent("1")), Err(JournalError::Disk(_))));
    journal.medium.sync_fails = false;
    assert!(matches!(journal.append(&intent("2")), Err(JournalError::Closed { .. })));
    assert!(matches!(journal.rewrite(&[]), Err(JournalError::Closed { .. })));
    open(folder.path()).0.append(&intent("3")).unwrap();
}

#[test]
fn a_reader_that_follows_a_writer_never_sees_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let read = Journal::<Note>::inspect(folder.path(), LIMITS).expect("readable at every moment");
                let newest = read.entries.last().map_or(last, |entry| entry.seq);
                assert!(newest >= last);
                last = newest;
            }
        });
        for _ in 0..200 {
            journal.append(&intent("step")).unwrap();
            if journal.needs_rewrite() {
                journal.rewrite(&[intent("snapshot")]).unwrap();
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    });
}
