use super::take_over::Copied;
use super::*;
use std::os::unix::fs::PermissionsExt;

struct Place {
    _folder: tempfile::TempDir,
    store: Store,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    Place { _folder: folder, store }
}

impl Place {
    fn put(&self, bytes: &[u8]) -> Digest {
        let mut draft = self.store.draft().unwrap();
        draft.write_all(bytes).unwrap();
        let digest = Digest::of(bytes);
        self.store.publish(draft, &digest).unwrap();
        digest
    }

    fn file(&self, name: &str) -> PathBuf {
        self.store.folder.join(name)
    }
}

#[test]
fn a_published_artifact_is_immutable_and_opens_verified() {
    let place = place();
    let digest = place.put(b"release one");
    let mode = std::fs::metadata(place.store.path_of(&digest)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o555);
    let mut verified = place.store.open_verified(&digest).unwrap();
    assert_eq!((verified.digest, verified.bytes), (digest, 11));
    let mut text = String::new();
    verified.file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "release one", "the descriptor stands at the start");
}

#[test]
fn what_is_absent_or_changed_is_not_opened() {
    let place = place();
    let digest = place.put(b"good");
    let missing = Digest::of(b"never seen");
    let error = place.store.open_verified(&missing).unwrap_err();
    assert!(matches!(error, StoreError::Absent { .. }), "{error}");
    let path = place.store.path_of(&digest);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"evil").unwrap();
    let error = place.store.open_verified(&digest).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    // Publishing again heals it.
    place.put(b"good");
    place.store.open_verified(&digest).unwrap();
}

