//! The operators' side: six agents as processes of their own, each with a daemon of its own, and their end.

use std::ffi::OsStr;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::error::{DemoError, file, system};
use super::genesis::{CHAIN_ID, DENOM, GAS_PRICE, Operator};
use super::plan::COMPONENT;
use super::proc::{Process, Scanner, started};
use super::{http, ports};
use crate::chain::Address;

/// The longest `concord init` may take.
const INIT_LONGEST: Duration = Duration::from_secs(30);
/// The longest an agent may take until it answers.
const UP_LONGEST: Duration = Duration::from_secs(20);
/// The longest a process may take to end when it is told so, and to be gone when it is killed.
const END_LONGEST: Duration = Duration::from_secs(3);
/// From one look at a level to the next.
const POLL: Duration = Duration::from_millis(25);
/// How much of a log is repeated in an error.
const WORDS_BYTES: usize = 2_000;

/// Where one node lives.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its name.
    pub(crate) node_id: String,
    /// Its agent's folder.
    pub(crate) home: PathBuf,
    /// Its agent's configuration.
    pub(crate) config: PathBuf,
    /// Its agent's own words.
    pub(crate) log: PathBuf,
    /// Where its daemon listens.
    pub(crate) daemon_port: u16,
    /// Where its agent's pages are.
    pub(crate) pages_port: u16,
}

impl Place {
    /// Where the agent's pages are.
    #[must_use]
    pub(crate) fn pages(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.pages_port).into()
    }
}

/// The way to the chain, as agents are told it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// Its RPC.
    pub(crate) rpc: String,
    /// The coordinator.
    pub(crate) contract: Address,
}

#[derive(Debug, Default)]
struct Agent {
    child: Option<Child>,
    /// Its end is the demo's own doing.
    is_ending: bool,
}

/// All nodes. Dropping it kills what still runs.
#[derive(Debug)]
pub(crate) struct Fleet {
    program: PathBuf,
    places: Vec<Place>,
    agents: Mutex<Vec<Agent>>,
}

impl Fleet {
    /// Gives every operator a folder, two ports and a configuration.
    ///
    /// # Errors
    /// [`DemoError::Ports`] and [`DemoError::File`].
    pub(crate) fn new(folder: &Path, operators: &[Operator], way: &Way) -> Result<Self, DemoError> {
        let program = std::env::current_exe().map_err(system("find this program's own file"))?;
        let free = ports::free(operators.len().saturating_mul(2))?;
        let (daemons, pages) = free.split_at(operators.len());
        let mut places = Vec::with_capacity(operators.len());
        for (operator, (daemon_port, pages_port)) in operators.iter().zip(daemons.iter().zip(pages)) {
            let node_id = operator.node_id.clone();
            let place = Place {
                home: folder.join(&node_id),
                config: folder.join(format!("{node_id}.toml")),
                log: folder.join(format!("{node_id}.log")),
                daemon_port: *daemon_port,
                pages_port: *pages_port,
                node_id,
            };
            let text = config(&place, operator, way);
            std::fs::write(&place.config, text).map_err(file("write", &place.config))?;
            places.push(place);
        }
        let agents = Mutex::new(places.iter().map(|_| Agent::default()).collect());
        Ok(Self { program, places, agents })
    }

    /// Where the nodes live.
    #[must_use]
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Where one node lives.
    ///
    /// # Errors
    /// [`DemoError::Own`] for a node that is none.
    pub(crate) fn place(&self, node: usize) -> Result<&Place, DemoError> {
        self.places
            .get(node)
            .ok_or_else(|| DemoError::Own { what: "fleet", reason: format!("found no node {node}") })
    }

    /// Where the daemons listen.
    #[must_use]
    pub(crate) fn daemon_ports(&self) -> Vec<u16> {
        self.places.iter().map(|place| place.daemon_port).collect()
    }

