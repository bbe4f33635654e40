use super::*;
use serde_json::json;

fn say(word: &str) -> Vec<Execute> {
    vec![Execute { contract: "wasm1contract".into(), msg: json!({"say": word}), funds: vec![] }]
}

fn open(folder: &Path, limits: Limits) -> Outbox {
    Outbox::open(folder, limits).unwrap().0
}

#[tokio::test]
async fn a_report_outlives_its_agent_and_a_repeat_is_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits::default());
    assert_eq!(outbox.put("a", say("one")).await.unwrap(), Put::New);
    assert_eq!(outbox.put("b", say("two")).await.unwrap(), Put::New);
    assert_eq!(outbox.put("a", say("one")).await.unwrap(), Put::Known(State::Queued));
    assert!(matches!(outbox.put("a", say("other")).await, Err(OutboxError::Changed { .. })));
    drop(outbox);
    let outbox = open(folder.path(), Limits::default());
    let keys: Vec<_> = outbox.entries().await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(outbox.put("b", say("two")).await.unwrap(), Put::Known(State::Queued));
    assert_eq!(outbox.put("c", say("three")).await.unwrap(), Put::New);
    assert_eq!(outbox.entries().await.last().unwrap().order, 2);
}

#[tokio::test]
async fn a_full_outbox_refuses_and_drops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits { open_max: 2, done_max: 1, ..Limits::default() });
    outbox.put("a", say("one")).await.unwrap();
    outbox.put("b", say("two")).await.unwrap();
    assert!(matches!(outbox.put("c", say("three")).await, Err(OutboxError::Full { open_max: 2 })));
    assert_eq!(outbox.entries().await.len(), 2);
    let done = || State::Done { outcome: Outcome::Expired };
    outbox.advance(0, done()).await.unwrap();
    assert_eq!(outbox.put("c", say("three")).await.unwrap(), Put::New);
    // Two are done, one is kept: the older one goes.
    outbox.advance(1, done()).await.unwrap();
    let keys: Vec<_> = outbox.entries().await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["b", "c"]);
    assert_eq!(open(folder.path(), Limits::default()).entries().await.len(), 2);
}

#[tokio::test]
async fn only_what_is_done_can_be_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits::default());
    outbox.put("a", say("one")).await.unwrap();
    assert!(matches!(outbox.forget("a").await, Err(OutboxError::Open { .. })));
    outbox.advance(0, State::Done { outcome: Outcome::Expired }).await.unwrap();
    outbox.forget("a").await.unwrap();
    outbox.forget("a").await.unwrap();
    assert_eq!(outbox.state("a").await, None);
    assert_eq!(outbox.put("a", say("other")).await.unwrap(), Put::New);
}

#[tokio::test]
async fn sizes_have_edges() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits { entry_bytes_max: 4_000, ..Limits::default() });
    assert!(matches!(outbox.put("", say("x")).await, Err(OutboxError::Key { found: 0 })));
    assert!(matches!(outbox.put(&"k".repeat(257), say("x")).await, Err(OutboxError::Key { found: 257 })));
    outbox.put(&"k".repeat(256), say("x")).await.unwrap();
    assert!(matches!(outbox.put("none", vec![]).await, Err(OutboxError::Size { .. })));
    let many = vec![say("x").remove(0); MESSAGES_MAX + 1];
    assert!(matches!(outbox.put("many", many).await, Err(OutboxError::Size { .. })));
    assert!(matches!(outbox.put("long", say(&"x".repeat(1_000))).await, Err(OutboxError::Size { .. })));
    outbox.put("short", say(&"x".repeat(700))).await.unwrap();
}

#[tokio::test]
async fn half_a_write_is_swept_and_a_broken_entry_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits::default());
    outbox.put("a", say("one")).await.unwrap();
    std::fs::write(folder.path().join(".00000000000000000001.json.0011"), b"{\"ver").unwrap();
    let good = std::fs::read(folder.path().join("00000000000000000000.json")).unwrap();
    assert_eq!(open(folder.path(), Limits::default()).entries().await.len(), 1);
    for (name, bytes) in [
        ("00000000000000000005.json", b"{".to_vec()),
        ("00000000000000000005.json", good.clone()),
        ("00000000000000000005.json", vec![b' '; 300 << 10]),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let error = Outbox::open(folder.path(), Limits::default()).unwrap_err();
        assert!(matches!(&error, OutboxError::Content { path, .. } if path.ends_with(name)), "{error}");
    }
}
