//! Events: the form of each kind, and an entry of each as the chain writes it.

use concord_schema::event::{self, Event, Form};
use concord_schema::log::{Entry, Head};
use serde_json::{Map, Value, json};

use crate::document::{self, Document};
use crate::error::ExportError;
use crate::sample::{AUDITOR, COMPONENT, HEIGHT, HOT_KEY, MEMBER, OPERATOR, Samples, TIME};

/// How a field is to be read; on chain every one is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// A number below 2^53, in decimal.
    Number,
    /// A text, or a number that may be larger.
    Text,
    /// `true` or `false`.
    Truth,
    /// 64 hex digits.
    Digest,
    /// 64 hex digits, or `-` for none.
    DigestOrNone,
    /// Texts by commas, or `-` for none.
    Texts,
    /// Numbers by commas, or `-` for none.
    Numbers,
    /// JSON of a type.
    Json(&'static str),
    /// A word of an enum.
    Word(&'static str),
}

impl Read {
    fn schema(self) -> Value {
        match self {
            Self::Number => json!({"read": "number", "pattern": "^[0-9]+$"}),
            Self::Text => json!({"read": "text"}),
            Self::Truth => json!({"read": "truth", "enum": ["true", "false"]}),
            Self::Digest => json!({"read": "digest", "pattern": "^[0-9a-f]{64}$"}),
            Self::DigestOrNone => json!({"read": "digest_or_none", "pattern": "^([0-9a-f]{64}|-)$"}),
            Self::Texts => json!({"read": "texts"}),
            Self::Numbers => json!({"read": "numbers", "pattern": "^(-|[0-9]+(,[0-9]+)*)$"}),
            Self::Json(of) => json!({"read": "json", "of": of}),
            Self::Word(of) => json!({"read": "word", "of": of}),
        }
    }
}

/// How a field of a kind is read, with a sample of it.
fn form(kind: &str, field: &str, samples: &Samples) -> Option<(Read, String)> {
    use Read::{Digest, DigestOrNone, Json, Number, Numbers, Text, Texts, Truth, Word};
    let (read, sample) = match (kind, field) {
        ("instantiated", "genesis") => (Json("InstantiateMsg"), samples.instantiate.to_string()),
        (_, "draft") => (Json("Draft"), samples.draft.to_string()),
        (_, "class") => (Word("Class"), "standard".to_owned()),
        (_, "claim") => (Word("Claim"), "built_reproducibly".to_owned()),
        (_, "finding") => (Word("Finding"), "approves".to_owned()),
        (_, "ballot") => (Word("Ballot"), "yes".to_owned()),
        (_, "purpose") => (Word("Purpose"), "activate".to_owned()),
        (_, "cause") => (Word("HaltCause"), "failures".to_owned()),
        (_, "outcome") => (Word("Outcome"), "completed".to_owned()),
        ("proposed" | "revised", "release") => (DigestOrNone, samples.release_digest.clone()),
        (_, "rationale") => (DigestOrNone, "-".to_owned()),
        (_, "rules") => (Digest, samples.rules_digest.clone()),
        (_, "release") => (Digest, samples.release_digest.clone()),
        (_, "digest" | "seed") => (Digest, samples.draft_digest.clone()),
        (_, "signed") => (Truth, "true".to_owned()),
        (_, "canaries") => (Numbers, "4".to_owned()),
        ("members_changed", "set") => (Texts, format!("{MEMBER}=10")),
        ("members_changed", "removed") => (Texts, "-".to_owned()),
        (_, "total" | "weight") => (Text, "10".to_owned()),
        (_, "nonce") => (Text, "7".to_owned()),
        (_, "amount") => (Text, "1000000ucosm".to_owned()),
        (_, "uri") => (Text, "https://forum.example/t/oracle-feeder-2".to_owned()),
        (_, "auditor") => (Text, AUDITOR.to_owned()),
        (_, "to") => (Text, "refund".to_owned()),
        (_, "codespace") => (Text, "wasm".to_owned()),
        (_, "component" | "scope") => (Text, COMPONENT.to_owned()),
        (_, "node_id") => (Text, "feeder-a".to_owned()),
        (_, "hot_key") => (Text, HOT_KEY.to_owned()),
        (_, "report") => (Text, "healthy".to_owned()),
        (_, "detail") => (Text, (HEIGHT + 240).to_string()),
        (_, "on") => (Text, "wave 1 to open; wave 0 is open".to_owned()),
        (_, "length") => (Text, "short".to_owned()),
        (_, "proposal") => (Number, "3".to_owned()),
        (_, "rollout") => (Number, "2".to_owned()),
        (_, "node") => (Number, "4".to_owned()),
        (_, "expires" | "until_seconds") => (Number, (TIME + 86_400).to_string()),
        (_, "height" | "until_height") => (Number, (HEIGHT + 180).to_string()),
        (_, "components" | "revision" | "attempts" | "action" | "code" | "attempt" | "wave" | "count") => {
            (Number, "1".to_owned())
        }
        (_, "power" | "registered" | "unaccounted") => (Number, "40".to_owned()),
        _ => return None,
    };
    Some((read, sample))
}

/// The document of all events: each kind is an entry of the log with its own fields.
///
/// # Errors
/// [`ExportError`] for a field of unknown form, or an entry that does not survive the chain.
pub fn documents(samples: &Samples) -> Result<Vec<Document>, ExportError> {
    let mut branches = Vec::new();
    let mut examples = Vec::new();
    let mut order = Map::new();
    let mut head = Head::default();
    for kind in Event::FORMS {
        let (fields, values) = fields(kind, samples)?;
        branches.push(branch(kind, &fields));
        order.insert(
            kind.kind.to_owned(),
            json!(kind.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        );
        let entry = head.entry(HEIGHT, TIME, OPERATOR, kind.kind, values);
        head = Head::after(&entry);
        examples.push(example(&entry)?);
    }
    let mut body = document::head("events");
    body.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    body.insert("title".to_owned(), json!("Event"));
    body.insert(
        "description".to_owned(),
        json!(
            "An entry of the log. On chain it is an event of type `wasm-concord`: the entry's own attributes first \
             (seq, kind, who, height, time, prev, prev_height), then its fields in the order of `field_order`; all are \
             texts. `read` says how a field is to be read, `of` names the type of a JSON or a word."
        ),
    );
    body.insert("oneOf".to_owned(), Value::Array(branches));
    body.insert("field_order".to_owned(), Value::Object(order));
    body.insert("examples".to_owned(), Value::Array(examples));
    Ok(vec![Document { name: "events".to_owned(), body: Value::Object(body) }])
}

type Fields = (Map<String, Value>, Vec<(String, String)>);

fn fields(kind: &Form, samples: &Samples) -> Result<Fields, ExportError> {
    let mut schemas = Map::new();
    let mut values = Vec::new();
    for (field, what) in kind.fields {
        let (read, sample) = form(kind.kind, field, samples)
            .ok_or_else(|| ExportError::Form { kind: kind.kind.to_owned(), field: (*field).to_owned() })?;
        let mut schema = read.schema();
        if let Value::Object(schema) = &mut schema {
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("description".to_owned(), json!(what.trim()));
        }
        schemas.insert((*field).to_owned(), schema);
        values.push(((*field).to_owned(), sample));
    }
    Ok((schemas, values))
}

fn branch(kind: &Form, fields: &Map<String, Value>) -> Value {
    let required: Vec<&str> = kind.fields.iter().map(|(name, _)| *name).collect();
    let number = json!({"type": "integer", "minimum": 0});
    json!({
        "title": kind.kind, "description": kind.what.trim(), "type": "object", "additionalProperties": false,
        "required": ["seq", "prev", "prev_height", "height", "time", "who", "kind", "fields"],
        "properties": {
            "seq": number, "prev": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "prev_height": number,
            "height": number, "time": number, "who": {"type": "string"},
            "kind": {"type": "string", "enum": [kind.kind]},
            "fields": {
                "type": "object", "properties": fields, "required": required, "additionalProperties": false
            }
        }
    })
}

/// An entry that went through the chain's attributes.
fn example(entry: &Entry) -> Result<Value, ExportError> {
    let back = event::read_entry(&event::attributes(entry));
    let typed = back.as_ref().ok().and_then(|back| Event::read(back).ok().flatten());
    if back.as_ref() != Ok(entry) || typed.is_none_or(|typed| typed.fields() != entry.fields) {
        let (expected, found) = (format!("{entry:?}"), format!("{back:?}"));
        return Err(ExportError::Lossy { what: entry.kind.clone(), expected, found });
    }
    let fields: Map<String, Value> =
        entry.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    Ok(json!({
        "seq": entry.seq, "prev": entry.prev, "prev_height": entry.prev_height, "height": entry.height,
        "time": entry.time, "who": entry.who, "kind": entry.kind, "fields": fields
    }))
}
