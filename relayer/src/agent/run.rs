//! The only loop: remember, decide, act, report.

use std::sync::Arc;
use std::time::Duration;

use concord_decide::{Agent, AgentWaiting, ChainView, Effect, Input, Memory, Stage, Step};
use concord_schema::RolloutId;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::error::AgentError;
use super::follow::{NEWS_MAX, News, follow};
use super::host::{Answer, Host, failure};
use super::http::{Pages, bind, serve};
use super::metrics::Metrics;
use super::record::{Recalled, Record};
use super::status::{Activation, Board, CheckStatus, DaemonStatus, Status};
use super::upkeep::{UPKEEP_EVERY, say_short_floors};
use super::view::Viewer;
use super::{CURSOR, JOURNAL, OUTBOX, mail, now_ms, setup};
use crate::act::process::{Daemon, Run, RunToken};
use crate::chain::Rpc;
use crate::chain::keys::Key;
use crate::chain::send::Sender;
use crate::config::AgentConfig;
use crate::journal::{FolderLock, Journal, Limits};
use crate::report::{Courier, Limits as OutboxLimits, Outbox};
use crate::watch::{Consumer, ConsumerGone, Counters, Step as BlockStep, WatchSettings, Watcher};

/// Answers that wait for the loop, at most; more wait in their tasks.
const ANSWERS_MAX: usize = 64;
/// How often the machine is told that time goes on.
const TICK: Duration = Duration::from_millis(50);
/// A watcher that met a fault looks again after this: the fault may be mended meanwhile.
const WATCH_AGAIN: Duration = Duration::from_secs(5);

/// An agent at work.
struct Work {
    config: AgentConfig,
    agent: Agent,
    host: Host,
    journal: Journal<Record>,
    recalled: Recalled,
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
    _lock: FolderLock,
}

/// Runs the agent of one node until a signal to end, or an error. The daemon goes on in either case.
///
/// # Errors
/// [`AgentError`]: what cannot be gone on with. Nothing that the chain does is among them.
pub async fn run(config: AgentConfig) -> Result<(), AgentError> {
    let listener = bind(config.http.listen).await?;
    let address = listener.local_addr().map_err(AgentError::System)?;
    let (answers, mut inbox) = mpsc::channel(ANSWERS_MAX);
    let (news, mut heard) = mpsc::channel(NEWS_MAX);
    let (mut work, first, parts) = open(config, answers).await?;
    tracing::info!(%address, node = work.config.node.node_id, stage = %work.agent.memory().stage, "the agent is up");
    let mut tasks = parts.spawn(listener, &work, news);
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
            Some(answer) = inbox.recv() => work.take(answer).await?,
            Some(news) = heard.recv() => work.hear(news).await?,
            _ = ticker.tick() => work.step(Input::Tick).await?,
            _ = upkeep.tick() => work.host.keep_up(&mut work.journal),
        }
    }
    tracing::info!("the agent ends; the daemon goes on");
    Ok(())
}

/// What runs beside the loop.
struct Parts {
    rpc: Rpc,
    watcher: Watcher,
    courier: Courier,
    sender: Sender,
    own: watch::Receiver<Option<RolloutId>>,
    floors: watch::Sender<Option<bool>>,
}

impl Parts {
    fn spawn(self, listener: TcpListener, work: &Work, news: mpsc::Sender<News>) -> JoinSet<AgentError> {
        let (node, chain) = (&work.config.node, &work.config.chain);
        let viewer =
            Viewer::new(chain.contract.clone(), node.operator.text(), &node.component, &node.node_id);
        let (courier, sender, tips) = (self.courier, self.sender, self.watcher.tip());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_pages(listener, work.pages.clone()));
        let (rpc, contract) = (self.rpc.clone(), chain.contract.clone());
        tasks.spawn(async move { say_short_floors(&rpc, &contract, &self.floors).await });
        tasks.spawn(async move { ended("courier", courier.run(sender).await) });
        tasks.spawn(follow_chain(self.rpc, viewer, tips, self.own, chain.still_longest, news));
        tasks.spawn(watch_blocks(self.watcher));
        tasks
    }
}

