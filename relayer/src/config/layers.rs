//! Defaults, then the file, then variables, then flags.

use std::io::Read;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::error::ConfigError;
use super::place;
use super::settings::Settings;

/// Variables of the environment that set something begin with this.
pub const PREFIX: &str = "CONCORD_";
/// Variables that begin with [`PREFIX`] and set no key: the file's path, the program's log, and the name that a daemon
/// was started under.
pub const RESERVED: [&str; 4] = ["CONCORD_CONFIG", "CONCORD_LOG", "CONCORD_LOG_FORMAT", "CONCORD_RUN"];
/// No configuration file is longer than this.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// A name is taken for a misspelt one from this likeness on (Jaro-Winkler, 1 is the same).
const LIKENESS_MIN: f64 = 0.7;

const VARIABLES: &str = "variables";
const FLAGS: &str = "flags";

/// What flags say about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--node`, as often as given.
    pub nodes: Vec<String>,
    /// `--chain-id`.
    pub chain_id: Option<String>,
    /// `--contract`.
    pub contract: Option<String>,
    /// `--key`.
    pub key: Option<PathBuf>,
    /// `--passphrase-file`.
    pub passphrase_file: Option<PathBuf>,
}

/// Where the layers come from.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment, as pairs; others than those with [`PREFIX`] are ignored.
    pub variables: Vec<(String, String)>,
    /// The flags.
    pub flags: Flags,
}

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// One layer, as figment wants it.
struct Layer(&'static str, Dict);

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.1.clone()))
    }
}

/// The layers, merged, with what is needed to tell where a value came from.
pub(super) struct Merged {
    figment: Figment,
    file: Option<(PathBuf, String)>,
}

impl Layers {
    /// The layers of this process: its environment, and what the command line says.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Flags) -> Self {
        // A variable that is no text cannot be one of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables =
            std::env::vars_os().filter_map(text).filter(|(name, _)| name.starts_with(PREFIX)).collect();
        Self { file, variables, flags }
    }

    /// Merges the layers and reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`]: the file, an unknown key, or a value of the wrong kind or out of bounds.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let merged = self.merge()?;
        let settings: Settings = merged.figment.extract().map_err(|error| merged.cause(error))?;
        super::check::check(&settings, &merged)?;
        Ok(settings)
    }

    pub(super) fn merge(&self) -> Result<Merged, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Settings::default()));
        let file = self.file.as_deref().map(read).transpose()?;
        if let Some((path, _)) = &file {
            figment = figment.merge(Toml::file_exact(path));
        }
        figment = figment.merge(Layer(VARIABLES, self.variables()?)).merge(Layer(FLAGS, self.flags.dict()));
        Ok(Merged { figment, file })
    }

    fn variables(&self) -> Result<Dict, ConfigError> {
        let known = known();
        let mut dict = Dict::new();
        for (name, text) in &self.variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if RESERVED.contains(&name.as_str()) {
                continue;
            }
            let key = rest.replace("__", ".").to_ascii_lowercase();
            if !known.contains(&key) || variable(&key) != *name {
                return Err(ConfigError::Unknown {
                    nearest: nearest_variable(name, &key, &known),
                    place: format!("the variable {name}"),
                    key,
                });
            }
            // A text such as 1e3 or true is what figment makes of it; quotes keep it a text.
            let value: Value = match text.parse() {
                Ok(value) => value,
                Err(never) => match never {},
            };
            put(&mut dict, &key, value);
        }
        Ok(dict)
    }
}

impl Flags {
    fn dict(&self) -> Dict {
        let mut dict = Dict::new();
        if !self.nodes.is_empty() {
            put(&mut dict, "chain.rpc", Value::from(self.nodes.clone()));
        }
        let texts = [
            ("chain.chain_id", self.chain_id.clone()),
            ("chain.contract", self.contract.clone()),
            ("client.key", self.key.as_ref().map(|path| path.display().to_string())),
            ("client.passphrase_file", self.passphrase_file.as_ref().map(|path| path.display().to_string())),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                put(&mut dict, key, Value::from(text));
            }
        }
        dict
    }
}

