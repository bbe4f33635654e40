//! What is hashed and signed outside of the chain, with every step of an example.

use concord_schema::Digest;
use concord_schema::adr36::sign_doc;
use concord_schema::attestation::Statement;
use concord_schema::proposal::{Content, Draft};
use concord_schema::release::Release;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::document::{self, Document};
use crate::error::ExportError;
use crate::sample::{AUDITOR, CONTRACT, Samples};

const CHAIN_ID: &str = "concord-devnet";

/// The example: digests of a release and of a draft, and both ways to sign a statement.
///
/// # Errors
/// [`ExportError`] for a sample that is no such value.
pub fn documents(samples: &Samples) -> Result<Vec<Document>, ExportError> {
    let release: Release = read("release", &samples.release)?;
    let draft: Draft = read("draft", &samples.draft)?;
    let statement: Statement = read("statement", &samples.statement())?;
    let encoded = serde_json::to_string(&Content::of(&draft))
        .map_err(|error| ExportError::Sample { what: "draft".to_owned(), error })?;
    let bytes = statement.sign_bytes(CHAIN_ID, CONTRACT, AUDITOR);
    let text = statement.wallet_text(CHAIN_ID, CONTRACT, AUDITOR);
    let doc = sign_doc(AUDITOR, text.as_bytes());
    let mut body = document::head("signing");
    body.insert(
        "description".to_owned(),
        json!(
            "An example of everything that is hashed or signed outside of the chain. A registered ed25519 key signs \
             statement_bytes, a secp256k1 key their SHA-256; a wallet signs the SHA-256 of adr36_document."
        ),
    );
    let digests = json!({
        "release": samples.release, "release_digest": release.digest(),
        "platforms_digest": release.platforms_digest(), "content_bytes": encoded,
        "draft_digest": samples.draft_digest
    });
    body.insert("digests".to_owned(), digests);
    let signed = json!({
        "chain_id": CHAIN_ID, "contract": CONTRACT, "auditor": AUDITOR, "statement": statement,
        "statement_bytes": hex::encode(&bytes), "statement_sha256": Digest::of(&bytes), "wallet_text": text,
        "adr36_document": String::from_utf8_lossy(&doc), "adr36_sha256": Digest::of(&doc)
    });
    body.insert("attestation".to_owned(), signed);
    Ok(vec![Document { name: "signing".to_owned(), body: Value::Object(body) }])
}

fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, ExportError> {
    serde_json::from_value(value.clone())
        .map_err(|error| ExportError::Sample { what: what.to_owned(), error })
}
