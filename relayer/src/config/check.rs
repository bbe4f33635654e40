//! Bounds of values, checked once, at the door.

use std::net::SocketAddr;
use std::path::Path;

use concord_prove::{DRIFT_SECONDS_MAX, TRUSTING_SECONDS_MAX};
use concord_schema::release::ARTIFACT_BYTES_MAX;

use super::error::ConfigError;
use super::layers::Merged;
use super::settings::{Check, Settings};
use crate::chain::light::CHECKSUMS_MAX;
use crate::chain::rpc::ENDPOINTS_MAX;

/// A day: no wait of an agent on its host is longer.
const DAY_SECONDS: u64 = 86_400;
/// The most arguments, variables or checks.
const LIST_MAX: usize = 64;

/// Refuses what nothing could run with.
pub(super) fn check(settings: &Settings, merged: &Merged) -> Result<(), ConfigError> {
    for (key, found, min, max) in numbers(settings) {
        if !(min..=max).contains(&found) {
            return Err(merged.refuse(key, format!("expected {min} to {max}, found {found}")));
        }
    }
    let lists = [
        ("chain.rpc", settings.chain.rpc.len(), ENDPOINTS_MAX),
        ("chain.checksums", settings.chain.checksums.len(), CHECKSUMS_MAX),
        ("daemon.args", settings.daemon.args.len(), LIST_MAX),
        ("daemon.env", settings.daemon.env.len(), LIST_MAX),
        ("daemon.env_keep", settings.daemon.env_keep.len(), LIST_MAX),
        ("health.required", settings.health.required.len(), LIST_MAX),
        ("health.wanted", settings.health.wanted.len(), LIST_MAX),
    ];
    for (key, found, max) in lists {
        if found > max {
            return Err(merged.refuse(key, format!("expected at most {max} entries, found {found}")));
        }
    }
    if let Some(rpc) = settings.signer.rpc.as_deref().filter(|rpc| !rpc.starts_with("http://")) {
        let reason = format!("expected the validator's own RPC, which begins with http://, found {rpc:?}");
        return Err(merged.refuse("signer.rpc", reason));
    }
    let listen = settings.http.listen;
    if !listen.ip().is_loopback() {
        let reason = format!(
            "expected a loopback address such as 127.0.0.1:26680, found {listen}; put a proxy before it to show it to others"
        );
        return Err(merged.refuse("http.listen", reason));
    }
    for (name, checks) in
        [("health.required", &settings.health.required), ("health.wanted", &settings.health.wanted)]
    {
        for (index, check) in checks.iter().enumerate() {
            check_one(check).map_err(|reason| merged.refuse(&format!("{name}.{index}"), reason))?;
        }
    }
    Ok(())
}

fn numbers(settings: &Settings) -> [(&'static str, u64, u64, u64); 21] {
    let Settings { chain, gas, daemon, signer, trial, fetch, .. } = settings;
    // No bound is above every minimum.
    let rate_max = Some(fetch.rate_bytes_per_second_max).filter(|rate| *rate > 0).unwrap_or(u64::MAX);
    [
        ("chain.call_timeout_seconds", chain.call_timeout_seconds, 1, 600),
        ("chain.trusting_seconds", chain.trusting_seconds, 1, TRUSTING_SECONDS_MAX),
        ("chain.clock_drift_seconds", chain.clock_drift_seconds, 0, DRIFT_SECONDS_MAX),
        ("chain.still_seconds_max", chain.still_seconds_max, 1, DAY_SECONDS),
        ("gas.limit_percent", gas.limit_percent.into(), 100, 1_000),
        ("gas.limit_max", gas.limit_max, 1, 1_000_000_000),
        ("gas.timeout_blocks", gas.timeout_blocks, 1, 100_000),
        ("gas.patience_seconds", gas.patience_seconds, 1, DAY_SECONDS),
        ("daemon.stop_grace_seconds", daemon.stop_grace_seconds, 0, DAY_SECONDS),
        ("daemon.boot_seconds", daemon.boot_seconds, 0, DAY_SECONDS),
        ("daemon.log_bytes_max", daemon.log_bytes_max, 4_096, 1 << 40),
        ("daemon.log_files_max", daemon.log_files_max.into(), 1, 1_000),
        // A drain must end within a minute.
        ("signer.turn_seconds_max", signer.turn_seconds_max, 0, 30),
        ("trial.seconds_min", trial.seconds_min, 0, 30 * DAY_SECONDS),
        ("trial.blocks_min", trial.blocks_min, 0, 300 * DAY_SECONDS),
        ("fetch.bytes_max", fetch.bytes_max, 1, ARTIFACT_BYTES_MAX),
        ("fetch.connect_timeout_seconds", fetch.connect_timeout_seconds, 1, DAY_SECONDS),
        ("fetch.total_timeout_seconds", fetch.total_timeout_seconds, 1, 7 * DAY_SECONDS),
        ("fetch.rate_bytes_per_second_min", fetch.rate_bytes_per_second_min, 0, 1 << 30),
        ("fetch.rate_bytes_per_second_max", rate_max, fetch.rate_bytes_per_second_min, u64::MAX),
        // A silence longer than the whole would never be noticed.
        ("fetch.stall_timeout_seconds", fetch.stall_timeout_seconds, 1, fetch.total_timeout_seconds),
    ]
}

fn check_one(check: &Check) -> Result<(), String> {
    if !(1..=600_000).contains(&check.timeout_ms()) {
        return Err(format!("expected timeout_ms of 1 to 600000, found {}", check.timeout_ms()));
    }
    match check {
        Check::Http { url, .. } if !(url.starts_with("http://") || url.starts_with("https://")) => {
            Err(format!("expected a url that begins with http:// or https://, found {url:?}"))
        }
        Check::CometHeight { rpc, .. } if !(rpc.starts_with("http://") || rpc.starts_with("https://")) => {
            Err(format!("expected an rpc that begins with http:// or https://, found {rpc:?}"))
        }
        Check::CometHeight { still_ms_max: 0, .. } => {
            Err("expected still_ms_max of at least 1, found 0".to_owned())
        }
        // A name would have to be looked up anew for each probe, and its answer is not the daemon's.
        Check::Tcp { address, .. } if address.parse::<SocketAddr>().is_err() => {
            Err(format!("expected an IP address and port such as 127.0.0.1:8080, found {address:?}"))
        }
        Check::Command { program, .. } if !Path::new(program).is_absolute() => {
            Err(format!("expected the absolute path of a program, found {program:?}"))
        }
        Check::Http { .. } | Check::Tcp { .. } | Check::CometHeight { .. } | Check::Command { .. } => Ok(()),
    }
}
