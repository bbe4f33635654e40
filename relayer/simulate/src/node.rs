//! One node: the real machine, driven as the agent drives it, over a fake host. A crash may hit at every effect.

use std::collections::{BTreeMap, VecDeque};

use concord_decide::moves::is_drawn;
use concord_decide::{
    Agent, AgentWaiting, ChainView, DaemonView, Effect, Input, Memory, Served, Settings, Stage, Step,
};
use concord_schema::NodeNo;

use crate::check;
use crate::dice::Dice;
use crate::failure::{Breach, hold};
use crate::genesis::{PLATFORM, artifact, release};
use crate::host::{FakeHost, Started};
use crate::journal::{Journal, Outbox, letter};
use crate::profile::{Profile, Sabotage};
use crate::summary::Summary;
use crate::trace::Trace;

/// Effects of one turn, at most: a turn that says again all that a node ever said in a try stays below it.
const EFFECTS_MAX: usize = 24;
/// Facts of earlier blocks that a node may be told late.
const VIEWS_MAX: usize = 4;

/// What a node's turn needs of its world.
pub(crate) struct Scene {
    pub(crate) dice: Dice,
    /// What wider fleets are drawn from.
    pub(crate) wide: Option<Dice>,
    pub(crate) profile: Profile,
    pub(crate) trace: Trace,
    pub(crate) summary: Summary,
    pub(crate) height: u64,
    pub(crate) ms: u64,
    /// Things go wrong now.
    pub(crate) troubled: bool,
}

impl Scene {
    /// Does a trouble of this chance happen now?
    pub(crate) fn strikes(&mut self, per_mille: u16) -> bool {
        self.troubled && self.dice.happens(per_mille)
    }

    pub(crate) fn note(&mut self, what: impl core::fmt::Display) {
        self.trace.note(self.height, what);
    }

    pub(crate) fn is_sabotaged(&self, by: Sabotage) -> bool {
        self.profile.sabotage == Some(by)
    }
}

/// A node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) hot: String,
    pub(crate) no: NodeNo,
    pub(crate) host: FakeHost,
    pub(crate) outbox: Outbox,
    pub(crate) agent: Option<Agent>,
    /// When its agent is started again.
    pub(crate) back_ms: u64,
    /// It gives its next lease back, whatever it does under it.
    pub(crate) gives_away: bool,
    /// Until which block its source is silent.
    pub(crate) silent_until: u64,
    /// When the host started, of the world's milliseconds.
    booted_ms: u64,
    journal: Journal,
    /// Answers on their way, by time and order.
    answers: BTreeMap<(u64, u64), Input>,
    asked: u64,
    /// The newest facts that it was told.
    told: Option<ChainView>,
    views: VecDeque<ChainView>,
    fresh_height: u64,
    probing: Option<(u64, u64)>,
    pub(crate) waiting: AgentWaiting,
}

impl Node {
    pub(crate) fn new(name: &str, hot: &str, no: NodeNo) -> Result<Self, Breach> {
        let baseline = release(0);
        let serves = Served { release: baseline.digest(), version: baseline.version, artifact: artifact(0) };
        let mut journal = Journal::default();
        journal.step(&Memory::new(serves), &[])?;
        Ok(Self {
            name: name.to_owned(),
            hot: hot.to_owned(),
            no,
            host: FakeHost::new(artifact(0)),
            outbox: Outbox::default(),
            agent: None,
            back_ms: 0,
            gives_away: false,
            silent_until: 0,
            booted_ms: 0,
            journal,
            answers: BTreeMap::new(),
            asked: 0,
            told: None,
            views: VecDeque::new(),
            fresh_height: 0,
            probing: None,
            waiting: AgentWaiting::View,
        })
    }

    /// The clock of the host, which counts from its own start.
    fn clock(&self, scene: &Scene) -> u64 {
        scene.ms.saturating_sub(self.booted_ms)
    }