    /// This program again, as `verb` of one node.
    fn command(&self, verb: &[&OsStr], place: &Place) -> Command {
        let mut command = Command::new(&self.program);
        command.args(verb).arg("--config").arg(&place.config).stdin(Stdio::null()).kill_on_drop(true);
        // What a shell says of another deployment would win over the file.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CONCORD_") && name != "CONCORD_LOG" {
                command.env_remove(name);
            }
        }
        // A signal from the terminal goes to the demo, which then ends everybody in order.
        command.process_group(0);
        command
    }

    /// Every operator hands its node, which runs `baseline`, to its agent.
    ///
    /// # Errors
    /// [`DemoError::Command`] with the command's own words.
    pub(crate) async fn adopt(&self, baseline: &Path) -> Result<(), DemoError> {
        try_join_all(self.places.iter().map(|place| self.adopt_one(place, baseline))).await?;
        Ok(())
    }

    async fn adopt_one(&self, place: &Place, baseline: &Path) -> Result<(), DemoError> {
        let verb = [OsStr::new("init"), OsStr::new("--adopt"), baseline.as_os_str()];
        let failed = |status: String, output| DemoError::Command {
            command: format!("concord init of {}", place.node_id),
            status,
            output,
        };
        let output = tokio::time::timeout(INIT_LONGEST, self.command(&verb, place).output())
            .await
            .map_err(|_| failed(format!("no end within {} s", INIT_LONGEST.as_secs()), String::new()))?
            .map_err(system("start this program again"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(output.status.to_string(), last(&output.stderr)))
    }

    /// Starts one agent.
    ///
    /// # Errors
    /// [`DemoError::System`] when it cannot be started.
    pub(crate) fn start(&self, node: usize) -> Result<(), DemoError> {
        let place = self.place(node)?;
        let log = File::options().create(true).append(true).open(&place.log);
        let log = log.map_err(file("open", &place.log))?;
        let again = log.try_clone().map_err(file("open again", &place.log))?;
        let mut command = self.command(&[OsStr::new("agent")], place);
        command.stdout(log).stderr(again);
        let child = command.spawn().map_err(system("start this program again"))?;
        self.with(node, |agent| *agent = Agent { child: Some(child), is_ending: false });
        Ok(())
    }

    /// Starts all agents, and waits until each answers.
    ///
    /// # Errors
    /// [`DemoError::Late`] and those of [`Fleet::start`].
    pub(crate) async fn start_all(&self) -> Result<(), DemoError> {
        for node in 0..self.places.len() {
            self.start(node)?;
        }
        let began = Instant::now();
        for place in &self.places {
            loop {
                let answer = http::get::<serde_json::Value>(place.pages(), "/status", UP_LONGEST).await;
                let error = match answer {
                    Ok(_) => break,
                    Err(error) => error,
                };
                self.check()?;
                if began.elapsed() >= UP_LONGEST {
                    let what = format!("the agent of {} to answer", place.node_id);
                    let last = error.to_string();
                    return Err(DemoError::Late { what, seconds: UP_LONGEST.as_secs(), last });
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// Looks whether an agent has ended by itself.
    ///
    /// # Errors
    /// [`DemoError::Agent`] with its last words.
    pub(crate) fn check(&self) -> Result<(), DemoError> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        for (agent, place) in agents.iter_mut().zip(&self.places).filter(|(agent, _)| !agent.is_ending) {
            let Some(child) = agent.child.as_mut() else { continue };
            if let Some(status) = child.try_wait().map_err(system("look at an agent"))? {
                let output = last(&std::fs::read(&place.log).unwrap_or_default());
                return Err(DemoError::Agent {
                    node: place.node_id.clone(),
                    status: status.to_string(),
                    output,
                });
            }
        }
        Ok(())
    }

    /// Comes back only when an agent has ended by itself, with the reason: as [`Fleet::check`].
    pub(crate) async fn guard(&self) -> DemoError {
        loop {
            if let Err(ended) = self.check() {
                return ended;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn with<T>(&self, node: usize, change: impl FnOnce(&mut Agent) -> T) -> Option<T> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.get_mut(node).map(change)
    }

    /// An agent's process, while it lives.
    #[must_use]
    pub(crate) fn agent(&self, node: usize) -> Option<Process> {
        let pid = self.with(node, |agent| agent.child.as_ref().and_then(Child::id))??;
        Some(Process { pid, start_ticks: started(pid)? })
    }

    /// Says whether an agent's end would be the demo's own doing: then nobody is alarmed by it.
    pub(crate) fn expect_end(&self, node: usize, is_expected: bool) {
        self.with(node, |agent| agent.is_ending = is_expected);
    }

    /// Kills an agent without a word, and waits until it is gone. Its daemon goes on.
    ///
    /// # Errors
    /// [`DemoError::System`] and [`DemoError::Late`].
    pub(crate) async fn kill(&self, node: usize) -> Result<(), DemoError> {
        let child = self.with(node, |agent| {
            agent.is_ending = true;
            agent.child.take()
        });
        let Some(mut child) = child.flatten() else { return Ok(()) };
        child.start_kill().map_err(system("kill an agent"))?;
        let ended = tokio::time::timeout(END_LONGEST, child.wait()).await;
        let late = || DemoError::Late {
            what: "a killed agent to be gone".to_owned(),
            seconds: END_LONGEST.as_secs(),
            last: "it is still there".to_owned(),
        };
        ended.map_err(|_| late())?.map_err(system("wait for a killed agent"))?;
        Ok(())
    }

    /// Ends every agent, then every daemon; politely first.
    ///
    /// # Errors
    /// [`DemoError::Late`] when a process does not go.
    pub(crate) async fn end(&self) -> Result<(), DemoError> {
        let agents: Vec<Process> = (0..self.places.len()).filter_map(|node| self.agent(node)).collect();
        for node in 0..self.places.len() {
            self.expect_end(node, true);
        }
        clear(&agents).await?;
        for node in 0..self.places.len() {
            self.kill(node).await?;
        }
        // Only now: an agent would start its daemon again.
        clear(&self.daemons()).await
    }

    fn daemons(&self) -> Vec<Process> {
        let seen = Scanner::default().daemons(&self.daemon_ports()).unwrap_or_default();
        seen.into_iter().map(|seen| seen.process).collect()
    }
}

impl Drop for Fleet {
    /// After [`Fleet::end`] nothing is left to do here; it is for a demo that broke off while it was set up.
    fn drop(&mut self) {
        let agents: Vec<Process> = (0..self.places.len()).filter_map(|node| self.agent(node)).collect();
        for node in 0..self.places.len() {
            self.with(node, |agent| agent.child.as_mut().map(Child::start_kill));
        }
        // A daemon is looked for when its agent can start none any more.
        let began = std::time::Instant::now();
        while agents.iter().any(Process::is_alive) && began.elapsed() < END_LONGEST {
            std::thread::sleep(Duration::from_millis(5));
        }
        for daemon in self.daemons() {
            let _ = daemon.signal(Signal::KILL);
        }
    }
}

/// Ends processes: SIGTERM, then SIGKILL, then proof.
async fn clear(processes: &[Process]) -> Result<(), DemoError> {
    for signal in [Signal::TERM, Signal::KILL] {
        for process in processes.iter().filter(|process| process.is_alive()) {
            process.signal(signal).map_err(system("end a process of the demo"))?;
        }
        let told = Instant::now();
        while processes.iter().any(Process::is_alive) && told.elapsed() < END_LONGEST {
            tokio::time::sleep(POLL).await;
        }
    }
    match processes.iter().find(|process| process.is_alive()) {
        None => Ok(()),
        Some(left) => Err(DemoError::Late {
            what: "a process of the demo to be gone".to_owned(),
            seconds: END_LONGEST.as_secs(),
            last: format!("process {} is still there", left.pid),
        }),
    }
}

/// The end of some output.
fn last(output: &[u8]) -> String {
    let from = output.len().saturating_sub(WORDS_BYTES);
    String::from_utf8_lossy(output.get(from..).unwrap_or_default()).trim().to_owned()
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What an agent is told by its operator.
fn config(place: &Place, operator: &Operator, way: &Way) -> String {
    let listen = format!("127.0.0.1:{}", place.daemon_port);
    format!(
        r#"[chain]
rpc = [{rpc}]
chain_id = "{CHAIN_ID}"
contract = "{contract}"
mode = "trust"

[gas]
price = "{GAS_PRICE}"
denom = "{DENOM}"

[node]
operator = "{operator}"
component = "{COMPONENT}"
node_id = {node_id}
home = {home}
hot_key = {hot_key}

[daemon]
args = ["--listen", "{listen}"]
stop_grace_seconds = 2
boot_seconds = 5

[[health.required]]
kind = "http"
url = "http://{listen}/health"
timeout_ms = 500

[http]
listen = "127.0.0.1:{pages}"
"#,
        rpc = quoted(&way.rpc),
        contract = way.contract,
        operator = operator.owner.address,
        node_id = quoted(&place.node_id),
        home = quoted(&place.home.to_string_lossy()),
        hot_key = quoted(&operator.hot_file.to_string_lossy()),
        pages = place.pages_port,
    )
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
mod tests;
