//! The agent as a process of its own, with a real daemon, on a way to the chain that fails it: it keeps the daemon up,
//! says what it waits on, and goes on by itself.

#![cfg(test)]

#[path = "../../examples/bench/deployment.rs"]
#[expect(dead_code, reason = "shared with the measurements")]
mod deployment;
#[path = "../../examples/bench/error.rs"]
mod error;
#[path = "../../examples/bench/node.rs"]
#[expect(dead_code, reason = "shared with the measurements")]
mod node;
mod people;
mod proxy;
mod trouble;

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use concord::act::process::Output;
use concord::agent::record::Record;
use concord::agent::status::Status;
use concord::chain::Address;
use concord::cli::devnet::Genesis;
use concord::config::platform;
use concord::journal::{Journal, Limits};
use concord_decide::Denied;
use concord_schema::Digest;
use concord_schema::release::Artifact;
use tokio::time::Instant;

use deployment::Deployment;
use node::{NODE_ID, Node, Programs};
use people::People;
use proxy::{Mood, Proxy};

/// The longest that a state is waited for.
const LONGEST: Duration = Duration::from_secs(90);
/// An agent that gives a call a second, and a height two.
const HASTY: &str = "call_timeout_seconds = 1\nstill_seconds_max = 2";

struct Scene {
    chain: Deployment,
    /// The way that the agent prefers.
    proxy: Proxy,
    /// Another way, where it has one.
    second: Proxy,
    node: Node,
    folder: tempfile::TempDir,
}

impl Scene {
    /// An agent with one way to its chain.
    async fn start() -> Self {
        build_daemons();
        let folder = tempfile::tempdir().unwrap();
        Self::prepare(folder, |_| (), |first, _| first.to_owned()).await
    }

    /// An agent with two ways to a chain with another genesis.
    async fn start_in(folder: tempfile::TempDir, change: impl FnOnce(&mut Genesis)) -> Self {
        build_daemons();
        Self::prepare(folder, change, |first, second| format!("{first}\", \"{second}")).await
    }

    async fn prepare(
        folder: tempfile::TempDir,
        change: impl FnOnce(&mut Genesis),
        ways: impl Fn(&str, &str) -> String,
    ) -> Self {
        let programs = Programs::find().unwrap();
        let baseline = programs.artifact().unwrap();
        let chain = Deployment::start_with(1, Some(baseline), change).await.unwrap();
        let (proxy, second) = (Proxy::start(chain.url()).await, Proxy::start(chain.url()).await);
        let rpc = ways(&proxy.url, &second.url);
        let mut node = Node::prepare(folder.path(), programs, &chain, &rpc, HASTY).await.unwrap();
        node.start().unwrap();
        Self { chain, proxy, second, node, folder }
    }

    /// Waits for a status that is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let began = Instant::now();
        loop {
            let seen = self.node.status().await.unwrap();
            match seen {
                Some(status) if is_so(&status) => return status,
                seen if began.elapsed() > LONGEST => {
                    let log = std::fs::read_to_string(self.folder.path().join("agent.log"));
                    panic!("expected {what}, found {seen:?}, and in the log: {}", log.unwrap_or_default());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn up(&mut self) -> Status {
        let is_up = |status: &Status| {
            status.daemon.is_some() && status.source.is_none() && status.verified_height > 0
        };
        self.until("an agent that follows the chain, and its daemon", is_up).await
    }

    /// The chain is followed again, beyond what was known; the daemon is the one of before.
    async fn goes_on(&mut self, before: &Status) -> Status {
        let tip = self.chain.tip().await.unwrap();
        let is_on = |status: &Status| {
            status.source.is_none() && status.verified_height >= tip && status.cursor_height >= tip
        };
        let after = self.until("a chain that is followed again", is_on).await;
        assert_eq!(after.daemon, before.daemon);
        after
    }

    /// Lets the agent's files grow no further, as on a disk without space, or lets them grow again.
    fn fill_disk(&self, is_full: bool) {
        use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
        let maximum = getrlimit(Resource::Fsize).maximum;
        let current = if is_full { Some(0) } else { maximum };
        let pid = self.node.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        prlimit(Some(pid.unwrap()), Resource::Fsize, Rlimit { current, maximum }).unwrap();
    }

    /// The owner registers the node, on a way of their own: a fact for the agent to find.
    async fn register(&self) {
        self.register_as(NODE_ID, &self.node.hot_key).await;
    }

    async fn register_as(&self, node_id: &str, hot_key: &Address) {
        let operator = self.chain.operators.first().unwrap();
        let account = self.chain.account(operator).await.unwrap();
        let signed = self.chain.registration(operator, account, node_id, hot_key).unwrap();
        self.chain.broadcast(&signed).await.unwrap();
        self.chain.included(&signed).await.unwrap();
    }

    /// The chain is followed again, and the agent goes by what happened meanwhile: its node is registered.
    async fn proceeds(&mut self, before: &Status) -> Status {
        self.goes_on(before).await;
        let after =
            self.until("an agent of a registered node", |status| status.waiting_on == "rollout").await;
        assert_eq!((&after.daemon, &after.fault), (&before.daemon, &None));
        after
    }
}

/// Cargo builds the programs of this package beside its tests, but not those of others.
fn build_daemons() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "demo-daemon"]);
        build.args(["--bin", "demo-daemon-v1", "--bin", "demo-daemon-v2"]);
        assert!(build.status().unwrap().success());
    });
}

