use super::*;

fn set(key: &str, value: &str) -> Change {
    (key.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))
}

fn delete(key: &str) -> Change {
    (key.as_bytes().to_vec(), None)
}

fn text(history: &History, key: &str, height: u64) -> Option<String> {
    let (_, value) = history.read(key.as_bytes(), Some(height)).unwrap();
    value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn a_read_sees_the_state_after_its_block() {
    let history = History::default();
    history.record(1, vec![]);
    history.record(2, vec![set("a", "two")]);
    history.record(3, vec![]);
    history.record(4, vec![set("a", "four")]);
    history.record(5, vec![delete("a")]);
    for (height, expected) in [(1, None), (2, Some("two")), (3, Some("two")), (4, Some("four")), (5, None)] {
        assert_eq!(text(&history, "a", height).as_deref(), expected, "height {height}");
    }
    assert_eq!(history.read(b"a", None).unwrap(), (5, None));
    assert_eq!(history.read(b"a", Some(0)).unwrap(), (5, None));
}

#[test]
fn the_window_has_both_edges() {
    let history = History::default();
    history.record(1, vec![set("a", "one")]);
    for height in 2..=WINDOW_BLOCKS {
        history.record(height, vec![]);
    }
    assert_eq!(text(&history, "a", 1).as_deref(), Some("one"));
    history.record(WINDOW_BLOCKS + 1, vec![set("a", "new")]);
    assert_eq!(
        history.read(b"a", Some(1)),
        Err(HistoryError::Pruned { height: 1, lowest: 2, latest: WINDOW_BLOCKS + 1 })
    );
    assert_eq!(text(&history, "a", 2).as_deref(), Some("one"));
    assert_eq!(text(&history, "a", WINDOW_BLOCKS + 1).as_deref(), Some("new"));
    assert_eq!(
        history.read(b"a", Some(WINDOW_BLOCKS + 2)),
        Err(HistoryError::Future { height: WINDOW_BLOCKS + 2, latest: WINDOW_BLOCKS + 1 })
    );
}

#[test]
fn versions_that_no_height_needs_are_forgotten() {
    let history = History::default();
    for height in 1..=3 * WINDOW_BLOCKS {
        let change = if height == 10 { delete("gone") } else { set("a", &height.to_string()) };
        let mut changes = vec![change];
        if height == 5 {
            changes.push(set("gone", "x"));
        }
        history.record(height, changes);
    }
    let rows = history.read_rows();
    assert_eq!(rows.versions.len(), 1);
    assert_eq!(rows.versions[b"a".as_slice()].len() as u64, WINDOW_BLOCKS);
    assert!(rows.changes.len() as u64 <= WINDOW_BLOCKS);
}

#[test]
fn a_rolled_back_transaction_leaves_the_first_value() {
    let mut store = VersionedStore::default();
    store.set(b"a", b"0");
    store.begin();
    store.set(b"a", b"1");
    store.set(b"a", b"2");
    store.remove(b"a");
    store.set(b"b", b"1");
    store.roll_back();
    assert_eq!(store.get(b"a").as_deref(), Some(b"0".as_slice()));
    assert_eq!(store.get(b"b"), None);
    store.begin();
    store.set(b"b", b"1");
    store.keep();
    store.roll_back();
    assert_eq!(store.get(b"b").as_deref(), Some(b"1".as_slice()));
}

#[test]
fn ranges_run_both_ways_and_a_backward_one_is_empty() {
    let mut store = VersionedStore::default();
    for key in [b"a", b"b", b"c"] {
        store.set(key, key);
    }
    let keys = |start: Option<&[u8]>, end: Option<&[u8]>, order| -> Vec<Vec<u8>> {
        store.range(start, end, order).map(|(key, _)| key).collect()
    };
    assert_eq!(keys(Some(b"a"), Some(b"c"), Order::Ascending), [b"a", b"b"]);
    assert_eq!(keys(None, None, Order::Descending), [b"c", b"b", b"a"]);
    assert!(keys(Some(b"c"), Some(b"a"), Order::Ascending).is_empty());
    assert!(keys(Some(b"b"), Some(b"b"), Order::Ascending).is_empty());
}

#[test]
fn a_block_changes_what_differs_after_it() {
    let mut store = VersionedStore::default();
    store.set(b"same", b"1");
    store.set(b"gone", b"1");
    assert_eq!(store.take_changes(), [set("gone", "1"), set("same", "1")]);
    store.set(b"same", b"2");
    store.set(b"same", b"1");
    store.remove(b"gone");
    store.remove(b"never");
    store.begin();
    store.set(b"back", b"1");
    store.roll_back();
    store.set(b"new", b"1");
    assert_eq!(store.take_changes(), [delete("gone"), set("new", "1")]);
    assert!(store.take_changes().is_empty());
}
