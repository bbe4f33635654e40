//! The only loop: remember, decide, act, report.

mod parts;
mod requests;
mod show;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use concord_decide::{Agent, AgentWaiting, ChainView, Effect, Input, Memory, Stage, Step};
use concord_schema::{Digest, RolloutId};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use tracing::Instrument;

use self::parts::{Parts, gone};
use super::book::{Book, Kept};
use super::error::AgentError;
use super::follow::{NEWS_MAX, News};
use super::host::{Answer, Host, boot_id_now, failure};
use super::http::{Pages, bind};
use super::metrics::Metrics;
use super::record::{Recalled, Record};
use super::retry::Requests;
use super::status::{Board, CheckStatus};
use super::upkeep::UPKEEP_EVERY;
use super::{CURSOR, JOURNAL, OUTBOX, mail, now_ms, setup};
use crate::act::process::{Daemon, Run, RunToken};
use crate::chain::keys::Key;
use crate::chain::seal::Passphrase;
use crate::chain::send::Sender;
use crate::config::AgentConfig;
use crate::journal::{FolderLock, Journal, Limits};
use crate::report::{Limits as OutboxLimits, Outbox};
use crate::watch::{Counters, WatchSettings, Watcher};

/// Answers that wait for the loop, at most; more wait in their tasks.
const ANSWERS_MAX: usize = 64;
/// How often the machine is told that time goes on.
const TICK: Duration = Duration::from_millis(50);
/// What a full disk did not take is tried again after this.
const KEEP_AGAIN: Duration = Duration::from_secs(1);
/// The signal of a file that would grow above the process's limit. Caught, the write fails instead, as on a full disk.
const FILE_TOO_LONG: i32 = 25;

/// An agent at work.
struct Work {
    config: AgentConfig,
    agent: Agent,
    /// The rollout that the log's lines name.
    labelled: Option<RolloutId>,
    host: Host,
    book: Book,
    /// Effects of the newest turn, whose intent is not durable yet.
    meant: Option<Vec<Effect>>,
    /// Effects that are durable and wait to be performed, in order.
    due: VecDeque<Effect>,
    /// An answer that is not durable yet.
    late: Option<Answer>,
    again: Instant,
    outbox: Outbox,
    own: watch::Sender<Option<RolloutId>>,
    pages: Arc<Pages>,
    counters: Counters,
    view: Option<Box<ChainView>>,
    source: Option<String>,
    waiting: AgentWaiting,
    open_reports: usize,
    trouble: Option<String>,
    checks: Vec<CheckStatus>,
    short_floors: watch::Receiver<Option<bool>>,
    requests: Requests,
    _lock: FolderLock,
}

/// Runs the agent of one node until a signal to end, or an error. The daemon goes on in either case.
///
/// # Errors
/// [`AgentError`]: what cannot be gone on with. Nothing that the chain does is among them.
pub async fn run(config: AgentConfig) -> Result<(), AgentError> {
    // Every line of the log carries it, and the rollout's number below it.
    let span = tracing::info_span!("agent", node = config.node.node_id);
    go(config).instrument(span).await
}

async fn go(config: AgentConfig) -> Result<(), AgentError> {
    // Before anything is written: the lock's own file may be the first that a full disk does not take.
    let mut too_long = signal(SignalKind::from_raw(FILE_TOO_LONG)).map_err(AgentError::System)?;
    // Before anything else that two agents of one folder would both want, so that it is the lock that refuses the second.
    let lock = hold(&config)?;
    let listener = bind(config.http.listen).await?;
    let address = listener.local_addr().map_err(AgentError::System)?;
    let (answers, mut inbox) = mpsc::channel(ANSWERS_MAX);
    let (news, mut heard) = mpsc::channel(NEWS_MAX);
    let (mut work, first, parts) = open(config, lock, answers).await?;
    tracing::info!(%address, stage = %work.agent.memory().stage, "the agent is up");
    let mut tasks = parts.spawn(listener, &work, news);
    work.note_daemon()?;
    work.turn(first).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(AgentError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AgentError::System)?;
    let mut ticker = tokio::time::interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(part) = tasks.join_next() => return Err(gone(part)),
            Some(()) = too_long.recv() => {}
            Some(answer) = inbox.recv(), if !work.is_held() => work.take(answer).await?,
            // Each is read once only, so none may be let go.
            Some(news) = heard.recv(), if !work.is_held() => work.hear(news).await?,
            _ = ticker.tick() => work.tick().await?,
            _ = upkeep.tick() => {
                work.host.keep_up(&mut work.book);
                work.note_daemon()?;
            }
        }
    }
    tracing::info!("the agent ends; the daemon goes on");
    Ok(())
}

