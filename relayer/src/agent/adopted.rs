//! Processes that ran the adopted binary when its node was taken over. Whoever started them must stop them: until then
//! the agent starts no daemon of its own, as two would run on one node's data (NODE-4).

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::act::durable::{DiskError, replace_file};
use crate::act::process::{boot_id, executing, started_at};

use super::AgentError;

/// The file in the agent's folder.
const ADOPTED: &str = "adopted.json";
/// More processes of one binary are not remembered.
const PROCESSES_MAX: usize = 256;
const BYTES_MAX: u64 = 1 << 16;

/// One process, and never another one that happens to get its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    pid: u32,
    start_ticks: u64,
}

/// Those that were there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    v: u8,
    boot_id: String,
    processes: Vec<Process>,
}

/// Remembers who executes `program` now, and returns their numbers.
///
/// # Errors
/// [`AgentError`]: nothing is remembered then, and the node is not taken over.
pub(super) fn remember(home: &Path, program: &Path) -> Result<Vec<u32>, AgentError> {
    let alive = |pid: u32| Some(Process { pid, start_ticks: started_at(pid)? });
    let processes: Vec<_> = executing(program).into_iter().filter_map(alive).take(PROCESSES_MAX).collect();
    let boot_id = boot_id().map_err(AgentError::System)?;
    let before = Before { v: 1, boot_id, processes };
    let bytes = serde_json::to_vec(&before).map_err(|error| AgentError::System(error.into()))?;
    replace_file(&home.join(ADOPTED), &bytes, 0o600)?;
    Ok(before.processes.into_iter().map(|process| process.pid).collect())
}

/// Forgets them: they are other nodes' and none of this agent's business.
///
/// # Errors
/// [`DiskError`].
pub(super) fn forget(home: &Path) -> Result<(), DiskError> {
    let path = home.join(ADOPTED);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(DiskError::new("remove", &path, source))
        }
        _ => Ok(()),
    }
}

/// Demands that all of them have ended.
///
/// # Errors
/// Who is left and what to do, for people; also where the file cannot be read, as nobody knows then.
pub(super) fn are_gone(home: &Path) -> Result<(), String> {
    let path = home.join(ADOPTED);
    let unclear =
        |why: String| format!("who ran before the take-over cannot be read from {}: {why}", path.display());
    let bytes = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Ok(meta) if meta.len() > BYTES_MAX => return Err(unclear(format!("it has {} bytes", meta.len()))),
        Ok(_) | Err(_) => std::fs::read(&path).map_err(|error| unclear(error.to_string()))?,
    };
    let before: Before = serde_json::from_slice(&bytes).map_err(|error| unclear(error.to_string()))?;
    // Numbers of another start of the host name nobody.
    if boot_id().map_err(|error| unclear(error.to_string()))? != before.boot_id {
        return Ok(());
    }
    let left = before.processes.into_iter().filter(|then| started_at(then.pid) == Some(then.start_ticks));
    let left: Vec<_> = left.map(|process| process.pid.to_string()).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the binary that was adopted still runs outside of the agent as process {}: stop it, and the agent starts its own",
        left.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_started_beside_a_process_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        assert_eq!(are_gone(home), Ok(()), "nobody was remembered");
        let program = home.join("sleeper");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(&program).arg("600").spawn().unwrap();
        // Between fork and exec it still executes the test's own program.
        while executing(&program).is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(remember(home, &program).unwrap(), [child.id()]);
        let refused = are_gone(home).unwrap_err();
        assert!(refused.contains(&format!("process {}: stop it", child.id())), "{refused}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(are_gone(home), Ok(()));
        forget(home).unwrap();
        forget(home).unwrap();
        std::fs::write(home.join(ADOPTED), b"{").unwrap();
        assert!(are_gone(home).unwrap_err().contains("cannot be read from"));
    }

    #[test]
    fn a_number_of_another_process_or_start_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        let start_ticks = started_at(pid).unwrap();
        let now = boot_id().unwrap();
        for (boot, ticks, gone) in [
            (now.as_str(), start_ticks, false),
            (now.as_str(), start_ticks + 1, true),
            ("other", start_ticks, true),
        ] {
            let processes = vec![Process { pid, start_ticks: ticks }];
            let before = Before { v: 1, boot_id: boot.to_owned(), processes };
            std::fs::write(folder.path().join(ADOPTED), serde_json::to_vec(&before).unwrap()).unwrap();
            assert_eq!(are_gone(folder.path()).is_ok(), gone, "{boot} {ticks}");
        }
    }
}