    /// Starts its agent again, from the journal and the disk alone.
    pub(crate) fn start(&mut self, scene: &mut Scene) -> Result<(), Breach> {
        let recalled = self.journal.recall()?;
        let Some(memory) = recalled.memory else {
            return Err(Breach::new("NODE-1", format!("{}: the journal is empty", self.name)));
        };
        let target = memory.target.as_ref().map(|target| target.artifact.digest);
        let disk = self.host.look(recalled.started, target);
        let mut settings = Settings::new(PLATFORM);
        settings.boot_ms = 3_000;
        settings.probe_interval_ms = 100;
        scene.note(format!("{}: its agent starts; {:?}", self.name, disk.daemon));
        let now_ms = self.clock(scene);
        self.told = None;
        let (agent, step) = Agent::resume(settings, memory, recalled.pending, disk, None, now_ms);
        self.agent = Some(agent);
        self.turn(scene, step)
    }

    /// Its agent dies, and with it all that was under way for it.
    pub(crate) fn kill(&mut self, scene: &mut Scene, with_daemon: bool) {
        let away = if scene.is_sabotaged(Sabotage::AgentGone) {
            u64::MAX
        } else {
            let blocks_max = scene.profile.away_blocks_max;
            scene.dice.between(100, blocks_max.saturating_mul(1_000).max(100))
        };
        scene.summary.crashes = scene.summary.crashes.saturating_add(1);
        scene.note(format!("{}: its agent dies, daemon too: {with_daemon}", self.name));
        self.agent = None;
        self.answers.clear();
        self.views.clear();
        self.probing = None;
        self.back_ms = scene.ms.saturating_add(away);
        if with_daemon {
            self.host.daemon = None;
        }
    }

    /// The host starts anew.
    pub(crate) fn reboot(&mut self, scene: &mut Scene) {
        self.kill(scene, true);
        scene.note(format!("{}: its host starts anew", self.name));
        self.host.boot = self.host.boot.saturating_add(1);
        self.booted_ms = scene.ms;
    }

    /// Its daemon's process ends.
    pub(crate) fn daemon_dies(&mut self, scene: &mut Scene) {
        if let Some(process) = self.host.daemon.take() {
            scene.note(format!("{}: its daemon ends", self.name));
            self.tell_exit(scene, process.run);
        }
    }

    fn tell_exit(&mut self, scene: &mut Scene, run: u64) {
        if self.agent.is_some() {
            self.answer(scene, 0, Input::DaemonExited { run, code: Some(1), signal: None });
        }
    }

    fn answer(&mut self, scene: &mut Scene, within_ms: u64, input: Input) {
        let at = scene.ms.saturating_add(within_ms);
        self.asked = self.asked.saturating_add(1);
        self.answers.insert((at, self.asked), input);
    }

    /// One input, one turn.
    pub(crate) fn step(&mut self, scene: &mut Scene, input: Input) -> Result<(), Breach> {
        let now_ms = self.clock(scene);
        let Some(agent) = self.agent.as_mut() else { return Ok(()) };
        let step = agent.step(now_ms, input);
        self.turn(scene, step)
    }

    /// Remembers, then acts.
    fn turn(&mut self, scene: &mut Scene, step: Step) -> Result<(), Breach> {
        scene.summary.steps = scene.summary.steps.saturating_add(1);
        self.look_at_moves(scene, &step)?;
        hold("BOUND", step.effects.len() <= EFFECTS_MAX, || {
            format!("{}: a turn has {} effects, at most {EFFECTS_MAX}", self.name, step.effects.len())
        })?;
        if step.must_journal() {
            if scene.strikes(scene.profile.crash / 4) {
                // Before the journal: the turn never was.
                let with_daemon = scene.strikes(scene.profile.daemon_too);
                self.kill(scene, with_daemon);
                return Ok(());
            }
            let skipped = scene.is_sabotaged(Sabotage::SwitchUnjournaled)
                && step.effects.iter().any(|effect| matches!(effect, Effect::Switch { .. }));
            if let (Some(agent), false) = (self.agent.as_ref(), skipped) {
                self.journal.step(agent.memory(), &step.effects)?;
            }
        }
        self.waiting = step.waiting_on;
        for effect in step.effects {
            let (before, after) = (scene.strikes(scene.profile.crash), scene.strikes(scene.profile.crash));
            if !before {
                self.perform(scene, &effect)?;
            }
            if before || after {
                scene.note(format!("{}: crash at {} (done: {})", self.name, effect.name(), !before));
                let with_daemon = scene.strikes(scene.profile.daemon_too);
                self.kill(scene, with_daemon);
                break;
            }
        }
        check::node(self)
    }

