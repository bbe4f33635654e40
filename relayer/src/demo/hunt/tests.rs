use super::*;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use concord_decide::{Effect, Memory, Served};
use concord_schema::Digest;

use crate::agent::JOURNAL;
use crate::agent::record::Record;
use crate::demo::proc::started;
use crate::journal::{Journal, Limits};

/// A process that stands for an agent or a daemon until it is killed.
struct Standing(Child);

impl Drop for Standing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Standing {
    fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.arg0("standing").args(["-c", "read line", "sh"]).args(arguments).stdin(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn process_is_alive(&self) -> bool {
        started(self.0.id()).is_some()
    }

    fn process(&self) -> Process {
        let pid = self.0.id();
        Process { pid, start_ticks: started(pid).unwrap() }
    }
}

fn journal(home: &Path, stage: Stage, effects: Vec<Effect>) {
    let (mut journal, _) = Journal::<Record>::open(&home.join(JOURNAL), Limits::default()).unwrap();
    let serves =
        Served { release: Digest::of(b"r"), version: "1.0.0".to_owned(), artifact: Digest::of(b"a") };
    let mut memory = Memory::new(serves);
    memory.stage = stage;
    journal.append(&Record::Step { at_ms: 1, memory: Box::new(memory), effects }).unwrap();
}

fn trail(home: &Path, agent: &Standing, port: u16) -> Trail {
    let agent = agent.process();
    Trail { node: 3, name: "node-4".to_owned(), port, agent, follower: Follower::new(home) }
}

fn until(mut level: impl FnMut() -> bool) {
    let began = Instant::now();
    while !level() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_agent_in_the_middle_of_its_switch_is_killed_and_said_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    journal(home.path(), Stage::Snapshotted, vec![Effect::Switch { to: Digest::of(b"x") }]);
    let agent = Standing::new(&[]);
    let Strike::Hit { node, alone, victim } = trail(home.path(), &agent, 604).strike(Prey::Alone) else {
        panic!("expected a hit")
    };
    assert_eq!((node, alone, victim.stage.as_str(), victim.daemon), (3, true, "snapshotted", None));
    until(|| !agent.process_is_alive());
}

#[test]
fn a_daemon_is_killed_with_its_agent_and_must_be_there() {
    let home = tempfile::tempdir().unwrap();
    journal(home.path(), Stage::Booting, vec![Effect::Spawn { run: 2, digest: Digest::of(b"x") }]);
    let agent = Standing::new(&[]);
    let trail = trail(home.path(), &agent, 605);
    assert_eq!(trail.strike(Prey::Together), Strike::Missed { node: 3 }, "there is no daemon yet");
    let daemon = Standing::new(&["--listen", "127.0.0.1:605"]);
    until(|| trail.daemon().is_some());
    let Strike::Hit { alone, victim, .. } = trail.strike(Prey::Together) else { panic!("expected a hit") };
    assert_eq!((alone, victim.daemon), (false, Some(daemon.0.id())));
    until(|| !agent.process_is_alive() && !daemon.process_is_alive());
}

#[test]
fn an_agent_that_is_past_its_switch_goes_on() {
    for stage in [Stage::OnTrial, Stage::Committed, Stage::Leased, Stage::Draining] {
        let home = tempfile::tempdir().unwrap();
        journal(home.path(), stage, Vec::new());
        let agent = Standing::new(&[]);
        assert_eq!(
            trail(home.path(), &agent, 606).strike(Prey::Alone),
            Strike::Missed { node: 3 },
            "{stage}"
        );
        // It runs on: on a line it ends by itself, which a stopped process would not.
        let mut agent = agent;
        drop(agent.0.stdin.take());
        until(|| agent.0.try_wait().unwrap().is_some());
    }
}

#[test]
fn each_prey_has_its_moment() {
    let newest = |stage, effects: &[&'static str], daemon| Newest {
        stage,
        rollout: 1,
        effects: effects.to_vec(),
        daemon,
    };
    for (newest, alone, together) in [
        (newest(Stage::Snapshotted, &["switch"], false), true, false),
        (newest(Stage::Snapshotted, &["snapshot"], false), false, false),
        (newest(Stage::Booting, &["spawn"], false), false, false),
        (newest(Stage::Booting, &["spawn"], true), false, true),
        (newest(Stage::OnTrial, &[], true), false, false),
    ] {
        assert_eq!(
            (Prey::Alone.is_due(&newest), Prey::Together.is_due(&newest)),
            (alone, together),
            "{newest:?}"
        );
    }
}