fn hold(config: &AgentConfig) -> Result<FolderLock, AgentError> {
    let home = &config.node.home;
    if !home.join(JOURNAL).is_dir() {
        return Err(AgentError::NotInitialised { folder: home.clone() });
    }
    Ok(FolderLock::take(home)?)
}

/// Opens everything that the agent keeps, and takes up where it was.
async fn open(
    config: AgentConfig,
    lock: FolderLock,
    answers: mpsc::Sender<Answer>,
) -> Result<(Work, Step, Parts), AgentError> {
    let home = config.node.home.clone();
    let limits = Limits::default();
    let (journal, contents) = Journal::<Record>::open(&home.join(JOURNAL), limits)?;
    if let Some(torn) = contents.torn {
        tracing::warn!(
            bytes = torn.bytes,
            "the journal's last record was torn and is cut off: its effect never began"
        );
    }
    let recalled = Recalled::of(contents.entries.into_iter().map(|entry| entry.record));
    let rpc = config.chain.client(1)?;
    let reader = config.chain.reader(&rpc, &home);
    let mut watch_settings = WatchSettings::new(config.chain.contract.clone(), home.join(CURSOR));
    watch_settings.websocket = config.chain.websocket;
    watch_settings.still_longest = config.chain.still_longest;
    let watcher = Watcher::new(rpc.clone(), watch_settings)?;
    let counters = watcher.counters();
    let (outbox, courier) = Outbox::open(&home.join(OUTBOX), OutboxLimits::default())?;
    let key = Key::load_sealed(&config.node.hot_key, || {
        config.node.passphrase_file.as_deref().map(Passphrase::load).transpose()
    })?;
    let sender = Sender::new(rpc.clone(), key, config.chain.prefix(), config.gas.pricing.clone())?;
    let (own, own_seen) = watch::channel(None);
    let (floors, short_floors) = watch::channel(None);
    let mut host = setup::host(&config, answers)?;
    let (agent, first) = setup::resume(&config, &mut host, &recalled).await?;
    let pages = Arc::new(Pages {
        board: Board::new(setup::blank(&config)),
        metrics: Metrics::new(|registry| counters.register(registry)),
        stages: &Stage::NAMES,
    });
    let work = Work {
        waiting: first.waiting_on.clone(),
        config,
        agent,
        labelled: None,
        host,
        book: Book::new(journal, limits, recalled),
        meant: None,
        due: VecDeque::new(),
        late: None,
        again: Instant::now(),
        outbox,
        own,
        pages,
        counters,
        view: None,
        source: Some("no node has answered yet".to_owned()),
        open_reports: 0,
        trouble: None,
        checks: Vec::new(),
        short_floors,
        requests: Requests::of(&home),
        _lock: lock,
    };
    Ok((work, first, Parts { rpc, reader, watcher, courier, sender, own: own_seen, floors }))
}

impl Work {
    /// One input, one turn.
    async fn step(&mut self, input: Input) -> Result<(), AgentError> {
        let step = self.agent.step(now_ms()?, input);
        self.turn(step).await
    }

    /// The part of the log that belongs to the rollout in which the node acts.
    fn label(&mut self) {
        let rollout = self.agent.memory().generation.rollout;
        if self.labelled != Some(rollout) {
            self.labelled = Some(rollout);
            self.host.span = tracing::info_span!("rollout", id = rollout.0);
        }
    }

    /// Remembers, then acts, then shows.
    async fn turn(&mut self, step: Step) -> Result<(), AgentError> {
        self.label();
        let span = self.host.span.clone();
        self.turn_labelled(step).instrument(span).await
    }