    fn look_at_moves(&mut self, scene: &mut Scene, step: &Step) -> Result<(), Breach> {
        for passed in &step.moves {
            scene.note(format!("{}: {} -> {}", self.name, passed.from, passed.to));
            let count = scene.summary.stages.entry(passed.to.name()).or_default();
            *count = count.saturating_add(1);
            hold("FSM", is_drawn(passed), || {
                format!("{}: {} -> {} is not drawn", self.name, passed.from, passed.to)
            })?;
            if passed.to == Stage::Draining {
                let braked = self.told.as_ref().and_then(|view| view.brakes.holding(view.now));
                hold("BRAKE", braked.is_none(), || format!("{}: drains under a brake", self.name))?;
            }
            if passed.to == Stage::Switched && self.gives_away {
                self.give_away(scene);
            }
            // A node that is back may begin something newer in the same turn, and then its target is that.
            let target = self.agent.as_ref().and_then(|agent| agent.memory().target.as_ref());
            if passed.to == Stage::RollingBack {
                self.host.leaves = target.map(|target| target.artifact.digest);
            }
            if passed.to == Stage::RolledBack {
                self.host.banned.extend(self.host.leaves.take());
            }
        }
        Ok(())
    }

    /// Sabotage: the lease goes back in the middle of the switch.
    fn give_away(&mut self, scene: &Scene) {
        if let Some(rollout) = self.agent.as_ref().and_then(Agent::own_rollout) {
            let attempt = self.agent.as_ref().map_or(0, |agent| agent.memory().generation.attempt);
            if let Some((key, message)) = letter(&Effect::ReturnLease { rollout, attempt }, 0) {
                self.outbox.put(format!("sabotage-{key}"), message, scene.height);
            }
        }
    }

    fn perform(&mut self, scene: &mut Scene, effect: &Effect) -> Result<(), Breach> {
        scene.summary.effects = scene.summary.effects.saturating_add(1);
        if effect.work().is_some() || matches!(effect, Effect::Commit) {
            scene.note(format!("{}: {effect:?}", self.name));
            hold("NODE-1", self.journal.intends(effect), || {
                format!("{}: {effect:?} is not in the journal", self.name)
            })?;
        }
        let memory_target = self.agent.as_ref().and_then(|agent| agent.memory().target.as_ref());
        let target = memory_target.map(|target| target.artifact.digest);
        match effect {
            Effect::Look => {
                let view = self.host.look(self.journal.started(), target);
                let lost = scene.strikes(scene.profile.failure);
                let daemon = if lost { DaemonView::Unknown } else { view.daemon };
                let seen = Input::Looked(concord_decide::DiskView { daemon, ..view });
                self.answer_soon(scene, seen);
            }
            Effect::StartProbing { interval_ms } => {
                let next_ms = scene.ms.saturating_add(*interval_ms);
                self.probing = Some(((*interval_ms).max(1), next_ms));
            }
            Effect::StopProbing => self.probing = None,
            Effect::Commit => {
                self.host.collect(target);
                self.journal.done(effect.name());
            }
            _ => self.work_or_post(scene, effect)?,
        }
        Ok(())
    }

