//! What each message of a rollout reads and writes: the same with ten nodes and with a thousand, and of a vote the
//! same whatever the proposal's text. Run with `--nocapture` for the table.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by a panic")]

mod gas;

use std::collections::BTreeMap;

use concord_schema::Bps;
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::plan::{Plan, Wave};
use concord_schema::proposal::{Action, Draft};
use concord_schema::release::{Artifact, Compatibility, Release};
use concord_schema::report::Report;
use concord_schema::rollout::Purpose;
use concord_schema::tally::Ballot;
use concord_schema::units::Height;
use concord_tests::counting::Cost;
use concord_tests::env::MockEnv;
use concord_tests::fleet::{Fleet, ROLLOUT, operators, three_waves};
use concord_tests::setup::{LONG, SHORT, Setup, document, draft, plan, release};

const READS_MAX: usize = 8;
const WRITES_MAX: usize = 4;
const BYTES_MAX: usize = 700;

type Costs = BTreeMap<&'static str, Cost>;

fn print(name: &str, cost: &Cost) {
    let Cost { reads, writes, bytes, gas } = cost;
    println!("{name:30} {reads:2} reads {writes:2} writes {bytes:5} bytes {gas:6} gas");
}

/// Measures a message, and sends it.
fn pay(fleet: &mut Fleet, costs: &mut Costs, name: &'static str, who: &str, message: &ExecuteMsg) -> String {
    let (cost, done) = fleet.env.cost(who, message);
    let done = done.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(done.changed, "{name}: {}", done.what);
    costs.insert(name, cost);
    fleet.env.send(who, message).unwrap();
    done.what
}

fn setup(nodes: usize, organisations: usize) -> Setup {
    Setup { operators: operators(nodes, organisations), ..Setup::default() }
}

fn hot(index: usize) -> String {
    format!("hot-n{index}")
}

fn report(report: Report) -> ExecuteMsg {
    ExecuteMsg::Report { rollout: ROLLOUT, report }
}

fn lease(purpose: Purpose) -> ExecuteMsg {
    ExecuteMsg::Lease { rollout: ROLLOUT, purpose }
}

const ADVANCE: ExecuteMsg = ExecuteMsg::Advance { rollout: ROLLOUT };

fn loose(mut plan: Plan) -> Plan {
    for wave in &mut plan.waves {
        // One healthy node passes a wave, so that a thousand need not.
        wave.healthy_bps = Bps(1);
    }
    plan.ready_bps = Bps(1);
    plan
}

/// Two nodes of the first wave, of two organisations.
fn pair(fleet: &Fleet) -> (usize, usize) {
    let first = fleet.wave(0);
    let one = first[0];
    let two = first.into_iter().find(|node| node % 5 != one % 5).unwrap();
    (one, two)
}

/// One life of a rollout, every message of it measured.
fn life(nodes: usize) -> Costs {
    let mut costs = Costs::new();
    let mut fleet = Fleet::started(setup(nodes, 5), loose(three_waves()));
    let ready = report(fleet.ready_report());
    fleet.env.advance(1, 1);
    let what = pay(&mut fleet, &mut costs, "report ready, which draws", &hot(0), &ready);
    assert_eq!(what, "ready is recorded");
    let refused = report(Report::Refused { reason: "x".repeat(128) });
    for index in 1..nodes - 1 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    pay(&mut fleet, &mut costs, "report refused", &hot(nodes - 1), &refused);
    pay(&mut fleet, &mut costs, "report ready", &hot(nodes - 1), &ready);
    pay(&mut fleet, &mut costs, "advance, first wave", "eve", &ADVANCE);
    fleet.env.advance(2, 2);
    let (one, two) = pair(&fleet);
    pay(&mut fleet, &mut costs, "lease, granted", &hot(one), &lease(Purpose::Activate));
    pay(
        &mut fleet,
        &mut costs,
        "return_lease",
        &hot(one),
        &ExecuteMsg::ReturnLease { rollout: ROLLOUT, attempt: 1 },
    );
    fleet.lease(one, Purpose::Activate).unwrap();
    let height = Height(20_000_000);
    pay(
        &mut fleet,
        &mut costs,
        "report activated",
        &hot(one),
        &report(Report::Activated { attempt: 2, height }),
    );
    let healthy = report(Report::Healthy { attempt: 2, height, downtime_ms: 12_345 });
    pay(&mut fleet, &mut costs, "report healthy", &hot(one), &healthy);
    fleet.switch(two);
    fleet.env.pass(SHORT);
    pay(&mut fleet, &mut costs, "advance, next wave", "eve", &ADVANCE);
    fleet.env.advance(2, 2);
    let second = fleet.wave(1);
    fleet.lease(second[0], Purpose::Activate).unwrap();
    fleet.env.pass(LONG);
    let expire = ExecuteMsg::ExpireLease { rollout: ROLLOUT, node: fleet.no(second[0]) };
    pay(&mut fleet, &mut costs, "expire_lease", "eve", &expire);
    pay(&mut fleet, &mut costs, "advance, halted", "eve", &ADVANCE);
    fleet.env.pass(LONG);
    pay(&mut fleet, &mut costs, "advance, goes back", "eve", &ADVANCE);
    pay(&mut fleet, &mut costs, "lease, to go back", &hot(one), &lease(Purpose::RollBack));
    let back = report(Report::RolledBack { attempt: 2, release: fleet.previous });
    pay(&mut fleet, &mut costs, "report rolled_back", &hot(one), &back);
    fleet.env.pass(LONG);
    pay(&mut fleet, &mut costs, "advance, ended", "eve", &ADVANCE);
    costs
}

