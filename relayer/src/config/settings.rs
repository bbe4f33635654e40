//! What can be written in a configuration. The documented example is `docs/agent.example.toml`.

use std::collections::BTreeMap;

use figment::value::magic::RelativePathBuf;
use serde::{Deserialize, Deserializer, Serialize};

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The coordinator's chain.
    pub chain: ChainSettings,
    /// What transactions pay.
    pub gas: GasSettings,
    /// People at a command line.
    pub client: ClientSettings,
    /// The node that an agent stands beside.
    pub node: NodeSettings,
    /// How the node's daemon is run.
    pub daemon: DaemonSettings,
    /// What the daemon signs with, if it is a validator.
    pub signer: SignerSettings,
    /// When the daemon is healthy.
    pub health: HealthSettings,
    /// Longer trials than the plan asks for.
    pub trial: TrialSettings,
    /// How artifacts are fetched.
    pub fetch: FetchSettings,
    /// The agent's own HTTP.
    pub http: HttpSettings,
}

/// How far the chain's answers are believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What the node says is taken as it is: for a devnet, or a full node of one's own.
    #[default]
    Trust,
    /// What decides is proved, from an anchor that the operator vouched for, and shown alike by two nodes.
    Light,
}

/// The coordinator's chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainSettings {
    /// http(s) addresses of CometBFT RPCs, the preferred one first.
    pub rpc: Vec<String>,
    /// The chain that must answer.
    pub chain_id: Option<String>,
    /// The coordinator contract's address.
    pub contract: Option<String>,
    /// How far the chain's answers are believed.
    pub mode: Mode,
    /// In `light` mode, for how long a verified header is trusted; at most two thirds of the chain's unbonding time.
    pub trusting_seconds: u64,
    /// In `light` mode, by how much a header's time may lie ahead of the host's clock.
    pub clock_drift_seconds: u64,
    /// In `light` mode, SHA-256 of the contract's wasm, in hex, that this agent knows to speak with. What `concord init`
    /// or `concord trust set` began with is accepted too.
    pub checksums: Vec<String>,
    /// The longest one call may take.
    pub call_timeout_seconds: u64,
    /// A height that stands still this long makes the agent try another endpoint and stop acting.
    pub still_seconds_max: u64,
    /// Whether to open a websocket for wake-ups.
    pub websocket: bool,
}

impl Default for ChainSettings {
    fn default() -> Self {
        Self {
            rpc: Vec::new(),
            chain_id: None,
            contract: None,
            mode: Mode::Trust,
            trusting_seconds: 14 * 86_400,
            clock_drift_seconds: 10,
            checksums: Vec::new(),
            call_timeout_seconds: 10,
            still_seconds_max: 30,
            websocket: true,
        }
    }
}

/// What transactions pay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GasSettings {
    /// Price of one unit of gas in `denom`: a decimal number, in quotes or not.
    #[serde(deserialize_with = "decimal")]
    pub price: Option<String>,
    /// The denomination that pays.
    pub denom: Option<String>,
    /// The gas limit, as a percentage of what the simulation used.
    pub limit_percent: u32,
    /// The most gas that one transaction may ask for; a simulation that says more is not believed.
    pub limit_max: u64,
    /// Blocks after which a transaction that is in none is given up.
    pub timeout_blocks: u64,
    /// The longest wait for a transaction's outcome.
    pub patience_seconds: u64,
    /// The account that pays the fees, where the signing key has a fee grant of it.
    pub fee_granter: Option<String>,
}

impl Default for GasSettings {
    fn default() -> Self {
        Self {
            price: None,
            denom: None,
            limit_percent: 130,
            limit_max: 10_000_000,
            timeout_blocks: 20,
            patience_seconds: 120,
            fee_granter: None,
        }
    }
}

/// A decimal number as its text: variables and TOML give plain numbers too.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Whole(u64),
        Fraction(f64),
    }
    Ok(Option::<Either>::deserialize(deserializer)?.map(|either| match either {
        Either::Text(text) => text,
        Either::Whole(number) => number.to_string(),
        Either::Fraction(number) => number.to_string(),
    }))
}

/// People at a command line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSettings {
    /// The key file that signs transactions.
    pub key: Option<RelativePathBuf>,
    /// The file with the passphrase of sealed key files.
    pub passphrase_file: Option<RelativePathBuf>,
}

/// The node that an agent stands beside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSettings {
    /// The operator's account: the owner of the node.
    pub operator: Option<String>,
    /// The component that the node runs.
    pub component: Option<String>,
    /// The operator's name for the node.
    pub node_id: Option<String>,
    /// The agent's folder: journal, store, outbox, output of the daemon. A path in the file is relative to the file.
    pub home: Option<RelativePathBuf>,
    /// The key file that reports, leases and cranks, and nothing else.
    pub hot_key: Option<RelativePathBuf>,
    /// The file with the hot key's passphrase, where its file is sealed.
    pub passphrase_file: Option<RelativePathBuf>,
    /// The platform whose artifacts it runs; by default this program's own, such as `x86_64-linux`.
    pub platform: Option<String>,
}