/// Sets `section.name` in a layer.
fn put(dict: &mut Dict, key: &str, value: Value) {
    let nested = figment::util::nest(key, value);
    let Value::Dict(_, nested) = nested else { return };
    for (section, inner) in nested {
        match (dict.get_mut(&section), inner) {
            (Some(Value::Dict(_, present)), Value::Dict(_, inner)) => present.extend(inner),
            (_, inner) => drop(dict.insert(section, inner)),
        }
    }
}

fn read(path: &Path) -> Result<(PathBuf, String), ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::Oversize { path: path.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    toml::from_str::<toml::Table>(&text)
        .map_err(|error| ConfigError::Syntax { path: path.to_owned(), detail: error.to_string() })?;
    Ok((path.to_owned(), text))
}

/// Every key that can be set, section first.
pub(super) fn known() -> Vec<String> {
    let Ok(serde_json::Value::Object(sections)) = serde_json::to_value(Settings::default()) else {
        return Vec::new();
    };
    let keys = sections.into_iter().flat_map(|(section, value)| {
        let names: Vec<String> = match value {
            serde_json::Value::Object(names) => {
                names.keys().map(|name| format!("{section}.{name}")).collect()
            }
            _ => vec![section],
        };
        names
    });
    keys.collect()
}

/// A section that was left out, or one underscore where two belong, are likelier than a wrong letter.
fn nearest_variable(name: &str, key: &str, known: &[String]) -> Option<String> {
    let bare = format!(".{key}");
    let single = |one: &&String| *one == key || one.replace('.', "_") == key || one.ends_with(&bare);
    let names: Vec<String> = known.iter().map(|one| variable(one)).collect();
    let likely = known.iter().find(single).map(|one| variable(one));
    likely.or_else(|| nearest(name, names.iter().map(String::as_str)))
}

fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let rated = known.map(|one| (strsim::jaro_winkler(name, one), one));
    let best = rated
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, one)| one.to_owned())
}

impl Merged {
    /// Where the value of a key came from, for people.
    pub(super) fn place(&self, key: &str) -> String {
        // figment knows no places inside of lists: those of the list itself stand for them.
        let mut found = self.figment.find_metadata(key);
        let mut parent = key;
        while let (None, Some((shorter, _))) = (found, parent.rsplit_once('.')) {
            found = self.figment.find_metadata(shorter);
            parent = shorter;
        }
        let Some(metadata) = found else { return "the defaults".to_owned() };
        if metadata.name == VARIABLES {
            return format!("the variable {}", variable(key));
        }
        if metadata.name == FLAGS {
            return "the command line".to_owned();
        }
        match (metadata.source.as_ref().and_then(|source| source.file_path()), &self.file) {
            (Some(_), Some((path, text))) => match place::line(text, key) {
                Some(line) => format!("{} line {line}", path.display()),
                None => path.display().to_string(),
            },
            _ => "the defaults".to_owned(),
        }
    }

    /// A value that is refused.
    pub(super) fn refuse(&self, key: &str, reason: String) -> ConfigError {
        ConfigError::Value { key: key.to_owned(), place: self.place(key), reason }
    }

    fn cause(&self, error: figment::Error) -> ConfigError {
        let key = error.path.join(".");
        match &error.kind {
            Kind::UnknownField(name, expected) => {
                // Inside a list of checks figment does not add the name to the path.
                let key = match error.path.last() {
                    Some(last) if last == name => key,
                    _ => [error.path.clone(), vec![name.clone()]].concat().join("."),
                };
                let parent = key.rsplit_once('.').map(|(parent, _)| format!("{parent}.")).unwrap_or_default();
                let nearest = nearest(name, expected.iter().copied()).map(|name| format!("{parent}{name}"));
                // A key may be right and its section wrong.
                let nearest = nearest.or_else(|| {
                    let known = known();
                    let same = |one: &&String| one.rsplit('.').next() == Some(name.as_str());
                    known.iter().find(same).cloned()
                });
                ConfigError::Unknown { place: self.place(&key), key, nearest }
            }
            kind => {
                let place = self.place(&key);
                let list = matches!(kind, Kind::InvalidType(_, expected) if expected == "a sequence");
                let hint = if list { "; write a list as in TOML, such as [\"one\", \"two\"]" } else { "" };
                ConfigError::Value { place, key, reason: format!("{kind}{hint}") }
            }
        }
    }
}
