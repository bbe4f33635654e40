//! The agent as a process of its own, on a chain that it proves: what it does when nothing may be believed any more.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use concord::agent::status::Status;
use concord::chain::keys::{Key, Kind};
use concord::config::{Layers, platform};
use concord_prove::Anchor;
use concord_schema::Digest;
use concord_schema::release::Artifact;
use concord_tests::env::{COMPONENT, MockEnv, Setup, addr};
use cosmwasm_std::Order;
use cosmwasm_std::testing::MockStorage;
use tokio::time::Instant;

use crate::maker::{CHAIN_ID, Chain, Plan, key, start};
use crate::served::{Served, contract, records};
use crate::tree::Pairs;

/// The longest that a state is waited for.
const LONGEST: Duration = Duration::from_secs(30);
const CONCORD: &str = env!("CARGO_BIN_EXE_concord");

/// Cargo builds the programs of this package beside its tests, but not those of others.
fn daemon() -> PathBuf {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "demo-daemon", "--bin", "demo-daemon-v1"]);
        assert!(build.status().unwrap().success());
    });
    Path::new(CONCORD).with_file_name("demo-daemon-v1")
}

/// What the real contract stores where its fleet runs this daemon.
fn deployed(daemon: &Path) -> Pairs {
    let bytes = std::fs::read(daemon).unwrap();
    let mut message = Setup::default().message();
    message.components[0].baseline.artifacts = vec![Artifact {
        platform: platform(),
        digest: Digest::of(&bytes),
        size_bytes: bytes.len() as u64,
        uris: Vec::new(),
    }];
    let mut env = MockEnv::empty(MockStorage::new());
    env.instantiate(&message).unwrap();
    let store = env.store();
    store.range(None, None, Order::Ascending).map(|(own, value)| (key(&own), value)).collect()
}

/// A chain that runs it, whose block 20 is 20 s old: so many tens of seconds after the made chains' own time.
fn chain(state: &Pairs, late: u64, salt: (u64, u8)) -> Arc<Chain> {
    let state = state.clone();
    let all = move |_| [records(7), state.clone()].concat();
    Arc::new(Plan { state: Box::new(all), late, salt, ..Plan::new() }.make())
}

fn late() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let began = u64::try_from(start().unix_timestamp()).unwrap();
    (now - began - 19 * 5 - 20) / 10
}

struct Agent {
    folder: tempfile::TempDir,
    pages: String,
    http: reqwest::Client,
    process: Option<std::process::Child>,
    daemon: Option<u32>,
}

