//! What a command may rely on, made from [`Settings`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use concord_prove::Terms;
use concord_schema::text;

use super::error::ConfigError;
use super::layers::Layers;
use super::settings::{
    ChainSettings, FetchSettings, HealthSettings, HttpSettings, Mode, Settings, SignerSettings, TrialSettings,
};
use crate::chain::light::{Checksum, LightSettings, host_time, read_checksum};
use crate::chain::rpc::Settings as RpcSettings;
use crate::chain::send::Pricing;
use crate::chain::sign::GasPrice;
use crate::chain::{Address, LightChain, Reader, Rpc, RpcError};

/// The way to a deployment.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// http(s) addresses of CometBFT RPCs, the preferred one first; at least one.
    pub rpc: Vec<String>,
    /// The chain that must answer.
    pub chain_id: String,
    /// The coordinator contract.
    pub contract: Address,
    /// How facts are proved; `None` where the nodes are believed.
    pub light: Option<LightConfig>,
    /// The longest one call may take.
    pub call_timeout: Duration,
    /// A height that stands still this long is stale.
    pub still_longest: Duration,
    /// Whether to open a websocket for wake-ups.
    pub websocket: bool,
}

/// How facts are proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightConfig {
    /// For how long headers are trusted.
    pub terms: Terms,
    /// Checksums of contracts that are accepted.
    pub checksums: Vec<Checksum>,
}

impl ChainConfig {
    /// The way to read facts that decide. `folder`: where the agent keeps what it trusts.
    #[must_use]
    pub fn reader(&self, rpc: &Rpc, folder: &Path) -> Reader {
        match self.light_settings(folder) {
            Some(settings) => Reader::Proved(LightChain::open(rpc.clone(), settings)),
            None => Reader::Plain(rpc.clone()),
        }
    }

    /// How facts are proved; `None` where the nodes are believed.
    #[must_use]
    pub fn light_settings(&self, folder: &Path) -> Option<LightSettings> {
        self.light.as_ref().map(|light| LightSettings {
            contract: self.contract.clone(),
            folder: folder.to_owned(),
            terms: light.terms,
            checksums: light.checksums.clone(),
            clock: host_time,
        })
    }

    /// The chain's address prefix, as the contract's address shows it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.contract.prefix()
    }

    /// Hosts and ports of the nodes.
    fn labels(&self) -> Result<Vec<String>, RpcError> {
        Ok(self.client(1)?.labels())
    }

    /// A client for this chain; connects to nothing yet. `tries_max` rounds over all endpoints a call.
    ///
    /// # Errors
    /// [`RpcError::Endpoints`] for an address that is no http(s) url.
    pub fn client(&self, tries_max: u32) -> Result<Rpc, RpcError> {
        let mut settings = RpcSettings::new(&self.chain_id, self.rpc.clone());
        settings.call_timeout = self.call_timeout;
        settings.tries_max = tries_max;
        Rpc::new(settings)
    }
}

/// What transactions pay.
#[derive(Clone, Debug)]
pub struct GasConfig {
    /// Price, limits and patience of transactions.
    pub pricing: Pricing,
}

/// The node that the agent stands beside.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The operator's account.
    pub operator: Address,
    /// The component that the node runs.
    pub component: String,
    /// The operator's name for the node.
    pub node_id: String,
    /// The agent's folder.
    pub home: PathBuf,
    /// The hot key's file.
    pub hot_key: PathBuf,
    /// The file with its passphrase, where it is sealed.
    pub passphrase_file: Option<PathBuf>,
    /// The platform whose artifacts it runs.
    pub platform: String,
}

/// How the node's daemon is run.
#[derive(Clone, Debug)]
pub struct DaemonConfig {
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables of its environment.
    pub env: BTreeMap<String, String>,
    /// Names of the agent's own variables that it inherits.
    pub env_keep: Vec<String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// From SIGTERM to SIGKILL.
    pub stop_grace: Duration,
    /// After a start, failing checks count only after the first one that passed, or after this long.
    pub boot: Duration,
    /// A file of its output is rotated at this length.
    pub log_bytes_max: u64,
    /// So many rotated files are kept.
    pub log_files_max: u32,
}

