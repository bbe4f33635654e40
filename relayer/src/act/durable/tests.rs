use super::*;

#[test]
fn replacing_keeps_the_mode_and_leaves_no_temporary_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trial.json");
    replace_file(&path, b"one", 0o600).unwrap();
    replace_file(&path, b"second", 0o640).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"second");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_replace_leaves_the_old_file_and_no_leftover() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("inside"), b"x").unwrap();
    let error = replace_file(&path, b"new", 0o600).unwrap_err();
    assert_eq!(error.action, "rename into place");
    assert_eq!(std::fs::read(path.join("inside")).unwrap(), b"x");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn leftover_temporary_names_are_stepped_over() {
    let folder = tempfile::tempdir().unwrap();
    let next = NEXT_TEMPORARY.load(Ordering::Relaxed);
    for number in next..next + 8 {
        let name = format!(".{}-{number}{TEMPORARY_ENDING}", std::process::id());
        std::fs::write(folder.path().join(name), b"old").unwrap();
    }
    replace_file(&folder.path().join("a"), b"a", 0o600).unwrap();
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"a");
}

#[test]
fn a_missing_folder_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = replace_file(&folder.path().join("no/file"), b"", 0o600).unwrap_err();
    assert!(error.to_string().contains("no"), "{error}");
    assert!(!error.is_full());
}

#[test]
fn system_errors_are_told_apart_and_say_what_to_do() {
    let of = |kind: io::ErrorKind| DiskError::new("write", Path::new("f"), kind.into());
    let table = [
        (io::ErrorKind::StorageFull, true, false, "free some space"),
        (io::ErrorKind::QuotaExceeded, true, false, "free some space"),
        (io::ErrorKind::FileTooLarge, true, false, "free some space"),
        (io::ErrorKind::ReadOnlyFilesystem, false, true, "mount"),
        (io::ErrorKind::PermissionDenied, false, true, "permissions"),
        (io::ErrorKind::NotFound, false, false, "could not write f"),
    ];
    for (kind, full, read_only, text) in table {
        let error = of(kind);
        assert_eq!((error.is_full(), error.is_read_only()), (full, read_only), "{kind:?}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_link_is_never_absent_while_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("current");
    replace_link(&link, Path::new("a")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                let target = std::fs::read_link(&link).expect("the link is there at every moment");
                assert!(target == Path::new("a") || target == Path::new("b"));
                read += 1;
            }
            read
        });
        for _ in 0..200 {
            replace_link(&link, Path::new("b")).unwrap();
            replace_link(&link, Path::new("a")).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn creating_a_folder_twice_is_fine_and_a_file_in_its_place_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("cas");
    create_dir(&made, 0o700).unwrap();
    create_dir(&made, 0o700).unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(create_dir(&file, 0o700).is_err());
}
