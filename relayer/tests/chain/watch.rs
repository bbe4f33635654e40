use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use concord::chain::Rpc;
use concord::watch::{Consumer, ConsumerGone, Cursor, Fault, Source, Step, WatchSettings, Watcher};
use tokio::task::JoinHandle;

use crate::mock::{CHAIN, Mock, Quirk, Socket, contract, until};

/// Remembers every step, slowly if told so, and dies at a height if told so.
#[derive(Clone, Default)]
struct Memory {
    steps: Arc<Mutex<Vec<Step>>>,
    gone_at: Option<u64>,
}

impl Memory {
    fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap().clone()
    }

    fn reached(&self) -> u64 {
        self.steps.lock().unwrap().last().map_or(0, Step::reaches)
    }

    fn words(&self) -> Vec<(u64, String)> {
        let steps = self.steps();
        let events = steps.into_iter().flat_map(|step| match step {
            Step::Block { events, .. } => events,
            Step::Gap { .. } => vec![],
        });
        events.map(|event| (event.height, event.value("word").unwrap().to_owned())).collect()
    }

    /// The heights in the order in which they came; every one of a gap.
    fn heights(&self) -> Vec<u64> {
        let ranges = self.steps().into_iter().map(|step| match step {
            Step::Block { height, .. } => height..=height,
            Step::Gap { from, to } => from..=to,
        });
        ranges.flatten().collect()
    }
}

impl Consumer for Memory {
    async fn apply(&mut self, step: Step) -> Result<(), ConsumerGone> {
        let reaches = step.reaches();
        self.steps.lock().unwrap().push(step);
        if self.gone_at == Some(reaches) { Err(ConsumerGone) } else { Ok(()) }
    }
}

fn settings(folder: &Path, start_after: Option<u64>) -> WatchSettings {
    let mut settings = WatchSettings::new(contract(), folder.join("cursor.json"));
    settings.start_after = start_after;
    settings.poll_longest = Duration::from_millis(30);
    settings.websocket = false;
    settings
}

fn watcher(mock: &Mock, folder: &Path, start_after: Option<u64>) -> Watcher {
    Watcher::new(mock.rpc(), settings(folder, start_after)).unwrap()
}

fn run(watcher: Watcher, memory: &Memory) -> JoinHandle<Fault> {
    let memory = memory.clone();
    tokio::spawn(async move {
        match watcher.run(memory).await {
            Err(fault) => fault,
        }
    })
}

fn kept(folder: &Path) -> u64 {
    Cursor::load(&folder.join("cursor.json"), CHAIN, contract().text())
        .unwrap()
        .map_or(0, |cursor| cursor.height)
}

async fn fault_of(task: JoinHandle<Fault>) -> Fault {
    tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap()
}

#[tokio::test]
async fn every_block_comes_once_and_in_order() {
    let (mock, folder, memory) = (Mock::start(300).await, tempfile::tempdir().unwrap(), Memory::default());
    mock.says(5, "five");
    mock.says(299, "almost");
    mock.says(301, "next");
    let task = run(watcher(&mock, folder.path(), Some(0)), &memory);
    until("it is at the tip", async || memory.reached() == 300).await;
    mock.mint(1);
    until("it follows", async || memory.reached() == 301).await;
    until("the cursor is kept", async || kept(folder.path()) == 301).await;
    assert_eq!(memory.heights(), (1..=301).collect::<Vec<_>>());
    let words: Vec<_> =
        [(5, "five"), (299, "almost"), (301, "next")].map(|(height, word)| (height, word.to_owned())).into();
    assert_eq!(memory.words(), words);
    task.abort();
}

