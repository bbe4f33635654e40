//! Who of a daemon's processes is alive, as the system itself tells it under `/proc`.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Identity, Run};

/// The environment variable that every process of a run inherits.
pub(super) const RUN_VARIABLE: &str = "CONCORD_RUN";
const ENVIRONMENT_BYTES_MAX: u64 = 4 << 20;
const STAT_BYTES_MAX: u64 = 4096;
const DESCRIPTORS_MAX: usize = 65_536;

/// The fields of `/proc/<pid>/stat` that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) dead: bool,
    pub(super) group: u32,
    /// Clock ticks from the host's start to the process's; with the pid and the boot id it names a process for ever.
    pub(super) start_ticks: u64,
}

/// A live process that belongs to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resident {
    pub(super) pid: u32,
    pub(super) group: u32,
    pub(super) start_ticks: u64,
    /// Whether it carries the run's token, so that it is past its `exec`.
    pub(super) token: bool,
}

/// What of a slot can be recognised in a process.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// The lock file that a daemon holds open as its standard input.
    pub(super) lock: PathBuf,
    /// The folder of the artifacts: whoever executes one of them is a daemon of this store.
    pub(super) artifacts: PathBuf,
}

/// Reads what the system knows of a process; `None` when there is none.
pub(super) fn stat(pid: u32) -> io::Result<Option<Stat>> {
    let text = match read(&of(pid, "stat"), STAT_BYTES_MAX) {
        Ok(text) => text,
        Err(e) if is_gone(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    parse_stat(&String::from_utf8_lossy(&text))
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/<pid>/stat has an unknown form"))
}

/// The program's name stands in parentheses and may hold spaces and parentheses, so fields are counted from the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let start_ticks = fields.nth(16)?.parse().ok()?;
    Some(Stat { dead: matches!(state, "Z" | "X" | "x"), group, start_ticks })
}

/// The random name of the host's current start.
pub(crate) fn boot_id() -> io::Result<String> {
    let text = read(Path::new("/proc/sys/kernel/random/boot_id"), 64)?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// When a process that lives started, in clock ticks since the host's start.
pub(crate) fn started_at(pid: u32) -> Option<u64> {
    stat(pid).ok().flatten().filter(|stat| !stat.dead).map(|stat| stat.start_ticks)
}

/// Opens the very file that a process executes, even if its name is gone.
pub(super) fn executable(pid: u32) -> io::Result<File> {
    File::open(of(pid, "exe"))
}

/// Every live process, except this one, that belongs to `run`, to another run of the same slot, or to the process group of
/// `leader`.
pub(super) fn residents(marks: &Marks, run: &Run, leader: Option<&Identity>) -> io::Result<Vec<Resident>> {
    let group = leader.filter(|leader| owns_its_number(leader)).map(|leader| leader.pid);
    let token = format!("{RUN_VARIABLE}={}", run.token);
    let own_user = rustix::process::geteuid().as_raw();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid == std::process::id() {
            continue;
        }
        // Root may have started a daemon that changed its user; nobody else can have.
        let others = own_user != 0 && entry.metadata().is_ok_and(|meta| meta.uid() != own_user);
        if others {
            continue;
        }
        let Some(stat) = stat(pid)?.filter(|stat| !stat.dead) else {
            continue;
        };
        let token = has_token(pid, &token);
        if token || group == Some(stat.group) || executes_artifact(pid, marks) || holds_lock(pid, marks) {
            found.push(Resident { pid, group: stat.group, start_ticks: stat.start_ticks, token });
        }
    }
    Ok(found)
}

/// The processes of this host that execute the very file at `path`, as far as this user may see them.
pub(crate) fn executing(path: &Path) -> Vec<u32> {
    let Ok(wanted) = path.metadata() else { return Vec::new() };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let executes = |pid: &u32| {
        std::fs::metadata(of(*pid, "exe"))
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == (wanted.dev(), wanted.ino()))
    };
    pids.filter(executes).collect()
}

/// A group keeps its number as long as it has a member, but an empty one's number may go to a stranger: then a process
/// with that pid and another start time exists.
fn owns_its_number(leader: &Identity) -> bool {
    match stat(leader.pid) {
        Ok(Some(stat)) => stat.start_ticks == leader.start_ticks,
        Ok(None) => true,
        Err(_) => false,
    }
}

fn has_token(pid: u32, token: &str) -> bool {
    read(&of(pid, "environ"), ENVIRONMENT_BYTES_MAX)
        .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|pair| pair == token.as_bytes()))
}

fn executes_artifact(pid: u32, marks: &Marks) -> bool {
    std::fs::read_link(of(pid, "exe")).is_ok_and(|path| path.starts_with(&marks.artifacts))
}

fn holds_lock(pid: u32, marks: &Marks) -> bool {
    std::fs::read_dir(of(pid, "fd")).is_ok_and(|descriptors| {
        descriptors
            .take(DESCRIPTORS_MAX)
            .flatten()
            .any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|path| path == marks.lock))
    })
}

fn of(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_program_name() {
        let rest = "S 1 42 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 98765 100 200";
        for name in ["sh", "a b", "a) R 9 9", "))", ""] {
            let stat = parse_stat(&format!("42 ({name}) {rest}")).unwrap();
            assert_eq!((stat.dead, stat.group, stat.start_ticks), (false, 42, 98765), "{name}");
        }
        assert!(parse_stat("42 (sh) Z 1 42 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 5 0").unwrap().dead);
        for bad in ["", "42 (sh", "42 (sh) S 1", "42 (sh) S 1 x 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 5"] {
            assert_eq!(parse_stat(bad), None, "{bad}");
        }
    }

    #[test]
    fn whoever_executes_a_file_is_found_by_it() {
        let own = std::env::current_exe().unwrap();
        assert!(executing(&own).contains(&std::process::id()));
        assert!(!executing(Path::new("/bin/sh")).contains(&std::process::id()));
        assert_eq!(executing(Path::new("/no/such/program")), Vec::<u32>::new());
    }

    #[test]
    fn one_knows_oneself_and_nobody_has_no_stat() {
        let own = stat(std::process::id()).unwrap().unwrap();
        assert!(!own.dead && own.start_ticks > 0);
        assert_eq!(stat(u32::MAX - 1).unwrap(), None);
        assert_eq!(boot_id().unwrap().len(), 36);
    }
}
