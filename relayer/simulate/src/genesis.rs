//! Who and what the simulated deployment is made of.

use concord_schema::msg::{GenesisComponent, GenesisGuardians, GenesisOperator, InstantiateMsg};
use concord_schema::plan::{Failure, OnFailure, Plan, Trial, Wave};
use concord_schema::proposal::{Action, Draft};
use concord_schema::release::Release;
use concord_schema::rules::{ClassRules, Floors, Rules};
use concord_schema::units::Power;
use concord_schema::{Bps, Digest, Span};
use concord_tests::setup;

pub(crate) use concord_tests::setup::{COMPONENT, PLATFORM, addr as account};

use crate::dice::Dice;

pub(crate) const CHAIN_ID: &str = "concord-simulate-1";
pub(crate) const MEMBERS: [&str; 3] = ["ann", "bob", "cyd"];
pub(crate) const GUARDIANS: [&str; 3] = ["gus", "gil", "gay"];
/// The shortest span that is more than a moment.
const MOMENT: Span = Span::new(1, 1);

/// A node of the fleet as it is registered.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) operator: String,
    pub(crate) organisation: String,
    pub(crate) node: String,
    pub(crate) hot: String,
    pub(crate) power: u64,
}

/// Operators with one node each, of two to four organisations, with powers up to twice as large as each other's.
pub(crate) fn places(count: usize, dice: &mut Dice) -> Vec<Place> {
    let organisations = usize::try_from(dice.between(2, 4)).unwrap_or(2);
    let equal = dice.happens(500);
    (0..count)
        .map(|index| Place {
            operator: format!("op{index}"),
            organisation: format!("org{}", index.checked_rem(organisations).unwrap_or_default()),
            node: format!("n{index}"),
            hot: format!("hot-n{index}"),
            power: if equal { 10 } else { dice.between(10, 20) },
        })
        .collect()
}

/// Takes the power of some nodes, but of the first two, which are of two organisations.
pub(crate) fn widen(places: &mut [Place], dice: &mut Dice) {
    for place in places.iter_mut().skip(2) {
        if dice.happens(300) {
            place.power = 0;
        }
    }
}

/// Changes what the plans of every seed have alike.
pub(crate) fn vary(plan: &mut Plan, dice: &mut Dice) {
    plan.one_at_a_time = dice.happens(250);
    for wave in &mut plan.waves {
        wave.healthy_bps = Bps(if dice.happens(500) { 10_000 } else { 6_000 });
    }
    let seconds = dice.between(10, 60);
    plan.failure.rolling_back = Span::new(seconds, seconds);
}

fn row() -> ClassRules {
    ClassRules {
        deliberation: MOMENT,
        validation: Span::new(30, 30),
        voting: Span::new(30, 30),
        voting_min: MOMENT,
        timelock: Span::new(2, 2),
        grace: Span::new(200, 200),
        ..setup::row()
    }
}

pub(crate) fn deployment(places: &[Place]) -> InstantiateMsg {
    let operator = |place: &Place| GenesisOperator {
        addr: account(&place.operator).to_string(),
        organisation: place.organisation.clone(),
        component: COMPONENT.to_owned(),
        power: Power(place.power.max(1)),
    };
    InstantiateMsg {
        components: vec![GenesisComponent { name: COMPONENT.to_owned(), group: None, baseline: release(0) }],
        members: MEMBERS.iter().map(|name| setup::member(name, 10)).collect(),
        auditors: vec![],
        guardians: GenesisGuardians {
            addrs: GUARDIANS.iter().map(|name| account(name).to_string()).collect(),
            threshold: 2,
        },
        operators: places.iter().map(operator).collect(),
        rules: Rules {
            routine: row(),
            standard: row(),
            critical: row(),
            constitutional: row(),
            retry: MOMENT,
            brake_short: Span::new(6, 6),
            brake_full: Span::new(25, 25),
        },
        floors: Floors { deliberation: MOMENT, voting_min: MOMENT, timelock: MOMENT, soak: MOMENT },
    }
}

/// Version of a release by its place in the history; 0 is the baseline.
pub(crate) fn version(index: usize) -> String {
    format!("{}.0.0", index.saturating_add(1))
}

/// The bytes' digest of that release.
pub(crate) fn artifact(index: usize) -> Digest {
    Digest::of(version(index).as_bytes())
}

/// A release; it upgrades from every earlier one.
pub(crate) fn release(index: usize) -> Release {
    Release { upgrades_from: (0..index).map(version).collect(), ..setup::release(&version(index), &[]) }
}

/// A plan of two or three waves.
pub(crate) fn plan(dice: &mut Dice) -> Plan {
    let wave = |lot_bps, power_max_bps| Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps,
        healthy_bps: Bps(10_000),
        soak: Span::new(2, 2),
        deadline: Span::new(60, 60),
    };
    let third = Some(Bps(5_000));
    let waves = if dice.happens(500) {
        vec![wave(3_334, third), wave(6_667, third), wave(10_000, None)]
    } else {
        vec![wave(4_000, third), wave(10_000, None)]
    };
    let on_crossed = if dice.happens(800) { OnFailure::RollBack } else { OnFailure::Halt };
    Plan {
        ready_bps: Bps(if dice.happens(500) { 10_000 } else { 6_000 }),
        preparation: Span::new(25, 25),
        postponement: Span::new(25, 25),
        waves,
        lease: Span::new(25, 25),
        trial: Trial { span: Span::new(3, 3), probe_interval_ms: 100 },
        failure: Failure {
            wave_bps: Bps(5_000),
            rollout_bps: Bps(2_500),
            on_crossed,
            halted: Span::new(20, 20),
            rolling_back: Span::new(60, 60),
        },
        ..setup::plan()
    }
}

pub(crate) fn draft(title: &str, action: Action) -> Draft {
    setup::draft(title, vec![action])
}