#[tokio::test]
async fn late_and_failing_answers_change_neither_order_nor_number() {
    let (mock, folder, memory) = (Mock::start(60).await, tempfile::tempdir().unwrap(), Memory::default());
    for round in 0..4 {
        mock.quirk("block_results", Quirk::Late(Duration::from_millis(60 - round * 15)));
        mock.quirk("block_results", Quirk::Status(500));
        mock.quirk("block_results", Quirk::Broken);
        mock.quirk("block_results", Quirk::Stall);
        mock.quirk("block_results", Quirk::Oversize);
        mock.quirk("block_results", Quirk::Error(200, "something odd"));
    }
    let watcher = watcher(&mock, folder.path(), Some(0));
    let counters = watcher.counters();
    let task = run(watcher, &memory);
    until("it is at the tip", async || memory.reached() == 60).await;
    assert_eq!(memory.heights(), (1..=60).collect::<Vec<_>>());
    assert!(counters.retries.get() >= 20, "{}", counters.retries.get());
    assert_eq!((counters.blocks.get(), counters.gaps.get(), counters.cursor_height.get()), (60, 0, 60));
    task.abort();
}

#[tokio::test]
async fn the_tip_is_known_before_the_gap_is_walked() {
    let (mock, folder, memory) =
        (Mock::start(100_000).await, tempfile::tempdir().unwrap(), Memory::default());
    mock.stick("block_results", Quirk::Stall);
    let watcher = watcher(&mock, folder.path(), Some(0));
    let mut tip = watcher.tip();
    let task = run(watcher, &memory);
    let seen = tokio::time::timeout(Duration::from_secs(1), tip.wait_for(|tip| tip.head.is_some())).await;
    let seen = seen.unwrap().unwrap().clone();
    assert_eq!((seen.head.unwrap().height, seen.source), (100_000, Source::Live));
    assert_eq!(memory.steps(), []);
    task.abort();
}

#[tokio::test]
async fn a_kill_between_apply_and_keep_repeats_and_never_skips() {
    let (mock, folder) = (Mock::start(200).await, tempfile::tempdir().unwrap());
    let first = Memory { gone_at: Some(120), ..Memory::default() };
    let fault = fault_of(run(watcher(&mock, folder.path(), Some(0)), &first)).await;
    assert!(matches!(fault, Fault::Consumer(_)), "{fault:?}");
    assert_eq!(first.reached(), 120);
    let kept = kept(folder.path());
    assert!(kept < 120, "the step that died was counted as applied: {kept}");
    let second = Memory::default();
    let task = run(watcher(&mock, folder.path(), None), &second);
    until("it is at the tip", async || second.reached() == 200).await;
    assert_eq!(second.heights(), (kept + 1..=200).collect::<Vec<_>>());
    task.abort();
}

#[tokio::test]
async fn a_watcher_killed_anywhere_goes_on_without_a_gap() {
    let (mock, folder) = (Mock::start(400).await, tempfile::tempdir().unwrap());
    let mut covered = 0;
    for _ in 0..40 {
        let memory = Memory::default();
        let task = run(watcher(&mock, folder.path(), Some(0)), &memory);
        tokio::time::sleep(Duration::from_millis(7)).await;
        task.abort();
        let _ = task.await;
        if let Some(first) = memory.heights().first() {
            assert!(*first <= covered + 1, "{first} after {covered}");
            assert!(memory.heights().is_sorted());
            covered = covered.max(memory.reached());
        }
        mock.mint(3);
    }
    assert!(kept(folder.path()) <= covered);
}

