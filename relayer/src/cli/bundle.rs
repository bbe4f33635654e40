//! `bundle`: a decision for a machine without a network.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use concord_prove::{Anchor, Terms};
use concord_schema::ProposalId;
use serde_json::json;

use super::draft::read;
use super::error::CliError;
use super::output::{Answer, Screen, words};
use super::{Exit, args::proposal};
use crate::act::durable::{DiskError, replace_file};
use crate::bundle::{self, BYTES_MAX, Bundle, Decided, Facts, Order};
use crate::chain::light::{host_time, sources};
use crate::config::Layers;

/// Rounds over all endpoints before a person is told that nobody answers.
const TRIES_MAX: u32 = 1;
/// What anyone may read: it holds nothing but what the chain shows.
const FILE_MODE: u32 = 0o644;

/// What to do with bundles.
#[derive(Clone, Debug, Subcommand)]
pub enum BundleCommand {
    /// Writes headers, validators, proofs and facts of a proposal to a file
    Export(ExportArgs),
    /// Says what a bundle proves, without a network: exit code 0 if the proposal was decided, 5 if not
    Verify(VerifyArgs),
}

/// A bundle to write.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The proposal's number
    #[arg(long, value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
    /// The block that the bundle's reader vouches for, younger than the trusting period
    #[arg(long, value_name = "H:HASH")]
    pub trust: Anchor,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A bundle to verify.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A block of the chain, compared with a source of your own
    #[arg(long, value_name = "H:HASH")]
    pub trust: Anchor,
    /// Refuse a bundle whose newest header is older than this
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u64>,
}

/// Does what a command says.
///
/// # Errors
/// [`CliError`].
pub async fn run(layers: &Layers, screen: Screen, command: &BundleCommand) -> Result<Answer, CliError> {
    match command {
        BundleCommand::Export(args) => export(layers, screen, args).await,
        BundleCommand::Verify(args) => verify(layers, args).await,
    }
}

fn terms(layers: &Layers) -> Result<Terms, CliError> {
    let chain = layers.settings()?.chain;
    Terms::new(chain.trusting_seconds, chain.clock_drift_seconds)
        .map_err(|error| CliError::Usage(format!("chain.trusting_seconds: {error}")))
}

async fn export(layers: &Layers, screen: Screen, args: &ExportArgs) -> Result<Answer, CliError> {
    let chain = layers.chain()?;
    let rpc = chain.client(TRIES_MAX).map_err(|error| CliError::Usage(error.to_string()))?;
    let order = Order {
        chain_id: chain.chain_id.clone(),
        contract: chain.contract.clone(),
        proposal: args.proposal,
        anchor: args.trust,
        terms: terms(layers)?,
    };
    let wait = screen.wait("collect the proof");
    let made = bundle::export(&sources(&rpc), &order, host_time()).await;
    drop(wait);
    let (bundle, facts) = made?;
    let bytes = bundle.bytes()?;
    write(&args.out, &bytes)?;
    let witness =
        if chain.rpc.len() > 1 { "two nodes showed its header" } else { "no witness: one node was asked" };
    let text =
        format!("{}\n{witness}\nwritten to {}, {} bytes", told(&facts), args.out.display(), bytes.len());
    let json = json!({"bundle": {"facts": facts, "bytes": bytes.len(), "witnessed": chain.rpc.len() > 1}});
    Ok(Answer::new(text, json))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    replace_file(path, bytes, FILE_MODE).map_err(|DiskError { action, path, source }| CliError::System {
        action: format!("{action} {}", path.display()),
        source,
    })
}

async fn verify(layers: &Layers, args: &VerifyArgs) -> Result<Answer, CliError> {
    let contract = layers.contract()?;
    let bytes = read(&args.file, u64::try_from(BYTES_MAX).unwrap_or(u64::MAX))?;
    let bundle = Bundle::read(&bytes)?;
    let proved = bundle::verify(&bundle, &contract, args.trust, terms(layers)?, host_time()).await?;
    let facts = proved.facts;
    if let Some(max_age) = args.max_age.filter(|max_age| proved.age_seconds > *max_age) {
        return Err(CliError::Unexpected(format!(
            "expected a bundle of at most {max_age} s, found one of {} s; export a newer one",
            proved.age_seconds
        )));
    }
    let text = format!(
        "{}\nknown    up to {} s ago: a brake or a rollback after that is not in this bundle",
        told(&facts),
        proved.age_seconds
    );
    let exit = if facts.decided == Decided::Yes { Exit::Ok } else { Exit::Unexpected };
    let json = json!({"facts": facts, "age_seconds": proved.age_seconds});
    Ok(Answer { exit, ..Answer::new(text, json) })
}

fn told(facts: &Facts) -> String {
    let decided = match facts.decided {
        Decided::Yes => "decided",
        Decided::NotYet => "not decided yet",
        Decided::Never => "not decided, and never will be",
    };
    let mut lines = vec![
        format!("proposal {} {decided}: {}", facts.proposal, words(&facts.phase)),
        format!("title    {}", facts.title.replace(|letter: char| letter.is_control(), " ")),
        format!("digest   {}", facts.digest),
        format!("height   {}", facts.height),
    ];
    if let Some(found) = &facts.release {
        let (release, standing) = (&found.release, words(&found.standing));
        lines
            .push(format!("release  {} {} {}, {standing}", release.component, release.version, found.digest));
        lines.extend(release.artifacts.iter().map(|artifact| {
            format!("artifact {} {}, {} bytes", artifact.platform, artifact.digest, artifact.size_bytes)
        }));
    }
    if facts.braked {
        lines.push("brake    holds what it does".to_owned());
    }
    lines.join("\n")
}
