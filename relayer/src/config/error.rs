//! Why a configuration is not usable.

use std::path::PathBuf;

/// A configuration that is refused. Values are repeated only where they cannot be secrets.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read configuration file {}; check its path and who may read it", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is too long to be a configuration.
    #[error("expected a configuration file of at most {bytes_max} bytes at {}, found more; check its path", path.display())]
    Oversize {
        /// Which file.
        path: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// The file is no TOML.
    #[error("expected TOML in {}: {detail}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// A key that nobody knows.
    #[error("unknown key {key} in {place}{}", hint(nearest.as_deref()))]
    Unknown {
        /// The key, section first.
        key: String,
        /// The file and line, or the variable, that it came from.
        place: String,
        /// The known key that is most like it.
        nearest: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{key} from {place}: {reason}")]
    Value {
        /// The key, section first.
        key: String,
        /// The file and line, the variable or the flags that it came from.
        place: String,
        /// What is expected and what was found.
        reason: String,
    },
    /// A value that this command needs and nobody set.
    #[error("expected {key}, found nothing; set {}", ways(key, *flag))]
    Missing {
        /// The key, section first.
        key: &'static str,
        /// The flag that sets it too, where there is one.
        flag: Option<&'static str>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; the nearest known one is {nearest}"),
        None => "; see docs/agent.example.toml for all known ones".to_owned(),
    }
}

fn ways(key: &str, flag: Option<&str>) -> String {
    let file = match key.split_once('.') {
        Some((section, name)) => format!("`{name}` under [{section}] in the file"),
        None => format!("`{key}` in the file"),
    };
    let variable = super::layers::variable(key);
    match flag {
        Some(flag) => format!("{file}, the variable {variable}, or the flag {flag}"),
        None => format!("{file}, or the variable {variable}"),
    }
}
