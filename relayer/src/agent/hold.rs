//! The binary that is started next, opened and hashed while the old one still runs (design 5, "Verification fails
//! closed"): between that and its start nobody can put another file under its name, and no hashing prolongs the outage.

use std::sync::{Arc, Mutex, PoisonError};

use concord_schema::Digest;

use crate::act::store::{Store, StoreError, Verified};
use crate::causes::told;

/// The open binary of the switch under way. Nothing of it survives the agent: the next one opens and hashes anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<Option<Arc<Verified>>>>);

impl Held {
    /// Opens an artifact, hashes it through the descriptor, and keeps that. Blocks for about 1 ms a megabyte. One that is
    /// damaged leaves the store, unless `current` needs its name, so that it is fetched again.
    ///
    /// # Errors
    /// As [`Store::open_verified`]; nothing is held then.
    pub(super) fn take(&self, store: &Store, digest: &Digest) -> Result<(), StoreError> {
        self.release();
        match store.open_verified(digest) {
            Ok(verified) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(verified));
                Ok(())
            }
            Err(error) => {
                if matches!(error, StoreError::Corrupt { .. }) {
                    store.discard(digest)?;
                }
                Err(error)
            }
        }
    }

    /// The descriptor to execute, of bytes that hash to `digest` now: the held one if it is of them and unchanged, else
    /// the store's own, opened and hashed here. Blocks as [`Held::take`].
    ///
    /// # Errors
    /// As [`Store::open_verified`].
    pub(super) fn open(&self, store: &Store, digest: &Digest) -> Result<Arc<Verified>, StoreError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = held.filter(|held| held.digest == *digest) {
            match held.recheck(store) {
                Ok(()) => return Ok(held),
                Err(error) => {
                    tracing::warn!(
                        why = told(&error),
                        "the binary that was held open is not the verified one any more"
                    );
                    self.release();
                }
            }
        }
        store.open_verified(digest).map(Arc::new)
    }

    /// Lets it go: the switch is over, one way or the other.
    pub(super) fn release(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use super::super::host::start;
    use super::*;
    use crate::act::process::{Launch, Output, Patience, Run, RunToken, Slot};
    use crate::act::store::Offered;

    const PATIENCE: Patience = Patience { grace: Duration::from_secs(10), proof: Duration::from_secs(10) };

    /// A store with a copy of the shell, to which `current` points.
    fn place(folder: &Path) -> (Store, Slot, Launch, Digest) {
        let store = Store::open(folder).unwrap();
        let slot = Slot::open(folder, &store).unwrap();
        let shell = Digest::of(&std::fs::read("/bin/sh").unwrap());
        store.take_over(Offered::open(Path::new("/bin/sh"), &shell, 64 << 20).unwrap(), &|_, _| ()).unwrap();
        store.switch(&shell).unwrap();
        let launch = Launch {
            name: "daemon".into(),
            arguments: vec!["-c".into(), "while :; do sleep 0.05; done".into()],
            environment_keep: vec!["PATH".into()],
            environment: BTreeMap::new(),
            folder: folder.into(),
            output: Output {
                stdout: folder.join("out.log"),
                stderr: folder.join("err.log"),
                bytes_max: 1 << 20,
                keep: 1,
            },
        };
        (store, slot, launch, shell)
    }

    fn put_other_bytes(path: &Path) {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, b"#!/bin/sh\necho other bytes").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap();
    }

    fn touch(path: &Path) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o500)).unwrap();
    }

    fn write_into(path: &Path) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"x").unwrap();
    }

    /// NODE-2: what was verified before the stop is what runs after it, whatever became of its name meanwhile, and bytes
    /// that were written into it are never run.
    #[tokio::test]
    async fn the_descriptor_that_was_hashed_is_the_one_that_is_executed() {
        type Meanwhile = fn(&Path);
        let table: [(&str, bool, Meanwhile, bool); 6] = [
            ("held, nothing happens", true, |_| (), true),
            ("held, then another file takes its name", true, put_other_bytes, true),
            ("held, then touched", true, touch, true),
            ("held, then it is written into", true, write_into, false),
            ("not held, as after a restart of the agent", false, |_| (), true),
            ("not held, and another file took its name", false, put_other_bytes, false),
        ];
        for (what, is_held, meanwhile, starts) in table {
            let folder = tempfile::tempdir().unwrap();
            let (store, slot, launch, shell) = place(folder.path());
            let held = Held::default();
            if is_held {
                held.take(&store, &shell).unwrap();
            }
            meanwhile(&store.path_of(&shell));
            let run = Run { token: RunToken::random(), executable: shell };
            match start(&store, &slot, &launch, &held, &run).await {
                Ok(daemon) => {
                    let pid = daemon.identity().pid;
                    let found = Digest::of(&std::fs::read(format!("/proc/{pid}/exe")).unwrap());
                    daemon.stop(PATIENCE).await.unwrap();
                    assert!(starts && found == shell, "{what}");
                }
                Err(why) => assert!(!starts && why.contains("has the digest"), "{what}: {why}"),
            }
        }
    }

    #[test]
    fn a_damaged_artifact_is_not_held_and_leaves_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, _, shell) = place(folder.path());
        let held = Held::default();
        let mut draft = store.draft().unwrap();
        draft.write_all(b"the new release").unwrap();
        let new = Digest::of(b"the new release");
        store.publish(draft, &new).unwrap();
        held.take(&store, &new).unwrap();
        put_other_bytes(&store.path_of(&new));
        assert!(matches!(held.take(&store, &new), Err(StoreError::Corrupt { .. })));
        assert!(!store.holds(&new), "it is to be fetched again");
        // What `current` names stays, damaged or not: a missing one would be a fault of its own.
        put_other_bytes(&store.path_of(&shell));
        assert!(matches!(held.take(&store, &shell), Err(StoreError::Corrupt { .. })));
        assert!(store.holds(&shell));
        assert!(matches!(held.take(&store, &new), Err(StoreError::Absent { .. })));
    }
}
