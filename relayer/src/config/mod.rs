//! Configuration: what is set where, checked before anything is done.
//!
//! Four layers, each over the one before: defaults, a TOML file, variables `CONCORD_<SECTION>__<KEY>`, flags. A key that
//! nobody knows is refused together with the nearest known one and the place that it came from, because a misspelt bound
//! would otherwise silently be the default one. Every duration has its unit in its name.
//!
//! [`Settings`] is what can be written; [`AgentConfig`] and [`ChainConfig`] are what a command may rely on.

mod agent;
mod check;
mod error;
mod layers;
mod place;
mod settings;
#[cfg(test)]
mod tests;
mod way;

pub use agent::{AgentConfig, ChainConfig, DaemonConfig, GasConfig, LightConfig, NodeConfig, platform};
pub use error::ConfigError;
pub use layers::{FILE_BYTES_MAX, Flags, Layers, PREFIX, RESERVED};
pub use settings::{
    ChainSettings, Check, ClientSettings, DaemonSettings, FetchSettings, GasSettings, HealthSettings,
    HttpSettings, Mode, NodeSettings, Settings, TrialSettings,
};
pub use way::Way;
