//! Sets an agent up: its hands, its first status, and where the journal and the disk say that it is.

use std::time::Duration;

use concord_decide::{Agent, Limits, Settings, Step};
use tokio::sync::mpsc;

use super::error::AgentError;
use super::host::{Answer, Host, Started, look};
use super::record::Recalled;
use super::status::Status;
use super::{FOLDER_MODE, LOGS, SIGNER, now_ms, prober};
use crate::act::durable::create_dir;
use crate::act::fetch::{Bounds, Fetcher};
use crate::act::probe::Prober;
use crate::act::process::{Launch, Output, Patience, Slot};
use crate::act::signer::{Signer, SignerGuard, Turn};
use crate::act::store::Store;
use crate::config::AgentConfig;

/// How long a killed daemon's death may take to be proved.
const PROOF_LONGEST: Duration = Duration::from_secs(10);
/// A fetch hashes what is in the store before it asks anybody and what has arrived afterwards, and syncs it: with the
/// largest artifact, on a slow disk.
const HASHING: Duration = Duration::from_secs(900);
/// What work may take beyond its own bounds, before its answer counts as lost.
const SLACK: Duration = Duration::from_secs(30);

/// The agent's hands.
pub(super) fn host(config: &AgentConfig, answers: mpsc::Sender<Answer>) -> Result<Host, AgentError> {
    let home = &config.node.home;
    let store = Store::open(home)?;
    let slot = Slot::open(home, &store)?;
    let logs = home.join(LOGS);
    create_dir(&logs, FOLDER_MODE)?;
    create_dir(&config.daemon.folder, FOLDER_MODE)?;
    let launch = Launch {
        name: config.node.component.clone(),
        arguments: config.daemon.args.clone(),
        environment_keep: config.daemon.env_keep.clone(),
        environment: config.daemon.env.clone(),
        folder: config.daemon.folder.clone(),
        output: Output {
            stdout: logs.join("stdout.log"),
            stderr: logs.join("stderr.log"),
            bytes_max: config.daemon.log_bytes_max,
            keep: config.daemon.log_files_max,
        },
    };
    let bounds = Bounds {
        connect: Duration::from_secs(config.fetch.connect_timeout_seconds),
        idle: Duration::from_secs(config.fetch.stall_timeout_seconds),
        bytes_per_second_min: config.fetch.rate_bytes_per_second_min,
        bytes_per_second_max: config.fetch.rate_bytes_per_second_max,
        total: Duration::from_secs(config.fetch.total_timeout_seconds),
        bytes_max: config.fetch.bytes_max,
        ..Bounds::default()
    };
    let patience = Patience { grace: config.daemon.stop_grace, proof: PROOF_LONGEST };
    let checks = prober::checks(&config.health)?;
    let prober = Prober::new().map_err(AgentError::Prober)?;
    let signer = signer(config).map_err(AgentError::Prober)?;
    let home = config.node.home.clone();
    Ok(Host::new(home, store, slot, launch, patience, Fetcher::new(bounds)?, prober, checks, signer, answers))
}

/// A validator's guard and turn.
fn signer(config: &AgentConfig) -> Result<Option<Signer>, reqwest::Error> {
    let Some(state) = config.signer.state.clone() else { return Ok(None) };
    let guard = SignerGuard::new(state.relative(), config.node.home.join(SIGNER));
    let longest = Duration::from_secs(config.signer.turn_seconds_max);
    let turn = config.signer.rpc.as_deref().map(|rpc| Turn::new(rpc, longest)).transpose()?;
    Ok(Some(Signer { guard, turn }))
}

/// Takes up where the journal and the disk say that the node is.
pub(super) async fn resume(
    config: &AgentConfig,
    host: &mut Host,
    recalled: &Recalled,
) -> Result<(Agent, Step), AgentError> {
    let Some(memory) = recalled.memory.clone() else {
        return Err(AgentError::NotInitialised { folder: config.node.home.clone() });
    };
    host.started = recalled.run.clone().map(|(number, run)| Started {
        number,
        run,
        identity: recalled.identity.clone(),
        boot_id: recalled.boot_id.clone(),
    });
    let target = memory.target.as_ref().map(|target| target.artifact.digest);
    let (disk, daemon) =
        look(&host.store, &host.slot, host.started.clone(), None, host.patience, target).await;
    if let Some((number, daemon)) = daemon {
        tracing::info!(pid = daemon.identity().pid, "the running daemon is adopted");
        host.watch(number, daemon.clone());
        host.daemon = Some((number, daemon));
    }
    let mut settings = Settings::new(&config.node.platform);
    settings.artifact_bytes_max = config.fetch.bytes_max;
    settings.boot_ms = millis(config.daemon.boot);
    settings.limits = limits(Duration::from_secs(config.fetch.total_timeout_seconds), host.patience);
    settings.trial_blocks_min = config.trial.blocks_min;
    settings.trial_ms_min = config.trial.seconds_min.saturating_mul(1_000);
    Ok(Agent::resume(settings, memory, recalled.pending.clone(), disk, None, now_ms()?))
}

/// How long work may take: what has bounds of its own gets them and some slack. `fetch`: all tries of all addresses.
fn limits(fetch: Duration, patience: Patience) -> Limits {
    let stop = patience.grace.saturating_add(patience.proof).saturating_add(SLACK);
    let standard = Limits::default();
    Limits {
        fetch_ms: millis(fetch.saturating_add(HASHING)),
        stop_ms: millis(stop),
        // A look ends what a broken start left behind.
        look_ms: standard.look_ms.max(millis(stop)),
        ..standard
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A status that says nothing yet.
pub(super) fn blank(config: &AgentConfig) -> Status {
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        operator: config.node.operator.text().to_owned(),
        component: config.node.component.clone(),
        node_id: config.node.node_id.clone(),
        stage: String::new(),
        rollout: 0,
        attempt: 0,
        waiting_on: "view".to_owned(),
        sentence: String::new(),
        current: None,
        daemon: None,
        tip_height: 0,
        verified_height: 0,
        cursor_height: 0,
        source: None,
        activation: None,
        checks: Vec::new(),
        short_floors: None,
        downtime_ms: 0,
        outbox: 0,
        outbox_trouble: None,
        fault: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that is still within its own bounds must never count as lost.
    #[test]
    fn limits_are_longer_than_what_they_limit() {
        let fetch = Duration::from_secs(100);
        for grace in [0, 30, 3_600] {
            let patience = Patience { grace: Duration::from_secs(grace), proof: PROOF_LONGEST };
            let limits = limits(fetch, patience);
            let stop_ms = millis(patience.grace + patience.proof);
            assert!(limits.stop_ms > stop_ms && limits.look_ms > stop_ms, "{grace} s: {limits:?}");
            assert!(limits.fetch_ms > 100_000 && limits.fetch_ms <= 1_000_000, "{limits:?}");
        }
    }
}