/// All that an agent is told by its operator.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The way to the deployment.
    pub chain: ChainConfig,
    /// What reports and leases pay.
    pub gas: GasConfig,
    /// The node.
    pub node: NodeConfig,
    /// The daemon.
    pub daemon: DaemonConfig,
    /// What the daemon signs with, if it is a validator.
    pub signer: SignerSettings,
    /// When it is healthy.
    pub health: HealthSettings,
    /// Longer trials than the plan's.
    pub trial: TrialSettings,
    /// How artifacts are fetched.
    pub fetch: FetchSettings,
    /// The agent's own HTTP.
    pub http: HttpSettings,
}

impl Layers {
    /// What an agent needs.
    ///
    /// # Errors
    /// [`ConfigError`], also for what an agent needs and nobody set.
    pub fn agent(&self) -> Result<AgentConfig, ConfigError> {
        let settings = self.settings()?;
        let node = self.node(&settings)?;
        let chain = self.chain_of(&settings)?;
        self.check_witness(&chain)?;
        let daemon = settings.daemon.clone();
        Ok(AgentConfig {
            chain,
            gas: self.gas_of(&settings)?,
            daemon: DaemonConfig {
                args: daemon.args,
                env: daemon.env,
                env_keep: daemon.env_keep,
                folder: daemon.folder.map_or_else(|| node.home.join("work"), |folder| folder.relative()),
                stop_grace: Duration::from_secs(daemon.stop_grace_seconds),
                boot: Duration::from_secs(daemon.boot_seconds),
                log_bytes_max: daemon.log_bytes_max,
                log_files_max: daemon.log_files_max,
            },
            node,
            signer: settings.signer,
            health: settings.health,
            trial: settings.trial,
            fetch: settings.fetch,
            http: settings.http,
        })
    }

    /// The way to the deployment.
    ///
    /// # Errors
    /// [`ConfigError`], also where nobody set it.
    pub fn chain(&self) -> Result<ChainConfig, ConfigError> {
        self.chain_of(&self.settings()?)
    }

    /// The coordinator's address alone: for what needs no chain.
    ///
    /// # Errors
    /// [`ConfigError`], also where nobody set it.
    pub fn contract(&self) -> Result<Address, ConfigError> {
        let contract = self.settings()?.chain.contract;
        self.address("chain.contract", &required(contract, "chain.contract", Some("--contract"))?)
    }

    /// What transactions pay.
    ///
    /// # Errors
    /// [`ConfigError`], also where nobody set it.
    pub fn gas(&self) -> Result<GasConfig, ConfigError> {
        self.gas_of(&self.settings()?)
    }

    /// The key file that signs a person's transactions.
    ///
    /// # Errors
    /// [`ConfigError`], also where nobody set it.
    pub fn key(&self) -> Result<PathBuf, ConfigError> {
        let key = self.settings()?.client.key;
        Ok(required(key, "client.key", Some("--key"))?.relative())
    }

    /// A value that is refused, with the place that it came from.
    fn refuse(&self, key: &str, reason: String) -> ConfigError {
        match self.merge() {
            Ok(merged) => merged.refuse(key, reason),
            Err(error) => error,
        }
    }

    fn address(&self, key: &str, text: &str) -> Result<Address, ConfigError> {
        text.parse().map_err(|error: crate::chain::address::AddressError| self.refuse(key, error.to_string()))
    }

    fn name(&self, key: &'static str, found: &str) -> Result<String, ConfigError> {
        text::name(key, found).map_err(|error| self.refuse(key, error.to_string()))?;
        Ok(found.to_owned())
    }

