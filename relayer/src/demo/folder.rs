//! The demo's folder: its own, readable by its owner only, and gone at the end unless it is kept.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rand::RngCore as _;

use super::error::{DemoError, file};

/// A folder of the demo.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// Makes a folder: the one to keep, or a temporary one.
    ///
    /// # Errors
    /// [`DemoError::Occupied`] and [`DemoError::File`].
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self, DemoError> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("concord-demo-{:016x}", rand::rngs::OsRng.next_u64())),
        };
        std::fs::DirBuilder::new()
            .recursive(keep.is_some())
            .mode(0o700)
            .create(&path)
            .map_err(file("create", &path))?;
        let path = path.canonicalize().map_err(file("find", &path))?;
        if std::fs::read_dir(&path).map_err(file("list", &path))?.next().is_some() {
            return Err(DemoError::Occupied { path });
        }
        Ok(Self { path, is_kept: keep.is_some() })
    }

    /// Where it is.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, unless it is kept.
    ///
    /// # Errors
    /// [`DemoError::File`].
    pub(crate) fn remove(self) -> Result<(), DemoError> {
        if self.is_kept {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.path).map_err(file("remove", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_a_kept_one_stays() {
        let temporary = Folder::new(None).unwrap();
        let path = temporary.path().to_owned();
        std::fs::write(path.join("file"), "x").unwrap();
        temporary.remove().unwrap();
        assert!(!path.exists());
        let parent = tempfile::tempdir().unwrap();
        let wanted = parent.path().join("deep/er");
        let kept = Folder::new(Some(&wanted)).unwrap();
        std::fs::write(kept.path().join("file"), "x").unwrap();
        kept.remove().unwrap();
        assert!(wanted.join("file").exists());
        assert!(matches!(Folder::new(Some(&wanted)), Err(DemoError::Occupied { .. })));
    }
}
