//! The rules of a rollout, reached through its own messages: a small fleet without a chain.

mod bars;
mod cranks;
mod deferred;
mod evasions;
mod leases;
mod moves;
mod seats;
mod waves;

use super::*;
use crate::brake::{Brake, Brakes};
use crate::clock::Span;
use crate::plan::{Failure, Method, Trial, Wave};
use crate::release::{Artifact, Document, ProtocolRange, Release};
use crate::report::Report;
use crate::units::Blocks;
use crate::waiting::WaitingOn;

/// The waves' lot bounds.
pub(super) const BOUNDS: [u16; 3] = [3_333, 6_667, 10_000];
/// The rollout.
pub(super) const ROLLOUT: RolloutId = RolloutId(1);
/// The notice between a wave's opening and its height.
pub(super) const NOTICE: u64 = 2;

pub(super) fn new_release() -> Digest {
    Digest::of(b"new")
}

pub(super) fn old_release() -> Digest {
    Digest::of(b"old")
}

/// A release that passes every check.
pub(crate) fn sample_release() -> Release {
    Release {
        component: "feeder".into(),
        version: "2.0.0".into(),
        artifacts: vec![Artifact {
            platform: "x86_64-linux".into(),
            digest: new_release(),
            size_bytes: 1,
            uris: vec!["https://releases.example/2".into()],
        }],
        upgrades_from: vec!["1.0.0".into()],
        compatibility: Vec::new(),
        protocol: ProtocolRange { min: 1, max: 1 },
        flags: Vec::new(),
        reversibility: Reversibility::BinaryOnly,
        rollback_procedure: Some(Document {
            digest: new_release(),
            uri: "https://releases.example/back".into(),
        }),
    }
}

pub(crate) fn plan() -> Plan {
    let wave = |lot_bps: u16| Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps: None,
        healthy_bps: Bps(10_000),
        soak: Span::new(10, 10),
        deadline: Span::new(100, 100),
    };
    Plan {
        method: Method::Rolling,
        ready_bps: Bps(10_000),
        preparation: Span::new(50, 50),
        postponement: Span::new(30, 30),
        notice_blocks: Blocks(NOTICE),
        waves: BOUNDS.map(wave).to_vec(),
        lease: Span::new(40, 40),
        lease_bps: Bps(5_000),
        one_at_a_time: false,
        trial: Trial { span: Span::new(1, 1), probe_interval_ms: 20 },
        failure: Failure {
            wave_bps: Bps(5_000),
            rollout_bps: Bps(2_000),
            on_crossed: OnFailure::RollBack,
            halted: Span::new(60, 60),
            rolling_back: Span::new(70, 70),
        },
    }
}

/// A node of the fleet, with what the chain would store of it.
pub(super) struct Member {
    pub(super) node: crate::node::Node,
    pub(super) seat: Option<Seat>,
}

/// A fleet and one rollout, without a chain.
pub(super) struct Fleet {
    pub(super) rollout: Rollout,
    pub(super) progress: Progress,
    pub(super) brakes: Brakes,
    pub(super) members: Vec<Member>,
    pub(super) component: crate::node::Component,
    pub(super) down: Power,
    pub(super) now: Now,
}

/// The `rank`-th node number whose lot lies in a wave's own range.
fn number_in(seed: &Digest, wave: usize, rank: usize) -> NodeNo {
    let below = |bound: u16, no: u64| Lot::draw(seed, NodeNo(no)).is_below(Bps(bound));
    let floor = if wave == 0 { 0 } else { BOUNDS[wave - 1] };
    (1..10_000).filter(|no| below(BOUNDS[wave], *no) && !below(floor, *no)).nth(rank).map(NodeNo).unwrap()
}

const SIX: [(usize, &str); 6] = [(0, "a"), (0, "b"), (0, "c"), (0, "d"), (0, "e"), (0, "f")];

/// Six nodes of six organisations in the first wave, which is open at its height.
pub(super) fn six() -> Fleet {
    Fleet::open(&SIX, plan())
}

/// The same six, who have said nothing yet.
pub(super) fn drawn_six() -> Fleet {
    Fleet::drawn(&SIX, plan())
}

