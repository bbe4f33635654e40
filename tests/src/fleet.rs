//! A fleet whose nodes report through real messages.

#![expect(clippy::unwrap_used, reason = "a harness fails a test by a panic")]

use concord_coordinator::state;
use concord_schema::msg::{Done, ExecuteMsg};
use concord_schema::plan::{Plan, Wave};
use concord_schema::proposal::Action;
use concord_schema::query::{ExplainAnswer, QueryMsg, Subject};
use concord_schema::release::Release;
use concord_schema::report::Report;
use concord_schema::rollout::{Purpose, Seat};
use concord_schema::units::{Height, NodeNo, Power, RolloutId};
use concord_schema::{Bps, Digest};
use cosmwasm_std::{StdResult, from_json};

use crate::env::MockEnv;
use crate::setup::{COMPONENT, LONG, SHORT, Setup, draft, plan, release};

/// The rollout of a [`Fleet`].
pub const ROLLOUT: RolloutId = RolloutId(1);

/// A deployment with registered nodes, `n0` of `op0` and so on, and a rollout.
pub struct Fleet {
    /// The chain.
    pub env: MockEnv,
    /// Digest of the release that is rolled out.
    pub release: Digest,
    /// Digest of the one before.
    pub previous: Digest,
    /// How many nodes.
    pub nodes: usize,
}

/// A plan of three waves, each a third of the lots; the first two hold at most a third of the power.
#[must_use]
pub fn three_waves() -> Plan {
    let wave = |lot_bps, power_max_bps| Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps,
        healthy_bps: Bps(10_000),
        soak: SHORT,
        deadline: LONG,
    };
    let cap = Some(Bps(3_334));
    Plan { waves: vec![wave(3_334, cap), wave(6_667, cap), wave(10_000, None)], ..plan() }
}

/// Operators of so many organisations, one node's power each.
#[must_use]
pub fn operators(count: usize, organisations: usize) -> Vec<(&'static str, &'static str, u64)> {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    (0..count)
        .map(|index| {
            (leak(format!("op{index}")), leak(format!("organisation-{}", index % organisations)), 10)
        })
        .collect()
}

impl Fleet {
    /// Registers a node with all power of each operator, and has a rollout decided; it is not drawn yet.
    #[must_use]
    pub fn started(setup: Setup, plan: Plan) -> Self {
        Self::started_in(setup.build(), plan)
    }

    /// The same on a chain that is there.
    #[must_use]
    pub fn started_in(mut env: MockEnv, plan: Plan) -> Self {
        // Heights and times as long as a chain's are.
        env.advance(1_790_000_000, 12_345_678);
        let nodes = env.setup.operators.len();
        for index in 0..nodes {
            let power = env.setup.operators.get(index).map_or(0, |operator| operator.2);
            env.register(&format!("op{index}"), &format!("n{index}"), power).unwrap();
        }
        let new: Release = release("2.0.0", &["1.0.0"]);
        let start = Action::StartRollout { release: Box::new(new.clone()), plan: Box::new(plan) };
        env.decide(&draft("an upgrade", vec![start]));
        Self { env, release: new.digest(), previous: release("1.0.0", &[]).digest(), nodes }
    }

    /// The same, with everyone ready.
    #[must_use]
    pub fn ready(setup: Setup, plan: Plan) -> Self {
        let mut fleet = Self::started(setup, plan);
        fleet.env.advance(1, 1);
        for index in 0..fleet.nodes {
            fleet.say(index, fleet.ready_report()).unwrap();
        }
        fleet
    }

    /// The same, with the first wave open and its height reached.
    #[must_use]
    pub fn open(setup: Setup, plan: Plan) -> Self {
        let mut fleet = Self::ready(setup, plan);
        assert!(fleet.env.advance_rollout(ROLLOUT).changed);
        fleet.env.advance(2, 2);
        fleet
    }

    /// `ready` for the release.
    #[must_use]
    pub fn ready_report(&self) -> Report {
        Report::Ready { release: self.release }
    }

