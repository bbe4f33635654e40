//! One node, one rollout, one host. A tick is a block of one second and thirty probes.

use std::collections::VecDeque;

use concord_schema::brake::{Brake, Brakes};
use concord_schema::node::{Component, Node};
use concord_schema::plan::{Failure, Method, OnFailure, Plan, Trial, Wave};
use concord_schema::release::{Artifact, ProtocolRange, Release, Reversibility, Standing};
use concord_schema::rollout::{LeaseAnswer, Progress, Rollout, Seat};
use concord_schema::{
    Blocks, Bps, Digest, Height, Moment, NodeNo, Now, Power, ProposalId, RolloutId, Seconds, Span,
};

use crate::*;

mod host;

pub(super) const TICK_MS: u64 = 1_000;
const PROBES: u32 = 30;
pub(super) const PLATFORM: &str = "x86_64-linux";

pub(super) fn old_bytes() -> Digest {
    Digest::of(b"old bytes")
}

pub(super) fn new_bytes() -> Digest {
    Digest::of(b"new bytes")
}

pub(super) fn foreign_bytes() -> Digest {
    Digest::of(b"foreign bytes")
}

pub(super) fn served() -> Served {
    Served { release: Digest::of(b"old release"), version: "1.0.0".into(), artifact: old_bytes() }
}

pub(super) fn release(bytes: Digest) -> Release {
    Release {
        component: "feeder".into(),
        version: "2.0.0".into(),
        artifacts: vec![Artifact {
            platform: PLATFORM.into(),
            digest: bytes,
            size_bytes: 9,
            uris: vec!["https://a.example/new".into()],
        }],
        upgrades_from: vec!["1.0.0".into()],
        compatibility: vec![],
        protocol: ProtocolRange { min: 1, max: 1 },
        flags: vec![],
        reversibility: Reversibility::BinaryOnly,
        rollback_procedure: None,
    }
}

fn plan() -> Plan {
    Plan {
        method: Method::Rolling,
        ready_bps: Bps(1),
        preparation: Span::new(50, 50),
        postponement: Span::new(30, 30),
        notice_blocks: Blocks(2),
        waves: vec![Wave {
            lot_bps: Bps(10_000),
            power_max_bps: None,
            healthy_bps: Bps(10_000),
            soak: Span::new(5, 5),
            deadline: Span::new(2_000, 2_000),
        }],
        lease: Span::new(400, 400),
        lease_bps: Bps(5_000),
        one_at_a_time: false,
        trial: Trial { span: Span::new(3, 3), probe_interval_ms: 20 },
        failure: Failure {
            wave_bps: Bps(10_000),
            rollout_bps: Bps(10_000),
            on_crossed: OnFailure::RollBack,
            halted: Span::new(500, 500),
            rolling_back: Span::new(500, 500),
        },
    }
}

/// Something that happens to the world.
pub(super) type Change = fn(&mut World);

/// What happens to an agent at one of its effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// It dies before the effect.
    Before,
    /// It dies after the effect, and its result is lost.
    After,
}