/// A built daemon as an artifact that can be had.
fn artifact_of(name: &str) -> Artifact {
    let path = Programs::find().unwrap().daemon.with_file_name(name);
    let bytes = std::fs::read(&path).unwrap();
    let size_bytes = bytes.len() as u64;
    let uris = vec![format!("file://{}", path.display())];
    Artifact { platform: platform(), digest: Digest::of(&bytes), size_bytes, uris }
}

#[tokio::test]
async fn an_rpc_that_stalls_stops_the_acting_and_not_the_daemon() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    assert_eq!(before.waiting_on, "registration", "{}", before.sentence);
    scene.proxy.is(Mood::Stalls);
    let lost = scene.until("a source that is no base for acting", |status| status.source.is_some()).await;
    assert_eq!(lost.daemon, before.daemon);
    assert_eq!(lost.waiting_on, "source", "{}", lost.sentence);
    assert!(lost.unready().iter().any(|why| why.starts_with("chain: ")), "{:?}", lost.unready());
    scene.register().await;
    scene.proxy.is(Mood::Fair);
    scene.proceeds(&before).await;
}

/// A new agent adopts the daemon without any chain.
#[tokio::test]
async fn an_agent_that_starts_while_the_rpc_stalls_adopts_the_daemon_and_waits() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.node.stop().await.unwrap();
    scene.proxy.is(Mood::Stalls);
    scene.register().await;
    scene.node.start().unwrap();
    let lost = scene.until("an agent without a chain", |status| status.waiting_on == "source").await;
    assert_eq!((&lost.daemon, lost.verified_height), (&before.daemon, 0));
    assert!(lost.source.is_some(), "{lost:?}");
    scene.proxy.is(Mood::Fair);
    scene.proceeds(&before).await;
}

#[tokio::test]
async fn an_rpc_that_answers_late_is_followed_later() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.proxy.is(Mood::Late(Duration::from_millis(300)));
    let tip = scene.chain.tip().await.unwrap();
    let after = scene.until("a view of a later block", |status| status.verified_height > tip).await;
    assert_eq!((&after.daemon, after.waiting_on.as_str()), (&before.daemon, "registration"));
    scene.proxy.is(Mood::Late(Duration::from_millis(1_500)));
    let lost = scene.until("answers that come too late to count", |status| status.source.is_some()).await;
    assert_eq!((&lost.daemon, lost.waiting_on.as_str()), (&before.daemon, "source"));
    scene.register().await;
    scene.proxy.is(Mood::Fair);
    scene.proceeds(&before).await;
}

/// The websocket is a wake-up and nothing more.
#[tokio::test]
async fn a_websocket_that_is_always_dropped_is_not_missed() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    let first = scene.proxy.sockets();
    let after = scene.goes_on(&before).await;
    assert_eq!(after.waiting_on, "registration", "{}", after.sentence);
    let began = Instant::now();
    while scene.proxy.sockets() <= first.max(1) {
        assert!(began.elapsed() < LONGEST, "the websocket was opened {first} times, and never again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.register().await;
    scene.proceeds(&before).await;
}

/// State first: what the node cannot show any more is a gap that is told, and keeps nobody from acting on the present.
#[tokio::test]
async fn blocks_that_are_pruned_meanwhile_are_a_gap_and_no_fault() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.goes_on(&before).await;
    scene.node.stop().await.unwrap();
    scene.register().await;
    scene.chain.advance(300).await.unwrap();
    let tip = scene.chain.tip().await.unwrap();
    // The block of the registration is among those that nobody can show.
    scene.proxy.is(Mood::Pruned(tip.saturating_sub(50)));
    scene.node.start().unwrap();
    scene.proceeds(&before).await;
    let log = std::fs::read_to_string(scene.folder.path().join("agent.log")).unwrap();
    assert!(log.contains("no node can show these blocks any more"), "{log}");
}

