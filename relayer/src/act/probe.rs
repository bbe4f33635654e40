//! Questions about a daemon's health, each with three possible answers.
//!
//! `Unknown` is what the agent says when the question could not be asked: it is never read as a pass and never as a
//! failure of the release.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Url, redirect};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::process::{self, Daemon};

mod comet;

pub use comet::Progress;

const TIMEOUT_MS_MAX: u64 = 600_000;
const BODY_BYTES_MAX: u64 = 16 << 20;
const ARGUMENTS_MAX: usize = 64;
/// No check has a longer name.
pub const NAME_CHARACTERS_MAX: usize = 64;

/// Whether a failing check fails the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It does.
    Required,
    /// It is shown and counted, nothing more.
    Wanted,
}

/// One configured check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name in status, logs and reports.
    pub name: String,
    /// Whether it decides.
    pub need: Need,
    /// What is asked.
    pub probe: Probe,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Probe {
    /// Whether the daemon's first process is alive.
    Process {},
    /// Whether a GET is answered with a status in a range. The body is read to its end and not looked at.
    Http {
        /// `http://` or `https://`, without a user name.
        url: String,
        /// The lowest and the highest good status.
        #[serde(default = "good_status")]
        status: (u16, u16),
        /// A longer body is a failure; a shorter one is held until the answer is whole.
        body_bytes_max: u64,
        /// For everything, from connecting to the last byte.
        timeout_ms: u64,
    },
    /// Whether a TCP connection is accepted.
    Tcp {
        /// Where.
        address: SocketAddr,
        /// How long to wait for it.
        timeout_ms: u64,
    },
    /// Whether the height of a CometBFT node rises. One that catches up or stands still is Unknown.
    CometHeight {
        /// `http://` or `https://` address of its RPC, without a user name.
        rpc: String,
        /// A height counts as rising for so long after it rose.
        still_ms_max: u64,
        /// For everything, from connecting to the last byte.
        timeout_ms: u64,
    },
    /// Whether a command exits with 0. It is no shell line.
    Command {
        /// The program, an absolute path, and its arguments. Every user of the host can read them.
        argv: Vec<String>,
        /// After it the command and all it started in its process group are killed.
        timeout_ms: u64,
    },
}

fn good_status() -> (u16, u16) {
    (200, 299)
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Healthy.
    Pass,
    /// Asked, and not healthy.
    Fail {
        /// For people.
        why: String,
    },
    /// Could not be asked.
    Unknown {
        /// For people.
        why: String,
    },
}

fn fail(why: impl Into<String>) -> Answer {
    Answer::Fail { why: why.into() }
}

fn unknown(why: impl Into<String>) -> Answer {
    Answer::Unknown { why: why.into() }
}

/// Why a check cannot be used. Found before the agent starts, not while a trial runs.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("check {name:?} is not usable: {why}")]
pub struct CheckError {
    /// The check's name.
    pub name: String,
    /// What was expected and found.
    pub why: String,
}

impl Check {
    /// Looks at everything that can be known before asking.
    ///
    /// # Errors
    /// Names, addresses, ranges and bounds that cannot work.
    pub fn validate(&self) -> Result<(), CheckError> {
        let named = !self.name.is_empty() && self.name.chars().count() <= NAME_CHARACTERS_MAX;
        let answer = if named {
            self.probe.validate()
        } else {
            Err(format!("expected a name of 1 to {NAME_CHARACTERS_MAX} characters"))
        };
        answer.map_err(|why| CheckError { name: self.name.chars().take(NAME_CHARACTERS_MAX).collect(), why })
    }
}

