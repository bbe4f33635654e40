//! People at the command line: members, an auditor, operators, whoever deploys. Their keys are files of the run.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::error::{StoryError, other, step};
use super::settings::{CHAIN_ID, DENOM, GAS_PRICE, POLL, Settings};

/// The longest that one command may take.
const COMMAND_LONGEST: Duration = Duration::from_secs(60);
/// How much of a program's words is repeated in an error.
const WORDS_BYTES: usize = 2_000;

/// Everybody with an account.
pub(crate) struct People<'s> {
    settings: &'s Settings,
    accounts: Vec<(String, String)>,
    /// The coordinator, once it is deployed.
    pub(crate) contract: String,
}

impl<'s> People<'s> {
    /// Reads the accounts that the net was made with; their phrases go to key files of mode 0600.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) fn enter(settings: &'s Settings) -> Result<Self, StoryError> {
        let file = settings.net().join("accounts.json");
        let text = std::fs::read_to_string(&file).map_err(step("read the net's accounts"))?;
        let found: Vec<Value> = serde_json::from_str(&text).map_err(step("read the net's accounts"))?;
        let mut accounts = Vec::new();
        for account in &found {
            let of = |key: &str| account.get(key).and_then(Value::as_str).unwrap_or_default();
            let path = settings.dir.join(format!("{}.key", of("name")));
            let mut key = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(step("make a key file"))?;
            key.write_all(of("mnemonic").as_bytes()).map_err(step("write a key file"))?;
            accounts.push((of("name").to_owned(), of("address").to_owned()));
        }
        Ok(Self { settings, accounts, contract: String::new() })
    }

    /// Somebody's account.
    pub(crate) fn account(&self, name: &str) -> &str {
        let found = self.accounts.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, address)| address)
    }

    /// Somebody's key file.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.settings.dir.join(format!("{name}.key"))
    }

    /// What a command of somebody answers.
    ///
    /// # Errors
    /// [`StoryError`] with the command's own words, also where its exit code is not 0.
    pub(crate) async fn does(&self, who: &str, line: &[&str]) -> Result<Value, StoryError> {
        let mut command = program(&self.settings.concord);
        command
            .args(line)
            .args(["--json", "--node", &self.settings.rpc(0), "--node", &self.settings.rpc(1)])
            .args(["--chain-id", CHAIN_ID, "--contract", &self.contract, "--key"])
            .arg(self.key(who))
            .env("CONCORD_GAS__PRICE", GAS_PRICE)
            .env("CONCORD_GAS__DENOM", DENOM);
        let words = format!("concord {} of {who}", line.first().unwrap_or(&""));
        serde_json::from_slice(&output(command, &words).await?)
            .map_err(step(format!("read the answer of {words}")))
    }

    /// Waits until a field of a command's answer satisfies a condition.
    ///
    /// # Errors
    /// [`StoryError::Late`] and those of [`People::does`].
    pub(crate) async fn until(
        &self,
        what: &str,
        longest: Duration,
        line: &[&str],
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value, StoryError> {
        let began = Instant::now();
        loop {
            let answer = self.does("member-1", line).await?;
            if is_so(&answer) {
                return Ok(answer);
            }
            if began.elapsed() >= longest {
                let found = answer.to_string().chars().take(WORDS_BYTES).collect();
                return Err(StoryError::Late { what: what.to_owned(), seconds: longest.as_secs(), found });
            }
            tokio::time::sleep(POLL * 4).await;
        }
    }

    /// Decides on a proposal in a file, from its proposal to its execution; the number of the block that executed it.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn decide(&self, file: &Path) -> Result<u64, StoryError> {
        let phase = |want: &'static str| {
            move |answer: &Value| answer.pointer("/explanation/phase").and_then(Value::as_str) == Some(want)
        };
        let explain = ["explain", "proposal", "1"];
        let longest = Duration::from_secs(30);
        self.does("member-1", &["propose", &file.display().to_string()]).await?;
        self.until("a proposal to attest", longest, &explain, phase("validation")).await?;
        self.does("auditor-1", &["attest", "1", "--claim", "reviewed"]).await?;
        // All of them: a third one's veto would still stop what two of three want.
        for member in ["member-1", "member-2", "member-3"] {
            self.does(member, &["vote", "1", "yes"]).await?;
        }
        self.until("a proposal to execute", longest, &explain, phase("ready")).await?;
        let answer = self.does("member-1", &["execute", "1"]).await?;
        let height = answer.get("height").and_then(Value::as_u64);
        height.ok_or_else(|| other("the height of the execution", answer))
    }
}

/// A program of the run: without what a shell says of another deployment, and without a terminal.
pub(crate) fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CONCORD_") && name != "CONCORD_LOG" && name != "TOOLS_FOLDER" {
            command.env_remove(name);
        }
    }
    // A signal from the terminal goes to the story, which then ends everybody in order.
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    command
}

/// What a program wrote to its standard output.
///
/// # Errors
/// [`StoryError::Command`] with its last words.
pub(crate) async fn output(mut command: Command, what: &str) -> Result<Vec<u8>, StoryError> {
    let ended = timeout(COMMAND_LONGEST, command.output()).await.map_err(|_| StoryError::Late {
        what: format!("the end of {what}"),
        seconds: COMMAND_LONGEST.as_secs(),
        found: "it still runs".to_owned(),
    })?;
    let ended = ended.map_err(step(format!("start {what}")))?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    let from = ended.stderr.len().saturating_sub(WORDS_BYTES);
    let words = String::from_utf8_lossy(ended.stderr.get(from..).unwrap_or_default()).trim().to_owned();
    Err(StoryError::Command { what: what.to_owned(), status: ended.status.to_string(), output: words })
}
