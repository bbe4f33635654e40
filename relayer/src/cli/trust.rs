//! `trust`, and what `init` does about it: which block an agent in light mode begins with.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, Subcommand};
use concord_prove::{Anchor, hash_text};
use serde_json::{Value, json};

use super::error::CliError;
use super::output::{Answer, Screen};
use crate::act::durable::create_dir;
use crate::agent::{AgentError, FOLDER_MODE};
use crate::chain::light::{TRUST, read_accepted, read_trust};
use crate::chain::{Head, LightChain, Rpc, RpcError};
use crate::config::{AgentConfig, Layers};
use crate::journal::FolderLock;

/// Rounds over all endpoints before a person is told that nobody answers.
const TRIES_MAX: u32 = 2;
/// The longest answer to a question that is read.
const REPLY_BYTES_MAX: u64 = 64;

/// What to do with an agent's trust.
#[derive(Clone, Debug, Subcommand)]
pub enum TrustCommand {
    /// Begins anew at a block that you vouch for: the only way out of `trust_expired` and `forked`
    Set(SetArgs),
    /// Shows what the agent trusts, without asking anybody
    Show,
}

/// A new anchor.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// Height and header hash of a block, compared with a source of your own
    #[arg(value_name = "H:HASH")]
    pub anchor: Anchor,
    /// Why; kept with the anchor
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Does what a command says.
///
/// # Errors
/// [`CliError`]; nothing is changed then.
pub async fn run(layers: &Layers, screen: Screen, command: &TrustCommand) -> Result<Answer, CliError> {
    let config = layers.agent()?;
    match command {
        TrustCommand::Set(args) => {
            if args.reason.trim().is_empty() {
                return Err(CliError::Usage(
                    "expected a reason of at least one word; say why this block".to_owned(),
                ));
            }
            let begun = begin(&config, args.anchor, &args.reason, screen).await?;
            Ok(Answer::new(begun.text(), json!({"trust": begun.json()})))
        }
        TrustCommand::Show => show(&config),
    }
}

/// What an agent begins with.
pub struct Begun {
    anchor: Anchor,
    head: Head,
    code: Option<String>,
}

impl Begun {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "anchor   {}\nproved   state at height {}\ncontract code {}",
            self.anchor,
            self.head.height,
            self.code.as_deref().unwrap_or("-")
        )
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"anchor": self.anchor, "proved_height": self.head.height, "checksum": self.code})
    }
}

fn begin_error(source: RpcError) -> CliError {
    CliError::Chain { what: "with a proof", source }
}

async fn begin(
    config: &AgentConfig,
    anchor: Anchor,
    reason: &str,
    screen: Screen,
) -> Result<Begun, CliError> {
    let home = &config.node.home;
    let settings = config.chain.light_settings(home).ok_or_else(no_light)?;
    create_dir(home, FOLDER_MODE).map_err(AgentError::Disk)?;
    // An agent that runs would write its own newest header over this one.
    let lock = FolderLock::take(home).map_err(AgentError::Lock)?;
    let wait = screen.wait("prove the chain from the anchor");
    let begun = LightChain::begin(client(config)?, settings, anchor, reason).await;
    drop(wait);
    let (chain, head) = begun.map_err(begin_error)?;
    drop(lock);
    Ok(Begun { anchor, head, code: chain.code().await.map(hex::encode) })
}

fn client(config: &AgentConfig) -> Result<Rpc, CliError> {
    config.chain.client(TRIES_MAX).map_err(|error| CliError::Usage(error.to_string()))
}

fn no_light() -> CliError {
    CliError::Usage(
        "expected mode = \"light\" under [chain], found \"trust\"; an anchor means nothing there".to_owned(),
    )
}

