//! Drafts of proposals: from a TOML or JSON file, or from flags for the simple actions.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use concord_schema::brake::Scope;
use concord_schema::proposal::{Action, Draft, DraftError, Member};
use concord_schema::release::Document;
use concord_schema::{Digest, RolloutId};
use cosmwasm_std::Uint128;

/// No draft is longer than this: what a block takes is less.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// No document that is hashed here is longer than this.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// Why a draft is not usable.
#[derive(Debug, thiserror::Error)]
pub enum DraftFileError {
    /// A file cannot be read.
    #[error("cannot read {}; check its path and who may read it", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A file is too long.
    #[error("expected at most {bytes_max} bytes in {}, found more", path.display())]
    Oversize {
        /// Which file.
        path: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// The name does not tell the format.
    #[error("expected a file name that ends in .toml or .json, found {}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// The content is no draft.
    #[error("expected a draft in {}: {detail}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// A flag is missing or wrong.
    #[error("{0}")]
    Flag(String),
    /// The draft is out of bounds.
    #[error("the draft is out of bounds")]
    Bounds(#[from] DraftError),
}

/// Where a document is and what its digest is.
#[derive(Clone, Debug, Default, Args)]
pub struct DocumentArgs {
    /// Where the rationale can be read
    #[arg(long, value_name = "URI")]
    pub rationale_uri: Option<String>,
    /// SHA-256 of the rationale, in hex
    #[arg(long, value_name = "HEX", conflicts_with = "rationale_file")]
    pub rationale_digest: Option<Digest>,
    /// The rationale's text, to take the digest of
    #[arg(long, value_name = "FILE")]
    pub rationale_file: Option<PathBuf>,
}

impl DocumentArgs {
    /// The document, where one is given.
    ///
    /// # Errors
    /// [`DraftFileError`]: only half of it is given, or the file cannot be read.
    pub fn document(&self) -> Result<Option<Document>, DraftFileError> {
        let digest = match (&self.rationale_digest, &self.rationale_file) {
            (Some(digest), _) => Some(*digest),
            (None, Some(path)) => Some(Digest::of(&read(path, DOCUMENT_BYTES_MAX)?)),
            (None, None) => None,
        };
        match (&self.rationale_uri, digest) {
            (Some(uri), Some(digest)) => Ok(Some(Document { digest, uri: uri.clone() })),
            (None, None) => Ok(None),
            _ => Err(DraftFileError::Flag(
                "a rationale is --rationale-uri together with --rationale-digest or --rationale-file"
                    .to_owned(),
            )),
        }
    }
}

/// What is proposed.
#[derive(Clone, Debug, Args)]
pub struct DraftArgs {
    /// The draft as TOML or JSON (see docs/proposal.example.toml); the only way to start a rollout
    #[arg(value_name = "FILE", conflicts_with_all = [
        "title", "rationale_uri", "rationale_digest", "rationale_file", "lift_brake", "cancel", "resume", "roll_back",
        "set_member", "remove_member",
    ])]
    pub file: Option<PathBuf>,
    /// The title, without a file
    #[arg(long)]
    pub title: Option<String>,
    /// The rationale, without a file
    #[command(flatten)]
    pub rationale: DocumentArgs,
    /// Lifts the brake: `all`, or `component:NAME`
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope)]
    pub lift_brake: Option<Scope>,
    /// Cancels a rollout
    #[arg(long, value_name = "ROLLOUT", value_parser = parse_rollout)]
    pub cancel: Option<RolloutId>,
    /// Lets a halted rollout go on
    #[arg(long, value_name = "ROLLOUT", value_parser = parse_rollout)]
    pub resume: Option<RolloutId>,
    /// Takes a rollout back and denies its release
    #[arg(long, value_name = "ROLLOUT", value_parser = parse_rollout)]
    pub roll_back: Option<RolloutId>,
    /// Gives a member a weight; repeatable
    #[arg(long, value_name = "ADDRESS=WEIGHT", value_parser = parse_member)]
    pub set_member: Vec<Member>,
    /// Removes a member; repeatable
    #[arg(long, value_name = "ADDRESS")]
    pub remove_member: Vec<String>,
}