/// What goes with the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toll {
    Agent,
    Daemon,
    Host,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) id: RolloutId,
    pub(super) rollout: Rollout,
    pub(super) progress: Progress,
    pub(super) seat: Option<Seat>,
    pub(super) brakes: Brakes,
    pub(super) now: Now,
    /// Blocks that the facts are behind the tip.
    pub(super) lag: u64,
    pub(super) component: Component,
    pub(super) node: Option<Node>,
    pub(super) standing: Standing,
    pub(super) release: Release,
    pub(super) down: Power,
    /// Messages reach the chain.
    pub(super) delivers: bool,
    /// What the chain refused.
    pub(super) refused: Vec<String>,
    /// Messages that were sent, as kinds.
    pub(super) sent: Vec<String>,

    pub(super) disk: DiskView,
    pub(super) new_is_sick: bool,
    pub(super) new_exits: bool,
    pub(super) old_is_sick: bool,
    pub(super) fails: Vec<(Work, u32)>,
    /// This work is done and never answered; its answer would have been the second.
    pub(super) hangs: Option<Work>,
    pub(super) unanswered: Option<(u64, Input)>,
    pub(super) drained: bool,
    pub(super) probing: bool,
    /// How many probes come back in a tick.
    pub(super) probes: u32,

    pub(super) now_ms: u64,
    pub(super) agent: Option<Agent>,
    pub(super) journal: Memory,
    pub(super) pending: Vec<Effect>,
    pub(super) inbox: VecDeque<Input>,
    pub(super) performed: u32,
    pub(super) blow: Option<(u32, Blow, Toll)>,
    pub(super) chain_at_start: bool,
    pub(super) moves: Vec<Move>,
    pub(super) memories: Vec<Memory>,
    pub(super) waiting: AgentWaiting,
    pub(super) settings: Settings,
    /// Once this stage is passed, this happens to the chain, and the agent sees it before its next result.
    pub(super) then: Option<(&'static str, Change)>,
    /// The source cannot be relied on from now on.
    pub(super) stale: bool,
    /// Sent, and in the next block.
    mempool: Vec<Effect>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(release(new_bytes()), plan())
    }

    pub(super) fn with(release: Release, plan: Plan) -> Self {
        let rollout = Rollout {
            v: 1,
            proposal: ProposalId(1),
            component: "feeder".into(),
            group: "feeder".into(),
            release: release.digest(),
            version: release.version.clone(),
            previous: served().release,
            previous_version: "1.0.0".into(),
            reversibility: release.reversibility,
            epoch: 1,
            registered: Power(100),
            draw_from: Height(101),
            plan,
        };
        let node = Node {
            v: 1,
            no: NodeNo(1),
            operator: "operator".into(),
            component: "feeder".into(),
            node_id: "one".into(),
            organisation: "org".into(),
            hot_key: "hot".into(),
            since: 1,
            power: Power(10),
            next: None,
        };
        let component = Component {
            v: 1,
            current: served().release,
            version: "1.0.0".into(),
            live: Some(RolloutId(1)),
            last: Some(RolloutId(1)),
            group: "feeder".into(),
            epoch: 1,
            registered: Power(100),
            largest: Power(10),
        };
        let mut settings = Settings::new(PLATFORM);
        settings.boot_ms = 3_000;
        Self {
            id: RolloutId(1),
            progress: Progress::new(rollout.plan.waves.len()),
            rollout,
            seat: None,
            brakes: Brakes { all: Brake::off(), component: Some(Brake::off()) },
            now: Now { height: Height(100), time: Seconds(10_000) },
            lag: 0,
            component,
            node: Some(node),
            standing: Standing::Allowed,
            release,
            down: Power(0),
            delivers: true,
            refused: Vec::new(),
            sent: Vec::new(),
            disk: DiskView {
                current: Link::To(old_bytes()),
                previous: None,
                daemon: DaemonView::Running { digest: old_bytes() },
                staged: false,
            },
            new_is_sick: false,
            new_exits: false,
            old_is_sick: false,
            fails: Vec::new(),
            hangs: None,
            unanswered: None,
            drained: false,
            probing: false,
            probes: PROBES,
            now_ms: 5_000,
            agent: None,
            journal: Memory::new(served()),
            pending: Vec::new(),
            inbox: VecDeque::new(),
            performed: 0,
            blow: None,
            chain_at_start: true,
            moves: Vec::new(),
            memories: Vec::new(),
            waiting: AgentWaiting::View,
            settings,
            then: None,
            stale: false,
            mempool: Vec::new(),
        }
    }

    /// A rollout of another release follows the first.
    pub(super) fn next_rollout(&mut self, release: Release) {
        self.id = RolloutId(self.id.0 + 1);
        self.rollout.release = release.digest();
        self.rollout.reversibility = release.reversibility;
        self.rollout.draw_from = Height(self.now.height.0 + 1);
        self.progress = Progress::new(self.rollout.plan.waves.len());
        self.seat = None;
        self.release = release;
        self.standing = Standing::Allowed;
    }

    pub(super) fn stage(&self) -> &'static str {
        self.journal.stage.name()
    }

    pub(super) fn view(&self) -> ChainView {
        ChainView {
            now: self.now,
            tip: Height(self.now.height.0 + self.lag),
            node: self.node.clone(),
            component: self.component.clone(),
            rollout: Some(RolloutView {
                id: self.id,
                rollout: self.rollout.clone(),
                progress: self.progress.clone(),
                seat: self.seat.clone(),
                standing: self.standing,
                release: self.release.clone(),
            }),
            own: None,
            down: self.down,
            brakes: self.brakes.clone(),
        }
    }

    fn facts(&self) -> Input {
        if self.stale { Input::Stale { since_ms: 9_000 } } else { Input::Chain(Box::new(self.view())) }
    }

    pub(super) fn start(&mut self) {
        let chain = self.chain_at_start.then(|| self.view());
        let pending = core::mem::take(&mut self.pending);
        let (agent, step) = Agent::resume(
            self.settings.clone(),
            self.journal.clone(),
            pending,
            self.disk.clone(),
            chain,
            self.now_ms,
        );
        self.agent = Some(agent);
        self.take(step);
    }

    pub(super) fn feed(&mut self, input: Input) {
        let Some(agent) = self.agent.as_mut() else { return };
        let step = agent.step(self.now_ms, input);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        let memory = self.agent.as_ref().unwrap().memory().clone();
        assert_eq!(step.changed, memory != self.journal);
        assert_eq!(step.stage, memory.stage);
        for each in &step.moves {
            assert!(moves::is_drawn(each), "{each:?} is not drawn");
        }
        self.moves.extend(step.moves.iter().copied());
        if step.changed || self.memories.is_empty() {
            self.memories.push(memory.clone());
        }
        self.waiting = step.waiting_on;
        if step.changed {
            self.journal = memory;
        }
        self.pending.extend(step.effects.iter().cloned());
        if let Some((name, then)) = self.then
            && step.moves.iter().any(|passed| passed.to.name() == name)
        {
            self.then = None;
            then(self);
            let facts = self.facts();
            self.inbox.push_front(facts);
        }
        for effect in step.effects {
            self.performed += 1;
            let blow = self.blow.filter(|blow| blow.0 == self.performed);
            if let Some((_, Blow::Before, toll)) = blow {
                return self.crash(toll);
            }
            let mut answer = self.perform(&effect);
            if effect.work().is_some() && effect.work() == self.hangs {
                self.unanswered = answer.take().map(|answer| (self.now_ms, answer));
            }
            if let Some((_, Blow::After, toll)) = blow {
                return self.crash(toll);
            }
            self.pending.retain(|pending| *pending != effect);
            self.inbox.extend(answer);
        }
    }

    pub(super) fn crash(&mut self, toll: Toll) {
        self.agent = None;
        self.inbox.clear();
        self.probing = false;
        match toll {
            Toll::Agent => {}
            Toll::Daemon => self.disk.daemon = DaemonView::Dead,
            Toll::Host => {
                self.disk.daemon = DaemonView::HostLost;
                self.now_ms = 0;
            }
        }
    }

    pub(super) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        self.now.height.0 += 1;
        self.now.time.0 += 1;
        for effect in core::mem::take(&mut self.mempool) {
            self.deliver(&effect);
        }
        if self.agent.is_none() {
            self.start();
        }
        let facts = self.facts();
        self.feed(facts);
        self.settle();
        for _ in 0..self.probes {
            if let Some(verdict) = self.probe().filter(|_| self.probing) {
                self.feed(Input::Probe(verdict));
                self.settle();
            }
        }
        self.feed(Input::Tick);
        self.settle();
    }

    pub(super) fn ticks(&mut self, count: u32) {
        for _ in 0..count {
            self.tick();
        }
    }

    /// Ticks until the node is in a stage.
    pub(super) fn until(&mut self, stage: &str) {
        for _ in 0..200 {
            if self.stage() == stage && self.agent.is_some() {
                return;
            }
            self.tick();
        }
        panic!("never {stage}; it is {} and waits on {}", self.stage(), self.waiting);
    }

    pub(super) fn brake(&mut self) {
        let now: Moment = self.now.into();
        self.brakes.all.pull(now, &Span::new(1_000, 1_000), 0, 1);
    }

    pub(super) fn unbrake(&mut self) {
        let now: Moment = self.now.into();
        self.brakes.all.release(now);
    }

    pub(super) fn roll_back(&mut self) {
        self.rollout.roll_back(&mut self.progress, &self.brakes, self.now).unwrap();
        self.standing = Standing::RolledBack;
    }

    pub(super) fn lose_lease(&mut self) {
        let node = self.node.clone().unwrap();
        self.now.time.0 += 400;
        self.now.height.0 += 400;
        let seat = self.seat.as_mut().unwrap();
        let expired = self.rollout.expire(&mut self.progress, seat, &node, self.now);
        assert_eq!(expired, concord_schema::rollout::Expired::Now);
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for passed in &self.moves {
            if names.last() != Some(&passed.to.name()) {
                names.push(passed.to.name());
            }
        }
        names
    }

    pub(super) fn runs(&self) -> Option<Digest> {
        match self.disk.daemon {
            DaemonView::Running { digest } => Some(digest),
            _ => None,
        }
    }
}