/// Sees to it that an agent in light mode has an anchor before it is initialised. `None` where it has one, or needs none.
///
/// # Errors
/// [`CliError`].
pub async fn before_init(
    config: &AgentConfig,
    given: Option<Anchor>,
    screen: Screen,
) -> Result<Option<Begun>, CliError> {
    if config.chain.light.is_none() {
        return given.map_or(Ok(None), |_| Err(no_light()));
    }
    let home = &config.node.home;
    // A repeated `init` goes on with the anchor of the first one.
    if given.is_none() && home.join(TRUST).exists() && read_trust(home, &config.chain.chain_id).is_ok() {
        return Ok(None);
    }
    let anchor = match given {
        Some(anchor) => anchor,
        None => ask(config, screen).await?,
    };
    begin(config, anchor, "concord init", screen).await.map(Some)
}

/// Shows the block that the configured nodes show alike, and asks whether to trust it.
async fn ask(config: &AgentConfig, screen: Screen) -> Result<Anchor, CliError> {
    let wait = screen.wait("ask the nodes for a block to begin with");
    let proposed = LightChain::propose(&client(config)?).await;
    drop(wait);
    let anchor = proposed.map_err(begin_error)?;
    let hash = hash_text(&anchor.hash());
    if screen.json || !std::io::stdin().is_terminal() {
        return Err(CliError::Usage(format!(
            "expected --trust H:HASH or a terminal to confirm at; the configured nodes show {anchor}, compare it with a \
             source of your own"
        )));
    }
    let question = format!(
        "chain   {}\nheight  {}\nhash    {hash}\n{} configured nodes show this block alike. It is worth what they are worth: compare it \
         with a source of your own.\nTrust it? [y/N] ",
        config.chain.chain_id,
        anchor.height(),
        config.chain.rpc.len()
    );
    if confirmed(&question) {
        Ok(anchor)
    } else {
        Err(CliError::Usage("the block was not confirmed, nothing is changed".to_owned()))
    }
}

fn confirmed(question: &str) -> bool {
    let mut out = std::io::stderr().lock();
    if out.write_all(question.as_bytes()).and_then(|()| out.flush()).is_err() {
        return false;
    }
    let mut reply = String::new();
    let read = std::io::Read::take(std::io::stdin().lock(), REPLY_BYTES_MAX).read_line(&mut reply);
    read.is_ok() && matches!(reply.trim(), "y" | "Y" | "yes")
}

fn show(config: &AgentConfig) -> Result<Answer, CliError> {
    if config.chain.light.is_none() {
        return Err(no_light());
    }
    let file = read_trust(&config.node.home, &config.chain.chain_id).map_err(CliError::Unexpected)?;
    let latest = file.latest.anchor();
    let state = match (&file.forked, file.latest.check_age(&file.terms, crate::chain::light::host_time())) {
        (Some(evidence), _) => {
            format!("forked at height {}: set a new anchor with concord trust set", evidence.height())
        }
        (None, Err(reason)) => reason.to_string(),
        (None, Ok(())) => "good".to_owned(),
    };
    let accepted =
        read_accepted(&config.node.home, config.chain.contract.text()).map_err(CliError::Unexpected)?;
    let configured = config.chain.light.iter().flat_map(|light| light.checksums.iter().copied());
    let codes: BTreeSet<String> = accepted.into_iter().chain(configured).map(hex::encode).collect();
    let listed = codes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let text = format!(
        "chain     {}\nanchor    {}\nbecause   {}\nnewest    {}\ntime      {}\ntrusting  {} s\ncode      {listed}\nstate     {state}",
        file.chain_id,
        file.anchor,
        file.reason,
        latest.map_or_else(|| "-".to_owned(), |latest| latest.to_string()),
        file.latest.time(),
        file.terms.trusting().as_secs(),
    );
    let json = json!({"trust": {
        "chain_id": file.chain_id,
        "anchor": file.anchor,
        "reason": file.reason,
        "latest": latest,
        "time": file.latest.time().to_string(),
        "trusting_seconds": file.terms.trusting().as_secs(),
        "forked": file.forked.as_ref().map(|evidence| evidence.height()),
        "checksums": codes,
        "state": state,
    }});
    Ok(Answer::new(text, json))
}