#[tokio::test]
async fn pruned_blocks_are_told_as_a_gap() {
    let (mock, folder, memory) = (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
    mock.facts().lowest = 41;
    let watcher = watcher(&mock, folder.path(), Some(10));
    let counters = watcher.counters();
    let task = run(watcher, &memory);
    until("it is at the tip", async || memory.reached() == 100).await;
    assert_eq!(memory.steps().first(), Some(&Step::Gap { from: 11, to: 40 }));
    assert_eq!(memory.heights(), (11..=100).collect::<Vec<_>>());
    assert_eq!((counters.gaps.get(), counters.blocks_missed.get()), (1, 30));
    task.abort();
}

#[tokio::test]
async fn pruning_overtakes_the_walk() {
    let (mock, folder, memory) = (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
    let task = run(watcher(&mock, folder.path(), Some(0)), &memory);
    until("it is at the tip", async || memory.reached() == 100).await;
    mock.stick("status", Quirk::Status(500));
    mock.mint(50);
    mock.facts().lowest = 121;
    mock.heal();
    until("it is at the tip again", async || memory.reached() == 150).await;
    assert!(memory.steps().contains(&Step::Gap { from: 101, to: 120 }));
    assert_eq!(memory.heights(), (1..=150).collect::<Vec<_>>());
    task.abort();
}

#[tokio::test]
async fn a_node_that_keeps_no_results_leaves_one_gap() {
    let (mock, folder, memory) = (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
    mock.facts().discards = true;
    let task = run(watcher(&mock, folder.path(), Some(0)), &memory);
    until("it is at the tip", async || memory.reached() == 100).await;
    assert_eq!(memory.steps(), [Step::Gap { from: 1, to: 100 }]);
    task.abort();
}

#[tokio::test]
async fn another_endpoint_that_kept_more_closes_the_gap() {
    let (pruned, archive) = (Mock::start(100).await, Mock::start(100).await);
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    pruned.facts().lowest = 90;
    let mut endpoints = pruned.settings();
    endpoints.endpoints.push(archive.url.clone());
    let watcher = Watcher::new(Rpc::new(endpoints).unwrap(), settings(folder.path(), Some(0))).unwrap();
    let task = run(watcher, &memory);
    until("it is at the tip", async || memory.reached() == 100).await;
    assert!(memory.steps().iter().all(|step| matches!(step, Step::Block { .. })));
    task.abort();
}

#[tokio::test]
async fn an_archive_is_waited_for_but_not_for_ever() {
    for comes_back in [true, false] {
        let (pruned, archive) = (Mock::start(100).await, Mock::start(100).await);
        let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
        pruned.facts().lowest = 90;
        archive.stick("block_results", Quirk::Status(500));
        let mut endpoints = pruned.settings();
        endpoints.endpoints.push(archive.url.clone());
        let watcher = Watcher::new(Rpc::new(endpoints).unwrap(), settings(folder.path(), Some(80))).unwrap();
        let task = run(watcher, &memory);
        until("the archive was asked", async || archive.calls("block_results") > 8).await;
        if comes_back {
            archive.heal();
        }
        until("it is at the tip", async || memory.reached() == 100).await;
        assert_eq!(memory.heights(), (81..=100).collect::<Vec<_>>());
        assert_eq!(memory.steps().contains(&Step::Gap { from: 81, to: 89 }), !comes_back);
        task.abort();
    }
}

#[tokio::test]
async fn the_newest_blocks_results_may_be_late() {
    let (mock, folder, memory) = (Mock::start(10).await, tempfile::tempdir().unwrap(), Memory::default());
    mock.facts().no_results_from = 10;
    mock.says(10, "late");
    let task = run(watcher(&mock, folder.path(), Some(0)), &memory);
    until("it asked a few times", async || {
        mock.facts().asked.iter().filter(|height| **height == 10).count() > 25
    })
    .await;
    assert_eq!(memory.reached(), 9);
    mock.facts().no_results_from = u64::MAX;
    until("it is at the tip", async || memory.reached() == 10).await;
    assert_eq!(memory.words(), [(10, "late".to_owned())]);
    task.abort();
}

#[tokio::test]
async fn faults_are_typed() {
    type Spoil = fn(&Mock);
    type IsRight = fn(&Fault) -> bool;
    let table: [(Spoil, IsRight); 2] = [
        (|mock| mock.facts().chain_id = "other-1".into(), |fault| matches!(fault, Fault::WrongChain(_))),
        (|mock| mock.facts().height = 1, |fault| matches!(fault, Fault::WentBack(_))),
    ];
    for (spoil, is_right) in table {
        let (mock, folder, memory) =
            (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
        let task = run(watcher(&mock, folder.path(), Some(90)), &memory);
        until("it is at the tip", async || memory.reached() == 100).await;
        spoil(&mock);
        let fault = fault_of(task).await;
        assert!(is_right(&fault), "{fault:?}");
    }
}

#[tokio::test]
async fn a_cursor_ahead_of_its_chain_is_a_fault() {
    let (mock, folder) = (Mock::start(100).await, tempfile::tempdir().unwrap());
    let cursor = |height| Cursor::at(height, CHAIN, contract().text());
    cursor(106).keep(&folder.path().join("cursor.json")).await.unwrap();
    let fault = fault_of(run(watcher(&mock, folder.path(), None), &Memory::default())).await;
    assert!(matches!(fault, Fault::CursorAhead { cursor: 106, tip: 100 }), "{fault:?}");
    cursor(105).keep(&folder.path().join("cursor.json")).await.unwrap();
    let memory = Memory::default();
    let task = run(watcher(&mock, folder.path(), None), &memory);
    mock.mint(6);
    until("it goes on", async || memory.reached() == 106).await;
    assert_eq!(memory.heights(), [106]);
    task.abort();
}

#[tokio::test]
async fn a_source_that_is_lost_or_catching_up_says_so_and_comes_back() {
    let (mock, folder, memory) = (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
    let watcher = watcher(&mock, folder.path(), None);
    let mut tip = watcher.tip();
    let task = run(watcher, &memory);
    let mut wait = async |is_so: fn(&Source) -> bool| {
        let waiting = tip.wait_for(|tip| is_so(&tip.source));
        tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap().still_for()
    };
    wait(|source| *source == Source::Live).await;
    mock.facts().catching_up = true;
    wait(|source| *source == Source::CatchingUp).await;
    mock.facts().catching_up = false;
    wait(|source| *source == Source::Live).await;
    mock.stick("status", Quirk::Status(500));
    wait(|source| matches!(source, Source::Lost { .. })).await;
    mock.heal();
    // The same block as before: the source lives, and the height has stood still all the time.
    let still = wait(|source| *source == Source::Live).await;
    assert!(still > Duration::from_millis(30), "{still:?}");
    mock.mint(1);
    until("it follows", async || memory.reached() == 101).await;
    task.abort();
}

#[tokio::test]
async fn the_websocket_hurries_the_poll_and_nothing_else() {
    for (mode, hurries) in
        [(Socket::Tells, true), (Socket::Silent, false), (Socket::Drops, false), (Socket::Refuses, false)]
    {
        let (mock, folder, memory) =
            (Mock::start(100).await, tempfile::tempdir().unwrap(), Memory::default());
        mock.facts().socket = mode;
        let mut settings = settings(folder.path(), None);
        settings.websocket = true;
        settings.poll_longest = Duration::from_millis(if hurries { 60_000 } else { 100 });
        let watcher = Watcher::new(mock.rpc(), settings).unwrap();
        let task = run(watcher, &memory);
        until("it heard of the tip", async || mock.calls("status") > 0).await;
        if mode != Socket::Refuses {
            until("the socket is there", async || mock.calls("websocket") > 0).await;
        }
        mock.mint(1);
        until("it follows", async || {
            if hurries {
                // The socket may have subscribed after the first block.
                mock.mint(1);
            }
            memory.reached() > 100
        })
        .await;
        task.abort();
    }
}

#[tokio::test]
async fn a_channel_can_take_the_steps() {
    let (mock, folder) = (Mock::start(100).await, tempfile::tempdir().unwrap());
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let watcher = watcher(&mock, folder.path(), Some(95));
    let task = tokio::spawn(watcher.run(sender));
    for height in 96..=100 {
        assert_eq!(receiver.recv().await.unwrap().reaches(), height);
    }
    drop(receiver);
    mock.mint(1);
    let ended = tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Fault::Consumer(_))));
}
