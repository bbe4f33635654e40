//! The one place where a daemon of a node may run.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use concord_schema::Digest;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::residents::{self, Marks, RUN_VARIABLE, Resident};
use super::{Adoption, Daemon, Ended, Exit, Found, Identity, Launch, Patience, ProcessError, Run, system};
use crate::act::durable::DiskError;
use crate::act::store::{Store, Verified, digest_of};

const LOCK_NAME: &str = "daemon.lock";
/// What every program begins with that the system executes by itself.
const ELF: &[u8] = b"\x7fELF";
const ROUND: Duration = Duration::from_millis(20);

/// A child of the agent that is between `fork` and `exec` holds every descriptor of it, the lock of another slot and
/// artifacts open for writing too. That is over within microseconds; this long it is waited for.
const FORK_WINDOW: Duration = Duration::from_secs(1);

/// The one place where a daemon of a node may run: a lock file, and the marks by which its processes are known.
#[derive(Clone, Debug)]
pub struct Slot {
    marks: Marks,
}

impl Slot {
    /// Opens the slot of the agent folder, which must exist. The caller holds the folder's lock.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn open(folder: &Path, store: &Store) -> Result<Self, ProcessError> {
        let folder = folder.canonicalize().map_err(|e| DiskError::new("find the folder", folder, e))?;
        let lock = folder.join(LOCK_NAME);
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(|e| DiskError::new("create", &lock, e))?;
        let artifacts = store.content_folder();
        Ok(Self { marks: Marks { lock, artifacts } })
    }

    fn lock_path(&self) -> PathBuf {
        self.marks.lock.clone()
    }

    /// Takes the slot's lock; `None` when somebody has it. The file is opened for reading only, as a daemon gets it.
    fn try_lock(&self) -> Result<Option<File>, ProcessError> {
        let failed = |e| DiskError::new("lock", &self.marks.lock, e);
        let file = File::open(&self.marks.lock).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(failed(e.into()).into()),
        }
    }

    async fn lock_within(&self, within: Duration) -> Result<Option<File>, ProcessError> {
        let start = Instant::now();
        loop {
            let lock = self.try_lock()?;
            if lock.is_some() || start.elapsed() >= within {
                return Ok(lock);
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn residents(&self, run: &Run, leader: Option<&Identity>) -> Result<Vec<Resident>, ProcessError> {
        let (marks, run, leader) = (self.marks.clone(), run.clone(), leader.cloned());
        let asked = tokio::task::spawn_blocking(move || residents::residents(&marks, &run, leader.as_ref()));
        let answer = asked.await.map_err(io::Error::other);
        answer.and_then(|found| found).map_err(system("list the processes"))
    }

    /// The numbers of all live processes of a run, and of the process group of `leader`.
    pub(super) async fn alive(&self, run: &Run, leader: Option<&Identity>) -> Result<Vec<u32>, ProcessError> {
        Ok(numbers(&self.residents(run, leader).await?))
    }

    /// Starts a daemon in its own process group. `run` must be in the journal before.
    ///
    /// # Errors
    /// [`ProcessError::Occupied`] when a daemon of this slot is alive. After any error none was started, or it is dead
    /// again.
    pub async fn spawn(
        &self,
        run: &Run,
        program: &Verified,
        launch: &Launch,
    ) -> Result<Daemon, ProcessError> {
        check(run, program, launch)?;
        let occupied = |pids| ProcessError::Occupied { lock: self.lock_path(), pids };
        let Some(lock) = self.lock_within(FORK_WINDOW).await? else {
            return Err(occupied(self.alive(run, None).await?));
        };
        let pids = self.alive(run, None).await?;
        if !pids.is_empty() {
            return Err(occupied(pids));
        }
        let boot_id = residents::boot_id().map_err(system("read the boot id"))?;
        let mut command = command(run, program, launch, lock)?;
        let mut child = execute(&mut command, run).await?;
        // The command holds this agent's copy of the lock; from here on only the daemon has it.
        drop(command);
        match self.identify(&child, run, boot_id) {
            Ok(daemon) => Ok(daemon),
            Err(e) => {
                drop(child.kill());
                drop(child.wait());
                Err(e)
            }
        }
    }

    /// The child is not reaped before this returns, so its number is its own.
    fn identify(&self, child: &Child, run: &Run, boot_id: String) -> Result<Daemon, ProcessError> {
        let pid = child.id();
        let pidfd = pidfd_open(number(pid)?, PidfdFlags::empty())
            .map_err(|e| system("watch the new daemon")(e.into()))?;
        let stat = residents::stat(pid).map_err(system("look at the new daemon"))?;
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let stat = stat.ok_or_else(gone).map_err(system("look at the new daemon"))?;
        let identity = Identity { run: run.clone(), pid, start_ticks: stat.start_ticks, boot_id };
        Ok(self.daemon(identity, pidfd))
    }

    fn daemon(&self, identity: Identity, pidfd: std::os::fd::OwnedFd) -> Daemon {
        Daemon { identity, pidfd, exit: OnceLock::new(), slot: self.clone() }
    }

    /// Takes a journaled daemon over again, or proves that it is dead.
    ///
    /// # Errors
    /// When the system does not answer; that is neither alive nor dead.
    pub async fn adopt(&self, identity: &Identity) -> Result<Adoption, ProcessError> {
        let boot_id = residents::boot_id().map_err(system("read the boot id"))?;
        if boot_id != identity.boot_id {
            return Ok(Adoption::Dead {
                host_lost: true,
                left_behind: self.alive(&identity.run, None).await?,
            });
        }
        let Some(daemon) = self.open_process(identity)? else {
            return Ok(Adoption::Dead {
                host_lost: false,
                left_behind: self.alive(&identity.run, Some(identity)).await?,
            });
        };
        let found = match executed_digest(identity.pid).await {
            Ok(found) => found,
            // Between looking and hashing it may have died; then there is nothing to hash.
            Err(_) if !daemon.is_alive()? => {
                return Ok(Adoption::Dead {
                    host_lost: false,
                    left_behind: self.alive(&identity.run, Some(identity)).await?,
                });
            }
            Err(e) => return Err(system("read the daemon's executable")(e)),
        };
        if found != identity.run.executable {
            return Ok(Adoption::NotOurs { found });
        }
        Ok(Adoption::Adopted(daemon))
    }

    /// A descriptor of exactly this process, if it is alive. The start time is compared after the descriptor is open, so a
    /// number that went to somebody else in between is noticed.
    fn open_process(&self, identity: &Identity) -> Result<Option<Daemon>, ProcessError> {
        let Some(pidfd) = open_pidfd(identity.pid)? else {
            return Ok(None);
        };
        let stat = residents::stat(identity.pid).map_err(system("look at the daemon"))?;
        let same = stat.is_some_and(|stat| !stat.dead && stat.start_ticks == identity.start_ticks);
        if !same {
            return Ok(None);
        }
        let daemon = self.daemon(identity.clone(), pidfd);
        Ok(daemon.is_alive()?.then_some(daemon))
    }

    /// Finds the daemon of a run whose start was journaled and whose pid was not. A process that is just being started is
    /// waited for, at most `within`.
    ///
    /// # Errors
    /// [`ProcessError::Unidentified`] when the lock is held by nobody that can be seen; or the system does not answer.
    pub async fn find(&self, run: &Run, within: Duration) -> Result<Found, ProcessError> {
        let start = Instant::now();
        loop {
            // The lock is tried first: whoever loses it afterwards has executed its program and bears the token.
            let free = self.try_lock()?.is_some();
            let seen = self.residents(run, None).await?;
            if seen.is_empty() && free {
                return Ok(Found::Nobody);
            }
            for resident in seen.iter().filter(|resident| resident.token && resident.pid == resident.group) {
                if let Some(daemon) = self.recognise(resident, run).await? {
                    return Ok(Found::Daemon(daemon));
                }
            }
            if start.elapsed() >= within {
                return if seen.is_empty() {
                    Err(ProcessError::Unidentified { lock: self.lock_path() })
                } else {
                    Ok(Found::Strays(numbers(&seen)))
                };
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn recognise(&self, resident: &Resident, run: &Run) -> Result<Option<Daemon>, ProcessError> {
        let identity = Identity {
            run: run.clone(),
            pid: resident.pid,
            start_ticks: resident.start_ticks,
            boot_id: residents::boot_id().map_err(system("read the boot id"))?,
        };
        match self.adopt(&identity).await? {
            Adoption::Adopted(daemon) => Ok(Some(daemon)),
            Adoption::Dead { .. } | Adoption::NotOurs { .. } => Ok(None),
        }
    }

    /// Ends whatever is alive of a run, for daemons that are dead, forked away or not the ones that were meant. `identity`
    /// is what the journal knows of its first process, if anything.
    ///
    /// # Errors
    /// As [`Daemon::stop`].
    pub async fn end(
        &self,
        run: &Run,
        identity: Option<&Identity>,
        patience: Patience,
    ) -> Result<Ended, ProcessError> {
        let forced = self.clear(run, identity, None, patience).await?;
        Ok(Ended { exit: Exit::Unknown, forced })
    }

    /// SIGTERM, grace, SIGKILL, proof. Says whether SIGKILL was needed.
    pub(super) async fn clear(
        &self,
        run: &Run,
        identity: Option<&Identity>,
        leader: Option<&Daemon>,
        patience: Patience,
    ) -> Result<bool, ProcessError> {
        self.signal(run, identity, leader, Signal::TERM).await?;
        let term = Instant::now();
        let mut left = self.wait_gone(run, identity, leader, term, patience.grace).await?;
        let forced = !left.is_empty();
        let kill = Instant::now();
        while !left.is_empty() {
            if kill.elapsed() >= patience.proof {
                let waited = kill.elapsed();
                return Err(ProcessError::Unkillable { pids: left, waited });
            }
            // Again in every round: a process may have been forked while the last one was under way.
            self.signal(run, identity, leader, Signal::KILL).await?;
            left = self.wait_gone(run, identity, leader, Instant::now(), ROUND * 5).await?;
        }
        if self.lock_within(patience.proof).await?.is_none() {
            return Err(ProcessError::Unidentified { lock: self.lock_path() });
        }
        Ok(forced)
    }

    async fn wait_gone(
        &self,
        run: &Run,
        identity: Option<&Identity>,
        leader: Option<&Daemon>,
        start: Instant,
        within: Duration,
    ) -> Result<Vec<u32>, ProcessError> {
        if let Some(leader) = leader {
            // Late is not an error here: who is left is asked below.
            if let Ok(dead) = tokio::time::timeout(within, leader.leader_dead()).await {
                dead?;
            }
        }
        loop {
            let left = self.alive(run, identity).await?;
            if left.is_empty() || start.elapsed() >= within {
                return Ok(left);
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn signal(
        &self,
        run: &Run,
        identity: Option<&Identity>,
        leader: Option<&Daemon>,
        signal: Signal,
    ) -> Result<(), ProcessError> {
        let mut reached = None;
        if let Some(leader) = leader {
            // Alive, so the number of the group is surely its own; and one call reaches all, also those forked meanwhile.
            let pid = leader.identity.pid;
            if leader.is_alive()? {
                ignore_gone(kill_process_group(number(pid)?, signal))?;
                reached = Some(pid);
            }
        }
        for resident in self.residents(run, identity).await? {
            if Some(resident.group) != reached {
                signal_one(&resident, signal)?;
            }
        }
        Ok(())
    }
}

fn check(run: &Run, program: &Verified, launch: &Launch) -> Result<(), ProcessError> {
    if program.digest != run.executable {
        return Err(ProcessError::OtherProgram { expected: run.executable, found: program.digest });
    }
    check_program(&program.file, program.digest)?;
    let names = launch.environment_keep.iter().chain(launch.environment.keys());
    for name in names {
        if name.is_empty() || name == RUN_VARIABLE || name.contains(['=', '\0']) {
            return Err(ProcessError::Variable { name: name.clone() });
        }
    }
    Ok(())
}

/// Whether the system could execute the artifact of this digest by its descriptor: only a program in its own format, ELF.
///
/// # Errors
/// [`ProcessError::Script`] and [`ProcessError::NoProgram`].
pub fn check_program(program: &File, digest: Digest) -> Result<(), ProcessError> {
    let mut first = [0; ELF.len()];
    let read = program.read_at(&mut first, 0).map_err(system("read the opened program"))?;
    match first.get(..read) {
        Some(ELF) => Ok(()),
        Some([b'#', b'!', ..]) => Err(ProcessError::Script { digest }),
        Some(_) | None => Err(ProcessError::NoProgram {
            digest,
            found: String::from_utf8_lossy(&first).escape_default().to_string(),
        }),
    }
}

fn command(run: &Run, program: &Verified, launch: &Launch, lock: File) -> Result<Command, ProcessError> {
    let (stdout, stderr) = launch.output.open()?;
    let mut command = Command::new(format!("/proc/self/fd/{}", program.file.as_raw_fd()));
    command.arg0(&launch.name).args(&launch.arguments).current_dir(&launch.folder).env_clear();
    for name in &launch.environment_keep {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(&launch.environment).env(RUN_VARIABLE, run.token.to_string());
    command.stdin(Stdio::from(lock)).stdout(stdout).stderr(stderr).process_group(0);
    Ok(command)
}

/// Starts it. A program that was written a moment ago may still be open for writing in a child of this agent that is
/// about to execute something else; the system says so, and it is tried again.
async fn execute(command: &mut Command, run: &Run) -> Result<Child, ProcessError> {
    let start = Instant::now();
    loop {
        match command.spawn() {
            Ok(child) => return Ok(child),
            Err(e) if e.kind() == io::ErrorKind::ExecutableFileBusy && start.elapsed() < FORK_WINDOW => {
                tokio::time::sleep(ROUND).await;
            }
            Err(source) => {
                return Err(ProcessError::Start { digest: run.executable, source });
            }
        }
    }
}

async fn executed_digest(pid: u32) -> io::Result<concord_schema::Digest> {
    let hashed = tokio::task::spawn_blocking(move || digest_of(&mut residents::executable(pid)?));
    hashed.await.map_err(io::Error::other)?.map(|(digest, _)| digest)
}

fn number(pid: u32) -> Result<Pid, ProcessError> {
    i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 1)
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
        .map_err(system("use a process number"))
}

fn numbers(residents: &[Resident]) -> Vec<u32> {
    residents.iter().map(|resident| resident.pid).collect()
}

fn open_pidfd(pid: u32) -> Result<Option<std::os::fd::OwnedFd>, ProcessError> {
    match pidfd_open(number(pid)?, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(e) => Err(system("watch a process")(e.into())),
    }
}

/// Signals one process and surely no other one that got its number.
fn signal_one(resident: &Resident, signal: Signal) -> Result<(), ProcessError> {
    let Some(pidfd) = open_pidfd(resident.pid)? else {
        return Ok(());
    };
    let stat = residents::stat(resident.pid).map_err(system("look at a process"))?;
    if stat.is_some_and(|stat| stat.start_ticks == resident.start_ticks) {
        ignore_gone(pidfd_send_signal(&pidfd, signal))?;
    }
    Ok(())
}

fn ignore_gone(sent: rustix::io::Result<()>) -> Result<(), ProcessError> {
    match sent {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(e) => Err(system("send a signal")(e.into())),
    }
}
