//! `concord retry`: the owner's word that what failed on this node may be tried again. It is a file in the agent's folder,
//! so it needs no agent that runs now and no way into one; the agent takes it up at its next turn.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use concord_decide::Stage;
use concord_schema::Digest;
use serde::Serialize;

use super::error::AgentError;
use super::record::{Recalled, Record};
use super::{JOURNAL, RETRY};
use crate::act::durable::{DiskError, fsync_dir, replace_file};
use crate::act::store::open_plain;
use crate::causes::told;
use crate::config::AgentConfig;
use crate::journal::{Journal, Limits};

const FILE_MODE: u32 = 0o600;
/// A request is looked for once in so long: it is a person who waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A request is one line; a longer file is none.
const BYTES_MAX: u64 = 1_024;

/// What was asked for, and what it will change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetryAsked {
    /// The agent's folder.
    pub home: String,
    /// The request's name.
    pub request: Digest,
    /// Artifacts that the node denies by itself until then.
    pub denied: Vec<Digest>,
    /// Why it refuses the newest rollout, if it does.
    pub refused: Option<String>,
}

/// Leaves a request for the agent of this folder, durably. A later one replaces one that was not taken up yet.
///
/// # Errors
/// [`AgentError::NeverRan`] where nothing was handed to an agent, [`AgentError::NotOwner`] for a request that its agent
/// could not read, or the disk.
pub fn retry(config: &AgentConfig) -> Result<RetryAsked, AgentError> {
    let home = &config.node.home;
    let never = || AgentError::NeverRan { folder: home.clone() };
    let journal = home.join(JOURNAL);
    if !journal.is_dir() {
        return Err(never());
    }
    let owner = home.metadata().map_err(|e| DiskError::new("look at", home, e))?.uid();
    let found = rustix::process::geteuid().as_raw();
    if owner != found {
        return Err(AgentError::NotOwner { folder: home.clone(), owner, found });
    }
    let contents = Journal::<Record>::inspect(&journal, Limits::default())?;
    let recalled = Recalled::of(contents.entries.into_iter().map(|entry| entry.record));
    let memory = recalled.memory.ok_or_else(never)?;
    // Random, so that every request is another one and each counts once.
    let text = format!("{:032x}\n", rand::random::<u128>());
    replace_file(&home.join(RETRY), text.as_bytes(), FILE_MODE)?;
    Ok(RetryAsked {
        home: home.display().to_string(),
        request: Digest::of(text.as_bytes()),
        denied: memory.denied.iter().map(|denied| denied.artifact).collect(),
        refused: memory.why.filter(|_| memory.stage == Stage::Refused),
    })
}

/// The requests in an agent's folder.
#[derive(Debug)]
pub(super) struct Requests {
    home: PathBuf,
    is_told: bool,
    looked: Option<Instant>,
}

impl Requests {
    pub(super) fn of(home: &Path) -> Self {
        Self { home: home.to_path_buf(), is_told: false, looked: None }
    }