/// What a crossed bar, a full fleet and a completion cost.
fn crossed(nodes: usize) -> Costs {
    let mut costs = Costs::new();
    let mut tight = three_waves();
    tight.ready_bps = Bps(1);
    tight.failure.wave_bps = Bps(0);
    tight.lease_bps = Bps(u16::try_from(10_000 * 2 / nodes).unwrap());
    let mut fleet = Fleet::open(setup(nodes, 5), tight);
    let first = fleet.wave(0);
    let (one, two) = pair(&fleet);
    fleet.activate(one);
    fleet.activate(two);
    if let Some(three) = first.iter().find(|node| **node != one && **node != two) {
        pay(&mut fleet, &mut costs, "lease, waits", &hot(*three), &lease(Purpose::Activate));
    }
    let failed = report(Report::Failed { attempt: 1, reason: "x".repeat(128) });
    pay(&mut fleet, &mut costs, "report failed, halts", &hot(one), &failed);
    pay(&mut fleet, &mut costs, "report failed, goes back", &hot(two), &failed);
    let mut fleet = Fleet::open(setup(nodes, 5), loose(Plan { waves: plan().waves[1..].to_vec(), ..plan() }));
    let first = fleet.wave(0);
    for index in first.iter().take(6) {
        fleet.switch(*index);
    }
    fleet.env.pass(SHORT);
    let what = pay(&mut fleet, &mut costs, "advance, completed", "eve", &ADVANCE);
    assert_eq!(what, "the rollout ended: completed");
    costs
}

#[test]
fn a_message_costs_the_same_with_ten_nodes_and_with_a_thousand() {
    let few = [life(10), crossed(10)].concat();
    let many = [life(1_000), crossed(1_000)].concat();
    for (name, cost) in &few {
        print(name, cost);
    }
    for (name, cost) in few.iter().chain(&many) {
        assert!(
            cost.reads <= READS_MAX && cost.writes <= WRITES_MAX && cost.bytes <= BYTES_MAX,
            "{name}: {cost:?}"
        );
    }
    for (name, cost) in &few {
        let Some((_, large)) = many.iter().find(|(other, _)| other == name) else { continue };
        // The first wave's opening reads a record more for each canary that it seeks; see below.
        let seeks = usize::from(*name == "advance, first wave") * 2;
        assert!(cost.reads.abs_diff(large.reads) <= seeks, "{name}: {cost:?} {large:?}");
        assert_eq!(cost.writes, large.writes, "{name}");
        assert!(large.bytes.abs_diff(cost.bytes) <= 40, "{name}: only digits grow: {cost:?} {large:?}");
    }
}