/// Opens everything that the agent keeps, and takes up where it was.
async fn open(config: AgentConfig, answers: mpsc::Sender<Answer>) -> Result<(Work, Step, Parts), AgentError> {
    let home = config.node.home.clone();
    if !home.join(JOURNAL).is_dir() {
        return Err(AgentError::NotInitialised { folder: home });
    }
    let lock = FolderLock::take(&home)?;
    let (journal, contents) = Journal::<Record>::open(&home.join(JOURNAL), Limits::default())?;
    if let Some(torn) = contents.torn {
        tracing::warn!(
            bytes = torn.bytes,
            "the journal's last record was torn and is cut off: its effect never began"
        );
    }
    let recalled = Recalled::of(contents.entries.into_iter().map(|entry| entry.record));
    let rpc = config.chain.client(1)?;
    let mut watch_settings = WatchSettings::new(config.chain.contract.clone(), home.join(CURSOR));
    watch_settings.websocket = config.chain.websocket;
    watch_settings.still_longest = config.chain.still_longest;
    let watcher = Watcher::new(rpc.clone(), watch_settings)?;
    let counters = watcher.counters();
    let (outbox, courier) = Outbox::open(&home.join(OUTBOX), OutboxLimits::default())?;
    let key = Key::load(&config.node.hot_key)?;
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
        host,
        journal,
        recalled,
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
        _lock: lock,
    };
    Ok((work, first, Parts { rpc, watcher, courier, sender, own: own_seen, floors }))
}

fn ended(part: &'static str, why: impl std::fmt::Debug) -> AgentError {
    AgentError::Ended { part, why: format!("{why:?}") }
}

fn gone(part: Result<AgentError, tokio::task::JoinError>) -> AgentError {
    part.unwrap_or_else(|error| ended("task", error.to_string()))
}

async fn serve_pages(listener: TcpListener, pages: Arc<Pages>) -> AgentError {
    ended("pages", serve(listener, pages).await)
}

async fn follow_chain(
    rpc: Rpc,
    viewer: Viewer,
    tips: watch::Receiver<crate::watch::Tip>,
    own: watch::Receiver<Option<RolloutId>>,
    still: Duration,
    news: mpsc::Sender<News>,
) -> AgentError {
    follow(rpc, viewer, tips, own, still, news).await;
    ended("view of the chain", "the watcher is gone")
}

/// Walks every block behind the tip. A fault of the source needs a person, and no agent dies of it: the node runs on.
async fn watch_blocks(watcher: Watcher) -> AgentError {
    match watcher.run_on(Teller, WATCH_AGAIN).await {
        Err(gone) => ended("watcher", gone),
        Ok(never) => match never {},
    }
}

/// Tells what the contract said, block by block, and what could not be seen.
struct Teller;

impl Consumer for Teller {
    async fn apply(&mut self, step: BlockStep) -> Result<(), ConsumerGone> {
        match step {
            BlockStep::Block { height, events } => {
                for event in events {
                    let kind = event.value("kind").unwrap_or("-");
                    let rollout = event.value("rollout").unwrap_or("-");
                    tracing::debug!(height, kind, rollout, "the contract says");
                }
            }
            BlockStep::Gap { from, to, .. } => {
                tracing::warn!(
                    from,
                    to,
                    "no node can show these blocks any more; the present is read from state"
                );
            }
        }
        Ok(())
    }
}

impl Work {
    /// One input, one turn.
    async fn step(&mut self, input: Input) -> Result<(), AgentError> {
        let step = self.agent.step(now_ms()?, input);
        self.turn(step).await
    }

