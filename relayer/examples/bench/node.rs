//! A node with a real agent beside it: `concord agent` as a process of its own, and the daemon that it runs.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use concord::agent::status::Status;
use concord::chain::Address;
use concord::chain::keys::{Key, Kind};
use concord::config::platform;
use concord_schema::Digest;
use concord_schema::release::Artifact;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::deployment::{Deployment, GAS_PRICE};
use super::error::{BenchError, step};

/// The longest that a command or the end of a process may take.
const END_LONGEST: Duration = Duration::from_secs(30);
/// The longest that one look at the agent's page may take.
const LOOK_LONGEST: Duration = Duration::from_secs(2);
/// Ports below the range from which systems pick for connections.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// How many ports further the next node of this process looks.
const PORTS_A_NODE: u32 = 16;
static PORTS_TAKEN: AtomicU32 = AtomicU32::new(0);

/// The file of the node's hot key in its folder.
pub(crate) const HOT_KEY: &str = "hot.key";
/// The node's name.
pub(crate) const NODE_ID: &str = "node-1";

/// What is measured: the program, and the daemon that its agent runs.
pub(crate) struct Programs {
    concord: PathBuf,
    /// The daemon's file.
    pub(crate) daemon: PathBuf,
}

impl Programs {
    /// Finds the programs where cargo leaves them: beside the folder of this one.
    ///
    /// # Errors
    /// [`BenchError`] when they are not built.
    pub(crate) fn find() -> Result<Self, BenchError> {
        let own = std::env::current_exe().map_err(step("find this program's own file"))?;
        let folder = own.parent().and_then(Path::parent).unwrap_or(Path::new("."));
        let find = |name: &str| {
            let path = folder.join(name);
            let found = format!("nothing at {}; run scripts/bench.sh", path.display());
            if path.is_file() {
                Ok(path)
            } else {
                Err(BenchError::Other { expected: "a built program", found })
            }
        };
        Ok(Self { concord: find("concord")?, daemon: find("demo-daemon-v1")? })
    }

    /// The daemon as an artifact of a release.
    ///
    /// # Errors
    /// [`BenchError`] when it cannot be read.
    pub(crate) fn artifact(&self) -> Result<Artifact, BenchError> {
        let bytes = std::fs::read(&self.daemon).map_err(step("read the daemon"))?;
        let size_bytes = bytes.len() as u64;
        Ok(Artifact { platform: platform(), digest: Digest::of(&bytes), size_bytes, uris: Vec::new() })
    }
}

/// A node and its agent. Dropping it kills both.
pub(crate) struct Node {
    programs: Programs,
    config: PathBuf,
    log: PathBuf,
    pages: String,
    http: reqwest::Client,
    agent: Option<Child>,
    /// The newest daemon that the agent told of.
    daemon: Option<(u32, OwnedFd)>,
    /// The account of its hot key.
    pub(crate) hot_key: Address,
}

impl Node {
    /// Writes key and configuration into `folder`, and has the agent adopt the daemon. `rpc` is where the agent reaches
    /// the chain, `chain` further lines of that part of its configuration.
    ///
    /// # Errors
    /// [`BenchError`] with the command's own words.
    pub(crate) async fn prepare(
        folder: &Path,
        programs: Programs,
        deployment: &Deployment,
        rpc: &str,
        chain: &str,
    ) -> Result<Self, BenchError> {
        let file = folder.join(HOT_KEY);
        // One that is there already has coins on the chain.
        let key = if file.exists() {
            Key::load(&file).map_err(step("read the hot key"))?
        } else {
            let key = Key::generate(Kind::Secp256k1).map_err(step("make a key"))?;
            key.create(&file, &deployment.prefix).map_err(step("write the hot key"))?;
            key
        };
        let hot_key = key.address(&deployment.prefix).map_err(step("make an address"))?;
        let [daemon, pages] = ports()?;
        let config = folder.join("agent.toml");
        std::fs::write(&config, text(deployment, rpc, chain, daemon, pages)?)
            .map_err(step("write a configuration"))?;
        let http = reqwest::Client::builder().no_proxy().timeout(LOOK_LONGEST).build();
        let node = Self {
            config,
            log: folder.join("agent.log"),
            pages: format!("http://{pages}/status"),
            http: http.map_err(step("make an http client"))?,
            agent: None,
            daemon: None,
            hot_key,
            programs,
        };
        let mut init = node.command("init");
        init.arg("--adopt").arg(&node.programs.daemon);
        let output = timeout(END_LONGEST, init.output()).await.map_err(step("wait for concord init"))?;
        let output = output.map_err(step("start concord init"))?;
        if !output.status.success() {
            let found = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(BenchError::Other { expected: "concord init to adopt the daemon", found });
        }
        Ok(node)
    }

