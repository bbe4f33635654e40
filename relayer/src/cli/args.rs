//! The command line's shape. Doc comments here are the help that people read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use concord_prove::Anchor;
use concord_schema::attestation::{Claim, Finding};
use concord_schema::brake::Scope;
use concord_schema::tally::Ballot;
use concord_schema::{Digest, NodeNo, Power, ProposalId, RolloutId};

use super::bundle::BundleCommand;
use super::deploy::DeployArgs;
use super::devnet::DevnetArgs;
use super::draft::{DocumentArgs, DraftArgs, parse_scope};
use super::keys::KeysCommand;
use super::migrate_check::MigrateCheckArgs;
use super::trust::TrustCommand;
use crate::config::Flags;

/// Coordinated software upgrades: stakeholders decide on chain, every operator's agent carries it out
#[derive(Clone, Debug, Parser)]
#[command(name = "concord", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Exit codes and configuration: docs/CLI.md")]
pub struct Cli {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// CometBFT RPC of the chain; repeatable, the preferred one first
    #[arg(long = "node", global = true, value_name = "URL")]
    pub nodes: Vec<String>,
    /// The chain that must answer
    #[arg(long, global = true, value_name = "ID")]
    pub chain_id: Option<String>,
    /// The coordinator contract
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub contract: Option<String>,
    /// Key file (mode 0600) that signs transactions, or - for standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// File (mode 0600) with the passphrase of sealed key files; without it the terminal is asked
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE", env = "CONCORD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Answers and errors as one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// Form of the log on standard error; its level is CONCORD_LOG
    #[arg(long, global = true, value_enum, default_value_t, env = "CONCORD_LOG_FORMAT")]
    pub log_format: LogFormat,
}

impl Global {
    /// What the flags say about the configuration.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags {
            nodes: self.nodes.clone(),
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            key: self.key.clone(),
            passphrase_file: self.passphrase_file.clone(),
        }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows the whole system on this host, in real time, with real processes
    Demo(DemoFlags),
    /// Runs the agent beside a node
    Agent,
    /// Hands a running node to the agent: takes over its binary, which must be the one that the fleet runs
    Init(InitArgs),
    /// Has the agent of this host try again what failed on its node
    Retry,
    /// Which block an agent in light mode begins with
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Runs a chain for development in this process
    Devnet(DevnetArgs),

    /// Uploads the coordinator and instantiates it under a predicted address, with nobody but itself as admin
    Deploy(DeployArgs),
    /// Says whether a build of the coordinator may replace the deployed one
    MigrateCheck(MigrateCheckArgs),

    /// Makes a proposal
    Propose(ProposeArgs),
    /// Replaces a proposal's content before its vote
    Revise(ReviseArgs),
    /// Takes a proposal back before its vote
    Withdraw(ProposalArgs),
    /// Comments on a proposal
    Comment(CommentArgs),
    /// Attests a proposal's release, by transaction or by a signature that --key carries
    Attest(AttestArgs),
    /// Opens the vote of a validated proposal
    OpenVote(ProposalArgs),
    /// Votes
    Vote(VoteArgs),
    /// Executes a proposal that is ready
    Execute(ProposalArgs),
    /// Pays out what the key's account can claim
    Claim(ClaimArgs),

    /// Pulls the brake
    Brake(ScopeArgs),
    /// Asks for the brake's release
    Release(ScopeArgs),

    /// Registers a node of the key's account, or changes its power or hot key
    Register(RegisterArgs),
    /// Fixes the seed of a rollout
    Draw(RolloutArgs),
    /// Does the one thing that is due in a rollout
    Advance(RolloutArgs),
    /// Ends a lease that ran out
    ExpireLease(SeatArgs),

    /// Shows components, proposals, rollouts, seats and brakes
    Status(StatusArgs),
    /// Says why something does not move
    #[command(subcommand)]
    Explain(ExplainCommand),
    /// The hash-chained record of every state change
    #[command(subcommand)]
    Log(LogCommand),

    /// A decision with its proof, for a machine without a network
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Key files, and grants that pay their fees
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Prints a shell's completions
    Completions(CompletionsArgs),
}

