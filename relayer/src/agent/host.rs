//! Performs effects. Each runs in a task of its own and answers once; nothing is awaited inside a turn of the machine.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use concord_decide::{DaemonView, DiskView, Ended, Input, Link as LinkView, Verdict};
use concord_schema::Digest;
use concord_schema::release::Artifact;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

use super::adopted;
use super::bar::DownloadBar;
use super::hold::Held;
use super::prober;
use super::status::CheckStatus;
use crate::act::fetch::{Fetcher, Want};
use crate::act::probe::{Check, Prober};
use crate::act::process::{
    Adoption, Daemon, Exit, Found, Identity, Launch, Patience, ProcessError, Run, Slot, boot_id,
    check_program,
};
use crate::act::signer::{Signer, SignerError};
use crate::act::store::{Link, Store};
use crate::causes::told;

/// How long a daemon that is just being started is waited for before its place counts as unclear.
const FIND_WITHIN: Duration = Duration::from_secs(2);

/// What comes back to the loop.
#[derive(Debug)]
pub(super) enum Answer {
    /// For the machine as it is.
    Input(Input),
    /// All checks were asked once.
    Probed(Vec<CheckStatus>, Verdict),
    /// A start is over; its process is journaled first.
    Spawned {
        /// The machine's number of it.
        number: u64,
        /// Its daemon, or why there is none.
        spawned: Result<Arc<Daemon>, String>,
    },
    /// A look is over; a daemon that it found is journaled first.
    Looked {
        /// What is there.
        view: DiskView,
        /// The daemon that was adopted, with its number.
        daemon: Option<(u64, Arc<Daemon>)>,
    },
}

/// The newest start, as the journal knows it.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// The machine's number of it.
    pub(super) number: u64,
    /// Its token and digest.
    pub(super) run: Run,
    /// Its process, if it is known.
    pub(super) identity: Option<Identity>,
    /// The start of the host that it belongs to, if it is known.
    pub(super) boot_id: Option<String>,
}

/// The agent's hands.
#[derive(Debug)]
pub(super) struct Host {
    /// What the log's lines of its tasks carry.
    pub(super) span: Span,
    /// The agent's folder.
    home: PathBuf,
    /// The artifacts.
    pub(super) store: Store,
    /// The daemon's place.
    pub(super) slot: Slot,
    /// How the daemon is started.
    pub(super) launch: Launch,
    /// How long a stop may take.
    pub(super) patience: Patience,
    /// Downloads.
    pub(super) fetcher: Arc<Fetcher>,
    /// Probes.
    pub(super) prober: Arc<Prober>,
    /// What is probed.
    pub(super) checks: Arc<Vec<Check>>,
    /// Of a validator: what must hold before its start, and when it is best stopped.
    pub(super) signer: Option<Signer>,
    /// Where answers go.
    pub(super) answers: mpsc::Sender<Answer>,
    /// The daemon, while one is known to run.
    pub(super) daemon: Option<(u64, Arc<Daemon>)>,
    /// The newest start.
    pub(super) started: Option<Started>,
    /// The binary of the switch under way.
    pub(super) held: Held,
    fetching: Option<JoinHandle<()>>,
    probing: Option<JoinHandle<()>>,
}

impl Host {
    /// Hands for one node.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is one tool")]
    pub(super) fn new(
        home: PathBuf,
        store: Store,
        slot: Slot,
        launch: Launch,
        patience: Patience,
        fetcher: Fetcher,
        prober: Prober,
        checks: Vec<Check>,
        signer: Option<Signer>,
        answers: mpsc::Sender<Answer>,
    ) -> Self {
        Self {
            span: Span::current(),
            home,
            store,
            slot,
            launch,
            patience,
            fetcher: Arc::new(fetcher),
            prober: Arc::new(prober),
            checks: Arc::new(checks),
            signer,
            answers,
            daemon: None,
            started: None,
            held: Held::default(),
            fetching: None,
            probing: None,
        }
    }

    fn answer(&self, work: impl Future<Output = Answer> + Send + 'static) -> JoinHandle<()> {
        let answers = self.answers.clone();
        let told = async move {
            let answer = work.await;
            // Without a receiver the agent is ending, and the journal repeats the effect at the next start.
            let _ = answers.send(answer).await;
        };
        tokio::spawn(told.instrument(self.span.clone()))
    }

    fn input(&self, work: impl Future<Output = Input> + Send + 'static) {
        drop(self.answer(async move { Answer::Input(work.await) }));
    }

