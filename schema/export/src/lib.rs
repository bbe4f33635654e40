//! The interface of the coordinator as files: JSON Schema of every message, answer, event and stored fact, each with
//! examples that went through its type. The same code makes the same bytes; a check compares them.

pub mod answer;
pub mod document;
pub mod error;
pub mod event;
pub mod fact;
pub mod folder;
pub mod message;
pub mod page;
pub mod sample;
pub mod signing;

use serde_json::{Value, json};

use document::Document;
use error::ExportError;
use sample::Samples;

/// All files of the interface.
///
/// # Errors
/// [`ExportError`] for a type without a sample, or a sample that does not survive its type.
pub fn documents() -> Result<Vec<Document>, ExportError> {
    let samples = Samples::read()?;
    let mut all = message::documents(&samples)?;
    all.extend(event::documents(&samples)?);
    all.extend(fact::documents(&samples)?);
    all.extend(signing::documents(&samples)?);
    all.sort_by(|one, two| one.name.cmp(&two.name));
    let files: Vec<String> = all.iter().map(|document| format!("{}.json", document.name)).collect();
    let mut body = document::head("index");
    body.insert("files".to_owned(), json!(files));
    all.push(Document { name: "index".to_owned(), body: Value::Object(body) });
    Ok(all)
}