/// A fault of the source needs a person, and neither the agent nor the daemon dies of it.
#[tokio::test]
async fn a_foreign_chain_and_one_that_went_back_are_said_and_survived() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.chain.advance(20).await.unwrap();
    scene.goes_on(&before).await;
    let height = scene.chain.tip().await.unwrap();
    scene.register().await;
    for (mood, word) in [(Mood::Foreign, "found another-1"), (Mood::Back(1), "the source went back")] {
        scene.proxy.is(mood);
        let is_told = |status: &Status| status.source.as_ref().is_some_and(|source| source.contains(word));
        let lost = scene.until(word, is_told).await;
        assert_eq!((&lost.daemon, lost.waiting_on.as_str()), (&before.daemon, "source"), "{mood:?}");
        scene.proxy.is(Mood::Fair);
        scene.proceeds(&before).await;
    }
    // The cursor of before is ahead of a chain that starts anew: a new agent says it, for as long as it is so.
    scene.node.stop().await.unwrap();
    scene.proxy.is(Mood::Back(1));
    scene.node.start().unwrap();
    let is_told = |status: &Status| {
        status.source.as_ref().is_some_and(|source| source.contains("remove the cursor's file"))
    };
    let lost = scene.until("a cursor that is ahead", is_told).await;
    assert_eq!((&lost.daemon, lost.verified_height), (&before.daemon, 0));
    scene.proxy.is(Mood::Fair);
    let after = scene.proceeds(&before).await;
    assert!(after.verified_height >= height);
}

/// A daemon whose start was journaled and whose process was not is found by its token, and journaled then.
#[tokio::test]
async fn a_daemon_that_a_start_finds_is_journaled() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.node.stop().await.unwrap();
    let folder = scene.folder.path().join("home/journal");
    let names = |record: &Record| matches!(record, Record::Daemon { .. });
    let records = || {
        let contents = Journal::<Record>::inspect(&folder, Limits::default()).unwrap();
        contents.entries.into_iter().map(|entry| entry.record).collect::<Vec<_>>()
    };
    let cut: Vec<_> = records().into_iter().filter(|record| !names(record)).collect();
    assert!(cut.iter().any(|record| matches!(record, Record::Run { boot_id: Some(_), .. })), "{cut:?}");
    Journal::<Record>::open(&folder, Limits::default()).unwrap().0.rewrite(&cut).unwrap();
    scene.node.start().unwrap();
    let after = scene.up().await;
    assert_eq!(after.daemon, before.daemon);
    scene.node.stop().await.unwrap();
    assert_eq!(records().iter().filter(|record| names(record)).count(), 1);
}

/// An agent that is being asked to start on a folder that another one has is refused by the lock, whatever else they share.
#[tokio::test]
async fn a_second_agent_and_a_second_adoption_are_refused_by_the_lock() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    let daemon = Programs::find().unwrap().daemon;
    for (verb, arguments) in [("agent", vec![]), ("init", vec!["--adopt".into(), daemon.into_os_string()])] {
        let mut command = scene.node.command(verb);
        let ended = tokio::time::timeout(LONGEST, command.args(arguments).output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{verb}: {said}");
        assert!(said.contains("another agent (pid ") && said.contains("holds the folder"), "{verb}: {said}");
        assert!(!said.contains("cannot listen"), "{verb}: {said}");
    }
    scene.goes_on(&before).await;
}