    /// The number of a node.
    #[must_use]
    pub fn no(&self, index: usize) -> NodeNo {
        let (operator, name) = (crate::setup::addr(&format!("op{index}")), format!("n{index}"));
        let key = (operator.as_str(), COMPONENT, name.as_str());
        NodeNo(state::NODE_NAMES.load(&*self.env.store(), key).unwrap())
    }

    /// A node's seat.
    #[must_use]
    pub fn seat(&self, index: usize) -> Seat {
        self.env.seat(ROLLOUT, self.no(index)).unwrap()
    }

    /// Nodes that act in a wave, by index.
    #[must_use]
    pub fn wave(&self, wave: u8) -> Vec<usize> {
        let (rollout, progress) = self.env.rollout(ROLLOUT);
        (0..self.nodes)
            .filter(|index| {
                let seat = self.env.seat(ROLLOUT, self.no(*index));
                seat.is_some_and(|seat| rollout.wave_of(&progress, self.no(*index), &seat) == Some(wave))
            })
            .collect()
    }

    /// Power that is down by lease.
    #[must_use]
    pub fn down(&self) -> Power {
        state::DOWN.load(&*self.env.store(), COMPONENT).unwrap()
    }

    /// Reports as a node.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn say(&mut self, index: usize, report: Report) -> StdResult<Done> {
        let answer = self.env.report(&format!("n{index}"), ROLLOUT, report)?;
        from_json(answer.data.unwrap())
    }

    /// Asks for a lease as a node.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn lease(&mut self, index: usize, purpose: Purpose) -> StdResult<Done> {
        let answer = self.env.lease(&format!("n{index}"), ROLLOUT, purpose)?;
        from_json(answer.data.unwrap())
    }

    /// Gives a lease back as a node.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn give_back(&mut self, index: usize) -> StdResult<Done> {
        let (who, attempt) = (format!("hot-n{index}"), self.seat(index).attempt);
        let answer = self.env.send(&who, &ExecuteMsg::ReturnLease { rollout: ROLLOUT, attempt })?;
        from_json(answer.data.unwrap())
    }

    /// Leases and activates.
    pub fn activate(&mut self, index: usize) {
        let done = self.lease(index, Purpose::Activate).unwrap();
        assert!(done.what.starts_with("leased"), "node {index}: {}", done.what);
        let (attempt, height) = (self.seat(index).attempt, self.env.now().height);
        self.say(index, Report::Activated { attempt, height }).unwrap();
    }

    /// Leases, activates, and is healthy.
    pub fn switch(&mut self, index: usize) {
        self.activate(index);
        self.healthy(index);
    }

    /// Is healthy.
    pub fn healthy(&mut self, index: usize) {
        let attempt = self.seat(index).attempt;
        self.say(index, Report::Healthy { attempt, height: Height(20_000_000), downtime_ms: 412 }).unwrap();
    }

    /// Fails.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn fail(&mut self, index: usize) -> StdResult<Done> {
        let attempt = self.seat(index).attempt;
        self.say(index, Report::Failed { attempt, reason: "probes failed".into() })
    }

    /// Is back on the release of before.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn back(&mut self, index: usize) -> StdResult<Done> {
        let attempt = self.seat(index).attempt;
        self.say(index, Report::RolledBack { attempt, release: self.previous })
    }

    /// Lets the soak go by and sends `advance`, then waits for the height.
    pub fn next_wave(&mut self) -> Done {
        self.env.pass(SHORT);
        let done = self.env.advance_rollout(ROLLOUT);
        self.env.advance(2, 2);
        done
    }

    /// Why a subject does not move.
    #[must_use]
    pub fn explain(&self, subject: Subject) -> ExplainAnswer {
        self.env.query(&QueryMsg::Explain { subject }).unwrap()
    }

    /// The kinds of the log's entries since a number of them.
    #[must_use]
    pub fn kinds_since(&self, count: usize) -> Vec<String> {
        self.env.entries.iter().skip(count).map(|entry| entry.kind.clone()).collect()
    }
}
