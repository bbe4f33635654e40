//! The four validators: first the localnet's processes, then their agents' ones.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use concord::agent::status::Status;
use futures_util::future::try_join_all;
use rustix::process::Signal;
use serde_json::Value;
use tokio::process::Child;
use tokio::time::Instant;

use super::chain::Chain;
use super::deployment::Programs;
use super::error::{StoryError, step};
use super::people::{People, output, program};
use super::process::{self, Process};
use super::settings::{CHAIN_ID, COMPONENT, DENOM, GAS_PRICE, Mode, POLL, Settings, VALIDATORS};

/// The longest that a validator may take until it signs again, and that processes may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The validators and their agents.
pub(crate) struct Validators<'s> {
    settings: &'s Settings,
    http: reqwest::Client,
    agents: Vec<Child>,
}

impl<'s> Validators<'s> {
    /// None of them has an agent yet.
    ///
    /// # Errors
    /// [`StoryError`] when no client can be made.
    pub(crate) fn new(settings: &'s Settings) -> Result<Self, StoryError> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build();
        Ok(Self { settings, http: http.map_err(step("make a client"))?, agents: Vec::new() })
    }

    /// Runs scripts/localnet.sh on the run's own folder.
    ///
    /// # Errors
    /// [`StoryError`] with the script's own words.
    pub(crate) async fn localnet(settings: &Settings, line: &[&str]) -> Result<(), StoryError> {
        let mut command = program(&settings.localnet);
        command.args(line).arg("--dir").arg(settings.net()).env("CONCORD", &settings.concord);
        output(command, &format!("localnet.sh {}", line.join(" "))).await.map(|_| ())
    }

    /// An agent's configuration.
    pub(crate) fn config(&self, node: usize) -> PathBuf {
        self.settings.dir.join(format!("agent-{node}.toml"))
    }

    fn folder(&self, node: usize) -> PathBuf {
        self.settings.dir.join(format!("agent-{node}"))
    }

    fn write_config(&self, node: usize, people: &People<'_>, platform: &str) -> Result<(), StoryError> {
        let settings = self.settings;
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let path = |path: PathBuf| quoted(&path.to_string_lossy());
        // Its own validator first, and the next one while that is down.
        let others = if settings.mode == Mode::Light { VALIDATORS } else { 2 };
        let rpc: Vec<String> =
            (0..others).map(|step| quoted(&settings.rpc((node + step) % VALIDATORS))).collect();
        let text = format!(
            r#"[chain]
rpc = [{rpc}]
chain_id = "{CHAIN_ID}"
contract = "{contract}"
mode = "{mode}"
call_timeout_seconds = 3

[gas]
price = "{GAS_PRICE}"
denom = "{DENOM}"

[node]
operator = "{operator}"
component = "{COMPONENT}"
node_id = "validator-{node}"
home = {folder}
hot_key = {hot_key}
platform = "{platform}"

[daemon]
args = ["start", "--home", {home}]
env_keep = ["PATH", "HOME"]
stop_grace_seconds = 10
boot_seconds = 20

[daemon.env]
LD_LIBRARY_PATH = {library}

[signer]
state = {signer}
rpc = {own}

[fetch]
rate_bytes_per_second_max = 30000000

[[health.required]]
kind = "comet_height"
rpc = {own}
still_ms_max = 10000
timeout_ms = 1000

[http]
listen = "127.0.0.1:{pages}"
"#,
            rpc = rpc.join(", "),
            contract = people.contract,
            mode = settings.mode.name(),
            operator = people.account(&format!("operator-{}", node + 1)),
            folder = path(self.folder(node)),
            hot_key = path(people.key(&format!("hot-{}", node + 1))),
            home = path(settings.home(node)),
            library = path(settings.library().to_path_buf()),
            signer = path(settings.signer(node)),
            own = quoted(&settings.rpc(node)),
            pages = settings.port(node, 5),
        );
        std::fs::write(self.config(node), text).map_err(step("write an agent's configuration"))
    }