trait Concat {
    fn concat(self) -> Vec<(&'static str, Cost)>;
}

impl Concat for [Costs; 2] {
    fn concat(self) -> Vec<(&'static str, Cost)> {
        self.into_iter().flatten().collect()
    }
}

/// What the keys are, counted out: a change of this table is a change of what the chain charges.
#[test]
fn reads_and_writes_are_pinned() {
    let costs = [life(10), crossed(10)].concat();
    for (name, reads, writes) in [
        ("report ready, which draws", 7, 4),
        ("report ready", 7, 4),
        ("report refused", 7, 4),
        ("report activated", 7, 3),
        ("report healthy", 8, 4),
        ("report failed, halts", 7, 3),
        ("report failed, goes back", 7, 4),
        ("report rolled_back", 8, 4),
        ("lease, granted", 8, 4),
        ("lease, waits", 8, 3),
        ("lease, to go back", 8, 4),
        ("return_lease", 6, 4),
        ("expire_lease", 5, 3),
        ("advance, next wave", 5, 2),
        ("advance, halted", 5, 2),
        ("advance, goes back", 5, 3),
        ("advance, ended", 6, 3),
        ("advance, completed", 6, 3),
    ] {
        let Some((_, cost)) = costs.iter().find(|(known, _)| *known == name) else {
            panic!("{name} was not measured");
        };
        assert!(
            cost.reads <= reads && cost.writes <= writes,
            "{name}: {cost:?}, at most {reads} and {writes}"
        );
    }
}

/// The largest plan that the bounds allow: sixteen waves, the longest organisations, powers of eleven digits. The
/// counters of thirteen waves more, and the longer numbers in them, are what it costs above the rest: 951 bytes and
/// 58,015 gas at most (docs/adr/0008).
#[test]
fn the_largest_plan_costs_little_more() {
    let names = ["a", "b", "c", "d", "e"].map(|name| -> &'static str { name.repeat(32).leak() });
    let operators = operators(48, 5)
        .into_iter()
        .zip(names.into_iter().cycle())
        .map(|((name, _, _), organisation)| (name, organisation, 20_000_000_000))
        .collect();
    let mut plan = loose(three_waves());
    let wave = plan.waves[2].clone();
    plan.waves = (1..=16).map(|index| Wave { lot_bps: Bps(index * 625), ..wave.clone() }).collect();
    let mut fleet = Fleet::started(Setup { operators, ..Setup::default() }, plan);
    fleet.env.advance(1, 1);
    let mut costs = Costs::new();
    for index in 0..48 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    fleet.env.advance(2, 2);
    let first = fleet.wave(0);
    for index in &first {
        pay(&mut fleet, &mut costs, "lease, granted", &hot(*index), &lease(Purpose::Activate));
        let activated = report(Report::Activated { attempt: 1, height: Height(20_000_000) });
        pay(&mut fleet, &mut costs, "report activated", &hot(*index), &activated);
        let healthy = Report::Healthy { attempt: 1, height: Height(20_000_000), downtime_ms: 412 };
        pay(&mut fleet, &mut costs, "report healthy", &hot(*index), &report(healthy));
    }
    for (name, cost) in &costs {
        print(name, cost);
        assert!(
            cost.reads <= READS_MAX && cost.writes <= WRITES_MAX && cost.bytes <= 951 && cost.gas <= 58_100,
            "{name}: {cost:?}"
        );
    }
}

/// An empty first wave is filled from the lowest lots: a record a canary, where their organisations differ. One
/// organisation that holds all the lowest lots makes it read on, to the eight records that the design allows for it:
/// thirteen keys in all, once a rollout. A record of a range costs no thousand of its own, so the gas stays low.
#[test]
fn seeking_canaries_is_bounded() {
    for (organisations, reads) in [(200, 7), (1, 13)] {
        let mut plan = loose(three_waves());
        plan.waves[0].lot_bps = Bps(1);
        let fleet = Fleet::ready(setup(200, organisations), plan);
        let (cost, done) = fleet.env.cost("eve", &ADVANCE);
        assert!(done.unwrap().changed);
        assert_eq!((cost.reads, cost.writes), (reads, 2), "{organisations} organisations");
        assert!(cost.bytes <= BYTES_MAX && cost.gas <= 30_000, "{cost:?}");
    }
}

#[test]
fn a_repeat_writes_nothing() {
    let mut fleet = Fleet::open(setup(10, 5), three_waves());
    let one = fleet.wave(0)[0];
    fleet.switch(one);
    let healthy = report(Report::Healthy { attempt: 1, height: Height(20_000_000), downtime_ms: 412 });
    for (who, message) in [
        (hot(one), healthy),
        (hot(one), report(fleet.ready_report())),
        ("eve".to_owned(), ADVANCE),
        ("eve".to_owned(), ExecuteMsg::Draw { rollout: ROLLOUT }),
        ("gus".to_owned(), ExecuteMsg::Release { scope: Scope::All }),
    ] {
        let (cost, done) = fleet.env.cost(&who, &message);
        assert!(!done.unwrap().changed, "{message:?}");
        assert_eq!((cost.writes, cost.bytes), (0, 0), "{message:?}");
    }
}

/// The largest proposal that the bounds allow, or nearly so: some hundred kilobytes.
fn long() -> Draft {
    let text = |length: usize| "x".repeat(length);
    let mut big: Release = release("2.0.0", &["1.0.0"]);
    big.artifacts = (0..16)
        .map(|index| Artifact {
            platform: format!("{}-{index}", text(60)),
            uris: (0..8).map(|uri| format!("https://{}/{index}/{uri}", text(490))).collect(),
            ..big.artifacts[0].clone()
        })
        .collect();
    big.compatibility = (0..32)
        .map(|index| Compatibility {
            component: format!("{}-{index}", text(60)),
            versions: (0..32).map(|version| format!("1.0.{version}-{}", text(55))).collect(),
        })
        .collect();
    let start = Action::StartRollout { release: Box::new(big), plan: Box::new(plan()) };
    draft(&text(128), vec![start])
}

#[test]
fn a_vote_costs_the_same_whatever_the_text() {
    let tiny = {
        let start =
            Action::StartRollout { release: Box::new(release("2.0.0", &["1.0.0"])), plan: Box::new(plan()) };
        draft("x", vec![start])
    };
    let cost_of = |draft: &Draft| {
        let mut env = MockEnv::new();
        env.advance(1_790_000_000, 12_345_678);
        let id = env.propose(draft);
        env.to_voting(id);
        let message = ExecuteMsg::Vote {
            proposal: id,
            ballot: Ballot::Yes,
            expect_digest: env.proposal(id).digest,
            rationale: Some(document("because")),
        };
        let (cost, done) = env.cost("cyd", &message);
        assert!(done.unwrap().changed);
        cost
    };
    let (short, long_) = (cost_of(&tiny), cost_of(&long()));
    println!("vote {short:?}");
    assert!(serde_json::to_vec(&long()).unwrap().len() > 100_000);
    assert_eq!(short, long_);
}