impl DraftArgs {
    /// The draft, checked against every bound that needs no chain.
    ///
    /// # Errors
    /// [`DraftFileError`].
    pub fn draft(&self) -> Result<Draft, DraftFileError> {
        let draft = match &self.file {
            Some(path) => from_file(path)?,
            None => self.assembled()?,
        };
        draft.check()?;
        Ok(draft)
    }

    fn assembled(&self) -> Result<Draft, DraftFileError> {
        let missing = |flag: &str| DraftFileError::Flag(format!("a draft without a file needs {flag}"));
        let title = self.title.clone().ok_or_else(|| {
            missing("--title, --rationale-uri and an action; docs/proposal.example.toml is a file")
        })?;
        let rationale = self.rationale.document()?.ok_or_else(|| missing("--rationale-uri"))?;
        let mut actions = Vec::new();
        actions.extend(self.lift_brake.clone().map(|scope| Action::LiftBrake { scope }));
        actions.extend(self.cancel.map(|rollout| Action::CancelRollout { rollout }));
        actions.extend(self.resume.map(|rollout| Action::ResumeRollout { rollout }));
        actions.extend(self.roll_back.map(|rollout| Action::RollBackRollout { rollout }));
        if !self.set_member.is_empty() || !self.remove_member.is_empty() {
            let (set, remove) = (self.set_member.clone(), self.remove_member.clone());
            actions.push(Action::ChangeMembers { set, remove });
        }
        if actions.is_empty() {
            return Err(missing("an action, such as --cancel ROLLOUT or --set-member ADDRESS=WEIGHT"));
        }
        Ok(Draft { title, rationale, actions })
    }
}

/// The digest of a draft's content: what voters expect. `None` only if the draft cannot be written as JSON at all.
#[must_use]
pub fn digest(draft: &Draft) -> Option<Digest> {
    draft.digest().ok()
}

/// Reads a draft file; the ending of its name tells the format.
///
/// # Errors
/// [`DraftFileError`].
pub fn from_file(path: &Path) -> Result<Draft, DraftFileError> {
    let content = |detail: String| DraftFileError::Content { path: path.to_owned(), detail };
    let ending = path.extension().and_then(|ending| ending.to_str());
    let bytes = match ending {
        Some("toml" | "json") => read(path, FILE_BYTES_MAX)?,
        _ => return Err(DraftFileError::Format { path: path.to_owned() }),
    };
    let text = String::from_utf8(bytes).map_err(|error| content(error.to_string()))?;
    if ending == Some("toml") {
        toml::from_str(&text).map_err(|error| content(error.to_string().trim_end().to_owned()))
    } else {
        serde_json::from_str(&text).map_err(|error| content(error.to_string()))
    }
}

/// Reads a file that may not be longer than `bytes_max`.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, DraftFileError> {
    let failed = |source| DraftFileError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(DraftFileError::Oversize { path: path.to_owned(), bytes_max });
    }
    Ok(bytes)
}

/// `all`, or `component:NAME`.
pub(super) fn parse_scope(text: &str) -> Result<Scope, String> {
    match text.split_once(':') {
        None if text == "all" => Ok(Scope::All),
        Some(("component", name)) => {
            concord_schema::text::name("component", name).map_err(|error| error.to_string())?;
            Ok(Scope::Component(name.to_owned()))
        }
        _ => Err("expected `all` or `component:NAME`".to_owned()),
    }
}

fn parse_rollout(text: &str) -> Result<RolloutId, String> {
    text.parse().map(RolloutId).map_err(|_| "expected a rollout's number".to_owned())
}

fn parse_member(text: &str) -> Result<Member, String> {
    let wrong = || "expected ADDRESS=WEIGHT, such as wasm1...=10".to_owned();
    let (addr, weight) = text.split_once('=').ok_or_else(wrong)?;
    let weight: u128 = weight.parse().map_err(|_| wrong())?;
    Ok(Member { addr: addr.to_owned(), weight: Uint128::new(weight) })
}

#[cfg(test)]
#[path = "draft/tests.rs"]
mod tests;
