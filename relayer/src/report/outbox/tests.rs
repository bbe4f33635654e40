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

#[tokio::test]
async fn the_folder_is_the_agents_alone_and_survives_a_power_loss() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let before = crate::act::durable::synced(home.path());
    open(&home.path().join("outbox"), Limits::default());
    let mode = std::fs::metadata(home.path().join("outbox")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(crate::act::durable::synced(home.path()) > before);
}

/// What a contract emits may be far longer than an entry, and must not keep the agent from starting.
#[tokio::test]
async fn of_an_outcome_no_more_is_kept_than_an_entry_holds() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits::default());
    let long = "x".repeat(300 << 10);
    let included = Included {
        height: 9,
        code: 0,
        codespace: String::new(),
        log: long.clone(),
        gas_used: 1,
        data: vec![7; 300 << 10],
        events: Vec::new(),
    };
    let refused = Refused { codespace: "wasm".into(), code: 5, log: long };
    for (order, outcome) in (0..).zip([Outcome::Included(included), Outcome::Refused(refused)]) {
        outbox.put(&format!("key {order}"), say("one")).await.unwrap();
        outbox.advance(order, State::Done { outcome }).await.unwrap();
    }
    let entries = open(folder.path(), Limits::default()).entries().await;
    let State::Done { outcome: Outcome::Included(kept) } = &entries[0].state else { panic!() };
    assert_eq!((kept.height, kept.log.len(), kept.data.len()), (9, LOG_CHARACTERS_MAX, 0));
    let State::Done { outcome: Outcome::Refused(kept) } = &entries[1].state else { panic!() };
    assert_eq!((kept.code, kept.log.len()), (5, LOG_CHARACTERS_MAX));
}

#[tokio::test]
async fn of_a_kind_of_request_one_is_on_its_way_and_reports_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(folder.path(), Limits { open_max: 3, ..Limits::default() });
    assert_eq!(outbox.ask("lease-1-", "lease-1-7", say("go")).await.unwrap(), Put::New);
    for number in 8..2_000 {
        let again = outbox.ask("lease-1-", &format!("lease-1-{number}"), say("go")).await.unwrap();
        assert_eq!(again, Put::Known(State::Queued));
    }
    // Another rollout's is another kind, and one that says something else takes the place of what was not sent.
    assert_eq!(outbox.ask("lease-11-", "lease-11-1", say("go")).await.unwrap(), Put::New);
    assert_eq!(outbox.ask("lease-1-", "lease-1-2000", say("back")).await.unwrap(), Put::New);
    outbox.put("report-1", say("healthy")).await.unwrap();
    let keys: Vec<_> = outbox.entries().await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["lease-11-1", "lease-1-2000", "report-1"]);
    let outbox = open(folder.path(), Limits::default());
    let first = outbox.first_open().await.unwrap();
    assert_eq!(first.key, "report-1");
    // One that was sent has the account's next sequence: it is followed to its end first, and not replaced.
    let sent = State::Sent { hash: "AB".into(), timeout_height: 9, sequence: 1, bytes: String::new() };
    outbox.advance(2, sent.clone()).await.unwrap();
    assert_eq!(outbox.first_open().await.unwrap().key, "lease-1-2000");
    assert_eq!(outbox.ask("lease-1-", "lease-1-2001", say("go")).await.unwrap(), Put::Known(sent));
    outbox.advance(2, State::Done { outcome: Outcome::Expired }).await.unwrap();
    assert_eq!(outbox.first_open().await.unwrap().key, "report-1");
    assert_eq!(outbox.ask("lease-1-", "lease-1-2001", say("go")).await.unwrap(), Put::New);
}