/// How the demo is shown.
#[derive(Clone, Debug, Args)]
pub struct DemoFlags {
    /// Leaves everything in this new or empty folder to look at
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// A node to hand over.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The binary that the node runs now
    #[arg(long, value_name = "PATH")]
    pub adopt: PathBuf,
    /// Processes that execute PATH now are other nodes' and go on; without it the agent starts nothing before they ended
    #[arg(long)]
    pub others_run: bool,
    /// In light mode, the block to begin with; without it, the one that the nodes show is shown to be confirmed
    #[arg(long, value_name = "H:HASH")]
    pub trust: Option<Anchor>,
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

pub(super) fn proposal(text: &str) -> Result<ProposalId, String> {
    number(text).map(ProposalId)
}

fn rollout(text: &str) -> Result<RolloutId, String> {
    number(text).map(RolloutId)
}

fn node(text: &str) -> Result<NodeNo, String> {
    number(text).map(NodeNo)
}

fn power(text: &str) -> Result<Power, String> {
    number(text).map(Power)
}

/// A proposal.
#[derive(Clone, Debug, Args)]
pub struct ProposalArgs {
    /// The proposal's number
    #[arg(value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
}

/// A rollout.
#[derive(Clone, Debug, Args)]
pub struct RolloutArgs {
    /// The rollout's number
    #[arg(value_name = "ROLLOUT", value_parser = rollout)]
    pub rollout: RolloutId,
}

/// A node in a rollout.
#[derive(Clone, Debug, Args)]
pub struct SeatArgs {
    /// The rollout's number
    #[arg(value_name = "ROLLOUT", value_parser = rollout)]
    pub rollout: RolloutId,
    /// The node's number
    #[arg(value_name = "NODE", value_parser = node)]
    pub node: NodeNo,
}

/// A proposal to make.
#[derive(Clone, Debug, Args)]
pub struct ProposeArgs {
    /// What is proposed.
    #[command(flatten)]
    pub draft: DraftArgs,
    /// Shows the digest and the class, and sends nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A proposal to revise.
#[derive(Clone, Debug, Args)]
pub struct ReviseArgs {
    /// The proposal's number
    #[arg(value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
    /// What is proposed instead.
    #[command(flatten)]
    pub draft: DraftArgs,
}

/// A comment.
#[derive(Clone, Debug, Args)]
pub struct CommentArgs {
    /// The proposal's number
    #[arg(value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
    /// Where the comment can be read
    #[arg(long)]
    pub uri: String,
    /// SHA-256 of the comment, in hex
    #[arg(long, value_name = "HEX")]
    pub digest: Option<Digest>,
    /// The comment's text, to take the digest of, in place of --digest
    #[arg(long, value_name = "FILE", conflicts_with = "digest")]
    pub file: Option<PathBuf>,
}

/// An attestation.
#[derive(Clone, Debug, Args)]
pub struct AttestArgs {
    /// The proposal's number
    #[arg(value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
    /// What was done
    #[arg(long, value_enum)]
    pub claim: ClaimWord,
    /// How it went
    #[arg(long, value_enum, default_value_t = FindingWord::Approves)]
    pub finding: FindingWord,
    /// Refuse if the proposal's release is another one
    #[arg(long, value_name = "HEX")]
    pub expect_release: Option<Digest>,
    /// The auditor's signing key (ed25519 or secp256k1); without it --key's own account attests
    #[arg(long, value_name = "FILE")]
    pub auditor_key: Option<PathBuf>,
    /// The auditor's account; by default that of a secp256k1 signing key
    #[arg(long, value_name = "ADDRESS", requires = "auditor_key")]
    pub auditor: Option<String>,
    /// Keeps two statements of one auditor apart; random by default
    #[arg(long)]
    pub nonce: Option<u64>,
    /// How long the statement may be carried to the chain
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    pub expires_seconds: u64,
    /// Prints the signed message for someone else to carry, and sends nothing
    #[arg(long, requires = "auditor_key")]
    pub sign_only: bool,
}

/// What an auditor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClaimWord {
    /// Built it and found the same bytes
    BuiltReproducibly,
    /// Ran it on a testnet
    PassedOnTestnet,
    /// Read the change
    Reviewed,
}

impl From<ClaimWord> for Claim {
    fn from(word: ClaimWord) -> Self {
        match word {
            ClaimWord::BuiltReproducibly => Self::BuiltReproducibly,
            ClaimWord::PassedOnTestnet => Self::PassedOnTestnet,
            ClaimWord::Reviewed => Self::Reviewed,
        }
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingWord {
    /// Counts towards closing the validation
    Approves,
    /// Is recorded and does not count
    Objects,
}

impl From<FindingWord> for Finding {
    fn from(word: FindingWord) -> Self {
        match word {
            FindingWord::Approves => Self::Approves,
            FindingWord::Objects => Self::Objects,
        }
    }
}

/// A ballot.
#[derive(Clone, Debug, Args)]
pub struct VoteArgs {
    /// The proposal's number
    #[arg(value_name = "PROPOSAL", value_parser = proposal)]
    pub proposal: ProposalId,
    /// The ballot
    #[arg(value_enum)]
    pub ballot: BallotWord,
    /// Refuse if the proposal's content is another one; without it, the content that is shown
    #[arg(long, value_name = "HEX")]
    pub expect_digest: Option<Digest>,
    /// Why.
    #[command(flatten)]
    pub rationale: DocumentArgs,
}

/// What a ballot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BallotWord {
    /// For it
    Yes,
    /// Against it
    No,
    /// Present, of no opinion: counts for quorum only
    Abstain,
    /// Against it, and it must not come back like this
    Veto,
}

impl From<BallotWord> for Ballot {
    fn from(word: BallotWord) -> Self {
        match word {
            BallotWord::Yes => Self::Yes,
            BallotWord::No => Self::No,
            BallotWord::Abstain => Self::Abstain,
            BallotWord::Veto => Self::Veto,
        }
    }
}

/// A claim of coins.
#[derive(Clone, Debug, Args)]
pub struct ClaimArgs {
    /// Settles the deposit of this ended proposal first; repeatable
    #[arg(long, value_name = "PROPOSAL", value_parser = proposal)]
    pub settle: Vec<ProposalId>,
}

/// A brake's scope.
#[derive(Clone, Debug, Args)]
pub struct ScopeArgs {
    /// `all`, or `component:NAME`
    #[arg(value_name = "SCOPE", value_parser = parse_scope)]
    pub scope: Scope,
}

/// A node to register.
#[derive(Clone, Debug, Args)]
pub struct RegisterArgs {
    /// The component that it runs
    #[arg(long)]
    pub component: String,
    /// Your name for it
    #[arg(long)]
    pub node_id: String,
    /// What it counts for, of your power
    #[arg(long, value_parser = power)]
    pub power: Power,
    /// The account of the key that reports for it
    #[arg(long, value_name = "ADDRESS")]
    pub hot_key: String,
}

/// What to show.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Shows this component only
    #[arg(long)]
    pub component: Option<String>,
}

/// What to explain.
#[derive(Clone, Debug, Subcommand)]
pub enum ExplainCommand {
    /// A proposal
    Proposal(ProposalArgs),
    /// A rollout
    Rollout(RolloutArgs),
    /// A node in a rollout
    Node(SeatArgs),
    /// The agent on this host, by its own word
    Agent,
}

/// What to do with the log.
#[derive(Clone, Debug, Subcommand)]
pub enum LogCommand {
    /// Re-hashes the log and compares it with the head in the contract's state
    Verify(VerifyArgs),
}

/// How much to verify.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The first entry to verify
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    pub from: u64,
}

/// Which shell.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
