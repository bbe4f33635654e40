//! What commands need that know no contract yet, or no chain.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::layers::Layers;
use crate::chain::rpc::Settings as RpcSettings;
use crate::chain::{Rpc, RpcError};

/// The way to a chain.
#[derive(Clone, Debug)]
pub struct Way {
    /// http(s) addresses of CometBFT RPCs, the preferred one first; at least one.
    pub rpc: Vec<String>,
    /// The chain that must answer.
    pub chain_id: String,
    /// The longest one call may take.
    pub call_timeout: Duration,
}

impl Way {
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

impl Layers {
    /// The way to a chain, whatever contracts are on it.
    ///
    /// # Errors
    /// [`ConfigError`], also where nobody set it.
    pub fn way(&self) -> Result<Way, ConfigError> {
        let chain = self.settings()?.chain;
        let missing = |key, flag| ConfigError::Missing { key, flag: Some(flag) };
        if chain.rpc.is_empty() {
            return Err(missing("chain.rpc", "--node"));
        }
        let chain_id = chain.chain_id.ok_or_else(|| missing("chain.chain_id", "--chain-id"))?;
        let call_timeout = Duration::from_secs(chain.call_timeout_seconds);
        Ok(Way { rpc: chain.rpc, chain_id, call_timeout })
    }

    /// The file with the passphrase of a person's sealed key files, if one is named.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn passphrase_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        Ok(self.settings()?.client.passphrase_file.map(|path| path.relative()))
    }
}