/// NODE-5: what failed here is denied until the owner retries, over restarts of the agent too.
#[tokio::test]
async fn a_retry_lifts_what_the_node_denies_and_is_gone_when_the_journal_holds_it() {
    let mut scene = Scene::start().await;
    scene.up().await;
    scene.node.stop().await.unwrap();
    let home = scene.folder.path().join("home");
    let records = || {
        let contents = Journal::<Record>::inspect(&home.join("journal"), Limits::default()).unwrap();
        contents.entries.into_iter().map(|entry| entry.record).collect::<Vec<_>>()
    };
    let memory = || {
        let mut steps = records().into_iter().filter_map(|record| match record {
            Record::Step { memory, .. } => Some(*memory),
            _ => None,
        });
        steps.next_back().unwrap()
    };
    let failed = Digest::of(b"a release that failed");
    let denying: Vec<_> = records()
        .into_iter()
        .map(|record| match record {
            Record::Step { at_ms, mut memory, effects } => {
                memory.denied = vec![Denied { release: failed, artifact: failed }];
                Record::Step { at_ms, memory, effects }
            }
            other => other,
        })
        .collect();
    Journal::<Record>::open(&home.join("journal"), Limits::default()).unwrap().0.rewrite(&denying).unwrap();
    scene.node.start().unwrap();
    let before = scene.up().await;
    assert_eq!(memory().denied.len(), 1);
    let mut command = scene.node.command("retry");
    let asked = tokio::time::timeout(LONGEST, command.arg("--json").output()).await.unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(json["retry"]["denied"], serde_json::json!([failed]), "{asked:?}");
    let began = Instant::now();
    while home.join("retry").exists() {
        assert!(began.elapsed() < LONGEST, "the request was never taken up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = memory();
    assert!(after.denied.is_empty() && after.retried.is_some(), "{after:?}");
    scene.goes_on(&before).await;
}

/// A disk without space stops the acting, and neither the agent nor what runs; with space again it goes on.
#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.fill_disk(true);
    // What only a cursor would need is no reason to stop.
    scene.chain.advance(20).await.unwrap();
    scene.goes_on(&before).await;
    // A start makes this file first, even where the daemon does not live long for want of space.
    let output = scene.folder.path().join("home/log/stdout.log");
    std::fs::remove_file(&output).unwrap();
    let pid = before.daemon.as_ref().unwrap().pid;
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // A start that the journal does not know would be a daemon that nobody asked for.
    let is_told = |status: &Status| {
        status.fault.as_ref().is_some_and(|fault| fault.starts_with("disk full: free space in "))
    };
    let full = scene.until("a full disk", is_told).await;
    assert_eq!(full.daemon, None);
    assert!(full.unready().iter().any(|why| why.contains("disk full")), "{:?}", full.unready());
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        assert!(!output.exists(), "something was started that the journal does not know");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What was read meanwhile is heard when there is space again, though no node answers then.
    let height = full.verified_height;
    scene.chain.advance(20).await.unwrap();
    let held = scene.until("a tip", |status| status.tip_height >= height + 20).await;
    assert_eq!(held.verified_height, height);
    scene.proxy.is(Mood::Stalls);
    scene.fill_disk(false);
    scene.until("the facts that waited", |status| status.verified_height > height).await;
    scene.proxy.is(Mood::Fair);
    let after =
        scene.until("a daemon again", |status| status.daemon.is_some() && status.fault.is_none()).await;
    assert_ne!(after.daemon, before.daemon);
    scene.register().await;
    scene.proceeds(&after).await;
}

/// The documented genesis is one for development, and its agents say so.
#[tokio::test]
async fn an_agent_says_that_its_deployment_has_short_floors() {
    let mut scene = Scene::start().await;
    scene.until("the deployment's floors", |status| status.short_floors == Some(true)).await;
    let log = std::fs::read_to_string(scene.folder.path().join("agent.log")).unwrap();
    assert!(log.contains("short_floors"), "{log}");
}

/// A daemon that writes much must not fill the disk, though nothing but its own file is written to.
#[tokio::test]
async fn the_output_of_a_daemon_that_writes_much_is_trimmed_while_it_runs() {
    const WRITTEN_BYTES: usize = 20 << 20;
    const BYTES_MAX: u64 = 16 << 20;
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    let logs = scene.folder.path().join("home/log");
    // Some file systems cannot free a part of a file.
    let other = logs.join("other");
    std::fs::write(&other, vec![b'x'; 1 << 20]).unwrap();
    let output = Output { stdout: other.clone(), stderr: other, bytes_max: 1 << 10, keep: 0 };
    if !output.trim().unwrap() {
        return;
    }
    scene.node.stop().await.unwrap();
    let stdout = logs.join("stdout.log");
    let mut file = std::fs::File::options().append(true).open(&stdout).unwrap();
    file.write_all(&vec![b'x'; WRITTEN_BYTES]).unwrap();
    file.sync_all().unwrap();
    scene.node.start().unwrap();
    scene.goes_on(&before).await;
    let began = Instant::now();
    while file.metadata().unwrap().blocks() * 512 > BYTES_MAX {
        assert!(began.elapsed() < LONGEST, "{} blocks", file.metadata().unwrap().blocks());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(file.metadata().unwrap().len() >= WRITTEN_BYTES as u64, "no byte that is being written is lost");
    assert!(scene.up().await.daemon == before.daemon);
}
