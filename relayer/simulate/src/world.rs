//! The world of a run: blocks of one second, a fleet, and what goes wrong.

use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Phase};
use concord_schema::rollout::{Outcome, RolloutPhase, SeatState};
use concord_schema::tally::Ballot;
use concord_schema::units::{ProposalId, RolloutId};

use crate::chain::{Answer, Chain};
use crate::check;
use crate::dice::Dice;
use crate::failure::{Breach, Failure, hold};
use crate::genesis::{COMPONENT, GUARDIANS, MEMBERS, artifact, draft, places, plan, release, vary, widen};
use crate::journal::Mail;
use crate::node::{Node, Scene};
use crate::profile::{Mood, Profile, Sabotage, Vote};
use crate::summary::Summary;
use crate::trace::Trace;

/// Blocks after the troubles within which a rollout must have ended and every node be settled.
const QUIET_BLOCKS_MAX: u64 = 500;
/// Blocks within which an undisputed proposal is executed.
const DECISION_BLOCKS_MAX: u64 = 60;
/// Parts of a block in which the nodes act.
const TENTHS: u64 = 10;

/// A fleet, its chain, and what goes wrong.
pub struct World {
    scene: Scene,
    chain: Chain,
    nodes: Vec<Node>,
    /// Proposals that the members carry through.
    cases: Vec<ProposalId>,
}