/// Ends what was started, by its own number.
impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.kill());
            drop(process.wait());
        }
        let pid = self.daemon.and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Agent {
    fn prepare(nodes: &[&Served]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hot = Key::generate(Kind::Secp256k1).unwrap();
        hot.create(&folder.path().join("hot.key"), "wasm").unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let urls: Vec<String> = nodes.iter().map(|node| format!("{:?}", node.url)).collect();
        let text = format!(
            r#"[chain]
rpc = [{rpc}]
chain_id = "{CHAIN_ID}"
contract = "{contract}"
mode = "light"
call_timeout_seconds = 5
still_seconds_max = 20
websocket = false

[gas]
price = "0"
denom = "ucosm"

[node]
operator = "{operator}"
component = "{COMPONENT}"
node_id = "node-1"
home = "home"
hot_key = "hot.key"

[daemon]
args = ["--listen", "127.0.0.1:0"]

[http]
listen = "{free}"
"#,
            rpc = urls.join(", "),
            contract = contract().text(),
            operator = addr("op0"),
        );
        std::fs::write(folder.path().join("agent.toml"), text).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let pages = format!("http://{free}/status");
        Self { folder, pages, http, process: None, daemon: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CONCORD);
        command.args(arguments).arg("--config").arg(self.folder.path().join("agent.toml"));
        command.stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CONCORD_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end, off the runtime's threads: the nodes it asks live on them.
    async fn says(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn set(&self, anchor: Anchor, reason: &str) -> Output {
        self.says(&["trust", "set", &anchor.to_string(), "--reason", reason]).await
    }

    async fn adopt(&self, daemon: &Path) {
        let file = Some(self.folder.path().join("agent.toml"));
        let config = Layers { file, ..Layers::default() }.agent().unwrap();
        concord::agent::init(&config, concord::agent::Adopt { program: daemon, others_run: false })
            .await
            .unwrap();
    }

    fn start(&mut self) {
        let path = self.folder.path().join("agent.log");
        let log = std::fs::File::options().create(true).append(true).open(path).unwrap();
        let mut command = self.command(&["agent"]);
        command.stderr(log);
        self.process = Some(command.spawn().unwrap());
    }

    async fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap().success());
    }

    async fn status(&self) -> Option<Status> {
        self.http.get(&self.pages).send().await.ok()?.json().await.ok()
    }

    async fn until(&mut self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let began = Instant::now();
        loop {
            let seen = self.status().await;
            if let Some(daemon) = seen.as_ref().and_then(|status| status.daemon.as_ref()) {
                self.daemon = Some(daemon.pid);
            }
            match seen {
                Some(status) if is_so(&status) => return status,
                seen if began.elapsed() > LONGEST => {
                    let log = std::fs::read_to_string(self.folder.path().join("agent.log"));
                    panic!("expected {what}, found {seen:?}\n{}", log.unwrap_or_default())
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn acts_at(&mut self, height: u64) -> Status {
        let is_so = |status: &Status| {
            status.verified_height == height && status.source.is_none() && status.daemon.is_some()
        };
        self.until(&format!("facts at height {height}"), is_so).await
    }
}

fn texts(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A fork stops the acting, survives a restart, and is left by a person's word; the daemon is the same all the while.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_a_forked_chain_acts_no_more_and_its_daemon_runs_on() {
    let daemon = daemon();
    let (state, late) = (deployed(&daemon), late());
    let honest = chain(&state, late, (u64::MAX, 0));
    let forked = chain(&state, late, (22, 1));
    let (one, two) = (Served::start(&honest, 20).await, Served::start(&honest, 20).await);
    let mut agent = Agent::prepare(&[&one, &two]);
    let begun = agent.set(honest.anchor(10), "a test").await;
    assert!(begun.status.success(), "{}", texts(&begun));
    agent.adopt(&daemon).await;
    agent.start();
    let before = agent.acts_at(19).await;
    assert_eq!((before.waiting_on.as_str(), before.fault.as_deref()), ("registration", None));
    one.grow(21);
    two.grow(21);
    agent.acts_at(20).await;
    two.becomes(&forked);
    one.grow(23);
    two.grow(23);
    let said = |status: &Status| {
        status.waiting_on == "forked"
            && status.sentence.contains("concord trust set H:HASH --reason")
            && status.fault.as_ref().is_some_and(|fault| fault.contains("forked at height 23"))
    };
    let lost = agent.until("a fork", said).await;
    assert_eq!((&lost.daemon, lost.sentence.contains("the node keeps running")), (&before.daemon, true));
    assert!(!lost.unready().is_empty());
    assert!(agent.folder.path().join("home/fork-23.json").exists());
    // One node is right again, and the agent is a new one: only a person's word counts.
    two.becomes(&honest);
    let refused = agent.set(honest.anchor(22), "the other one is dead").await;
    assert!(texts(&refused).contains("stop it first"), "{}", texts(&refused));
    agent.stop().await;
    agent.start();
    let lost = agent.until("a fork after a restart", said).await;
    assert_eq!(lost.daemon, before.daemon);
    let shown = agent.says(&["trust", "show"]).await;
    assert!(texts(&shown).contains("forked at height 23"), "{}", texts(&shown));
    agent.stop().await;
    let begun = agent.set(honest.anchor(22), "the other one is dead").await;
    assert!(begun.status.success(), "{}", texts(&begun));
    agent.start();
    let after = agent.acts_at(22).await;
    assert_eq!((&after.daemon, after.waiting_on.as_str()), (&before.daemon, "registration"));
    let shown = texts(&agent.says(&["trust", "show"]).await);
    assert!(shown.contains("the other one is dead") && shown.contains("good"), "{shown}");
}

/// An agent whose trust is lost looks after its node all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_trust_keeps_its_daemon_and_says_what_to_do() {
    let daemon = daemon();
    let honest = chain(&deployed(&daemon), late(), (u64::MAX, 0));
    let (one, two) = (Served::start(&honest, 20).await, Served::start(&honest, 20).await);
    let mut agent = Agent::prepare(&[&one, &two]);
    let begun = agent.set(honest.anchor(10), "a test").await;
    assert!(begun.status.success(), "{}", texts(&begun));
    agent.adopt(&daemon).await;
    agent.start();
    let before = agent.acts_at(19).await;
    agent.stop().await;
    std::fs::remove_file(agent.folder.path().join("home/trust.json")).unwrap();
    agent.start();
    let lost = agent.until("an agent without trust", |status| status.waiting_on == "unproved").await;
    assert_eq!((&lost.daemon, lost.verified_height), (&before.daemon, 0));
    assert!(lost.fault.is_some_and(|fault| fault.contains("concord trust set H:HASH --reason")));
    let wrong = Anchor::new(10, [1; 32]).unwrap();
    agent.stop().await;
    let refused = agent.set(wrong, "a wrong one").await;
    assert!(
        !refused.status.success() && texts(&refused).contains("at the anchor's height 10"),
        "{}",
        texts(&refused)
    );
    assert!(!agent.folder.path().join("home/trust.json").exists());
}