/// How the node's daemon is run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonSettings {
    /// Its arguments. Every user of the host can read them: no secrets.
    pub args: Vec<String>,
    /// Variables of its environment; in the file only, as names of variables know no small letters.
    pub env: BTreeMap<String, String>,
    /// Names of the agent's own variables that it inherits; all others are withheld.
    pub env_keep: Vec<String>,
    /// Its working folder; by default `work` in the agent's folder.
    pub folder: Option<RelativePathBuf>,
    /// From SIGTERM to SIGKILL.
    pub stop_grace_seconds: u64,
    /// After a start, failing checks count only after the first one that passed, or after this long.
    pub boot_seconds: u64,
    /// A file of its output is rotated at this length.
    pub log_bytes_max: u64,
    /// So many rotated files are kept of each kind of output.
    pub log_files_max: u32,
}

impl Default for DaemonSettings {
    fn default() -> Self {
        Self {
            args: Vec::new(),
            env: BTreeMap::new(),
            env_keep: vec!["PATH".to_owned()],
            folder: None,
            stop_grace_seconds: 30,
            boot_seconds: 60,
            log_bytes_max: 16 << 20,
            log_files_max: 4,
        }
    }
}

/// What the daemon signs with, if it is a validator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignerSettings {
    /// CometBFT's `priv_validator_state.json`, of a validator whose key is on this host. No daemon is started on one that
    /// went back.
    pub state: Option<RelativePathBuf>,
    /// http address of the validator's own RPC. With it, the validator is stopped right after a block of its own.
    pub rpc: Option<String>,
    /// The longest wait for that block.
    pub turn_seconds_max: u64,
}

impl Default for SignerSettings {
    fn default() -> Self {
        Self { state: None, rpc: None, turn_seconds_max: 10 }
    }
}

/// When the daemon is healthy. That its process is alive is always required.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSettings {
    /// Checks that decide the trial.
    pub required: Vec<Check>,
    /// Checks that are shown, and decide nothing.
    pub wanted: Vec<Check>,
}

/// A question about the daemon's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// A GET that must answer with a status of success.
    Http {
        /// http(s) address.
        url: String,
        /// The longest it may take, in milliseconds.
        #[serde(default = "check_timeout_ms")]
        timeout_ms: u64,
    },
    /// A port that must take a connection.
    Tcp {
        /// IP address and port.
        address: String,
        /// The longest it may take, in milliseconds.
        #[serde(default = "check_timeout_ms")]
        timeout_ms: u64,
    },
    /// A CometBFT node whose height must rise. One that catches up or stands still is neither healthy nor failed.
    CometHeight {
        /// http(s) address of its RPC.
        rpc: String,
        /// A height counts as rising for so long after it rose, in milliseconds.
        #[serde(default = "still_ms_max")]
        still_ms_max: u64,
        /// The longest it may take, in milliseconds.
        #[serde(default = "check_timeout_ms")]
        timeout_ms: u64,
    },
    /// A program that must end with code 0.
    Command {
        /// Its absolute path.
        program: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<String>,
        /// The longest it may take, in milliseconds.
        #[serde(default = "check_timeout_ms")]
        timeout_ms: u64,
    },
}

fn check_timeout_ms() -> u64 {
    1_000
}

fn still_ms_max() -> u64 {
    30_000
}

impl Check {
    /// The longest it may take, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        match self {
            Self::Http { timeout_ms, .. }
            | Self::Tcp { timeout_ms, .. }
            | Self::CometHeight { timeout_ms, .. }
            | Self::Command { timeout_ms, .. } => *timeout_ms,
        }
    }
}

/// Longer trials than the plan asks for. An operator may only lengthen a trial (design 5, "Health").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrialSettings {
    /// A trial takes at least so many seconds.
    pub seconds_min: u64,
    /// A trial takes at least so many blocks.
    pub blocks_min: u64,
}

impl TrialSettings {
    /// The plan's span, lengthened where the operator asks for more, never shortened.
    #[must_use]
    pub fn lengthen(&self, span: &concord_schema::Span) -> concord_schema::Span {
        concord_schema::Span::new(span.seconds.0.max(self.seconds_min), span.blocks.0.max(self.blocks_min))
    }
}

/// How artifacts are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchSettings {
    /// The largest artifact that this host takes.
    pub bytes_max: u64,
    /// The longest wait for a connection.
    pub connect_timeout_seconds: u64,
    /// The longest silence in the middle of a download.
    pub stall_timeout_seconds: u64,
    /// Each 30 s of a download must bring so many bytes a second on average, or the next address is tried; 0 asks for none.
    pub rate_bytes_per_second_min: u64,
    /// A download takes no more bytes a second, so that the daemon keeps the host's disk and line; 0 sets no bound.
    pub rate_bytes_per_second_max: u64,
    /// The longest that one artifact may take, all addresses and tries together; an address that is not the last one may
    /// take half of what is left.
    pub total_timeout_seconds: u64,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 30,
            connect_timeout_seconds: 10,
            stall_timeout_seconds: 30,
            rate_bytes_per_second_min: 1_024,
            rate_bytes_per_second_max: 0,
            total_timeout_seconds: 3_600,
        }
    }
}

/// The agent's own HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Where it listens: loopback only, port 0 takes a free one.
    pub listen: std::net::SocketAddr,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { listen: std::net::SocketAddr::from(([127, 0, 0, 1], 26_680)) }
    }
}