    /// Every operator registers its validator, and its agent adopts the program, which goes on running meanwhile.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn adopt(
        &self,
        people: &People<'_>,
        programs: &Programs,
        chain: &Chain,
    ) -> Result<(), StoryError> {
        let all = (0..VALIDATORS).map(|node| self.adopt_one(node, people, programs, chain));
        try_join_all(all).await.map(|_| ())
    }

    async fn adopt_one(
        &self,
        node: usize,
        people: &People<'_>,
        programs: &Programs,
        chain: &Chain,
    ) -> Result<(), StoryError> {
        self.write_config(node, people, &programs.platform(node))?;
        let hot = people.account(&format!("hot-{}", node + 1));
        let node_id = format!("validator-{node}");
        let line =
            ["register", "--component", COMPONENT, "--node-id", &node_id, "--power", "100", "--hot-key", hot];
        let (owner, anchor) = (format!("operator-{}", node + 1), chain.anchor().await?);
        let mut init = program(&self.settings.concord);
        init.args(["init", "--adopt"]).arg(&self.settings.before).arg("--config").arg(self.config(node));
        if self.settings.mode == Mode::Light {
            init.args(["--trust", &anchor]);
        }
        people.does(&owner, &line).await?;
        output(init, &format!("concord init of {node_id}")).await.map(|_| ())
    }

    /// Hands one running validator over: the localnet ends it, and its agent starts it. It comes back when it has signed
    /// again.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn hand_over(&mut self, node: usize, chain: &Chain) -> Result<(), StoryError> {
        Self::localnet(self.settings, &["down", "--node", &node.to_string()]).await?;
        let log = File::create(self.settings.dir.join(format!("agent-{node}.log")));
        let log = log.map_err(step("make a log"))?;
        let again = log.try_clone().map_err(step("make a log"))?;
        let mut command = program(&self.settings.concord);
        command.arg("agent").arg("--config").arg(self.config(node)).stdout(log).stderr(again);
        if std::env::var_os("CONCORD_LOG").is_none() {
            command.env("CONCORD_LOG", "info");
        }
        self.agents.push(command.spawn().map_err(step("start an agent"))?);
        let began = Instant::now();
        let before = chain.height(0).await.unwrap_or_default().max(chain.height(1).await.unwrap_or_default());
        loop {
            self.check()?;
            let status = self.status(node).await;
            let found = match &status {
                Ok(status) if status.daemon.is_some() => match chain.signed(node, before).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => "no signature of it yet".to_owned(),
                    Err(error) => error.to_string(),
                },
                Ok(status) => status.sentence.clone(),
                Err(error) => error.to_string(),
            };
            if began.elapsed() >= PATIENCE {
                let what = format!("validator {node} to sign under its agent");
                return Err(StoryError::Late { what, seconds: PATIENCE.as_secs(), found });
            }
            tokio::time::sleep(POLL * 2).await;
        }
    }

    /// Looks whether an agent has ended by itself.
    ///
    /// # Errors
    /// [`StoryError::Command`].
    pub(crate) fn check(&mut self) -> Result<(), StoryError> {
        for (node, agent) in self.agents.iter_mut().enumerate() {
            if let Some(status) = agent.try_wait().map_err(step("look at an agent"))? {
                let log = self.settings.dir.join(format!("agent-{node}.log"));
                let words = std::fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = words.lines().rev().take(5).collect();
                let output = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                let what = format!("the agent of validator {node}");
                return Err(StoryError::Command { what, status: status.to_string(), output });
            }
        }
        Ok(())
    }

    /// What an agent says of itself.
    ///
    /// # Errors
    /// [`StoryError`] when it does not answer.
    pub(crate) async fn status(&self, node: usize) -> Result<Status, StoryError> {
        let url = format!("http://127.0.0.1:{}/status", self.settings.port(node, 5));
        let asked = || format!("ask the agent of validator {node}");
        let answer = self.http.get(url).send().await.map_err(step(asked()))?;
        answer.json().await.map_err(step(asked()))
    }

    /// The same as JSON, for an error's words.
    pub(crate) async fn sentences(&self) -> Value {
        let mut all = Vec::new();
        for node in 0..VALIDATORS {
            all.push(match self.status(node).await {
                Ok(status) => {
                    serde_json::json!({"node": node, "stage": status.stage, "says": status.sentence})
                }
                Err(error) => serde_json::json!({"node": node, "says": error.to_string()}),
            });
        }
        Value::Array(all)
    }

    /// Ends every agent, then every validator, then what is left of the localnet.
    ///
    /// # Errors
    /// [`StoryError`] when a process does not go.
    pub(crate) async fn end(&mut self) -> Result<(), StoryError> {
        let agents = self.agents.iter().filter_map(Child::id).filter_map(Process::of);
        clear(&agents.collect::<Vec<_>>()).await?;
        for agent in &mut self.agents {
            agent.wait().await.map_err(step("wait for an agent"))?;
        }
        // Only now: an agent would start its validator again.
        let homes: Vec<PathBuf> = (0..VALIDATORS).map(|node| self.settings.home(node)).collect();
        let daemons: Vec<Process> =
            process::daemons(&homes).into_iter().map(|(_, process)| process).collect();
        clear(&daemons).await?;
        if self.settings.net().join("net.json").exists() {
            Self::localnet(self.settings, &["down"]).await?;
        }
        Ok(())
    }
}

/// Ends processes: SIGTERM, then SIGKILL, then proof.
async fn clear(processes: &[Process]) -> Result<(), StoryError> {
    for (signal, longest) in [(Signal::TERM, Duration::from_secs(10)), (Signal::KILL, Duration::from_secs(5))]
    {
        for process in processes {
            process.signal(signal).map_err(step("end a process"))?;
        }
        let told = Instant::now();
        while processes.iter().any(Process::is_alive) && told.elapsed() < longest {
            tokio::time::sleep(POLL).await;
        }
    }
    match processes.iter().find(|process| process.is_alive()) {
        None => Ok(()),
        Some(left) => Err(StoryError::Late {
            what: format!("process {} to end", left.pid),
            seconds: 15,
            found: "it is still there".to_owned(),
        }),
    }
}