    /// As [`Requests::waiting`], where the last look was long enough before `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<Digest> {
        if self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < LOOK_EVERY) {
            return None;
        }
        self.looked = Some(now);
        self.waiting()
    }

    /// The request that waits, by its name.
    fn waiting(&mut self) -> Option<Digest> {
        match read(&self.home.join(RETRY)) {
            Ok(None) => {
                self.is_told = false;
                None
            }
            Ok(Some(bytes)) => Some(Digest::of(&bytes)),
            Err(error) => {
                self.tell(&error, "a request to retry cannot be read");
                None
            }
        }
    }

    /// Removes what is in the journal now. One that cannot be removed counts once all the same.
    pub(super) fn remove(&mut self) {
        let path = self.home.join(RETRY);
        let removed = std::fs::remove_file(&path).map_err(|e| DiskError::new("remove", &path, e));
        if let Err(error) = removed.and_then(|()| fsync_dir(&self.home)) {
            self.tell(&error, "a request to retry that was taken up cannot be removed");
        }
    }

    /// Once, and not at every turn.
    fn tell(&mut self, error: &DiskError, what: &str) {
        if !self.is_told {
            tracing::warn!(why = told(error), "{what}");
        }
        self.is_told = true;
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let failed = |e| DiskError::new("read", path, e);
    let file = match open_plain(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() || meta.len() > BYTES_MAX {
        let what = format!("expected an ordinary file of at most {BYTES_MAX} bytes; remove it");
        return Err(failed(std::io::Error::other(what)));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use concord_decide::{Denied, Memory, Served};

    use super::*;
    use crate::config::{Flags, Layers};

    fn config(folder: &Path) -> AgentConfig {
        let file = folder.join("agent.toml");
        std::fs::write(&file, include_str!("../../../docs/agent.example.toml")).unwrap();
        Layers { file: Some(file), variables: Vec::new(), flags: Flags::default() }.agent().unwrap()
    }

    #[test]
    fn a_folder_that_no_agent_ever_ran_in_is_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        for part in ["", JOURNAL] {
            if !part.is_empty() {
                std::fs::create_dir_all(config.node.home.join(part)).unwrap();
            }
            let error = retry(&config).unwrap_err();
            assert!(matches!(error, AgentError::NeverRan { .. }), "{error}");
            assert!(error.to_string().starts_with("no agent ever ran in "), "{error}");
        }
        assert!(!config.node.home.join(RETRY).exists());
    }

    #[test]
    fn a_request_is_a_file_for_its_owner_and_says_what_it_lifts() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let home = config.node.home.clone();
        std::fs::create_dir(&home).unwrap();
        let digest = Digest::of(b"v1");
        let denied = Digest::of(b"v2");
        let mut memory = Memory::new(Served { release: digest, version: "1.0.0".into(), artifact: digest });
        memory.denied.push(Denied { release: digest, artifact: denied });
        memory.stage = Stage::Refused;
        memory.why = Some("it failed here".to_owned());
        let mut journal = Journal::<Record>::open(&home.join(JOURNAL), Limits::default()).unwrap().0;
        let step = Record::Step { at_ms: 1, memory: Box::new(memory), effects: Vec::new() };
        journal.append(&step).unwrap();
        let first = retry(&config).unwrap();
        assert_eq!((first.denied.clone(), first.refused.as_deref()), (vec![denied], Some("it failed here")));
        let mode = std::fs::metadata(home.join(RETRY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let mut requests = Requests::of(&home);
        assert_eq!(requests.waiting(), Some(first.request));
        let second = retry(&config).unwrap();
        assert_ne!(second.request, first.request, "each request is another one");
        assert_eq!(requests.waiting(), Some(second.request));
        requests.remove();
        assert_eq!(requests.waiting(), None);
    }

    #[test]
    fn a_request_is_looked_for_once_a_second() {
        let home = tempfile::tempdir().unwrap();
        let mut requests = Requests::of(home.path());
        let began = Instant::now();
        assert_eq!(requests.due(began), None);
        std::fs::write(home.path().join(RETRY), "a request").unwrap();
        let due = |requests: &mut Requests, ms| requests.due(began + Duration::from_millis(ms)).is_some();
        for (ms, is_seen) in [(50, false), (999, false), (1_000, true), (1_999, false), (2_000, true)] {
            assert_eq!(due(&mut requests, ms), is_seen, "after {ms} ms");
        }
    }

    #[test]
    fn what_is_no_request_is_left_alone_and_told_once() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(RETRY);
        let mut requests = Requests::of(home.path());
        std::fs::create_dir(&path).unwrap();
        assert_eq!((requests.waiting(), requests.is_told), (None, true));
        std::fs::remove_dir(&path).unwrap();
        assert_eq!((requests.waiting(), requests.is_told), (None, false));
        for (bytes, counts) in [(BYTES_MAX, true), (BYTES_MAX + 1, false)] {
            std::fs::write(&path, vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
            assert_eq!(requests.waiting().is_some(), counts, "{bytes}");
        }
    }
}
