use std::collections::BTreeMap;

use super::*;

/// A fabricated chain: a head, and blocks that hold entries.
#[derive(Clone)]
struct Fabricated {
    head: Head,
    blocks: BTreeMap<u64, Vec<Entry>>,
    lowest: u64,
}

impl LogSource for Fabricated {
    async fn head(&self) -> Result<Head, LogError> {
        Ok(self.head)
    }

    async fn entries(&self, height: u64) -> Result<Vec<Entry>, LogError> {
        if height < self.lowest {
            let source = RpcError::Pruned { endpoint: "node".into(), height, lowest: self.lowest };
            return Err(LogError::Chain { what: "a block".into(), source });
        }
        Ok(self.blocks.get(&height).cloned().unwrap_or_default())
    }
}

/// Seven entries in blocks 3, 5 (three of them), 6 and 9 (two).
fn fabricated() -> Fabricated {
    let mut head = Head::default();
    let mut blocks: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
    for (number, height) in [3, 5, 5, 5, 6, 9, 9].into_iter().enumerate() {
        let fields = vec![("proposal".to_owned(), number.to_string())];
        let entry = head.entry(height, height * 10, "wasm1who", "proposed", fields);
        head = Head::after(&entry);
        blocks.entry(height).or_default().push(entry);
    }
    Fabricated { head, blocks, lowest: 1 }
}

impl Fabricated {
    fn entry(&mut self, seq: u64) -> &mut Entry {
        self.blocks.values_mut().flatten().find(|entry| entry.seq == seq).unwrap()
    }

    fn without(mut self, seq: u64) -> Self {
        for entries in self.blocks.values_mut() {
            entries.retain(|entry| entry.seq != seq);
        }
        self
    }

    async fn walk(&self, from: u64) -> Result<LogReport, LogError> {
        walk(self, from, &mut |_| ()).await
    }
}

#[tokio::test]
async fn an_honest_log_is_verified_whole_and_from_any_entry() {
    let chain = fabricated();
    let report = chain.walk(1).await.unwrap();
    let expected = LogReport { count: 7, from: 1, seq: 7, head: chain.head.hash, height: 9, blocks: 4 };
    assert_eq!(report, expected);
    for (from, count, blocks) in [(1, 7, 4), (2, 6, 3), (3, 5, 3), (5, 3, 2), (6, 2, 1), (7, 1, 1)] {
        let report = chain.walk(from).await.unwrap();
        assert_eq!((report.count, report.blocks), (count, blocks), "from {from}");
    }
    for from in [0, 8] {
        let error = chain.walk(from).await.unwrap_err();
        assert!(matches!(error, LogError::Beyond { seq: 7, .. }), "{error}");
        assert!(!error.is_mismatch());
    }
    let mut heard = Vec::new();
    walk(&chain, 1, &mut |seq| heard.push(seq)).await.unwrap();
    assert_eq!(heard, [7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn an_empty_log_is_verified() {
    let chain = Fabricated { head: Head::default(), blocks: BTreeMap::new(), lowest: 1 };
    assert_eq!(chain.walk(1).await.unwrap().count, 0);
}

#[tokio::test]
async fn a_changed_entry_is_named_exactly() {
    type Change = fn(&mut Entry);
    let changes: [(&str, Change); 6] = [
        ("a field", |entry| entry.fields[0].1.push('x')),
        ("who", |entry| entry.who = "wasm1other".into()),
        ("kind", |entry| entry.kind = "withdrawn".into()),
        ("time", |entry| entry.time += 1),
        ("where the one before is", |entry| entry.prev_height += 1),
        ("what the one before is", |entry| entry.prev = Digest::of(b"other")),
    ];
    for changed in 1..=7 {
        for (what, change) in changes {
            let mut chain = fabricated();
            change(chain.entry(changed));
            match chain.walk(1).await {
                Err(error @ LogError::Mismatch { seq, .. }) => {
                    assert_eq!(seq, changed, "{what}");
                    assert!(error.is_mismatch());
                }
                other => panic!("{what} of {changed}: {other:?}"),
            }
            // What lies behind the change is still proved.
            let behind = chain.walk(changed + 1).await;
            assert_eq!(behind.is_ok(), changed < 7, "{what} of {changed}");
        }
    }
}

#[tokio::test]
async fn a_missing_entry_is_named_exactly() {
    for gone in 1..=7 {
        match fabricated().without(gone).walk(1).await {
            Err(error @ LogError::Missing { seq, .. }) => {
                assert_eq!(seq, gone);
                assert!(error.is_mismatch());
            }
            other => panic!("{gone}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn entries_that_were_never_chained_are_refused() {
    // At the end of the newest block, at the beginning of a middle one, and before the first one.
    let mut late = fabricated();
    let forged = late.head.entry(9, 90, "wasm1who", "proposed", vec![]);
    late.blocks.get_mut(&9).unwrap().push(forged.clone());
    assert!(matches!(late.walk(1).await, Err(LogError::Missing { seq: 7, found: Some(8), .. })));
    for height in [3, 5, 6] {
        let mut chain = fabricated();
        chain.blocks.get_mut(&height).unwrap().insert(0, forged.clone());
        assert!(matches!(chain.walk(1).await, Err(LogError::Missing { found: Some(8), .. })), "{height}");
    }
}

#[tokio::test]
async fn two_entries_that_changed_places_are_refused() {
    let mut chain = fabricated();
    chain.blocks.get_mut(&5).unwrap().swap(0, 1);
    assert!(matches!(chain.walk(1).await, Err(LogError::Missing { seq: 3, found: Some(2), .. })));
}

#[tokio::test]
async fn a_log_that_follows_something_has_no_beginning() {
    let before = Head { v: 1, seq: 0, hash: Digest::of(b"before"), height: 1 };
    let entry = before.entry(3, 30, "wasm1who", "instantiated", vec![]);
    let chain = Fabricated { head: Head::after(&entry), blocks: [(3, vec![entry])].into(), lowest: 1 };
    assert!(matches!(chain.walk(1).await, Err(LogError::Beginning { prev_height: 1, .. })));
}

#[tokio::test]
async fn pruned_blocks_are_named_together_with_what_is_proved() {
    let mut chain = fabricated();
    chain.lowest = 6;
    match chain.walk(1).await {
        Err(error @ LogError::Pruned { height: 5, seq: 4, lowest: 6, from: 5 }) => {
            assert!(!error.is_mismatch())
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(chain.walk(5).await.unwrap().count, 3);
    chain.lowest = 5;
    assert!(matches!(chain.walk(1).await, Err(LogError::Pruned { height: 3, seq: 1, lowest: 5, from: 2 })));
}