    fn chain_of(&self, settings: &Settings) -> Result<ChainConfig, ConfigError> {
        let chain = &settings.chain;
        let rpc = Some(chain.rpc.clone()).filter(|rpc| !rpc.is_empty());
        let rpc = required(rpc, "chain.rpc", Some("--node"))?;
        let chain_id = required(chain.chain_id.clone(), "chain.chain_id", Some("--chain-id"))?;
        let contract = required(chain.contract.as_deref(), "chain.contract", Some("--contract"))?;
        Ok(ChainConfig {
            rpc,
            chain_id,
            contract: self.address("chain.contract", contract)?,
            light: self.light(chain)?,
            call_timeout: Duration::from_secs(chain.call_timeout_seconds),
            still_longest: Duration::from_secs(chain.still_seconds_max),
            websocket: chain.websocket,
        })
    }

    fn light(&self, chain: &ChainSettings) -> Result<Option<LightConfig>, ConfigError> {
        match chain.mode {
            Mode::Trust => return Ok(None),
            Mode::Light => {}
        }
        let terms = Terms::new(chain.trusting_seconds, chain.clock_drift_seconds)
            .map_err(|error| self.refuse("chain.trusting_seconds", error.to_string()))?;
        let checksums = chain.checksums.iter().map(|text| read_checksum(text)).collect::<Result<_, _>>();
        let checksums = checksums.map_err(|reason| self.refuse("chain.checksums", reason))?;
        Ok(Some(LightConfig { terms, checksums }))
    }

    /// A header needs a source and a witness, and no node is a witness of itself.
    fn check_witness(&self, chain: &ChainConfig) -> Result<(), ConfigError> {
        if chain.light.is_none() {
            return Ok(());
        }
        let labels = chain.labels().map_err(|error| self.refuse("chain.rpc", error.to_string()))?;
        let different: BTreeSet<&String> = labels.iter().collect();
        if different.len() >= 2 && different.len() == labels.len() {
            return Ok(());
        }
        let reason = format!(
            "expected at least two nodes of different operators for mode = \"light\", each once, found {}; add one, or \
             use mode = \"trust\" with a full node of your own",
            labels.join(", ")
        );
        Err(self.refuse("chain.rpc", reason))
    }

    fn gas_of(&self, settings: &Settings) -> Result<GasConfig, ConfigError> {
        let gas = &settings.gas;
        let price = required(gas.price.as_deref(), "gas.price", None)?;
        let denom = required(gas.denom.as_deref(), "gas.denom", None)?;
        let price: GasPrice =
            format!("{price}{denom}").parse().map_err(|error: crate::chain::sign::GasPriceError| {
                self.refuse("gas.price", error.to_string())
            })?;
        let granter =
            gas.fee_granter.as_deref().map(|text| self.address("gas.fee_granter", text)).transpose()?;
        let mut pricing = Pricing::new(price);
        pricing.gas_percent = gas.limit_percent;
        pricing.gas_max = gas.limit_max;
        pricing.timeout_blocks = gas.timeout_blocks;
        pricing.patience = Duration::from_secs(gas.patience_seconds);
        pricing.fee_granter = granter;
        Ok(GasConfig { pricing })
    }

    fn node(&self, settings: &Settings) -> Result<NodeConfig, ConfigError> {
        let node = &settings.node;
        let operator = required(node.operator.as_deref(), "node.operator", None)?;
        let component = required(node.component.as_deref(), "node.component", None)?;
        let node_id = required(node.node_id.as_deref(), "node.node_id", None)?;
        let own = platform();
        let platform = node.platform.as_deref().unwrap_or(&own);
        Ok(NodeConfig {
            operator: self.address("node.operator", operator)?,
            component: self.name("node.component", component)?,
            node_id: self.name("node.node_id", node_id)?,
            home: required(node.home.clone(), "node.home", None)?.relative(),
            hot_key: required(node.hot_key.clone(), "node.hot_key", None)?.relative(),
            passphrase_file: node.passphrase_file.clone().map(|path| path.relative()),
            platform: self.name("node.platform", platform)?,
        })
    }
}

/// This program's own platform, in the words of [`concord_schema::release::Artifact`].
#[must_use]
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

fn required<T>(value: Option<T>, key: &'static str, flag: Option<&'static str>) -> Result<T, ConfigError> {
    value.ok_or(ConfigError::Missing { key, flag })
}
