use super::*;
use crate::act::store::{Offered, Store};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The daemons of these tests are copies of the shell, so that anything can be asked of them.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    slot: Slot,
    shell: Digest,
}

const SHORT: Patience = Patience { grace: Duration::from_millis(200), proof: Duration::from_secs(10) };
const LONG: Patience = Patience { grace: Duration::from_secs(20), proof: Duration::from_secs(10) };
const BOUND: Duration = Duration::from_secs(20);

/// Tells its pid and waits; the inner loop ends with it because `sleep` is short.
const SERVE: &str = "echo $$ > ready; while :; do sleep 0.05; done";
const DEAF: &str = "trap '' TERM; echo $$ > ready; while :; do sleep 0.05; done";

fn place_in(folder: &Path) -> (Store, Slot, Digest) {
    let store = Store::open(folder).unwrap();
    let slot = Slot::open(folder, &store).unwrap();
    let shell = Digest::of(&std::fs::read("/bin/sh").unwrap());
    store.take_over(Offered::open(Path::new("/bin/sh"), &shell, 64 << 20).unwrap(), &|_, _| ()).unwrap();
    (store, slot, shell)
}

fn launch(folder: &Path, script: &str) -> Launch {
    Launch {
        name: "daemon".into(),
        arguments: vec!["-c".into(), script.into()],
        environment_keep: vec!["PATH".into()],
        environment: BTreeMap::from([("COLOUR".into(), "blue".into())]),
        folder: folder.into(),
        output: Output {
            stdout: folder.join("out.log"),
            stderr: folder.join("err.log"),
            bytes_max: 1 << 20,
            keep: 2,
        },
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, slot, shell) = place_in(folder.path());
        Self { folder, store, slot, shell }
    }

    fn run(&self) -> Run {
        Run { token: RunToken::random(), executable: self.shell }
    }

    async fn try_start(&self, run: &Run, script: &str) -> Result<Daemon, ProcessError> {
        let program = self.store.open_verified(&self.shell).unwrap();
        self.slot.spawn(run, &program, &launch(self.folder.path(), script)).await
    }

    async fn start(&self, script: &str) -> Daemon {
        self.try_start(&self.run(), script).await.unwrap()
    }

    async fn file(&self, name: &str) -> String {
        written(&self.folder.path().join(name)).await
    }
}