    /// The last thing before a stop: `next` is opened and hashed while the daemon still runs. Without it there is no stop.
    /// A validator waits for its best moment; taking others out of service has no driver yet.
    pub(super) fn drain(&self, next: Option<Digest>) {
        let (store, held, signer) = (self.store.clone(), self.held.clone(), self.signer.clone());
        self.input(async move {
            let taken = blocking(move || next.map_or(Ok(()), |digest| held.take(&store, &digest))).await;
            if taken.is_ok()
                && let Some(turn) = signer.and_then(|signer| signer.turn)
            {
                let is_own = turn.over().await;
                tracing::info!(is_own, "the newest block, before the stop");
            }
            Input::Drained(taken)
        });
    }

    /// Something that is done by doing nothing: putting into service and snapshots have no driver yet.
    pub(super) fn nothing(&self, input: Input) {
        self.input(async move { input });
    }

    /// Fetches an artifact; replaces a fetch under way.
    pub(super) fn fetch(&mut self, artifact: Artifact) {
        if let Some(earlier) = self.fetching.take() {
            earlier.abort();
        }
        let (fetcher, store) = (self.fetcher.clone(), self.store.clone());
        self.fetching = Some(self.answer(async move {
            let want =
                Want { digest: artifact.digest, bytes: artifact.size_bytes, addresses: &artifact.uris };
            let name = format!("download {}", artifact.digest.short());
            let bar = DownloadBar::new(&name, artifact.size_bytes);
            let progress = |bytes: u64, _: u64| bar.at(bytes);
            let ended = fetcher.fetch(&store, want, &progress).await;
            let ended = ended.map(|_| ()).map_err(|error| told(&error));
            Answer::Input(Input::Fetched { digest: artifact.digest, ended })
        }));
    }

    /// Hashes an artifact again through one descriptor, and looks whether it is a program at all: a node must not be
    /// stopped for one that cannot be started.
    pub(super) fn stage(&self, digest: Digest) {
        let store = self.store.clone();
        self.input(async move { Input::Staged { digest, ended: staged(store, digest).await } });
    }

    /// Points `current` at an artifact.
    pub(super) fn switch(&self, to: Digest) {
        let store = self.store.clone();
        self.input(async move {
            let ended = blocking(move || store.switch(&to)).await;
            Input::Switched { to, ended }
        });
    }

    /// Removes what neither link needs, nor `keep`.
    pub(super) fn collect(&self, keep: Option<Digest>) {
        let store = self.store.clone();
        let collected = async move {
            let pinned: BTreeSet<Digest> = keep.into_iter().collect();
            if let Err(why) = blocking(move || store.collect(&pinned).map(|_| ())).await {
                tracing::warn!(why, "old artifacts were not removed");
            }
        };
        drop(tokio::spawn(collected.instrument(self.span.clone())));
    }

    /// Ends the daemon and proves that nothing of it is alive.
    pub(super) fn stop(&mut self, run: u64) {
        let (slot, patience, started) = (self.slot.clone(), self.patience, self.started.clone());
        let daemon = self.daemon.take().map(|(_, daemon)| daemon);
        let signer = self.signer.clone();
        self.input(async move {
            let ended = match (daemon, started) {
                (Some(daemon), _) => daemon.stop(patience).await.map(|_| ()),
                (None, Some(started)) => {
                    slot.end(&started.run, started.identity.as_ref(), patience).await.map(|_| ())
                }
                (None, None) => Ok(()),
            };
            // The mark of a daemon that is dead for sure. A doubt about it stops the next start and not this stop.
            if ended.is_ok()
                && let Err(why) = marked(signer).await
            {
                tracing::error!(why, "the signer's state");
            }
            Input::Stopped { run, ended: ended.map_err(|error| told(&error)) }
        });
    }

    /// Starts what `current` points at. `run` is in the journal.
    pub(super) fn spawn(&mut self, number: u64, run: Run, boot_id: Option<String>) {
        self.started = Some(Started { number, run: run.clone(), identity: None, boot_id });
        let (store, slot, launch) = (self.store.clone(), self.slot.clone(), self.launch.clone());
        let (held, signer, home) = (self.held.clone(), self.signer.clone(), self.home.clone());
        drop(self.answer(async move {
            let spawned = match may_start(home, signer).await {
                Ok(()) => start(&store, &slot, &launch, &held, &run).await,
                Err(why) => Err(why),
            };
            Answer::Spawned { number, spawned: spawned.map(Arc::new) }
        }));
    }

    /// Tells the machine when the daemon's process ends.
    pub(super) fn watch(&self, number: u64, daemon: Arc<Daemon>) {
        self.input(async move {
            let (code, signal) = match daemon.wait().await {
                Ok(exited) => match exited.exit {
                    Exit::Code(code) => (Some(code), None),
                    Exit::Signal(signal) => (None, Some(signal)),
                    Exit::Unknown => (None, None),
                },
                Err(error) => {
                    tracing::warn!(why = told(&error), "the daemon's end could not be watched");
                    (None, None)
                }
            };
            Input::DaemonExited { run: number, code, signal }
        });
    }