    fn work_or_post(&mut self, scene: &mut Scene, effect: &Effect) -> Result<(), Breach> {
        if let Some((key, message)) = letter(effect, self.journal.next()) {
            let late = if scene.strikes(scene.profile.late) { scene.dice.between(1, 12) } else { 0 };
            scene.note(format!("{}: posts {key}", self.name));
            let due = scene.height.saturating_add(1).saturating_add(late);
            self.outbox.put(key, message, due);
            if effect.is_repeated() {
                self.journal.done(effect.name());
            }
            return Ok(());
        }
        if let Effect::Spawn { run, .. } = effect {
            self.journal.run(Started { run: *run, boot: self.host.boot });
        }
        let fetches = matches!(effect, Effect::Fetch { .. });
        let chance = if fetches { scene.profile.no_download } else { scene.profile.failure };
        let fails = scene.strikes(chance);
        let input = self.host.perform(effect, scene.ms, fails)?;
        if let Some(input) = input {
            self.answer_soon(scene, input);
        }
        Ok(())
    }

    fn answer_soon(&mut self, scene: &mut Scene, input: Input) {
        let within_ms = scene.dice.between(0, scene.profile.work_ms_max);
        self.answer(scene, within_ms, input);
    }

    /// Facts of the newest block, or older ones, or silence.
    pub(crate) fn hear(&mut self, scene: &mut Scene, view: ChainView) -> Result<(), Breach> {
        if scene.height < self.silent_until {
            if scene.height.saturating_sub(self.fresh_height) == 3 {
                self.told = None;
                return self.step(scene, Input::Stale { since_ms: 3_000 });
            }
            return Ok(());
        }
        self.fresh_height = scene.height;
        let tip = view.tip;
        if self.views.len() >= VIEWS_MAX {
            self.views.pop_front();
        }
        self.views.push_back(view.clone());
        let old = if scene.strikes(scene.profile.old_facts) { self.views.front().cloned() } else { None };
        let view = old.map_or(view, |old| ChainView { tip, ..old });
        // What an older view would have the machine forget, it ignores; so do the checks.
        if self.told.as_ref().is_none_or(|told| told.now.height <= view.now.height) {
            self.told = Some(view.clone());
        }
        self.step(scene, Input::Chain(Box::new(view)))
    }

    /// A tenth of a second on this node.
    pub(crate) fn pass(&mut self, scene: &mut Scene) -> Result<(), Breach> {
        if let Some(run) = self.host.expire(scene.ms) {
            scene.note(format!("{}: its daemon exits", self.name));
            self.tell_exit(scene, run);
        }
        if self.agent.is_none() {
            if scene.ms >= self.back_ms {
                self.start(scene)?;
            }
            return Ok(());
        }
        while let Some(((at, _), _)) = self.answers.first_key_value()
            && *at <= scene.ms
        {
            let Some((_, input)) = self.answers.pop_first() else { break };
            if let Some(effect) = over(&input) {
                self.journal.done(effect);
            }
            if scene.strikes(scene.profile.crash / 4) {
                let with_daemon = scene.strikes(scene.profile.daemon_too);
                self.kill(scene, with_daemon);
                return Ok(());
            }
            self.step(scene, input)?;
        }
        if let Some((interval_ms, next_ms)) = self.probing
            && scene.ms >= next_ms
        {
            self.probing = Some((interval_ms, scene.ms.saturating_add(interval_ms)));
            let verdict = self.host.probe();
            self.step(scene, Input::Probe(verdict))?;
        }
        if scene.ms.is_multiple_of(1_000) { self.step(scene, Input::Tick) } else { Ok(()) }
    }
}

/// Which effect an input ends.
fn over(input: &Input) -> Option<&'static str> {
    Some(match input {
        Input::Fetched { .. } => "fetch",
        Input::Staged { .. } => "stage",
        Input::Stopped { .. } => "stop",
        Input::Switched { .. } => "switch",
        Input::Snapshotted(_) => "snapshot",
        Input::Drained(_) => "drain",
        Input::Undrained(_) => "undrain",
        _ => return None,
    })
}
