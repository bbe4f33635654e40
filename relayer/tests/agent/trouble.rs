//! What goes wrong on the node's own host, or with a release, from the decision on the chain to the report on it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use concord::chain::{At, Chain};
use concord_schema::query::QueryMsg;
use concord_schema::rollout::{Seat, SeatState};
use concord_schema::{NodeNo, RolloutId};
use tokio::io::AsyncBufReadExt;

use super::*;

/// An agent of a registered node, and who decides for its fleet.
async fn governed() -> (Scene, People) {
    let folder = tempfile::tempdir().unwrap();
    let people = People::new(folder.path());
    let scene = Scene::start_in(folder, |genesis| people.enter(genesis)).await;
    (scene, people)
}

impl Scene {
    /// What the chain holds of the only node in the only rollout.
    async fn seat(&self) -> Option<Seat> {
        let query = serde_json::to_value(QueryMsg::Seat { rollout: RolloutId(1), node: NodeNo(1) }).unwrap();
        let answer = self.chain.rpc.smart(&self.chain.contract, &query, At::Latest).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    async fn until_seat(&self, state: SeatState) -> Seat {
        let began = Instant::now();
        loop {
            let seat = self.seat().await;
            match seat {
                Some(seat) if seat.state == state => return seat,
                seat if began.elapsed() > LONGEST => panic!("expected {state:?}, found {seat:?}"),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

fn kill(status: &Status) {
    let pid = status.daemon.as_ref().unwrap().pid;
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// A daemon that dies in its trial: the old one runs again, the chain hears it, and the release is denied here until the
/// owner retries (NODE-5).
#[tokio::test]
async fn a_daemon_that_dies_in_its_trial_is_rolled_back_and_reported() {
    let (mut scene, people) = governed().await;
    let before = scene.up().await;
    scene.register().await;
    let new = artifact_of("demo-daemon-v2");
    people.roll_out(&scene.chain, &new, 600).await;
    let is_tried = |status: &Status| {
        let daemon = status.daemon.as_ref();
        status.stage == "on_trial" && daemon.is_some_and(|daemon| daemon.executable == new.digest.to_string())
    };
    let on_trial = scene.until("the new release on trial", is_tried).await;
    kill(&on_trial);
    let is_back = |status: &Status| status.stage == "rolled_back" && status.daemon.is_some();
    let back = scene.until("a node that went back", is_back).await;
    let executable = |status: &Status| status.daemon.as_ref().unwrap().executable.clone();
    assert_eq!(executable(&back), executable(&before));
    let seat = scene.until_seat(SeatState::RolledBack).await;
    assert!(!seat.down, "{seat:?}");
    let mut command = scene.node.command("retry");
    let asked = tokio::time::timeout(LONGEST, command.arg("--json").output()).await.unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(json["retry"]["denied"], serde_json::json!([new.digest]), "{asked:?}");
}

/// A store that takes nothing: the node refuses the rollout and says why, the old release runs on, and with the owner's
/// retry and a mended disk it takes part after all.
#[tokio::test]
async fn a_store_that_is_read_only_refuses_the_rollout_and_a_retry_takes_it_up() {
    let (mut scene, people) = governed().await;
    let before = scene.up().await;
    scene.register().await;
    // A second node, so that the refusal of the first one does not end the rollout.
    scene.register_as("node-2", &scene.chain.operators.first().unwrap().address).await;
    // Permissions do not stop root; the kernel's own file system refuses new files to everybody.
    let fetch = scene.folder.path().join("home/fetch");
    std::fs::remove_dir(&fetch).unwrap();
    symlink("/sys/kernel", &fetch).unwrap();
    people.roll_out(&scene.chain, &artifact_of("demo-daemon-v2"), 1).await;
    let refused = scene.until("a refusal", |status| status.stage == "refused").await;
    assert!(refused.sentence.contains("check its mount and permissions"), "{}", refused.sentence);
    assert_eq!(refused.daemon, before.daemon);
    scene.until_seat(SeatState::Refused).await;
    std::fs::remove_file(&fetch).unwrap();
    std::fs::create_dir(&fetch).unwrap();
    let mut command = scene.node.command("retry");
    let asked = tokio::time::timeout(LONGEST, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(said.contains("refused until now "), "{said}");
    scene.until("the new release, committed", |status| status.stage == "committed").await;
    scene.until_seat(SeatState::Healthy).await;
}

/// A program with the agent's configuration, in a shell that says first what it may do.
fn limited(scene: &Scene, limits: &str, verb: &str) -> tokio::process::Command {
    let command = scene.node.command(verb);
    let command = command.as_std();
    let mut shell = tokio::process::Command::new("/bin/sh");
    shell.arg("-c").arg(format!("{limits}; exec \"$0\" \"$@\"")).arg(command.get_program());
    shell.args(command.get_args()).stdin(Stdio::null()).kill_on_drop(true);
    shell
}

async fn refusal(mut command: tokio::process::Command) -> String {
    let ended = tokio::time::timeout(LONGEST, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    said
}

/// An agent that cannot even begin says what is wrong and what to do, and the daemon of the last one runs on.
#[tokio::test]
async fn a_start_on_a_bad_disk_is_a_clear_error_and_the_daemon_runs_on() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.node.stop().await.unwrap();
    let home = scene.folder.path().join("home");

    let journal = home.join("journal");
    let segment = segments(&journal).pop().unwrap();
    let aside = home.join("aside");
    std::fs::rename(&segment, &aside).unwrap();
    std::fs::create_dir(&segment).unwrap();
    let said = refusal(scene.node.command("agent")).await;
    assert!(said.contains(&segment.display().to_string()), "{said}");
    std::fs::remove_dir(&segment).unwrap();
    std::fs::rename(&aside, &segment).unwrap();

    let outbox = home.join("outbox");
    std::fs::rename(&outbox, &aside).unwrap();
    std::fs::write(&outbox, b"").unwrap();
    let said = refusal(scene.node.command("agent")).await;
    assert!(said.contains("outbox"), "{said}");
    std::fs::remove_file(&outbox).unwrap();
    std::fs::rename(&aside, &outbox).unwrap();

    scene.node.start().unwrap();
    assert_eq!(scene.up().await.daemon, before.daemon);
}

fn segments(journal: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(journal)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "wal"))
        .collect();
    all.sort();
    all
}

/// A disk without any space: a new node is not half handed over, and an agent that starts says it and waits for space.
#[tokio::test]
async fn a_start_on_a_full_disk_says_so_and_loses_nothing() {
    let mut scene = Scene::start().await;
    let before = scene.up().await;
    scene.node.stop().await.unwrap();
    kill(&before);
    // Files may not grow at all, as on a disk without space. A start must be in the journal first, so there is none.
    for limits in ["ulimit -f 0", "trap '' XFSZ; ulimit -f 0"] {
        let mut agent = limited(&scene, limits, "agent").stderr(Stdio::piped()).spawn().unwrap();
        let full = "disk full: free space in ";
        let said = heard(agent.stderr.take().unwrap(), full).await;
        assert!(said.contains(full), "{limits}: {said}");
        let status = scene.node.status().await.unwrap().unwrap();
        assert_eq!(status.daemon, None, "{limits}");
        assert!(status.unready().iter().any(|why| why.contains("disk full")), "{:?}", status.unready());
        agent.kill().await.unwrap();
    }
    let home = scene.folder.path().join("home");
    let aside = scene.folder.path().join("aside");
    std::fs::rename(&home, &aside).unwrap();
    let daemon = Programs::find().unwrap().daemon;
    let mut adopt = limited(&scene, "trap '' XFSZ; ulimit -f 0", "init");
    adopt.arg("--adopt").arg(&daemon);
    let said = refusal(adopt).await;
    assert!(said.contains("the disk is full, free some space"), "{said}");
    let stored = home.join("cas/sha256");
    assert!(!stored.is_dir() || std::fs::read_dir(&stored).unwrap().count() == 0, "half an artifact");
    std::fs::remove_dir_all(&home).unwrap();
    std::fs::rename(&aside, &home).unwrap();
    scene.node.start().unwrap();
    let after = scene.up().await;
    let executable = |status: &Status| status.daemon.as_ref().unwrap().executable.clone();
    assert_eq!((executable(&after), &after.fault), (executable(&before), &None));
}

/// A script has the right digest and could never be started by the descriptor that was hashed.
#[tokio::test]
async fn a_script_is_not_adopted() {
    build_daemons();
    let folder = tempfile::tempdir().unwrap();
    let mut programs = Programs::find().unwrap();
    programs.daemon = folder.path().join("daemon.sh");
    std::fs::write(&programs.daemon, "#!/bin/sh\nsleep 100\n").unwrap();
    let chain = Deployment::start(1, Some(programs.artifact().unwrap())).await.unwrap();
    let Err(refused) = Node::prepare(folder.path(), programs, &chain, &chain.url(), HASTY).await else {
        panic!("a script was adopted");
    };
    assert!(refused.to_string().contains("is a script"), "{refused}");
    assert!(!folder.path().join("home/current").exists());
    let stored = std::fs::read_dir(folder.path().join("home/cas/sha256")).unwrap().count();
    assert_eq!(stored, 0, "it was stored before it was refused");
}

/// A daemon that runs beside the agent is not taken over with its binary: whoever hands it over is told.
#[tokio::test]
async fn a_process_that_runs_the_adopted_binary_is_named() {
    let mut scene = Scene::start().await;
    scene.up().await;
    scene.node.stop().await.unwrap();
    let home = scene.folder.path().join("home");
    let aside = scene.folder.path().join("aside");
    std::fs::rename(&home, &aside).unwrap();
    let binary = scene.folder.path().join("daemon");
    std::fs::copy(Programs::find().unwrap().daemon, &binary).unwrap();
    let mut beside = tokio::process::Command::new(&binary);
    let mut beside = beside.args(["--listen", "127.0.0.1:0"]).kill_on_drop(true).spawn().unwrap();
    let mut adopt = scene.node.command("init");
    adopt.arg("--json").arg("--adopt").arg(&binary);
    let ended = tokio::time::timeout(LONGEST, adopt.output()).await.unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(json["adopted"]["still_running"], serde_json::json!([beside.id().unwrap()]), "{ended:?}");
    beside.kill().await.unwrap();
    // Handed over once, it is not handed over again.
    let mut again = scene.node.command("init");
    let ended = tokio::time::timeout(LONGEST, again.arg("--adopt").arg(&binary).output()).await;
    let said = String::from_utf8_lossy(&ended.unwrap().unwrap().stderr).into_owned();
    assert!(said.contains("is initialised already, serving "), "{said}");
    std::fs::remove_dir_all(&home).unwrap();
    std::fs::rename(&aside, &home).unwrap();
    scene.node.start().unwrap();
    scene.up().await;
}

/// What a program says until it says this, or nothing more, or takes too long.
async fn heard(from: tokio::process::ChildStderr, words: &str) -> String {
    let mut said = String::new();
    let mut lines = tokio::io::BufReader::new(from).lines();
    let all = async {
        while let Ok(Some(line)) = lines.next_line().await {
            said.push_str(&line);
            said.push('\n');
            if line.contains(words) {
                return;
            }
        }
    };
    // Late is what the caller finds in the text.
    let _ = tokio::time::timeout(LONGEST, all).await;
    said
}

/// A source that is merely behind another one: what it says is older than what the agent knows, and it neither acts nor
/// reports on it, though nobody else answers.
#[tokio::test]
async fn a_source_that_is_merely_behind_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::start_in(folder, |_| ()).await;
    let before = scene.up().await;
    assert_eq!(before.waiting_on, "registration");
    // As far as this one knows, the node is not registered yet.
    scene.second.is(Mood::Behind(before.verified_height));
    scene.register().await;
    let known = scene.until("a registered node", |status| status.waiting_on == "rollout").await;
    scene.proxy.is(Mood::Stalls);
    scene.until("a source that is no base", |status| status.source.is_some()).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let seen = scene.node.status().await.unwrap().unwrap();
        assert_eq!(seen.waiting_on, "source", "{seen:?}");
        assert!(seen.verified_height >= known.verified_height, "{seen:?}");
        assert_eq!((&seen.daemon, seen.outbox), (&before.daemon, 0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(scene.second.sent(), 0);
    assert!(scene.second.asked() > 0, "it was the only one left to ask");
    scene.proxy.is(Mood::Fair);
    let after = scene.goes_on(&before).await;
    assert_eq!(after.waiting_on, "rollout", "{}", after.sentence);
}