impl Drop for Place {
    /// A test that fails must not leave its daemon behind.
    fn drop(&mut self) {
        let marks = residents::Marks {
            lock: self.folder.path().join("daemon.lock"),
            artifacts: self.store.content_folder(),
        };
        for resident in residents::residents(&marks, &self.run(), None).unwrap_or_default() {
            let pid = rustix::process::Pid::from_raw(resident.pid.cast_signed()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Waits until a file has a whole line.
async fn written(path: &Path) -> String {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') {
            return text.trim().to_owned();
        }
        assert!(start.elapsed() < BOUND, "{} was never written", path.display());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_alive(pid: u32) -> bool {
    residents::stat(pid).unwrap().is_some_and(|stat| !stat.dead)
}

#[tokio::test]
async fn a_daemon_executes_the_verified_bytes_with_the_environment_it_was_given() {
    let place = Place::new();
    let run = place.run();
    let daemon = place
        .try_start(&run, "env; echo $0 >&2; ls -l /proc/$$/fd > fds; echo > ready; sleep 100")
        .await
        .unwrap();
    place.file("ready").await;
    assert!(daemon.is_alive().unwrap());
    assert_eq!(daemon.identity().run, run);
    assert_eq!(executable_digest(daemon.identity().pid), place.shell);
    let out = place.file("out.log").await;
    let mut names: Vec<&str> =
        out.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
    names.sort_unstable();
    assert_eq!(names, ["COLOUR", "CONCORD_RUN", "PATH"]);
    assert_eq!(place.file("err.log").await, "daemon");
    let fds = place.file("fds").await;
    let kept: Vec<&str> = fds.lines().filter_map(|line| line.split(" -> ").nth(1)).collect();
    assert!(kept[0].ends_with("daemon.lock"), "{fds}");
    assert!(!fds.contains("LOCK") && !fds.contains("cas/"), "{fds}");
    let ended = daemon.stop(LONG).await.unwrap();
    assert_eq!(ended, Ended { exit: Exit::Signal(15), forced: false });
    assert!(!daemon.is_alive().unwrap());
}

fn executable_digest(pid: u32) -> Digest {
    crate::act::store::digest_of(&mut residents::executable(pid).unwrap()).unwrap().0
}

#[tokio::test]
async fn a_second_daemon_is_refused_while_the_first_one_lives() {
    let place = Place::new();
    let daemon = place.start(SERVE).await;
    let refused = place.try_start(&place.run(), SERVE).await.unwrap_err();
    let pid = daemon.identity().pid;
    assert!(matches!(&refused, ProcessError::Occupied { pids, .. } if pids.contains(&pid)), "{refused}");
    daemon.stop(LONG).await.unwrap();
    let next = place.start(SERVE).await;
    next.stop(LONG).await.unwrap();
}

#[tokio::test]
async fn an_exit_is_told_and_leaves_no_zombie() {
    let place = Place::new();
    for (script, exit) in
        [("exit 0", Exit::Code(0)), ("exit 7", Exit::Code(7)), ("kill -9 $$", Exit::Signal(9))]
    {
        let daemon = place.start(script).await;
        let exited = tokio::time::timeout(BOUND, daemon.wait()).await.unwrap().unwrap();
        assert_eq!(exited, Exited { exit, left_behind: vec![] }, "{script}");
        assert_eq!(residents::stat(daemon.identity().pid).unwrap(), None, "reaped");
        // Asked again it says the same, and stopping the dead is harmless.
        assert_eq!(daemon.wait().await.unwrap().exit, exit);
        assert_eq!(daemon.stop(SHORT).await.unwrap(), Ended { exit, forced: false });
    }
}

#[tokio::test]
async fn two_may_wait_for_the_same_daemon() {
    let place = Place::new();
    let daemon = place.start(SERVE).await;
    let (one, two, stopped) = tokio::join!(daemon.wait(), daemon.wait(), daemon.stop(LONG));
    assert_eq!(stopped.unwrap().exit, Exit::Signal(15));
    assert_eq!((one.unwrap().exit, two.unwrap().exit), (Exit::Signal(15), Exit::Signal(15)));
}

#[tokio::test]
async fn who_ignores_sigterm_is_killed_after_the_grace_and_not_before() {
    let place = Place::new();
    let daemon = place.start(DEAF).await;
    place.file("ready").await;
    let start = Instant::now();
    let ended = daemon.stop(SHORT).await.unwrap();
    assert!(start.elapsed() >= SHORT.grace);
    assert_eq!(ended, Ended { exit: Exit::Signal(9), forced: true });
    assert!(!is_alive(daemon.identity().pid));
}

#[tokio::test]
async fn grandchildren_die_too_also_those_that_left_the_group_or_hid() {
    let place = Place::new();
    // In the background the shell would replace their standard input by /dev/null.
    let script = "
        exec 3<&0
        sh -c 'trap \"\" TERM; echo $$ > in-group; while :; do sleep 0.05; done' &
        setsid sh -c 'trap \"\" TERM; echo $$ > own-session; while :; do sleep 0.05; done' < /dev/null 3<&- &
        env -i sh -c 'echo $$ > no-environment; while :; do /bin/sleep 0.05; done' < /dev/null 3<&- &
        env -i setsid sh -c 'echo $$ > only-lock; while :; do /bin/sleep 0.05; done' <&3 &
        wait";
    let daemon = place.start(script).await;
    let mut pids = vec![daemon.identity().pid];
    for name in ["in-group", "own-session", "no-environment", "only-lock"] {
        pids.push(place.file(name).await.parse().unwrap());
    }
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    let ended = daemon.stop(SHORT).await.unwrap();
    assert!(ended.forced);
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(alive.is_empty(), "{alive:?} of {pids:?}");
}

#[tokio::test]
async fn a_daemon_that_forks_away_is_noticed_and_can_be_ended() {
    let place = Place::new();
    let daemon = place.start("(echo ok > ready; while :; do sleep 0.05; done) & exit 0").await;
    place.file("ready").await;
    let exited = tokio::time::timeout(BOUND, daemon.wait()).await.unwrap().unwrap();
    assert_eq!(exited.exit, Exit::Code(0));
    assert!(!exited.left_behind.is_empty());
    let identity = daemon.identity();
    let refused = place.try_start(&place.run(), SERVE).await.unwrap_err();
    assert!(matches!(refused, ProcessError::Occupied { .. }), "{refused}");
    let adoption = place.slot.adopt(identity).await.unwrap();
    assert!(
        matches!(&adoption, Adoption::Dead { left_behind, .. } if !left_behind.is_empty()),
        "{adoption:?}"
    );
    let found = place.slot.find(&identity.run, Duration::ZERO).await.unwrap();
    assert!(matches!(&found, Found::Strays(pids) if !pids.is_empty()), "{found:?}");
    place.slot.end(&identity.run, Some(identity), LONG).await.unwrap();
    assert!(matches!(place.slot.find(&identity.run, BOUND).await.unwrap(), Found::Nobody));
}

#[tokio::test]
async fn adoption_tells_ours_from_the_dead_and_from_strangers() {
    let place = Place::new();
    let daemon = place.start(SERVE).await;
    let ours = daemon.identity().clone();
    async fn place_adopt(identity: &Identity, slot: &Slot) -> Adoption {
        slot.adopt(identity).await.unwrap()
    }
    let slot = place.slot.clone();
    assert!(matches!(place_adopt(&ours, &slot).await, Adoption::Adopted(_)));
    let later = Identity { start_ticks: ours.start_ticks + 1, ..ours.clone() };
    assert!(matches!(place_adopt(&later, &slot).await, Adoption::Dead { host_lost: false, .. }));
    let rebooted = Identity { boot_id: "another".into(), ..ours.clone() };
    assert!(matches!(place_adopt(&rebooted, &slot).await, Adoption::Dead { host_lost: true, .. }));
    let mut other = ours.clone();
    other.run.executable = Digest::of(b"another program");
    assert!(matches!(place_adopt(&other, &slot).await, Adoption::NotOurs { found } if found == place.shell));
    let Adoption::Adopted(again) = place_adopt(&ours, &slot).await else {
        panic!("it is alive");
    };
    again.stop(LONG).await.unwrap();
    assert!(
        matches!(place_adopt(&ours, &slot).await, Adoption::Dead { host_lost: false, left_behind } if left_behind.is_empty())
    );
}

#[tokio::test]
async fn a_run_is_found_by_its_token_when_its_input_is_closed_and_by_its_lock_when_its_token_is_gone() {
    let place = Place::new();
    let run = place.run();
    let daemon = place.try_start(&run, &format!("exec < /dev/null; {SERVE}")).await.unwrap();
    place.file("ready").await;
    let Found::Daemon(found) = place.slot.find(&run, Duration::ZERO).await.unwrap() else {
        panic!("it is alive");
    };
    assert_eq!(found.identity(), daemon.identity());
    found.stop(LONG).await.unwrap();
    std::fs::remove_file(place.folder.path().join("ready")).unwrap();

    let run = place.run();
    place
        .try_start(&run, "exec env -i /bin/sh -c 'echo $$ > ready; while :; do /bin/sleep 0.05; done'")
        .await
        .unwrap();
    let pid: u32 = place.file("ready").await.parse().unwrap();
    let found = place.slot.find(&run, Duration::ZERO).await.unwrap();
    assert!(matches!(&found, Found::Strays(pids) if pids.contains(&pid)), "{found:?}");
    assert!(place.slot.end(&run, None, LONG).await.is_ok());
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_lock_held_by_nobody_that_can_be_seen_is_an_error_and_not_an_empty_slot() {
    let place = Place::new();
    let hasty = Patience { grace: Duration::ZERO, proof: Duration::from_millis(30) };
    // This process is the one that is not looked at.
    let held = std::fs::File::open(place.folder.path().join("daemon.lock")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let error = place.slot.find(&place.run(), Duration::from_millis(30)).await.unwrap_err();
    assert!(matches!(error, ProcessError::Unidentified { .. }), "{error}");
    let error = place.slot.end(&place.run(), None, hasty).await.unwrap_err();
    assert!(matches!(error, ProcessError::Unidentified { .. }), "{error}");
    drop(held);
    assert!(matches!(place.slot.find(&place.run(), BOUND).await.unwrap(), Found::Nobody));
}

#[tokio::test]
async fn what_cannot_be_started_is_a_typed_error_and_leaves_the_slot_free() {
    let place = Place::new();
    let put = |bytes: &[u8]| {
        let mut draft = place.store.draft().unwrap();
        draft.write_all(bytes).unwrap();
        let digest = Digest::of(bytes);
        place.store.publish(draft, &digest).unwrap();
        digest
    };
    let folder = place.folder.path();
    let script = place.store.open_verified(&put(b"#!/bin/sh\n")).unwrap();
    let page = place.store.open_verified(&put(b"<html>")).unwrap();
    let garbage = place.store.open_verified(&put(b"\x7fELF and nothing more")).unwrap();
    let shell = place.store.open_verified(&place.shell).unwrap();
    let of = |executable| Run { token: RunToken::random(), executable };
    let fine = launch(folder, SERVE);

    let error = place.slot.spawn(&of(script.digest), &script, &fine).await.unwrap_err();
    assert!(matches!(error, ProcessError::Script { .. }), "{error}");
    let error = place.slot.spawn(&of(page.digest), &page, &fine).await.unwrap_err();
    assert!(matches!(&error, ProcessError::NoProgram { found, .. } if found == "<htm"), "{error}");
    let error = place.slot.spawn(&of(garbage.digest), &garbage, &fine).await.unwrap_err();
    assert!(matches!(error, ProcessError::Start { .. }), "{error}");
    let error = place.slot.spawn(&of(garbage.digest), &shell, &fine).await.unwrap_err();
    assert!(matches!(error, ProcessError::OtherProgram { .. }), "{error}");
    let elsewhere = Launch { folder: folder.join("missing"), ..fine.clone() };
    let error = place.slot.spawn(&of(shell.digest), &shell, &elsewhere).await.unwrap_err();
    assert!(matches!(error, ProcessError::Start { .. }), "{error}");
    for name in ["", "A=B", "CONCORD_RUN", "A\0"] {
        let environment = BTreeMap::from([(name.to_owned(), "x".to_owned())]);
        let odd = Launch { environment, ..fine.clone() };
        let error = place.slot.spawn(&of(shell.digest), &shell, &odd).await.unwrap_err();
        assert!(matches!(error, ProcessError::Variable { .. }), "{error}");
    }
    let daemon = place.slot.spawn(&of(shell.digest), &shell, &fine).await.unwrap();
    daemon.stop(LONG).await.unwrap();
}

#[test]
fn a_token_has_one_form() {
    let token = RunToken::random();
    let json = serde_json::to_string(&token).unwrap();
    assert_eq!(serde_json::from_str::<RunToken>(&json).unwrap(), token);
    assert_ne!(token, RunToken::random());
    for bad in ["", "00", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
        assert!(RunToken::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}

/// The agent that is killed: started again from this test binary, it writes its intent, starts a daemon, and is never
/// told to write down the pid.
mod killed_agent {
    use super::*;

    const FOLDER: &str = "CONCORD_TEST_KILLED_AGENT";
    const NAME: &str = "act::process::tests::killed_agent::entry";

    #[test]
    fn entry() {
        let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
            return;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (store, slot, shell) = place_in(&folder);
            let run = Run { token: RunToken::random(), executable: shell };
            let program = store.open_verified(&shell).unwrap();
            let intent = serde_json::to_vec(&run).unwrap();
            crate::act::durable::replace_file(&folder.join("intent"), &intent, 0o600).unwrap();
            let daemon = slot.spawn(&run, &program, &launch(&folder, SERVE)).await.unwrap();
            std::fs::write(folder.join("spawned"), format!("{}\n", daemon.identity().pid)).unwrap();
            tokio::time::sleep(BOUND).await;
        });
    }

    /// An agent whose start of a daemon is cut by SIGKILL when `cut` says so.
    fn agent(folder: &Path) -> std::process::Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    async fn intent(folder: &Path) -> Run {
        let start = Instant::now();
        loop {
            if let Ok(bytes) = std::fs::read(folder.join("intent")) {
                return serde_json::from_slice(&bytes).unwrap();
            }
            assert!(start.elapsed() < BOUND, "no intent was written");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn its_daemon_lives_on_and_is_adopted() {
        let folder = tempfile::tempdir().unwrap();
        let mut agent = agent(folder.path());
        let pid: u32 = written(&folder.path().join("spawned")).await.parse().unwrap();
        let run = intent(folder.path()).await;
        agent.kill().unwrap();
        agent.wait().unwrap();
        let (_, slot, _) = place_in(folder.path());
        let Found::Daemon(found) = slot.find(&run, BOUND).await.unwrap() else {
            panic!("the daemon survives its agent");
        };
        assert_eq!(found.identity().pid, pid);
        let Adoption::Adopted(daemon) = slot.adopt(found.identity()).await.unwrap() else {
            panic!("what was found can be adopted");
        };
        assert!(daemon.is_alive().unwrap());
        // Not this process's child: the end is seen through the descriptor, its code is not.
        let ended = daemon.stop(LONG).await.unwrap();
        assert_eq!(ended, Ended { exit: Exit::Unknown, forced: false });
        assert!(!is_alive(pid));
    }

    #[tokio::test]
    async fn killed_at_any_moment_around_the_start_there_is_never_a_second_daemon() {
        // How long a start takes from the intent on, here and now; the cuts walk over it and beyond.
        let whole = {
            let folder = tempfile::tempdir().unwrap();
            let mut agent = agent(folder.path());
            let run = intent(folder.path()).await;
            let start = Instant::now();
            written(&folder.path().join("spawned")).await;
            let whole = start.elapsed();
            agent.kill().unwrap();
            agent.wait().unwrap();
            let (_, slot, _) = place_in(folder.path());
            slot.end(&run, None, LONG).await.unwrap();
            whole
        };
        let mut outcomes = (0, 0);
        for round in 0..200_u32 {
            if round >= 24 && outcomes.1 > 0 {
                break;
            }
            let folder = tempfile::tempdir().unwrap();
            let mut agent = agent(folder.path());
            let run = intent(folder.path()).await;
            tokio::time::sleep(whole * round / 32).await;
            agent.kill().unwrap();
            agent.wait().unwrap();
            let (store, slot, shell) = place_in(folder.path());
            let found = slot.find(&run, BOUND).await.unwrap();
            let next = Run { token: RunToken::random(), executable: shell };
            let program = store.open_verified(&shell).unwrap();
            let second = slot.spawn(&next, &program, &launch(folder.path(), SERVE)).await;
            match found {
                Found::Nobody => {
                    outcomes.0 += 1;
                    second.unwrap().stop(LONG).await.unwrap();
                }
                Found::Daemon(first) => {
                    outcomes.1 += 1;
                    assert!(matches!(second, Err(ProcessError::Occupied { .. })), "round {round}");
                    first.stop(LONG).await.unwrap();
                    assert!(matches!(slot.find(&run, BOUND).await.unwrap(), Found::Nobody));
                }
                Found::Strays(pids) => panic!("round {round}: {pids:?} are left half started"),
            }
        }
        assert!(outcomes.1 > 0, "some cuts must come after the start: {outcomes:?}");
    }
}
