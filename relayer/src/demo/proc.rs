//! What the system tells of processes: which daemons run, since when, and which file each executes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use concord_schema::Digest;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use sha2::{Digest as _, Sha256};

const CMDLINE_BYTES_MAX: u64 = 4096;
const STAT_BYTES_MAX: u64 = 4096;
/// No daemon is larger than this.
const EXECUTABLE_BYTES_MAX: u64 = 64 << 20;

/// A process for ever: no other one has this pid and this start time in one run of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    /// Clock ticks from the host's start to its own.
    pub(crate) start_ticks: u64,
}

/// A daemon that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The process.
    pub(crate) process: Process,
    /// The port that it was told to listen on.
    pub(crate) port: u16,
    /// SHA-256 of the file that it executes; `None` if it ended meanwhile.
    pub(crate) digest: Option<Digest>,
}

/// Reads `/proc`, and hashes each executable once.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    digests: BTreeMap<(u64, u64), Digest>,
}

impl Scanner {
    /// Every live process that was told to listen on one of these ports of loopback.
    ///
    /// # Errors
    /// When `/proc` cannot be listed. A process that ends while it is looked at is no error.
    pub(crate) fn daemons(&mut self, ports: &[u16]) -> io::Result<Vec<Seen>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let Some(port) = listens_on(pid).filter(|port| ports.contains(port)) else { continue };
            let Some(start_ticks) = started(pid) else { continue };
            let digest = self.digest(pid);
            found.push(Seen { process: Process { pid, start_ticks }, port, digest });
        }
        Ok(found)
    }

    fn digest(&mut self, pid: u32) -> Option<Digest> {
        let file = File::open(of(pid, "exe")).ok()?;
        let facts = file.metadata().ok()?;
        let key = (facts.dev(), facts.ino());
        if let Some(known) = self.digests.get(&key) {
            return Some(*known);
        }
        let digest = hash(file).ok()?;
        self.digests.insert(key, digest);
        Some(digest)
    }
}

fn hash(file: File) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    io::copy(&mut file.take(EXECUTABLE_BYTES_MAX), &mut hasher)?;
    Ok(Digest(hasher.finalize().into()))
}

/// When a live process started; `None` for a dead one, also where nobody has asked for its end yet.
#[must_use]
pub(crate) fn started(pid: u32) -> Option<u64> {
    let stat = read(of(pid, "stat"), STAT_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&stat);
    // The program's name stands in parentheses and may hold any letter, so fields are counted from the last one.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn listens_on(pid: u32) -> Option<u16> {
    let line = read(of(pid, "cmdline"), CMDLINE_BYTES_MAX)?;
    let mut arguments = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    arguments.find(|argument| argument == "--listen")?;
    arguments.next()?.strip_prefix("127.0.0.1:")?.parse().ok()
}

fn of(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn read(path: PathBuf, bytes_max: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(bytes_max).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

impl Process {
    /// Is it alive?
    #[must_use]
    pub(crate) fn is_alive(&self) -> bool {
        started(self.pid) == Some(self.start_ticks)
    }

    /// Signals this process, and surely no other one that got its number.
    ///
    /// # Errors
    /// The system's. A process that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(pid) = i32::try_from(self.pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let gone = |error: rustix::io::Errno| {
            if error == rustix::io::Errno::SRCH { Ok(()) } else { Err(error.into()) }
        };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(error) => return gone(error),
        };
        if !self.is_alive() {
            return Ok(());
        }
        pidfd_send_signal(&pidfd, signal).or_else(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    struct Sleeper(Child);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn sleeper(port: u16) -> Sleeper {
        // A shell passes its own arguments over, so that any program can look as if it listened.
        let listen = format!("127.0.0.1:{port}");
        let mut command = Command::new("/bin/sh");
        command.arg0("daemon").args(["-c", "read line", "sh", "--listen", &listen]);
        Sleeper(command.stdin(std::process::Stdio::piped()).spawn().unwrap())
    }

    #[test]
    fn a_daemon_is_known_by_its_port_its_start_and_its_bytes() {
        // Ports below 1024 belong to no test that listens.
        let (one, other) = (sleeper(601), sleeper(602));
        let mut scanner = Scanner::default();
        // A process shows its arguments a moment after it was started.
        let look = |scanner: &mut Scanner, ports: &[u16]| {
            let began = std::time::Instant::now();
            loop {
                let found = scanner.daemons(ports).unwrap();
                if found.len() == ports.len() || began.elapsed() > std::time::Duration::from_secs(20) {
                    return found;
                }
            }
        };
        let found = look(&mut scanner, &[601]);
        let [seen] = found.as_slice() else { panic!("expected one, found {found:?}") };
        assert_eq!((seen.process.pid, seen.port), (one.0.id(), 601));
        let own = std::fs::read("/bin/sh").unwrap();
        assert_eq!(seen.digest, Some(Digest::of(&own)));
        assert!(seen.process.is_alive());
        assert_eq!(look(&mut scanner, &[601, 602]).len(), 2);
        assert_eq!(scanner.digests.len(), 1, "one file is hashed once");
        drop(other);
    }

    #[test]
    fn a_signal_reaches_the_process_that_is_meant_and_no_successor() {
        let mut one = sleeper(603);
        let pid = one.0.id();
        let process = Process { pid, start_ticks: started(pid).unwrap() };
        let successor = Process { pid, start_ticks: process.start_ticks + 1 };
        successor.signal(Signal::KILL).unwrap();
        assert!(process.is_alive() && !successor.is_alive());
        process.signal(Signal::KILL).unwrap();
        one.0.wait().unwrap();
        assert!(!process.is_alive());
        process.signal(Signal::KILL).unwrap();
    }
}
