//! What a run is told, and where its things are.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};

/// Validators of the chain, each with an agent.
pub(crate) const VALIDATORS: usize = 4;
/// The chain's name, as scripts/localnet.sh gives it.
pub(crate) const CHAIN_ID: &str = "concord-local-1";
/// What pays fees, and the price of gas.
pub(crate) const DENOM: &str = "ucosm";
/// The price of gas.
pub(crate) const GAS_PRICE: &str = "0.025";
/// The fleet's component: the chain's own program.
pub(crate) const COMPONENT: &str = "wasmd";
/// The version that the chain begins with, and the one that it is upgraded to.
pub(crate) const BEFORE: &str = "0.61.14";
/// The one that it is upgraded to.
pub(crate) const AFTER: &str = "0.61.14-r2";
/// From one look at a level to the next.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// Which story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Story {
    /// A rolling upgrade of the chain that the coordinator lives on
    Rolling,
    /// The same, where one validator's artifact is bad
    BadRelease,
}

impl Story {
    /// Its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::BadRelease => "bad-release",
        }
    }
}

/// How far agents believe the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// As they are
    Trust,
    /// What decides is proved
    Light,
}

impl Mode {
    /// Its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Light => "light",
        }
    }
}

/// Upgrades a chain of four real validators by the coordinator that lives on it. `scripts/e2e.sh` finds the programs.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Settings {
    /// Which story is told
    #[arg(value_enum)]
    pub(crate) story: Story,
    /// How far agents believe the nodes
    #[arg(long, value_enum, default_value_t = Mode::Trust)]
    pub(crate) mode: Mode,
    /// The first of the ports, as for scripts/localnet.sh
    #[arg(long, default_value_t = 22_650)]
    pub(crate) base_port: u16,
    /// The empty or new folder of the run
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// scripts/localnet.sh
    #[arg(long)]
    pub(crate) localnet: PathBuf,
    /// The coordinator's wasm
    #[arg(long)]
    pub(crate) wasm: PathBuf,
    /// docs/genesis.example.json
    #[arg(long)]
    pub(crate) genesis: PathBuf,
    /// The program concord
    #[arg(long)]
    pub(crate) concord: PathBuf,
    /// wasmd that the chain begins with
    #[arg(long)]
    pub(crate) before: PathBuf,
    /// wasmd that it is upgraded to
    #[arg(long)]
    pub(crate) after: PathBuf,
    /// A wasmd that cannot run on this chain, for the bad release
    #[arg(long)]
    pub(crate) bad: Option<PathBuf>,
}

impl Settings {
    /// The chain's folder.
    pub(crate) fn net(&self) -> PathBuf {
        self.dir.join("net")
    }

    /// A port of a validator; `offset` as in scripts/localnet.sh, and 5 for its agent.
    pub(crate) fn port(&self, node: usize, offset: u16) -> u16 {
        let node = u16::try_from(node).unwrap_or(u16::MAX);
        self.base_port.saturating_add(node.saturating_mul(10)).saturating_add(offset)
    }

    /// A validator's RPC.
    pub(crate) fn rpc(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.port(node, 7))
    }

    /// A validator's home.
    pub(crate) fn home(&self, node: usize) -> PathBuf {
        self.net().join(format!("node{node}")).join("wasmd")
    }

    /// The state of a validator's signer.
    pub(crate) fn signer(&self, node: usize) -> PathBuf {
        self.home(node).join("data").join("priv_validator_state.json")
    }

    /// Where the shared library of both releases is.
    pub(crate) fn library(&self) -> &Path {
        self.before.parent().unwrap_or(Path::new("/"))
    }
}

/// Milliseconds since 1970 by the host's clock.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