    /// Probes every so often; replaces earlier probing.
    pub(super) fn start_probing(&mut self, interval_ms: u64) {
        self.stop_probing();
        let daemon = self.daemon.as_ref().map(|(_, daemon)| daemon.clone());
        let interval = Duration::from_millis(interval_ms.max(1));
        let work =
            prober::probe(self.prober.clone(), self.checks.clone(), daemon, interval, self.answers.clone());
        self.probing = Some(tokio::spawn(work.instrument(self.span.clone())));
    }

    /// No more probes.
    pub(super) fn stop_probing(&mut self) {
        if let Some(probing) = self.probing.take() {
            probing.abort();
        }
    }

    /// Looks at links, store and daemon.
    pub(super) fn look(&self, target: Option<Digest>) {
        let (store, slot, started) = (self.store.clone(), self.slot.clone(), self.started.clone());
        let (known, patience) = (self.daemon.clone(), self.patience);
        drop(self.answer(async move {
            let (view, daemon) = look(&store, &slot, started, known, patience, target).await;
            Answer::Looked { view, daemon }
        }));
    }
}

async fn staged(store: Store, digest: Digest) -> Ended {
    let program = blocking(move || store.open_verified(&digest)).await?;
    check_program(&program.file, digest).map_err(|error| told(&error))
}

/// Is there nothing outside of the agent's own knowledge that forbids a start?
async fn may_start(home: PathBuf, signer: Option<Signer>) -> Result<(), String> {
    let gone = tokio::task::spawn_blocking(move || adopted::are_gone(&home)).await;
    gone.map_err(|error| error.to_string())??;
    marked(signer).await
}

/// Compares a signer's state with what was seen of it before.
async fn marked(signer: Option<Signer>) -> Result<(), String> {
    blocking::<_, SignerError>(move || signer.map_or(Ok(()), |signer| signer.guard.check().map(|_| ()))).await
}

async fn blocking<T: Send + 'static, E: std::error::Error + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(ended) => ended.map_err(|error| told(&error)),
        Err(error) => Err(format!("the work was cut off: {error}")),
    }
}

/// Starts what `current` points at, by the descriptor whose bytes were hashed.
pub(super) async fn start(
    store: &Store,
    slot: &Slot,
    launch: &Launch,
    held: &Held,
    run: &Run,
) -> Result<Daemon, String> {
    let (opened, held, digest) = (store.clone(), held.clone(), run.executable);
    let program = blocking(move || {
        let current = opened.current()?;
        held.open(&opened, &digest).map(|program| (program, current))
    });
    let (program, current) = program.await?;
    if current != Some(digest) {
        let found = current.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
        return Err(format!("`current` points at {found}, expected {digest}; nothing was started"));
    }
    slot.spawn(run, &program, launch).await.map_err(|error| told(&error))
}

/// What is on this host, and the daemon that can be proved to run.
pub(super) async fn look(
    store: &Store,
    slot: &Slot,
    started: Option<Started>,
    known: Option<(u64, Arc<Daemon>)>,
    patience: Patience,
    target: Option<Digest>,
) -> (DiskView, Option<(u64, Arc<Daemon>)>) {
    let current = match store.link(Link::Current) {
        Ok(Some(digest)) => LinkView::To(digest),
        Ok(None) => LinkView::Missing,
        Err(error) => LinkView::Broken { why: told(&error) },
    };
    if let Err(error) = sync(store).await {
        // A link that a power cut may take back is no base for anything: it is looked at again.
        tracing::warn!(why = error, "what is on the disk could not be made durable");
        let previous = store.previous().unwrap_or_default();
        return (DiskView { current, previous, daemon: DaemonView::Unknown, staged: false }, None);
    }
    let (daemon, adopted) = match find(slot, started, known, patience).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(why = told(&error), "the daemon could be neither found nor ruled out");
            (DaemonView::Unknown, None)
        }
    };
    let view = DiskView {
        current,
        previous: store.previous().unwrap_or_default(),
        daemon,
        staged: target.is_some_and(|digest| store.holds(&digest)),
    };
    (view, adopted)
}

async fn sync(store: &Store) -> Result<(), String> {
    let store = store.clone();
    blocking(move || store.sync()).await
}

type Seen = (DaemonView, Option<(u64, Arc<Daemon>)>);

