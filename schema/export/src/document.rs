//! One file: a JSON Schema with its versions and its examples.

use schemars::JsonSchema;
use schemars::r#gen::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::ExportError;

pub use concord_schema::keys::FACTS_VERSION;

/// Version of the interface: that of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A file of the interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its path below the folder, without `.json`.
    pub name: String,
    /// What it says.
    pub body: Value,
}

impl Document {
    /// The file's text: names in order, so that the same interface has the same bytes.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", sorted(&self.body))
    }
}

/// The same value with all names in order, whatever order its maps keep.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            let entries =
                names.into_iter().filter_map(|name| Some((name.clone(), sorted(fields.get(name)?))));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// What every file begins with.
#[must_use]
pub fn head(name: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("$id".to_owned(), json!(format!("urn:concord:{VERSION}:{name}")));
    body.insert("version".to_owned(), json!(VERSION));
    body.insert("facts_version".to_owned(), json!(FACTS_VERSION));
    body
}

/// The document of a type, with samples that went through it.
///
/// # Errors
/// [`ExportError`] for a sample that is no such value or does not survive.
pub fn of<T: JsonSchema + Serialize + DeserializeOwned + PartialEq>(
    name: &str,
    samples: &[Value],
) -> Result<Document, ExportError> {
    let examples = samples.iter().map(|sample| through::<T>(name, sample)).collect::<Result<Vec<_>, _>>()?;
    let root = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let told = |error| ExportError::Sample { what: name.to_owned(), error };
    let mut body = head(name);
    if let Value::Object(schema) = serde_json::to_value(root).map_err(told)? {
        body.extend(schema);
    }
    body.insert("examples".to_owned(), Value::Array(examples));
    Ok(Document { name: name.to_owned(), body: Value::Object(body) })
}

/// A sample read as a `T` and written again: what the chain itself would write.
fn through<T: Serialize + DeserializeOwned + PartialEq>(
    what: &str,
    sample: &Value,
) -> Result<Value, ExportError> {
    let told = |error| ExportError::Sample { what: what.to_owned(), error };
    let value: T = serde_json::from_value(sample.clone()).map_err(told)?;
    let text = serde_json::to_string(&value).map_err(told)?;
    let back: T = serde_json::from_str(&text).map_err(told)?;
    let written: Value = serde_json::from_str(&text).map_err(told)?;
    if back == value && holds(&written, sample) {
        Ok(written)
    } else {
        Err(ExportError::Lossy { what: what.to_owned(), expected: sample.to_string(), found: text })
    }
}

/// Does `whole` say all that `part` says? It may say more where a sample leaves a default out.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, value)| whole.get(name).map_or(value.is_null(), |found| holds(found, value))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        (whole, part) => whole == part,
    }
}

/// The variants that a schema of an enum knows.
#[must_use]
pub fn variants(schema: &Value) -> Vec<String> {
    let branches = ["oneOf", "anyOf"].iter().filter_map(|name| schema.get(name)?.as_array()).flatten();
    let mut found = Vec::new();
    for branch in branches.chain(core::iter::once(schema)) {
        let words = branch.get("enum").and_then(Value::as_array).into_iter().flatten();
        found.extend(words.filter_map(Value::as_str).map(str::to_owned));
        let names = branch.get("required").and_then(Value::as_array).into_iter().flatten();
        found.extend(names.filter_map(Value::as_str).map(str::to_owned));
    }
    found
}

/// The word of a value of an enum.
#[must_use]
pub fn word(value: &Value) -> Option<&str> {
    match value {
        Value::String(word) => Some(word),
        Value::Object(fields) => fields.keys().next().map(String::as_str),
        _ => None,
    }
}

/// Refuses samples that leave a variant out.
///
/// # Errors
/// [`ExportError::Uncovered`] names the first one.
pub fn cover<'a>(
    what: &str,
    schema: &Value,
    samples: impl Iterator<Item = &'a Value> + Clone,
) -> Result<(), ExportError> {
    match variants(schema)
        .into_iter()
        .find(|variant| !samples.clone().any(|sample| word(sample) == Some(variant)))
    {
        Some(variant) => Err(ExportError::Uncovered { what: what.to_owned(), variant }),
        None => Ok(()),
    }
}