impl Fleet {
    /// Nodes by the wave of their lot and their organisation, power 10 each; drawn, nobody ready.
    pub(super) fn drawn(nodes: &[(usize, &str)], plan: Plan) -> Self {
        let rollout = Rollout {
            v: 1,
            proposal: ProposalId(1),
            component: "feeder".into(),
            group: "feeder".into(),
            release: new_release(),
            version: "2.0.0".into(),
            previous: old_release(),
            previous_version: "1.0.0".into(),
            reversibility: Reversibility::BinaryOnly,
            epoch: 0,
            registered: Power(10 * nodes.len() as u64),
            draw_from: Height(1_000),
            plan,
        };
        let mut fleet = Self {
            progress: Progress::new(rollout.plan.waves.len()),
            rollout,
            brakes: Brakes { all: Brake::off(), component: Some(Brake::off()) },
            members: Vec::new(),
            component: crate::node::Component {
                v: 1,
                current: old_release(),
                version: "1.0.0".into(),
                live: Some(RolloutId(1)),
                last: Some(RolloutId(1)),
                group: "feeder".into(),
                epoch: 1,
                registered: Power(0),
                largest: Power(0),
            },
            down: Power(0),
            now: at(1_000),
        };
        let seed = fleet.draw().unwrap().unwrap();
        for (index, (wave, organisation)) in nodes.iter().enumerate() {
            let rank = nodes[..index].iter().filter(|earlier| earlier.0 == *wave).count();
            let node = crate::node::Node {
                v: 1,
                no: number_in(&seed, *wave, rank),
                operator: format!("operator-{index}"),
                component: "feeder".into(),
                node_id: "a".into(),
                organisation: (*organisation).into(),
                hot_key: format!("hot-{index}"),
                since: 0,
                power: Power(10),
                next: None,
            };
            fleet.members.push(Member { node, seat: None });
        }
        fleet
    }

    /// The same, with everyone ready.
    pub(super) fn ready(nodes: &[(usize, &str)], plan: Plan) -> Self {
        let mut fleet = Self::drawn(nodes, plan);
        for index in 0..nodes.len() {
            fleet.say(index, ready()).unwrap();
        }
        fleet
    }

    /// The same, with the first wave open and its height reached.
    pub(super) fn open(nodes: &[(usize, &str)], plan: Plan) -> Self {
        let mut fleet = Self::ready(nodes, plan);
        assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { .. })));
        fleet.pass(NOTICE);
        fleet
    }

    pub(super) fn draw(&mut self) -> Result<Option<Digest>, DrawRefused> {
        let (id, now) = (ROLLOUT, self.now);
        self.rollout.draw(&mut self.progress, "chain", "contract", id, 7, &self.brakes, now)
    }

    pub(super) fn phase(&self) -> RolloutPhase {
        self.rollout.phase(&self.progress, &self.brakes, self.now)
    }

    /// Seconds and blocks go by together.
    pub(super) fn pass(&mut self, both: u64) {
        self.now = at(self.now.height.0 + both);
    }

    pub(super) fn say(&mut self, index: usize, report: Report) -> Result<Heard, ReportRefused> {
        let member = &mut self.members[index];
        let (progress, brakes) = (&mut self.progress, &self.brakes);
        let hearing =
            Hearing { rollout: ROLLOUT, node: &member.node, report: &report, brakes, now: self.now };
        let heard = self.rollout.hear(progress, &mut member.seat, &hearing)?;
        if let Heard::Counted { up, .. } = heard {
            self.down = self.down.minus(up);
        }
        Ok(heard)
    }

    pub(super) fn ask(&mut self, index: usize, purpose: Purpose) -> Result<LeaseAnswer, LeaseRefused> {
        let member = &mut self.members[index];
        let seat = member.seat.as_mut().ok_or(LeaseRefused::NoSeat)?;
        let is_current = self.rollout.is_current(&self.component);
        let (progress, brakes, node) = (&mut self.progress, &self.brakes, &member.node);
        let answer =
            self.rollout.grant(progress, seat, node, purpose, self.down, is_current, brakes, self.now)?;
        if let LeaseAnswer::Granted { down, .. } = answer {
            self.down = self.down.plus(down);
        }
        Ok(answer)
    }

    pub(super) fn lease(&mut self, index: usize) -> Result<LeaseAnswer, LeaseRefused> {
        self.ask(index, Purpose::Activate)
    }

    pub(super) fn give_back(&mut self, index: usize) -> Result<Returned, LeaseRefused> {
        let attempt = self.members[index].seat.as_ref().unwrap().attempt;
        self.give_back_of(index, attempt)
    }

    pub(super) fn give_back_of(&mut self, index: usize, attempt: u8) -> Result<Returned, LeaseRefused> {
        let member = &mut self.members[index];
        let seat = member.seat.as_mut().unwrap();
        let returned = self.rollout.give_back(&mut self.progress, seat, &member.node, attempt)?;
        if let Returned::Now { up } = returned {
            self.down = self.down.minus(up);
        }
        Ok(returned)
    }

    pub(super) fn expire(&mut self, index: usize) -> Expired {
        let member = &mut self.members[index];
        let seat = member.seat.as_mut().unwrap();
        self.rollout.expire(&mut self.progress, seat, &member.node, self.now)
    }

    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let Some(drawn) = self.progress.drawn else { return Vec::new() };
        let mut found: Vec<_> = self
            .members
            .iter()
            .filter_map(|member| {
                let seat = member.seat.as_ref()?;
                Some(Candidate {
                    node: member.node.no,
                    power: seat.power,
                    wave: seat.wave?,
                    organisation: member.node.organisation.clone(),
                })
            })
            .collect();
        found.sort_by_key(|candidate| Lot::draw(&drawn.seed, candidate.node));
        found
    }

    pub(super) fn advance(&mut self) -> Advanced {
        let candidates = self.candidates();
        let advanced = self.rollout.advance(&mut self.progress, &candidates, &self.brakes, self.now);
        if self.progress.outcome == Some(Outcome::Completed) {
            (self.component.current, self.component.live) = (new_release(), None);
        }
        advanced
    }

    /// A seat of this wave and state, where the fleet need not have come there.
    pub(super) fn seat_of(wave: u8, state: SeatState) -> Seat {
        Seat {
            v: 1,
            rollout: ROLLOUT,
            wave: Some(wave),
            moved: None,
            power: Power(10),
            state,
            attempt: 0,
            lease: None,
            down: false,
            running: false,
            going_back: false,
            said: Vec::new(),
            deferred: None,
            equivocated: false,
        }
    }

    pub(super) fn seat(&self, index: usize) -> &Seat {
        self.members[index].seat.as_ref().unwrap()
    }

    pub(super) fn state(&self, index: usize) -> SeatState {
        self.seat(index).state
    }

    /// Leases and activates.
    pub(super) fn activate(&mut self, index: usize) {
        let answer = self.lease(index).unwrap();
        assert!(matches!(answer, LeaseAnswer::Granted { .. }), "node {index}: {answer:?}");
        let attempt = self.seat(index).attempt;
        self.say(index, activated(attempt)).unwrap();
    }

    /// Leases, activates, and is healthy.
    pub(super) fn switch(&mut self, index: usize) -> Heard {
        self.activate(index);
        let attempt = self.seat(index).attempt;
        self.say(index, healthy(attempt)).unwrap()
    }

    /// Leases, activates, and fails.
    pub(super) fn fail(&mut self, index: usize) -> Heard {
        self.activate(index);
        let attempt = self.seat(index).attempt;
        self.say(index, failed(attempt)).unwrap()
    }

    /// Opens the next wave after the soak of one that is healthy.
    pub(super) fn next_wave(&mut self) -> Advanced {
        self.pass(10);
        let advanced = self.advance();
        self.pass(NOTICE);
        advanced
    }
}

