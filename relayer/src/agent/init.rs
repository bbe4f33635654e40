//! `concord init --adopt PATH`: hands a node that runs today to the agent. The binary must be what the chain says that
//! the fleet runs, byte by byte (NODE-2).

use std::path::Path;

use concord_decide::{Memory, Served};
use concord_schema::Digest;
use serde::Serialize;

use super::adopted;
use super::bar::DownloadBar;
use super::error::AgentError;
use super::record::{Recalled, Record};
use super::view::Viewer;
use super::{FOLDER_MODE, JOURNAL, now_ms};
use crate::act::durable::create_dir;
use crate::act::process::check_program;
use crate::act::store::{Link, Offered, Store, StoreError};
use crate::chain::Chain;
use crate::config::AgentConfig;
use crate::journal::{FolderLock, Journal, Limits};

/// How often a command asks all endpoints.
const TRIES_MAX: u32 = 3;

/// What was adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// The component.
    pub component: String,
    /// Its current version.
    pub version: String,
    /// Digest of the release.
    pub release: Digest,
    /// Digest of the binary.
    pub artifact: Digest,
    /// The agent's folder.
    pub home: String,
    /// Processes that run the binary from where it was. The agent starts none of its own before they ended.
    pub still_running: Vec<u32>,
}

/// What is taken over.
#[derive(Clone, Copy, Debug)]
pub struct Adopt<'a> {
    /// The binary.
    pub program: &'a Path,
    /// Processes that execute it now are other nodes' and may go on.
    pub others_run: bool,
}

/// Hashes the binary, demands the digest of the component's current release for this platform, stores it durably,
/// points `current` at it, and begins the journal. Repeating it after a crash is safe.
///
/// # Errors
/// [`AgentError`]; a folder with a history is refused.
pub async fn init(config: &AgentConfig, adopt: Adopt<'_>) -> Result<Adopted, AgentError> {
    let Adopt { program, others_run } = adopt;
    let home = &config.node.home;
    create_dir(home, FOLDER_MODE)?;
    let lock = FolderLock::take(home)?;
    let journal_folder = home.join(JOURNAL);
    create_dir(&journal_folder, FOLDER_MODE)?;
    let store = Store::open(home)?;
    let (mut journal, contents) = Journal::<Record>::open(&journal_folder, Limits::default())?;
    let recalled = Recalled::of(contents.entries.into_iter().map(|entry| entry.record));
    let serving = recalled.memory.map(|memory| memory.serves.artifact);
    // A start in a journal whose beginning is lost may still have its daemon.
    if let Some(digest) = serving.or(recalled.run.map(|(_, run)| run.executable)) {
        return Err(AgentError::Initialised { folder: home.clone(), digest: digest.to_string() });
    }
    let served = served(config).await?;
    let offered = Offered::open(program, &served.artifact, config.fetch.bytes_max);
    let offered = offered.map_err(|error| match error {
        StoreError::OtherBytes { path, found, expected } => AgentError::NotBaseline {
            path,
            found: found.to_string(),
            release: format!("{} {} for {}", config.node.component, served.version, config.node.platform),
            expected: expected.to_string(),
        },
        other => other.into(),
    })?;
    // Else the agent could never start what it takes over. Nothing of it is stored then.
    check_program(offered.file(), served.artifact)?;
    let bar = DownloadBar::new("take over", program.metadata().map_or(0, |meta| meta.len()));
    store.take_over(offered, &|bytes, _| bar.at(bytes))?;
    drop(bar);
    store.point(Link::Current, &served.artifact)?;
    let still_running = if others_run {
        adopted::forget(home)?;
        Vec::new()
    } else {
        adopted::remember(home, program)?
    };
    journal.append(&Record::Step {
        at_ms: now_ms()?,
        memory: Box::new(Memory::new(served.clone())),
        effects: Vec::new(),
    })?;
    drop(lock);
    Ok(Adopted {
        component: config.node.component.clone(),
        version: served.version,
        release: served.release,
        artifact: served.artifact,
        home: home.display().to_string(),
        still_running,
    })
}

/// The component's current release on this platform, as the chain has it.
async fn served(config: &AgentConfig) -> Result<Served, AgentError> {
    let rpc = config.chain.client(TRIES_MAX)?;
    let chain = config.chain.reader(&rpc, &config.node.home);
    let height = chain.head().await?.height;
    let node = &config.node;
    let mut viewer =
        Viewer::new(config.chain.contract.clone(), node.operator.text(), &node.component, &node.node_id);
    let component = viewer.component(&chain, height).await?;
    let release = viewer.release(&chain, &component.current, height).await?;
    match release.artifact(&node.platform) {
        Some(artifact) => Ok(Served {
            release: component.current,
            version: release.version.clone(),
            artifact: artifact.digest,
        }),
        None => Err(AgentError::NoPlatform {
            component: node.component.clone(),
            version: release.version.clone(),
            platform: node.platform.clone(),
            platforms: release
                .artifacts
                .iter()
                .map(|artifact| artifact.platform.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}
