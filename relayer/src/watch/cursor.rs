//! The height up to which every block was applied, on disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::act::durable::replace_file;

/// The cursor of one contract on one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    version: u32,
    chain_id: String,
    contract: String,
    /// Every block up to and including this one was applied.
    pub height: u64,
}

const VERSION: u32 = 1;
const FILE_BYTES_MAX: u64 = 4096;

/// Why a cursor cannot be used. A cursor is never thrown away by itself: that would skip blocks in silence.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The file system said no.
    #[error("cannot {verb} cursor {path}; check the disk and the rights of its folder")]
    File {
        /// read or write.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The content is no cursor.
    #[error("expected a cursor of version {VERSION} in {path}, found {found}; remove it to start at the tip")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// It belongs to another chain or contract.
    #[error(
        "expected the cursor {path} to be about {expected}, found {found}; give this agent its own folder"
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// The configured chain and contract.
        expected: String,
        /// The cursor's chain and contract.
        found: String,
    },
}

impl Cursor {
    /// A cursor at `height`.
    #[must_use]
    pub fn at(height: u64, chain_id: &str, contract: &str) -> Self {
        Self { version: VERSION, chain_id: chain_id.to_owned(), contract: contract.to_owned(), height }
    }

    /// Reads a cursor; `None` when there is no file.
    ///
    /// # Errors
    /// [`CursorError`], by cause.
    pub fn load(path: &Path, chain_id: &str, contract: &str) -> Result<Option<Self>, CursorError> {
        let failed = |source| CursorError::File { verb: "read", path: path.to_owned(), source };
        let content = |found: String| CursorError::Content { path: path.to_owned(), found };
        let facts = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            facts => facts.map_err(failed)?,
        };
        if facts.len() > FILE_BYTES_MAX {
            return Err(content(format!("{} bytes", facts.len())));
        }
        let bytes = std::fs::read(path).map_err(failed)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|error| content(error.to_string()))?;
        if cursor.version != VERSION {
            return Err(content(format!("version {}", cursor.version)));
        }
        if cursor.chain_id != chain_id || cursor.contract != contract {
            return Err(CursorError::Foreign {
                path: path.to_owned(),
                expected: format!("{chain_id} {contract}"),
                found: format!("{} {}", cursor.chain_id, cursor.contract),
            });
        }
        Ok(Some(cursor))
    }

    /// Writes it durably: after this returns, a power loss does not take it back.
    ///
    /// # Errors
    /// [`CursorError::File`].
    pub async fn keep(&self, path: &Path) -> Result<(), CursorError> {
        let failed = |source| CursorError::File { verb: "write", path: path.to_owned(), source };
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let owned = path.to_owned();
        let written = tokio::task::spawn_blocking(move || replace_file(&owned, &bytes, 0o600)).await;
        written.map_err(|error| failed(std::io::Error::other(error)))?.map_err(|error| failed(error.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cursor_comes_back_for_its_own_chain_and_contract_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor.json");
        assert_eq!(Cursor::load(&path, "c-1", "wasm1a").unwrap(), None);
        let cursor = Cursor::at(77, "c-1", "wasm1a");
        cursor.keep(&path).await.unwrap();
        assert_eq!(Cursor::load(&path, "c-1", "wasm1a").unwrap(), Some(cursor));
        assert!(matches!(Cursor::load(&path, "c-2", "wasm1a"), Err(CursorError::Foreign { .. })));
        assert!(matches!(Cursor::load(&path, "c-1", "wasm1b"), Err(CursorError::Foreign { .. })));
    }

    #[test]
    fn what_is_no_cursor_is_an_error_and_not_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor.json");
        let wrong = [
            String::new(),
            "{}".into(),
            "{\"version\":2,\"chain_id\":\"c-1\",\"contract\":\"wasm1a\",\"height\":1}".into(),
            "{\"version\":1,\"chain_id\":\"c-1\",\"contract\":\"wasm1a\",\"height\":1,\"x\":1}".into(),
            " ".repeat(5000),
        ];
        for text in wrong {
            std::fs::write(&path, &text).unwrap();
            assert!(
                matches!(Cursor::load(&path, "c-1", "wasm1a"), Err(CursorError::Content { .. })),
                "{text}"
            );
        }
    }
}