impl Probe {
    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Process {} => Ok(()),
            Self::Http { url, status: (low, high), body_bytes_max, timeout_ms } => {
                parse(url)?;
                let ordered = (100..=599).contains(low) && low <= high && *high <= 599;
                if !ordered {
                    return Err(format!("expected a status range within 100 and 599, found {low} to {high}"));
                }
                if *body_bytes_max > BODY_BYTES_MAX {
                    return Err(format!(
                        "expected body_bytes_max of at most {BODY_BYTES_MAX}, found {body_bytes_max}"
                    ));
                }
                check_timeout(*timeout_ms)
            }
            Self::Tcp { timeout_ms, .. } => check_timeout(*timeout_ms),
            Self::CometHeight { rpc, still_ms_max, timeout_ms } => {
                parse(rpc)?;
                if *still_ms_max == 0 {
                    return Err("expected still_ms_max of at least 1, found 0".to_owned());
                }
                check_timeout(*timeout_ms)
            }
            Self::Command { argv, timeout_ms } => {
                if argv.len() > ARGUMENTS_MAX || !argv.first().is_some_and(|program| program.starts_with('/'))
                {
                    return Err(format!(
                        "expected argv of 1 to {ARGUMENTS_MAX} texts that starts with an absolute path"
                    ));
                }
                check_timeout(*timeout_ms)
            }
        }
    }
}

fn check_timeout(timeout_ms: u64) -> Result<(), String> {
    if (1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
        Ok(())
    } else {
        Err(format!("expected timeout_ms of 1 to {TIMEOUT_MS_MAX}, found {timeout_ms}"))
    }
}