    async fn turn_labelled(&mut self, step: Step) -> Result<(), AgentError> {
        for passed in &step.moves {
            tracing::info!(from = %passed.from, to = %passed.to, "stage");
        }
        self.own.send_replace(self.agent.own_rollout());
        self.waiting = step.waiting_on.clone();
        self.meant = step.must_journal().then_some(step.effects);
        self.go_on().await
    }

    /// Is a turn or an answer in hand that a full disk did not take? Then nothing new is begun.
    fn is_held(&self) -> bool {
        self.meant.is_some() || !self.due.is_empty() || self.late.is_some()
    }

    /// Makes the turn in hand durable and performs it, as far as the disk has space.
    async fn go_on(&mut self) -> Result<(), AgentError> {
        if let Some(effects) = self.meant.take() {
            let memory = Box::new(self.agent.memory().clone());
            let kept = self.book.keep(Record::Step { at_ms: now_ms()?, memory, effects: effects.clone() })?;
            match kept {
                Kept::Durable => self.due.extend(effects),
                Kept::Full => self.meant = Some(effects),
            }
        }
        while let Some(effect) = self.due.pop_front() {
            if self.perform(&effect).await? == Kept::Full {
                self.due.push_front(effect);
                break;
            }
        }
        self.show();
        Ok(())
    }

    /// Time goes on; what a full disk did not take is tried again first.
    async fn tick(&mut self) -> Result<(), AgentError> {
        if !self.is_held() {
            self.hear_requests().await?;
        }
        if !self.is_held() {
            return self.step(Input::Tick).await;
        }
        if self.again.elapsed() < KEEP_AGAIN {
            return Ok(());
        }
        self.again = Instant::now();
        match self.late.take() {
            Some(answer) => self.take(answer).await,
            None => self.go_on().await,
        }
    }

    /// Does one thing; [`Kept::Full`] says that it was not begun.
    async fn perform(&mut self, effect: &Effect) -> Result<Kept, AgentError> {
        let target = self.agent.memory().target.as_ref().map(|target| target.artifact.digest);
        match effect {
            Effect::Fetch { artifact } => self.host.fetch(artifact.clone()),
            Effect::Stage { digest } => self.host.stage(*digest),
            Effect::Drain => self.host.drain(next_of(self.agent.memory())),
            Effect::Undrain => {
                self.host.held.release();
                self.host.nothing(Input::Undrained(Ok(())));
            }
            Effect::Snapshot => self.host.nothing(Input::Snapshotted(Ok(()))),
            Effect::Stop { run } => self.host.stop(*run),
            Effect::Switch { to } => self.host.switch(*to),
            Effect::Spawn { run: number, digest } => {
                let (number, boot_id) = (*number, boot_id_now());
                let run = Run { token: RunToken::random(), executable: *digest };
                let record = Record::Run { number, run: run.clone(), boot_id: boot_id.clone() };
                if self.book.keep(record)? == Kept::Full {
                    return Ok(Kept::Full);
                }
                self.host.spawn(number, run, boot_id);
            }
            Effect::Look => self.host.look(target),
            Effect::StartProbing { interval_ms } => self.host.start_probing(*interval_ms),
            Effect::StopProbing => self.host.stop_probing(),
            Effect::Commit => {
                self.host.collect(target);
                self.done(effect)?;
            }
            Effect::Report { .. }
            | Effect::AskLease { .. }
            | Effect::ReturnLease { .. }
            | Effect::Crank { .. } => {
                let seq = self.book.next_seq();
                let posted = mail::post(&self.outbox, &self.config.chain.contract, effect, seq).await;
                match posted {
                    Ok(()) if effect.is_repeated() => self.done(effect)?,
                    Ok(()) => {}
                    Err(error) => tracing::error!(%error, "a message did not get into the outbox"),
                }
            }
        }
        Ok(Kept::Durable)
    }

    /// Notes that an effect is over. A note that a full disk does not take is let go: a repeat is the same.
    fn done(&mut self, effect: &Effect) -> Result<(), AgentError> {
        let _ = self.book.keep(Record::Done { effect: effect.name().to_owned(), failed: None })?;
        Ok(())
    }