    /// Remembers, then acts, then shows.
    async fn turn(&mut self, step: Step) -> Result<(), AgentError> {
        for passed in &step.moves {
            tracing::info!(from = %passed.from, to = %passed.to, rollout = self.agent.memory().generation.rollout.0, node = self.config.node.node_id, "stage");
        }
        if step.must_journal() {
            self.remember(Record::Step {
                at_ms: now_ms()?,
                memory: Box::new(self.agent.memory().clone()),
                effects: step.effects.clone(),
            })?;
        }
        self.own.send_replace(self.agent.own_rollout());
        for effect in step.effects {
            self.perform(effect).await?;
        }
        self.waiting = step.waiting_on;
        self.show();
        Ok(())
    }

    fn remember(&mut self, record: Record) -> Result<(), AgentError> {
        let appended = self.journal.append(&record)?;
        if appended.disk_full {
            tracing::error!(
                "the disk is full: the journal's reserve is in use; free space in the agent's folder"
            );
        }
        let mut recalled = std::mem::take(&mut self.recalled);
        recalled.take(record);
        self.recalled = recalled;
        if self.journal.needs_rewrite() {
            self.journal.rewrite(&self.recalled.records(now_ms()?))?;
        }
        Ok(())
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), AgentError> {
        let target = self.agent.memory().target.as_ref().map(|target| target.artifact.digest);
        match effect {
            Effect::Fetch { artifact } => self.host.fetch(artifact),
            Effect::Stage { digest } => self.host.stage(digest),
            Effect::Drain => self.host.nothing(Input::Drained(Ok(()))),
            Effect::Undrain => self.host.nothing(Input::Undrained(Ok(()))),
            Effect::Snapshot => self.host.nothing(Input::Snapshotted(Ok(()))),
            Effect::Stop { run } => self.host.stop(run),
            Effect::Switch { to } => self.host.switch(to),
            Effect::Spawn { run: number, digest } => {
                let run = Run { token: RunToken::random(), executable: digest };
                self.remember(Record::Run { number, run: run.clone() })?;
                self.host.spawn(number, run);
            }
            Effect::Look => self.host.look(target),
            Effect::StartProbing { interval_ms } => self.host.start_probing(interval_ms),
            Effect::StopProbing => self.host.stop_probing(),
            Effect::Commit => {
                self.host.collect(target);
                self.done(&effect, None)?;
            }
            Effect::Report { .. }
            | Effect::AskLease { .. }
            | Effect::ReturnLease { .. }
            | Effect::Crank { .. } => {
                let seq = self.journal.next_seq();
                let posted = mail::post(&self.outbox, &self.config.chain.contract, &effect, seq).await;
                match posted {
                    Ok(()) if effect.is_repeated() => self.done(&effect, None)?,
                    Ok(()) => {}
                    Err(error) => tracing::error!(%error, "a message did not get into the outbox"),
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, effect: &Effect, failed: Option<String>) -> Result<(), AgentError> {
        self.remember(Record::Done { effect: effect.name().to_owned(), failed })
    }

    /// An effect is over: its result is in the journal before the machine hears it.
    async fn take(&mut self, answer: Answer) -> Result<(), AgentError> {
        match answer {
            Answer::Spawned { number, spawned } => {
                let ended = match spawned {
                    Ok(daemon) => {
                        self.keep(number, daemon)?;
                        Ok(())
                    }
                    Err(why) => Err(why),
                };
                self.step(Input::Spawned { run: number, ended }).await
            }
            Answer::Probed(checks, verdict) => {
                self.checks = checks;
                self.step(Input::Probe(verdict)).await
            }
            Answer::Looked { view, daemon } => {
                if let Some((number, daemon)) = daemon
                    && self.host.daemon.is_none()
                {
                    self.keep(number, daemon)?;
                }
                self.step(Input::Looked(view)).await
            }
            Answer::Input(input) => {
                if let Some((effect, failed)) = over(&input) {
                    self.remember(Record::Done { effect: effect.to_owned(), failed })?;
                }
                if let Input::DaemonExited { run, .. } = &input
                    && self.host.daemon.as_ref().is_some_and(|(number, _)| number == run)
                {
                    self.host.daemon = None;
                }
                self.step(input).await
            }
        }
    }

    /// A daemon runs: who it is goes into the journal, and its end will be told.
    fn keep(&mut self, number: u64, daemon: Arc<Daemon>) -> Result<(), AgentError> {
        let identity = daemon.identity().clone();
        self.remember(Record::Daemon { number, identity: identity.clone() })?;
        if let Some(started) = self.host.started.as_mut() {
            started.identity = Some(identity);
        }
        self.host.watch(number, daemon.clone());
        self.host.daemon = Some((number, daemon));
        Ok(())
    }

    async fn hear(&mut self, news: News) -> Result<(), AgentError> {
        match &news {
            News::View(view) => {
                self.source = None;
                self.view = Some(view.clone());
            }
            News::Stale { why, .. } => self.source = Some(why.clone()),
        }
        self.open_reports = self.outbox.entries().await.iter().filter(|entry| !entry.state.is_done()).count();
        self.trouble = self.outbox.trouble().borrow().clone();
        self.step(news.input()).await
    }

    fn show(&self) {
        let memory = self.agent.memory();
        let height = |gauge: i64| u64::try_from(gauge).unwrap_or_default();
        self.pages.board.show(Status {
            stage: memory.stage.name().to_owned(),
            rollout: memory.generation.rollout.0,
            attempt: memory.generation.attempt,
            waiting_on: word(&self.waiting),
            sentence: self.waiting.to_string(),
            current: self.host.store.current().ok().flatten().map(|digest| digest.to_string()),
            daemon: self.host.daemon.as_ref().map(|(_, daemon)| DaemonStatus {
                pid: daemon.identity().pid,
                executable: daemon.identity().run.executable.to_string(),
            }),
            tip_height: height(self.counters.tip_height.get()),
            verified_height: self.view.as_ref().map_or(0, |view| view.now.height.0),
            cursor_height: height(self.counters.cursor_height.get()),
            source: self.source.clone(),
            activation: memory.left_armed.map(|left| Activation {
                asked_height: left.height.0.saturating_sub(left.skew_blocks),
                left_armed_height: left.height.0,
                skew_blocks: left.skew_blocks,
            }),
            checks: self.checks.clone(),
            short_floors: *self.short_floors.borrow(),
            downtime_ms: memory.downtime.total_ms,
            outbox: self.open_reports,
            outbox_trouble: self.trouble.clone(),
            fault: fault(&self.waiting, memory),
            ..setup::blank(&self.config)
        });
    }
}

/// What needs a person: a fault, a node that its agent cannot bring further, or work that does not end.
fn fault(waiting: &AgentWaiting, memory: &Memory) -> Option<String> {
    match waiting {
        AgentWaiting::Fault { fault } => Some(fault.to_string()),
        AgentWaiting::Overdue { .. } => Some(waiting.to_string()),
        _ if matches!(memory.stage, Stage::Contained { .. }) => memory.why.clone(),
        _ => None,
    }
}

/// The word of a reason, as metrics and programs name it.
fn word(waiting: &AgentWaiting) -> String {
    match serde_json::to_value(waiting) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => "unnamed".to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use concord_decide::{Served, Work};
    use concord_schema::Digest;

    use super::*;

    #[test]
    fn work_that_does_not_end_needs_a_person() {
        let digest = Digest::of(b"v1");
        let mut memory =
            Memory::new(Served { release: digest, version: "1.0.0".to_owned(), artifact: digest });
        let overdue = AgentWaiting::Overdue { on: Work::Stop, for_ms: 61_000, limit_ms: 60_000 };
        assert_eq!(word(&overdue), "overdue");
        let said = fault(&overdue, &memory).unwrap();
        assert!(said.contains("stopping the daemon takes 61000 ms"), "{said}");
        assert_eq!(fault(&AgentWaiting::Working { on: Work::Stop }, &memory), None);
        memory.stage = Stage::Contained { running: true };
        memory.why = Some("it came up sick".to_owned());
        assert_eq!(fault(&AgentWaiting::View, &memory).as_deref(), Some("it came up sick"));
    }
}