fn parse(url: &str) -> Result<Url, String> {
    let url = Url::parse(url)
        .map_err(|e| format!("expected an http address, found one that does not parse: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("expected an http or https address, found the scheme {}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected an address without a user name, which logs would show".to_owned());
    }
    Ok(url)
}

/// Asks probes. Every answer comes within the probe's own timeout.
#[derive(Clone, Debug)]
pub struct Prober {
    client: Client,
    /// For addresses of this host: what an environment says of proxies is not about them.
    near: Client,
}

impl Prober {
    /// Sets the client up. Connections are not kept between probes: an old one says nothing of a new daemon.
    ///
    /// # Errors
    /// When the host has no usable TLS roots.
    pub fn new() -> Result<Self, reqwest::Error> {
        let builder = || Client::builder().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
        Ok(Self { client: builder().build()?, near: builder().no_proxy().build()? })
    }

    /// Asks one probe about a daemon; `None` when the agent has none. `progress`: what the same probe saw of it before.
    pub async fn ask(&self, probe: &Probe, daemon: Option<&Daemon>, progress: &Progress) -> Answer {
        match probe {
            Probe::Process {} => ask_process(daemon),
            Probe::Http { url, status, body_bytes_max, timeout_ms } => {
                let asked = self.ask_http(url, *status, *body_bytes_max);
                within(*timeout_ms, asked).await
            }
            Probe::Tcp { address, timeout_ms } => within(*timeout_ms, ask_tcp(*address)).await,
            Probe::CometHeight { rpc, still_ms_max, timeout_ms } => {
                let asked = self.ask_height(rpc, Duration::from_millis(*still_ms_max), progress);
                within(*timeout_ms, asked).await
            }
            Probe::Command { argv, timeout_ms } => {
                ask_command(argv, Duration::from_millis(*timeout_ms)).await
            }
        }
    }

    async fn ask_http(&self, url: &str, status: (u16, u16), body_bytes_max: u64) -> Answer {
        self.get(url, status, body_bytes_max).await.map_or_else(|answer| answer, |_| Answer::Pass)
    }

    async fn ask_height(&self, rpc: &str, still: Duration, progress: &Progress) -> Answer {
        let url = format!("{}/status", rpc.trim_end_matches('/'));
        match self.get(&url, good_status(), comet::STATUS_BYTES_MAX).await {
            Ok(body) => progress.judge(&body, still, Instant::now()),
            Err(answer) => answer,
        }
    }

    async fn get(&self, url: &str, (low, high): (u16, u16), body_bytes_max: u64) -> Result<Vec<u8>, Answer> {
        let url = parse(url).map_err(unknown)?;
        let client = if is_near(&url) { &self.near } else { &self.client };
        let sent = client.get(url).send().await;
        let mut response = sent.map_err(|e| of_error("the request failed", &e))?;
        let status = response.status().as_u16();
        if !(low..=high).contains(&status) {
            return Err(fail(format!("status {status}, expected {low} to {high}")));
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|e| of_error("the answer broke off", &e))? {
            if body.len() as u64 + part.len() as u64 > body_bytes_max {
                return Err(fail(format!("the body is longer than {body_bytes_max} bytes")));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

/// Is it an address of this host?
fn is_near(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn within(timeout_ms: u64, asked: impl Future<Output = Answer>) -> Answer {
    timeout(Duration::from_millis(timeout_ms), asked)
        .await
        .unwrap_or_else(|_| fail(format!("no answer within {timeout_ms} ms")))
}

fn ask_process(daemon: Option<&Daemon>) -> Answer {
    match daemon.map(Daemon::is_alive) {
        None => fail("no daemon was started"),
        Some(Ok(true)) => Answer::Pass,
        Some(Ok(false)) => fail("the daemon's process is dead"),
        Some(Err(e)) => unknown(e.to_string()),
    }
}

async fn ask_tcp(address: SocketAddr) -> Answer {
    match TcpStream::connect(address).await {
        Ok(_) => Answer::Pass,
        Err(e) if is_own_fault(&e) => unknown(format!("could not connect: {e}")),
        Err(e) => fail(format!("could not connect: {e}")),
    }
}

/// An error that says something about this host and nothing about the daemon: out of descriptors, ports or memory.
fn is_own_fault(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let own = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL, Errno::AGAIN];
    error.raw_os_error().is_some_and(|number| own.iter().any(|own| own.raw_os_error() == number))
}

fn of_error(what: &str, error: &reqwest::Error) -> Answer {
    let mut why = what.to_owned();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut own_fault = error.is_builder();
    while let Some(inner) = cause {
        own_fault |= inner.downcast_ref::<io::Error>().is_some_and(is_own_fault);
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    if own_fault { unknown(why) } else { fail(why) }
}

/// A command under way. Dropped, in time or not, it kills the whole process group first and reaps its leader after, so
/// that the group's number is still its own.
struct Command {
    child: Child,
    pidfd: OwnedFd,
    group: Pid,
    ended: bool,
}

impl Command {
    fn start(argv: &[String]) -> io::Result<Self> {
        let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = std::process::Command::new(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        match open(&child) {
            Ok((group, pidfd)) => Ok(Self { child, pidfd, group, ended: false }),
            Err(e) => {
                drop(child.kill());
                drop(child.wait());
                Err(e)
            }
        }
    }
}

fn open(child: &Child) -> io::Result<(Pid, OwnedFd)> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    Ok((pid, pidfd_open(pid, PidfdFlags::empty())?))
}

impl Command {
    /// Ends what is left of the group and answers how its leader ended. Blocks for as long as the system needs to carry
    /// out a SIGKILL.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if !std::mem::replace(&mut self.ended, true) {
            // Nobody but the dead leader in it is what is hoped for.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        self.child.wait()
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        drop(self.end());
    }
}

async fn ask_command(argv: &[String], bound: Duration) -> Answer {
    let program = argv.first().map_or("", String::as_str);
    let mut command = match Command::start(argv) {
        Ok(command) => command,
        Err(e) => return unknown(format!("{program} could not be started: {e}")),
    };
    match timeout(bound, process::dead(&command.pidfd)).await {
        Err(_) => return fail(format!("{program} did not end within {} ms", bound.as_millis())),
        Ok(Err(e)) => return unknown(e.to_string()),
        Ok(Ok(())) => {}
    }
    match command.end() {
        Ok(status) if status.success() => Answer::Pass,
        Ok(status) => fail(format!("{program} ended with {status}")),
        Err(e) => unknown(format!("{program} could not be waited for: {e}")),
    }
}

#[cfg(test)]
mod tests;
