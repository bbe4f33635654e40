//! What the system tells of processes: which validators run, since when, and which file each executes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// No file of /proc that is read here is longer.
const BYTES_MAX: u64 = 16_384;

/// A process for ever: no other one has this pid and this start time in one run of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    start_ticks: u64,
}

impl Process {
    /// The live process of this number, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let start_ticks = started(pid)?;
        Some(Self { pid, start_ticks })
    }

    /// Is it alive?
    pub(crate) fn is_alive(&self) -> bool {
        started(self.pid) == Some(self.start_ticks)
    }

    /// The file that it executes.
    pub(crate) fn executable(&self) -> Option<PathBuf> {
        std::fs::read_link(of(self.pid, "exe")).ok()
    }

    /// Signals this process, and surely no other one that got its number. One that is gone is no error.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(pid) = i32::try_from(self.pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let ignore_gone = |error: rustix::io::Errno| {
            if error == rustix::io::Errno::SRCH { Ok(()) } else { Err(error.into()) }
        };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(error) => return ignore_gone(error),
        };
        if self.is_alive() { pidfd_send_signal(&pidfd, signal).or_else(ignore_gone) } else { Ok(()) }
    }
}

/// Every live process that was started with `start --home HOME`, with the place of its home in `homes`.
pub(crate) fn daemons(homes: &[PathBuf]) -> Vec<(usize, Process)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|pid| Some((home_of(pid, homes)?, Process::of(pid)?))).collect()
}

fn home_of(pid: u32, homes: &[PathBuf]) -> Option<usize> {
    let line = read(of(pid, "cmdline"))?;
    let mut arguments = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).skip(1);
    if arguments.next()? != "start" || arguments.next()? != "--home" {
        return None;
    }
    let home = arguments.next()?.into_owned();
    homes.iter().position(|known| known == Path::new(&home))
}

/// When a live process started; `None` for a dead one, also where nobody has asked for its end yet.
fn started(pid: u32) -> Option<u64> {
    let stat = read(of(pid, "stat"))?;
    let text = String::from_utf8_lossy(&stat);
    // The program's name stands in parentheses and may hold any letter, so fields are counted from the last one.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn of(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn read(path: PathBuf) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