#[test]
fn a_link_in_place_of_an_artifact_is_not_followed() {
    let place = place();
    let digest = place.put(b"good");
    let path = place.store.path_of(&digest);
    let elsewhere = place.file("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(!place.store.holds(&digest));
    assert!(matches!(place.store.open_verified(&digest), Err(StoreError::Disk(_))));
}

#[test]
fn a_draft_that_is_dropped_or_left_by_a_crash_never_gets_a_name() {
    let place = place();
    let mut draft = place.store.draft().unwrap();
    draft.write_all(b"half").unwrap();
    let path = draft.path().to_path_buf();
    assert!(path.exists());
    drop(draft);
    assert!(!path.exists());
    std::fs::write(&path, b"left by a crash").unwrap();
    Store::open(&place.store.folder).unwrap();
    assert!(!path.exists());
}

#[test]
fn current_is_missing_dangling_or_foreign_and_each_is_told_apart() {
    let place = place();
    assert_eq!(place.store.current().unwrap(), None);
    assert_eq!(place.store.previous().unwrap(), None);
    let digest = place.put(b"one");
    place.store.switch(&digest).unwrap();
    assert_eq!(place.store.current().unwrap(), Some(digest));

    std::fs::remove_file(place.store.path_of(&digest)).unwrap();
    let error = place.store.current().unwrap_err();
    assert!(matches!(error, StoreError::Dangling { digest: d, .. } if d == digest), "{error}");
    let other = place.put(b"two");
    assert!(place.store.switch(&other).is_err(), "a dangling link is looked at, not overwritten");

    let outside: [&dyn Fn(&Path); 4] = [
        &|link| std::os::unix::fs::symlink("/bin/sh", link).unwrap(),
        &|link| std::os::unix::fs::symlink("cas/sha256/../../x", link).unwrap(),
        &|link| std::os::unix::fs::symlink("cas/sha256/UPPER", link).unwrap(),
        &|link| std::fs::write(link, b"a file").unwrap(),
    ];
    for make in outside {
        let link = place.file(CURRENT);
        std::fs::remove_file(&link).unwrap();
        make(&link);
        let error = place.store.current().unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert!(place.store.collect(&BTreeSet::new()).is_err());
    }
    assert!(place.store.holds(&other));
}

#[test]
fn a_switch_keeps_the_previous_release_and_repeating_it_changes_nothing() {
    let place = place();
    let (one, two) = (place.put(b"one"), place.put(b"two"));
    place.store.switch(&one).unwrap();
    assert_eq!(place.store.previous().unwrap(), None);
    for _ in 0..2 {
        place.store.switch(&two).unwrap();
        assert_eq!(place.store.current().unwrap(), Some(two));
        assert_eq!(place.store.previous().unwrap(), Some(one));
    }
    let error = place.store.switch(&Digest::of(b"absent")).unwrap_err();
    assert!(matches!(error, StoreError::Absent { .. }), "{error}");
    assert_eq!(place.store.current().unwrap(), Some(two));
    place.store.switch(&one).unwrap();
    assert_eq!(place.store.previous().unwrap(), Some(two));
}

#[test]
fn a_switch_cut_between_its_two_renames_is_finished_by_repeating_it() {
    let place = place();
    let (one, two) = (place.put(b"one"), place.put(b"two"));
    place.store.switch(&one).unwrap();
    place.store.point(Link::Previous, &one).unwrap();
    place.store.switch(&two).unwrap();
    assert_eq!(place.store.current().unwrap(), Some(two));
    assert_eq!(place.store.previous().unwrap(), Some(one));
}

#[test]
fn collecting_spares_what_is_linked_or_pinned() {
    let place = place();
    let all: Vec<Digest> = [b"0", b"1", b"2", b"3", b"4"].iter().map(|bytes| place.put(*bytes)).collect();
    place.store.switch(&all[0]).unwrap();
    place.store.switch(&all[1]).unwrap();
    std::fs::write(place.store.content_folder().join("README"), b"by hand").unwrap();
    let removed = place.store.collect(&BTreeSet::from([all[2]])).unwrap();
    let mut gone = vec![all[3], all[4]];
    gone.sort_unstable();
    assert_eq!(removed, gone);
    assert!(all[..3].iter().all(|digest| place.store.holds(digest)));
    assert!(place.store.content_folder().join("README").exists());
}

fn take_over(
    place: &Place,
    path: &Path,
    expected: &Digest,
    bytes_max: u64,
    copied: Copied<'_>,
) -> Result<u64, StoreError> {
    place.store.take_over(Offered::open(path, expected, bytes_max)?, copied)
}

#[test]
fn a_running_binary_is_taken_over_by_copy() {
    let place = place();
    let binary = place.file("daemon");
    let link = place.file("daemon-link");
    std::fs::write(&binary, vec![7; 300_000]).unwrap();
    std::os::unix::fs::symlink(&binary, &link).unwrap();
    let seen = std::cell::RefCell::new(Vec::new());
    let progress = |done: u64, all: u64| seen.borrow_mut().push((done, all));
    let digest = Digest::of(&vec![7; 300_000]);
    let bytes = take_over(&place, &link, &digest, 300_000, &progress).unwrap();
    assert!(seen.borrow().is_sorted());
    assert_eq!(seen.borrow().last(), Some(&(300_000, 300_000)));
    assert_eq!(bytes, 300_000);
    place.store.open_verified(&digest).unwrap();
    assert!(binary.exists());
    let refused =
        |path: &Path, bytes_max| take_over(&place, path, &digest, bytes_max, &|_, _| ()).unwrap_err();
    let too_long = refused(&binary, 299_999);
    assert!(matches!(too_long, StoreError::Unfit { .. }), "{too_long}");
    std::fs::write(&binary, b"").unwrap();
    assert!(matches!(refused(&binary, 10), StoreError::Unfit { .. }));
    let folder = refused(&place.store.folder, 10);
    assert!(matches!(&folder, StoreError::Unfit { found, .. } if found == "a folder"), "{folder}");
    let absent = refused(&place.store.folder.join("absent"), 10);
    assert!(matches!(absent, StoreError::Unreadable { .. }), "{absent}");
}

/// NODE-2: the store holds nothing that nobody vouched for.
#[test]
fn nothing_of_another_binary_is_stored() {
    let place = place();
    let binary = place.file("daemon");
    std::fs::write(&binary, b"some other program").unwrap();
    let expected = Digest::of(b"the program of the fleet");
    let error = take_over(&place, &binary, &expected, 100, &|_, _| panic!("a byte is copied")).unwrap_err();
    let found = Digest::of(b"some other program");
    assert!(matches!(error, StoreError::OtherBytes { found: of, .. } if of == found), "{error}");
    for folder in [place.store.content_folder(), place.store.fetch_folder()] {
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    }
}

/// A file that is written to while it is taken over is none that anybody vouched for.
#[test]
fn a_binary_that_changes_while_it_is_copied_is_not_stored() {
    let place = place();
    let binary = place.file("daemon");
    let bytes = vec![7; COPY_BYTES * 2];
    std::fs::write(&binary, &bytes).unwrap();
    let change = |_: u64, _: u64| std::fs::write(&binary, vec![8; COPY_BYTES * 2]).unwrap();
    let error = take_over(&place, &binary, &Digest::of(&bytes), 1 << 20, &change).unwrap_err();
    assert!(matches!(error, StoreError::OtherBytes { .. }), "{error}");
    assert_eq!(std::fs::read_dir(place.store.content_folder()).unwrap().count(), 0);
}

#[test]
fn a_read_only_folder_is_a_typed_error() {
    // Permissions do not stop root; the kernel's own file system refuses new files to everybody.
    let error = Draft::create(Path::new("/proc/self"), ARTIFACT_MODE).unwrap_err();
    assert_eq!(error.action, "create");
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let opened = Store::open(folder.path());
    if rustix::process::geteuid().is_root() {
        assert!(opened.is_ok());
    } else {
        assert!(matches!(opened, Err(StoreError::Disk(e)) if e.is_read_only()));
    }
}

/// An earlier agent may have died between a rename and its sync: what is found done is made durable all the same.
#[test]
fn a_switch_that_finds_nothing_to_do_is_durable_too() {
    let place = place();
    let digest = place.put(b"release one");
    place.store.switch(&digest).unwrap();
    let synced = || durable::synced(&place.store.folder);
    let before = synced();
    place.store.switch(&digest).unwrap();
    assert!(synced() > before);
}