async fn find(
    slot: &Slot,
    started: Option<Started>,
    known: Option<(u64, Arc<Daemon>)>,
    patience: Patience,
) -> Result<Seen, ProcessError> {
    if let Some((number, daemon)) = known
        && daemon.is_alive()?
    {
        let digest = daemon.identity().run.executable;
        return Ok((DaemonView::Running { digest }, Some((number, daemon))));
    }
    let Some(Started { number, run, identity, boot_id }) = started else {
        return Ok((DaemonView::Dead, None));
    };
    let running = |daemon: Daemon| {
        let digest = daemon.identity().run.executable;
        (DaemonView::Running { digest }, Some((number, Arc::new(daemon))))
    };
    match &identity {
        Some(identity) => match slot.adopt(identity).await? {
            Adoption::Adopted(daemon) => Ok(running(daemon)),
            Adoption::NotOurs { found } => Ok((DaemonView::Running { digest: found }, None)),
            Adoption::Dead { host_lost, left_behind } => {
                if !left_behind.is_empty() {
                    slot.end(&run, Some(identity), patience).await?;
                }
                Ok((if host_lost { DaemonView::HostLost } else { DaemonView::Dead }, None))
            }
        },
        None => match slot.find(&run, FIND_WITHIN).await? {
            // No process outlives its host: what was started before then was cut, and has not failed.
            Found::Nobody if boot_id.is_some_and(|of| boot_id_now().is_some_and(|now| now != of)) => {
                Ok((DaemonView::HostLost, None))
            }
            Found::Nobody => Ok((DaemonView::Dead, None)),
            Found::Daemon(daemon) => Ok(running(daemon)),
            Found::Strays(_) => {
                slot.end(&run, None, patience).await?;
                Ok((DaemonView::Dead, None))
            }
        },
    }
}

/// The host's start of now; `None` where the system does not say.
pub(super) fn boot_id_now() -> Option<String> {
    boot_id().inspect_err(|error| tracing::warn!(%error, "the system does not name its start")).ok()
}

/// An ending in words, for the journal.
#[must_use]
pub(super) fn failure(ended: &Ended) -> Option<String> {
    ended.as_ref().err().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::process::RunToken;

    /// A daemon that was being started when its host went down has not failed.
    #[tokio::test]
    async fn a_start_of_an_earlier_boot_that_left_nobody_was_cut_by_its_host() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        let slot = Slot::open(home.path(), &store).unwrap();
        let run = Run { token: RunToken::random(), executable: Digest::of(b"v1") };
        let patience = Patience { grace: Duration::ZERO, proof: Duration::from_secs(1) };
        for (boot_id, view) in [
            (Some("another".to_owned()), DaemonView::HostLost),
            (boot_id_now(), DaemonView::Dead),
            (None, DaemonView::Dead),
        ] {
            let started = Started { number: 1, run: run.clone(), identity: None, boot_id };
            let (seen, _) = look(&store, &slot, Some(started.clone()), None, patience, None).await;
            assert_eq!(seen.daemon, view, "{started:?}");
        }
    }

    /// A node must not be stopped for what cannot be started.
    #[tokio::test]
    async fn only_a_program_is_staged() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        let table: [(&[u8], Option<&str>); 6] = [
            (b"\x7fELF", None),
            (b"\x7fEL", Some("is no program: expected ELF")),
            (b"MZ\x90\0", Some("is no program: expected ELF")),
            (b"<!doctype html>", Some("is no program: expected ELF, found a file that begins with \"<!do\"")),
            (b"#!/bin/sh\n", Some("is a script")),
            (b"#!", Some("is a script")),
        ];
        for (bytes, refused) in table {
            let mut draft = store.draft().unwrap();
            draft.write_all(bytes).unwrap();
            let digest = Digest::of(bytes);
            store.publish(draft, &digest).unwrap();
            match (staged(store.clone(), digest).await, refused) {
                (Ok(()), None) => {}
                (Err(why), Some(words)) => assert!(why.contains(words), "{why}"),
                (ended, _) => panic!("{bytes:?}: {ended:?}"),
            }
        }
        assert!(staged(store, Digest::of(b"absent")).await.unwrap_err().contains("not in the store"));
    }

    /// What a look tells is built upon, so it must not be what a power cut takes back.
    #[tokio::test]
    async fn what_a_look_saw_is_durable() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        let slot = Slot::open(home.path(), &store).unwrap();
        let patience = Patience { grace: Duration::ZERO, proof: Duration::from_secs(1) };
        let folder = home.path().canonicalize().unwrap();
        let before = crate::act::durable::synced(&folder);
        look(&store, &slot, None, None, patience, None).await;
        assert!(crate::act::durable::synced(&folder) > before);
    }
}