    /// A command of the program with this node's configuration.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.programs.concord);
        command.arg(verb).arg("--config").arg(&self.config).stdin(Stdio::null()).kill_on_drop(true);
        // What a shell says of another deployment would win over the file.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CONCORD_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Starts the agent; returns at once, with the moment just before.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) fn start(&mut self) -> Result<Instant, BenchError> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.map_err(step("open the agent's log"))?;
        let again = log.try_clone().map_err(step("open the agent's log"))?;
        let mut command = self.command("agent");
        command.stdout(log).stderr(again);
        let began = Instant::now();
        self.agent = Some(command.spawn().map_err(step("start the agent"))?);
        Ok(began)
    }

    /// What the agent says of itself; `None` while it does not answer.
    ///
    /// # Errors
    /// [`BenchError`] with its log when it has ended.
    pub(crate) async fn status(&mut self) -> Result<Option<Status>, BenchError> {
        let agent = self.agent.as_mut();
        if let Some(agent) = agent
            && let Some(status) = agent.try_wait().map_err(step("look at the agent"))?
        {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let found = format!("{status} and the log {log}");
            return Err(BenchError::Other { expected: "an agent that goes on", found });
        }
        let Ok(answer) = self.http.get(&self.pages).send().await else { return Ok(None) };
        let status: Status = answer.json().await.map_err(step("read the agent's status"))?;
        if let Some(daemon) = &status.daemon
            && self.daemon.as_ref().is_none_or(|(known, _)| *known != daemon.pid)
        {
            self.daemon = open(daemon.pid).map(|pidfd| (daemon.pid, pidfd));
        }
        Ok(Some(status))
    }

    /// The agent's process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.agent.as_ref().and_then(Child::id)
    }

    /// Memory of the agent's process in RAM, in MiB.
    ///
    /// # Errors
    /// [`BenchError`] when the agent does not run or the system does not say.
    pub(crate) fn rss_mib(&self) -> Result<f64, BenchError> {
        let none = || BenchError::Other { expected: "VmRSS of the agent", found: "none".to_owned() };
        let pid = self.pid().ok_or_else(none)?;
        let text = std::fs::read_to_string(format!("/proc/{pid}/status"));
        let text = text.map_err(step("read the agent's memory"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or_else(none)?;
        let kib: f64 =
            line.trim().trim_end_matches(" kB").parse().map_err(step("read the agent's memory"))?;
        Ok(kib / 1_024.0)
    }

    /// Tells the agent to end, and waits until it has. Its daemon goes on.
    ///
    /// # Errors
    /// [`BenchError`] when it does not end.
    pub(crate) async fn stop(&mut self) -> Result<(), BenchError> {
        let Some(mut agent) = self.agent.take() else { return Ok(()) };
        if let Some(pidfd) = agent.id().and_then(open) {
            pidfd_send_signal(&pidfd, Signal::TERM).map_err(step("end the agent"))?;
        }
        let ended = timeout(END_LONGEST, agent.wait()).await.map_err(step("wait for the agent's end"))?;
        ended.map_err(step("wait for the agent's end")).map(drop)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The agent first: it would start its daemon again.
        if let Some(agent) = self.agent.as_mut() {
            let _ = agent.start_kill();
        }
        if let Some((_, pidfd)) = &self.daemon {
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
    }
}

fn open(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Two free ports of loopback.
fn ports() -> Result<[SocketAddr; 2], BenchError> {
    // Two measurements on one host begin at different ports, and two nodes of one process never look at the same.
    let span = u32::from(PORTS.end - PORTS.start);
    let taken = PORTS_TAKEN.fetch_add(PORTS_A_NODE, Ordering::Relaxed);
    let first = (std::process::id() % span).wrapping_add(taken) % span;
    let looked = (0..span).filter_map(|step| u16::try_from((first + step) % span).ok());
    let mut held =
        looked.filter_map(|offset| TcpListener::bind((Ipv4Addr::LOCALHOST, PORTS.start + offset)).ok());
    let mut next = || held.next().ok_or(std::io::ErrorKind::AddrInUse.into());
    // Both are held until both are found.
    let found: Result<[TcpListener; 2], std::io::Error> = next().and_then(|one| Ok([one, next()?]));
    let [one, other] = found.map_err(step("find free ports"))?;
    Ok([
        one.local_addr().map_err(step("find free ports"))?,
        other.local_addr().map_err(step("find free ports"))?,
    ])
}

/// What the agent is told.
fn text(
    deployment: &Deployment,
    rpc: &str,
    chain: &str,
    daemon: SocketAddr,
    pages: SocketAddr,
) -> Result<String, BenchError> {
    let none = || BenchError::Other { expected: "an operator", found: "none".to_owned() };
    let operator = deployment.operators.first().ok_or_else(none)?;
    Ok(format!(
        r#"[chain]
rpc = ["{rpc}"]
chain_id = "{chain_id}"
contract = "{contract}"
{chain}

[gas]
price = "{GAS_PRICE}"
denom = "{denom}"

[node]
operator = "{operator}"
component = "{component}"
node_id = "{NODE_ID}"
home = "home"
hot_key = "{HOT_KEY}"

[daemon]
args = ["--listen", "{daemon}"]

[[health.required]]
kind = "http"
url = "http://{daemon}/health"

[http]
listen = "{pages}"
"#,
        chain_id = deployment.chain_id(),
        contract = deployment.contract,
        denom = deployment.denom,
        operator = operator.address,
        component = deployment.component,
    ))
}