    /// An effect is over: its result is in the journal before the machine hears it.
    async fn take(&mut self, answer: Answer) -> Result<(), AgentError> {
        if self.note(&answer)? == Kept::Full {
            self.late = Some(answer);
            self.show();
            return Ok(());
        }
        let input = match answer {
            Answer::Spawned { number, spawned } => Input::Spawned { run: number, ended: spawned.map(drop) },
            Answer::Probed(checks, verdict) => {
                self.checks = checks;
                Input::Probe(verdict)
            }
            Answer::Looked { view, .. } => Input::Looked(view),
            Answer::Input(input) => input,
        };
        if let Input::DaemonExited { run, .. } = &input
            && self.host.daemon.as_ref().is_some_and(|(number, _)| number == run)
        {
            self.host.daemon = None;
        }
        self.step(input).await
    }

    fn note(&mut self, answer: &Answer) -> Result<Kept, AgentError> {
        match answer {
            Answer::Spawned { number, spawned: Ok(daemon) }
            | Answer::Looked { daemon: Some((number, daemon)), .. } => self.keep(*number, daemon),
            Answer::Spawned { .. } | Answer::Looked { .. } | Answer::Probed(..) => Ok(Kept::Durable),
            Answer::Input(input) => match over(input) {
                Some((effect, failed)) => self.book.keep(Record::Done { effect: effect.to_owned(), failed }),
                None => Ok(Kept::Durable),
            },
        }
    }

    /// A daemon runs: its end will be told, and who it is goes into the journal, once.
    fn keep(&mut self, number: u64, daemon: &Arc<Daemon>) -> Result<Kept, AgentError> {
        if self.host.daemon.as_ref().is_none_or(|(known, _)| *known != number) {
            self.host.watch(number, daemon.clone());
            self.host.daemon = Some((number, daemon.clone()));
        }
        let identity = daemon.identity().clone();
        let known = self.host.started.as_ref().and_then(|started| started.identity.as_ref());
        if known == Some(&identity) {
            return Ok(Kept::Durable);
        }
        let kept = self.book.keep(Record::Daemon { number, identity: identity.clone() })?;
        if kept == Kept::Durable
            && let Some(started) = self.host.started.as_mut()
        {
            started.identity = Some(identity);
        }
        Ok(kept)
    }

    /// A daemon that a start of the agent found by its token belongs into the journal too: after a new start of the host
    /// nothing else says that it was cut. Tried again by the upkeep where the disk is full.
    fn note_daemon(&mut self) -> Result<(), AgentError> {
        if let Some((number, daemon)) = self.host.daemon.clone() {
            let _ = self.keep(number, &daemon)?;
        }
        Ok(())
    }

    async fn hear(&mut self, news: News) -> Result<(), AgentError> {
        match &news {
            News::View(view, _) => {
                self.source = None;
                self.view = Some(view.clone());
            }
            News::Stale { why, .. } | News::Distrusted { why, .. } => self.source = Some(why.clone()),
        }
        self.open_reports = self.outbox.entries().await.iter().filter(|entry| !entry.state.is_done()).count();
        self.trouble = self.outbox.trouble().borrow().clone();
        self.step(news.input(self.config.chain.still_longest)).await
    }
}

/// The artifact that is started after the stop that comes next.
fn next_of(memory: &Memory) -> Option<Digest> {
    let target = memory.target.as_ref()?;
    Some(match memory.stage {
        Stage::RollingBack => target.previous.artifact,
        _ => target.artifact.digest,
    })
}

/// Which effect an input ends, and how it failed.
fn over(input: &Input) -> Option<(&'static str, Option<String>)> {
    Some(match input {
        Input::Fetched { ended, .. } => ("fetch", failure(ended)),
        Input::Staged { ended, .. } => ("stage", failure(ended)),
        Input::Stopped { ended, .. } => ("stop", failure(ended)),
        Input::Switched { ended, .. } => ("switch", failure(ended)),
        Input::Snapshotted(ended) => ("snapshot", failure(ended)),
        Input::Drained(ended) => ("drain", failure(ended)),
        Input::Undrained(ended) => ("undrain", failure(ended)),
        _ => return None,
    })
}