impl World {
    /// Plays a story to its end.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn play(seed: u64, profile: Profile) -> Result<Summary, Failure> {
        let failed =
            |breach: Breach, tail: String| Failure { seed, rule: breach.rule, what: breach.what, tail };
        let mut world = Self::new(seed, profile).map_err(|breach| failed(breach, String::new()))?;
        match world.run() {
            Ok(()) => Ok(world.summary()),
            Err(breach) => Err(failed(breach, world.scene.trace.text())),
        }
    }

    fn new(seed: u64, profile: Profile) -> Result<Self, Breach> {
        let mut dice = Dice::new(seed);
        let mut places = places(profile.nodes, &mut dice);
        let mut wide = profile.wide.then(|| Dice::new(!seed));
        if let Some(wide) = &mut wide {
            widen(&mut places, wide);
        }
        let chain = Chain::new(&places)?;
        let mut nodes = Vec::new();
        for place in &places {
            let node = chain.facts.nodes.values().find(|node| node.node_id == place.node);
            let no = node.map(|node| node.no).ok_or_else(|| Breach::new("SETUP", "a node is missing"))?;
            nodes.push(Node::new(&place.node, &place.hot, no)?);
        }
        let scene = Scene {
            dice,
            wide,
            profile,
            trace: Trace::default(),
            summary: Summary { seed, ..Summary::default() },
            height: chain.now().height.0,
            ms: 0,
            troubled: false,
        };
        Ok(Self { scene, chain, nodes, cases: Vec::new() })
    }

    fn summary(&self) -> Summary {
        let mut summary = self.scene.summary.clone();
        summary.messages = self.chain.messages;
        summary.head = self.chain.head().hash;
        summary
    }

    fn run(&mut self) -> Result<(), Breach> {
        for _ in 0..3 {
            self.block()?;
        }
        for index in 0..self.scene.profile.rollouts {
            self.roll_out(index)?;
        }
        Ok(())
    }

    /// One rollout from its decision to its end.
    fn roll_out(&mut self, index: usize) -> Result<(), Breach> {
        let new = index.saturating_add(1);
        let mood = self.scene.profile.moods.get(index).copied().unwrap_or(Mood::Well);
        for node in &mut self.nodes {
            node.host.known.insert(artifact(new));
            if mood != Mood::Well && self.scene.dice.happens(self.scene.profile.bad_host) {
                node.host.moods.push((artifact(new), mood));
            }
        }
        let mut plan = Box::new(plan(&mut self.scene.dice));
        if let Some(wide) = &mut self.scene.wide {
            vary(&mut plan, wide);
            let component = &self.chain.facts.component;
            plan.one_at_a_time |= plan.check_fleet(component.largest, component.registered).is_err();
        }
        let start = Action::StartRollout { release: Box::new(release(new)), plan };
        self.decide("an upgrade", start)?;
        let id = RolloutId(u64::try_from(new).unwrap_or_default());
        self.scene.troubled = true;
        self.await_start(id)?;
        self.scene.note(format!("rollout {id} starts, {mood:?}"));
        for passed in 0..self.scene.profile.trouble_blocks {
            self.trouble(index, id, passed)?;
            self.block()?;
        }
        self.scene.troubled = false;
        self.calm_down();
        for _ in 0..QUIET_BLOCKS_MAX {
            if self.is_over(id) {
                break;
            }
            self.block()?;
        }
        self.ended(id)
    }

    fn await_start(&mut self, id: RolloutId) -> Result<(), Breach> {
        for _ in 0..DECISION_BLOCKS_MAX {
            if self.chain.facts.rollouts.contains_key(&id) {
                return Ok(());
            }
            self.block()?;
        }
        Err(Breach::new("LIVE", format!("the proposal of rollout {id} was never executed")))
    }

    fn calm_down(&mut self) {
        self.scene.note("the troubles are over");
        for node in &mut self.nodes {
            node.silent_until = 0;
            if !self.scene.is_sabotaged(Sabotage::AgentGone) {
                node.back_ms = node.back_ms.min(self.scene.ms.saturating_add(1_000));
            }
        }
    }

    fn phase(&self, id: RolloutId) -> Option<RolloutPhase> {
        let (facts, now) = (&self.chain.facts, self.chain.now());
        let course = facts.rollouts.get(&id)?;
        Some(course.rollout.phase(&course.progress, &facts.brakes, now))
    }

    fn is_over(&self, id: RolloutId) -> bool {
        let ended = self.phase(id).is_some_and(RolloutPhase::is_terminal);
        ended && self.cases.is_empty() && self.nodes.iter().all(|node| check::at_rest(node).is_ok())
    }

    fn ended(&mut self, id: RolloutId) -> Result<(), Breach> {
        let Some(RolloutPhase::Ended(outcome)) = self.phase(id) else {
            let phase = self.phase(id);
            let why = self.nodes.iter().map(|node| format!("{}: {}", node.name, node.waiting));
            let why = why.collect::<Vec<_>>().join("; ");
            return Err(Breach::new("LIVE", format!("rollout {id} is still {phase:?}; {why}")));
        };
        self.nodes.iter().try_for_each(check::at_rest)?;
        self.scene.note(format!("rollout {id} ended: {outcome:?}"));
        self.scene.summary.outcomes.push(outcome);
        Ok(())
    }

    /// Sends a message, and looks at everything that it may have changed.
    fn send(&mut self, who: &str, message: &ExecuteMsg) -> Result<bool, Breach> {
        let brakes = self.chain.facts.brakes.clone();
        let ends: Vec<Option<Outcome>> =
            self.chain.facts.rollouts.values().map(|course| course.progress.outcome).collect();
        let answer = self.chain.send(who, message)?;
        match &answer {
            Answer::Taken(entries) => {
                for entry in entries {
                    self.scene.note(format!("chain: {} {:?}", entry.kind, entry.fields));
                }
                check::leases(entries, &brakes, self.chain.now())?;
                let sabotaged = self.scene.is_sabotaged(Sabotage::LostEntry);
                if sabotaged && let Some(entry) = entries.last() {
                    self.chain.replay.log_head.hash = entry.prev;
                }
            }
            Answer::Refused(why) => self.scene.note(format!("chain refuses {who}: {why}")),
        }
        for (before, course) in ends.into_iter().zip(self.chain.facts.rollouts.values()) {
            check::ends(before, course.progress.outcome)?;
        }
        check::facts(&self.chain.facts)?;
        Ok(matches!(answer, Answer::Taken(entries) if !entries.is_empty()))
    }

    /// Proposes; the members carry it through from now on.
    fn decide(&mut self, title: &str, action: Action) -> Result<(), Breach> {
        let [first, ..] = MEMBERS;
        let proposed = self.send(first, &ExecuteMsg::Propose { draft: Box::new(draft(title, action)) })?;
        if proposed {
            self.cases.push(ProposalId(self.chain.newest_proposal()?));
        }
        Ok(())
    }

    /// Whatever may be done about each open proposal is tried.
    fn carry(&mut self) -> Result<(), Breach> {
        for proposal in self.cases.clone() {
            match self.chain.phase_of(proposal)? {
                Phase::Validated => {
                    self.send("eve", &ExecuteMsg::OpenVote { proposal })?;
                }
                Phase::Voting => self.vote(proposal)?,
                Phase::Ready => {
                    self.send("eve", &ExecuteMsg::Execute { proposal })?;
                }
                phase if phase.is_terminal() => self.cases.retain(|open| *open != proposal),
                _ => {}
            }
        }
        Ok(())
    }

    fn vote(&mut self, proposal: ProposalId) -> Result<(), Breach> {
        let expect_digest = self.chain.digest_of(proposal)?;
        for member in MEMBERS {
            let (ballot, rationale) = (Ballot::Yes, None);
            let message = ExecuteMsg::Vote { proposal, ballot, expect_digest, rationale };
            // Enough members have said yes where it passes early.
            if self.chain.phase_of(proposal)? == Phase::Voting {
                self.send(member, &message)?;
            }
        }
        Ok(())
    }

    /// What goes wrong in this block.
    fn trouble(&mut self, index: usize, id: RolloutId, passed: u64) -> Result<(), Breach> {
        self.brakes()?;
        self.votes(index, id, passed)?;
        for node in &mut self.nodes {
            let scene = &mut self.scene;
            if scene.strikes(scene.profile.reboot) {
                node.reboot(scene);
            }
            if scene.strikes(scene.profile.death) {
                node.daemon_dies(scene);
            }
            if scene.strikes(scene.profile.kill) && node.agent.is_some() {
                let with_daemon = scene.strikes(scene.profile.daemon_too);
                node.kill(scene, with_daemon);
            }
            if scene.strikes(scene.profile.silence) {
                let blocks = scene.dice.between(1, scene.profile.silence_blocks_max);
                node.silent_until = scene.height.saturating_add(blocks);
                scene.note(format!("{}: its source is silent for {blocks} blocks", node.name));
            }
            sabotage(scene, node);
        }
        Ok(())
    }

    fn brakes(&mut self) -> Result<(), Breach> {
        let all = self.scene.dice.happens(500);
        let scope = if all { Scope::All } else { Scope::Component(COMPONENT.to_owned()) };
        if self.scene.strikes(self.scene.profile.brake) {
            let guardian = GUARDIANS.get(self.scene.dice.index(GUARDIANS.len())).copied();
            self.send(guardian.unwrap_or("gus"), &ExecuteMsg::Brake { scope: scope.clone() })?;
        }
        if self.scene.strikes(self.scene.profile.release) {
            let [first, second, ..] = GUARDIANS;
            self.send(first, &ExecuteMsg::Release { scope: scope.clone() })?;
            self.send(second, &ExecuteMsg::Release { scope })?;
        }
        Ok(())
    }

    fn votes(&mut self, index: usize, rollout: RolloutId, passed: u64) -> Result<(), Breach> {
        let Some((vote, at)) = self.scene.profile.votes.get(index).copied().flatten() else {
            return Ok(());
        };
        let action = match vote {
            Vote::Cancel | Vote::CancelThenResume if passed == at => Action::CancelRollout { rollout },
            Vote::RollBack if passed == at => Action::RollBackRollout { rollout },
            Vote::CancelThenResume if passed == at.saturating_add(8) => Action::ResumeRollout { rollout },
            _ => return Ok(()),
        };
        self.decide("about a rollout", action)
    }

    /// One block: messages, what members and strangers do, facts to every node, and a second of time.
    fn block(&mut self) -> Result<(), Breach> {
        self.scene.summary.blocks = self.scene.summary.blocks.saturating_add(1);
        self.deliver()?;
        self.carry()?;
        self.expire_leases()?;
        for node in &mut self.nodes {
            let own = node.agent.as_ref().and_then(concord_decide::Agent::own_rollout);
            let view = self.chain.facts.view(self.chain.now(), node.no, own);
            node.hear(&mut self.scene, view)?;
            check::down_together(node, &self.chain.facts)?;
        }
        for _ in 0..TENTHS {
            self.scene.ms = self.scene.ms.saturating_add(1_000 / TENTHS);
            for node in &mut self.nodes {
                node.pass(&mut self.scene)?;
                check::down_together(node, &self.chain.facts)?;
            }
        }
        self.chain.next_block();
        self.scene.height = self.chain.now().height.0;
        Ok(())
    }

    /// The letters whose time has come; a few of each node a block.
    fn deliver(&mut self) -> Result<(), Breach> {
        for place in 0..self.nodes.len() {
            for _ in 0..4 {
                let Some(node) = self.nodes.get_mut(place) else { break };
                let Some((no, message)) = node.outbox.due(self.scene.height) else { break };
                let hot = node.hot.clone();
                if self.scene.strikes(self.scene.profile.lost) {
                    self.scene.note(format!("{hot}: a letter is lost"));
                    node.outbox.mark(no, Mail::Over);
                    continue;
                }
                let twice = self.scene.strikes(self.scene.profile.twice);
                self.send(&hot, &message)?;
                if twice {
                    self.scene.note(format!("{hot}: a letter arrives twice"));
                    self.send(&hot, &message)?;
                }
                if let Some(node) = self.nodes.get_mut(place) {
                    node.outbox.mark(no, Mail::Over);
                }
            }
        }
        Ok(())
    }

    /// A stranger ends leases that ran out.
    fn expire_leases(&mut self) -> Result<(), Breach> {
        let now = self.chain.now();
        let mut over = Vec::new();
        for (id, course) in &self.chain.facts.rollouts {
            for (no, seat) in &course.seats {
                let ends = seat.lease.map(|granted| granted.plus(&course.rollout.plan.lease));
                if seat.state == SeatState::Leased && ends.is_some_and(|end| end.is_over(&now.into())) {
                    over.push((*id, *no));
                }
            }
        }
        for (rollout, node) in over {
            if self.scene.dice.happens(500) {
                let ended = self.send("eve", &ExecuteMsg::ExpireLease { rollout, node })?;
                hold("LIVE", ended, || format!("the lease of node {node} cannot be ended"))?;
            }
        }
        Ok(())
    }
}

/// Breaks a rule on purpose.
fn sabotage(scene: &mut Scene, node: &mut Node) {
    match scene.profile.sabotage {
        Some(Sabotage::StopThatStopsNothing) => node.host.stops_nothing = true,
        Some(Sabotage::LeaseGivenAway) => node.gives_away = true,
        Some(Sabotage::ForeignBytes) => node.host.current = concord_schema::Digest::of(b"foreign"),
        Some(Sabotage::OldReleaseReturns) => {
            node.host.banned.insert(artifact(1));
        }
        _ => {}
    }
}
