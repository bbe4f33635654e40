use super::*;

fn tx(seed: u8) -> TxRecord {
    let result = TxResult {
        code: 0,
        codespace: "",
        data: vec![],
        log: String::new(),
        gas_wanted: 1,
        gas_used: 1,
        events: vec![],
    };
    TxRecord { hash: [seed; 32], bytes: vec![seed], json: result.to_json(), result }
}

fn store(limits: Limits, heights: u64, with_tx: &[u64]) -> BlockStore {
    let origin = Block::origin(0);
    let store = BlockStore::new(origin, limits);
    for height in 1..=heights {
        let (_, parent) = store.tip();
        let txs = if with_tx.contains(&height) { vec![tx(height as u8)] } else { vec![] };
        let app_hash = Arc::clone(&parent.app_hash);
        store.push(vec![Block::after(&parent, "c", height, height, app_hash, txs)]);
    }
    store
}

#[test]
fn heights_have_both_edges() {
    let limits = Limits { blocks_kept: 3, ..Limits::default() };
    let store = store(limits, 5, &[]);
    assert_eq!(store.range(), 3..=5);
    let cases = [
        (Some(0), Err(BlockError::NotPositive { height: 0 })),
        (Some(-1), Err(BlockError::NotPositive { height: -1 })),
        (Some(2), Err(BlockError::Pruned { height: 2, lowest: 3 })),
        (Some(3), Ok(3)),
        (Some(5), Ok(5)),
        (Some(6), Err(BlockError::Future { height: 6, latest: 5 })),
        (None, Ok(5)),
    ];
    for (height, expected) in cases {
        assert_eq!(store.view(height).map(|view| view.height), expected, "{height:?}");
    }
    let lowest = store.view(Some(3)).unwrap();
    let next = store.view(Some(4)).unwrap();
    assert_eq!(next.parent.hash, lowest.block.hash);
    assert_eq!(lowest.parent.time_nanos, 2);
}

#[test]
fn pruning_forgets_the_transactions_of_a_block() {
    let limits = Limits { txs_kept: 1, ..Limits::default() };
    let store = store(limits, 5, &[2, 4]);
    assert_eq!(store.range(), 3..=5);
    assert!(store.find(&[2; 32]).is_none());
    assert_eq!(store.find(&[4; 32]).unwrap().height, 4);
    assert_eq!(store.txs_between(1..=5).len(), 1);
    assert!(store.txs_between(5..=5).is_empty());
}

#[test]
fn before_block_one_the_height_is_zero() {
    let store = store(Limits::default(), 0, &[]);
    assert_eq!(store.tip().0, 0);
    assert!(store.view(None).is_err());
}
