//! The folder that holds the files.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::error::ExportError;

/// How deep the files lie, and no deeper is looked.
const DEPTH_MAX: usize = 2;

/// What is to be done with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write what has changed, and remove what is no longer there.
    Write,
    /// Write nothing; say what differs.
    Check,
}

/// Writes or checks all files, and the table of keys in the page for integrators.
///
/// # Errors
/// [`ExportError::File`], and [`ExportError::Stale`] in [`Mode::Check`].
pub fn settle(folder: &Path, documents: &[Document], mode: Mode) -> Result<(), ExportError> {
    let wanted: BTreeMap<PathBuf, String> = documents
        .iter()
        .map(|document| (folder.join(format!("{}.json", document.name)), document.text()))
        .collect();
    let mut stale = Vec::new();
    for path in present(folder, DEPTH_MAX)?.into_iter().filter(|path| !wanted.contains_key(path)) {
        stale.push(path.display().to_string());
        if mode == Mode::Write {
            fs::remove_file(&path).map_err(|error| ExportError::File { doing: "remove", path, error })?;
        }
    }
    for (path, text) in &wanted {
        stale.extend(put(path, text, mode)?);
    }
    finish(stale, mode)
}

/// Writes or checks one file; its path if it was not as wanted.
///
/// # Errors
/// [`ExportError::File`].
pub fn put(path: &Path, text: &str, mode: Mode) -> Result<Option<String>, ExportError> {
    let told = |doing| move |error| ExportError::File { doing, path: path.to_owned(), error };
    match fs::read_to_string(path) {
        Ok(found) if found == text => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(told("read")(error)),
    }
    if mode == Mode::Write {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(told("make the folder of"))?;
        }
        fs::write(path, text).map_err(told("write"))?;
    }
    Ok(Some(path.display().to_string()))
}

/// Refuses differences in [`Mode::Check`].
///
/// # Errors
/// [`ExportError::Stale`].
pub fn finish(stale: Vec<String>, mode: Mode) -> Result<(), ExportError> {
    if mode == Mode::Check && !stale.is_empty() {
        return Err(ExportError::Stale { paths: stale });
    }
    Ok(())
}

fn present(folder: &Path, depth: usize) -> Result<Vec<PathBuf>, ExportError> {
    let told = |error| ExportError::File { doing: "list", path: folder.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(told)?.path();
        if path.is_dir() && depth > 1 {
            found.extend(present(&path, depth - 1)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
