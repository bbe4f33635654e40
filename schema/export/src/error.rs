//! Why the interface cannot be written.

use std::path::PathBuf;

/// Why the interface cannot be written, or is not what is there.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A sample is not a value of its type.
    #[error("the sample of {what} is no value of its type; mend it in schema/export/src")]
    Sample {
        /// Which document.
        what: String,
        /// Where.
        #[source]
        error: serde_json::Error,
    },
    /// The docs' example of a proposal cannot be read.
    #[error("docs/proposal.example.toml is no proposal")]
    Proposal(#[source] toml::de::Error),
    /// A sample loses something on its way through its type.
    #[error("the sample of {what} does not survive serde: expected {expected}, found {found}")]
    Lossy {
        /// Which document.
        what: String,
        /// As written.
        expected: String,
        /// As read and written again.
        found: String,
    },
    /// A variant has no sample.
    #[error("{what} has no sample of {variant:?}; add one in schema/export/src")]
    Uncovered {
        /// Which document.
        what: String,
        /// Which variant.
        variant: String,
    },
    /// An event's field has no form.
    #[error(
        "event {kind:?} has a field {field:?} that no form is known of; add it in schema/export/src/events.rs"
    )]
    Form {
        /// The event's kind.
        kind: String,
        /// The field.
        field: String,
    },
    /// What is stored names another version of the facts.
    #[error("the facts under {namespace:?} are of version {found}, expected {expected}")]
    Version {
        /// Which.
        namespace: String,
        /// Found.
        found: u64,
        /// Expected.
        expected: u8,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The files are not what the code says.
    #[error("{} file(s) are not what the code says: {}; run scripts/schemas.sh", .paths.len(), .paths.join(", "))]
    Stale {
        /// Which.
        paths: Vec<String>,
    },
}