pub(super) fn at(both: u64) -> Now {
    Now { height: Height(both), time: Seconds(both) }
}

pub(super) fn ready() -> Report {
    Report::Ready { release: new_release() }
}

pub(super) fn refused() -> Report {
    Report::Refused { reason: "no disk".into() }
}

pub(super) fn activated(attempt: u8) -> Report {
    Report::Activated { attempt, height: Height(7) }
}

pub(super) fn healthy(attempt: u8) -> Report {
    Report::Healthy { attempt, height: Height(8), downtime_ms: 9 }
}

pub(super) fn failed(attempt: u8) -> Report {
    Report::Failed { attempt, reason: "probe".into() }
}

pub(super) fn rolled_back(attempt: u8) -> Report {
    Report::RolledBack { attempt, release: old_release() }
}

pub(super) fn contained(attempt: u8) -> Report {
    Report::Contained { attempt, reason: "data".into() }
}

pub(super) fn counted(halted: bool, rolling_back: bool, up: u64) -> Heard {
    Heard::Counted { halted, rolling_back, up: Power(up) }
}

/// One node a wave, of three organisations.
pub(super) const ONE_A_WAVE: [(usize, &str); 3] = [(0, "a"), (1, "b"), (2, "c")];

#[test]
fn stored_facts_are_pinned_byte_by_byte() {
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    fleet.switch(0);
    fleet.activate(1);
    let drawn = fleet.progress.drawn.unwrap();
    let seed = cosmwasm_std::Binary::new(drawn.seed.0.to_vec()).to_base64();
    assert_eq!(
        serde_json::to_string(&fleet.progress).unwrap(),
        format!(
            r#"{{"v":1,"d":{{"s":"{seed}","f":[1000,1000]}},"r":40,"w":[[20,0],[10,0],[10,0]],"o":{{"w":0,"s":[1000,1000],"h":1002,"two":true,"t":10,"y":10,"of":["a"]}},"u":20}}"#
        )
    );
    let said = format!("a{}", activated(1).digest().to_string().chars().take(12).collect::<String>());
    assert_eq!(
        serde_json::to_string(fleet.seat(1)).unwrap(),
        format!(
            r#"{{"v":1,"o":1,"w":0,"p":10,"s":"trial","a":1,"l":[1002,1002],"d":true,"u":true,"r":["{said}"]}}"#
        )
    );
    let back: Progress = serde_json::from_str(&serde_json::to_string(&fleet.progress).unwrap()).unwrap();
    assert_eq!(back, fleet.progress);
}
