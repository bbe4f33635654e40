//! Rollouts through real messages: who may not, then whole stories.

#![expect(clippy::indexing_slicing, reason = "a test fails by a panic")]

use concord_coordinator::state;
use concord_schema::Bps;
use concord_schema::msg::ExecuteMsg;
use concord_schema::node::{Component, NODES_MAX, Node};
use concord_schema::plan::Plan;
use concord_schema::proposal::Action;
use concord_schema::query::{QueryMsg, SeatsAnswer, Subject};
use concord_schema::release::Standing;
use concord_schema::report::Report;
use concord_schema::rollout::{HaltCause, Outcome, Purpose, RolloutPhase, SeatState};
use concord_schema::units::{Height, NodeNo, Power, RolloutId, Seconds};
use concord_schema::waiting::WaitingOn;
use concord_tests::env::{MockEnv, assert_err};
use concord_tests::fleet::{Fleet, ROLLOUT, three_waves};
use concord_tests::setup::{COMPONENT, LONG, SHORT, Setup, addr, draft, release, upgrade};

fn register(node_id: &str, power: u64, hot_key: &str) -> ExecuteMsg {
    ExecuteMsg::Register {
        component: COMPONENT.to_owned(),
        node_id: node_id.to_owned(),
        power: Power(power),
        hot_key: hot_key.to_owned(),
    }
}

fn hot(name: &str) -> String {
    addr(&format!("hot-{name}")).to_string()
}

// ---- who may not ----

#[test]
fn only_an_operator_of_the_component_registers() {
    let mut env = MockEnv::new();
    for stranger in ["eve", "ann", "gus", "hot-a"] {
        assert_err(env.send(stranger, &register("a", 1, &hot("a"))), "an operator of feeder");
    }
    let elsewhere = ExecuteMsg::Register {
        component: "daemon".to_owned(),
        node_id: "a".to_owned(),
        power: Power(1),
        hot_key: hot("a"),
    };
    assert_err(env.send("op0", &elsewhere), "an operator of daemon");
}

#[test]
fn a_registration_out_of_bounds_is_refused() {
    let mut env = MockEnv::new();
    assert_err(env.register("op0", "a", 11), "must be 0 to 10, found 11");
    assert_err(env.send("op0", &register("A", 1, &hot("a"))), "lower-case");
    assert_err(env.send("op0", &register("", 1, &hot("a"))), "1 to 64 bytes");
    assert_err(env.send("op0", &register("a", 1, "nobody")), "no account of this chain");
    env.register("op0", "a", 4).unwrap();
    assert_err(env.register("op0", "b", 7), "must be 0 to 6, found 7");
    env.register("op0", "b", 6).unwrap();
    env.register("op0", "c", 0).unwrap();
    assert_err(env.send("op1", &register("d", 1, &hot("a"))), "a hot key serves one node");
    assert_err(env.send("op0", &register("d", 0, &hot("a"))), "a hot key serves one node");
    assert_eq!(env.component().registered, Power(10));
}

#[test]
fn an_operator_has_at_most_so_many_nodes() {
    let mut env = MockEnv::new();
    for index in 0..NODES_MAX {
        env.register("op0", &format!("n{index}"), 0).unwrap();
    }
    assert_err(env.register("op0", "one-more", 0), "must be 0 to 64, found 65");
    env.register("op0", "n0", 10).unwrap();
}

#[test]
fn a_hot_key_that_was_replaced_is_nobodys_and_never_used_again() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    let old = hot("n0");
    fleet.env.send("op0", &register("n0", 10, &hot("fresh"))).unwrap();
    fleet.env.advance(1, 1);
    assert_err(fleet.say(0, fleet.ready_report()), "a registered node's hot key");
    assert_err(fleet.env.send("op1", &register("n1", 10, &old)), "a hot key serves one node");
    assert_err(fleet.env.send("op0", &register("n0", 10, &old)), "a hot key serves one node");
    let ready = ExecuteMsg::Report { rollout: ROLLOUT, report: fleet.ready_report() };
    fleet.env.send("hot-fresh", &ready).unwrap();
    let found: Option<Node> = fleet.env.query(&QueryMsg::NodeOf { hot_key: old }).unwrap();
    assert_eq!(found, None);
}

#[test]
fn the_same_registration_again_writes_nothing() {
    let mut env = MockEnv::new();
    env.register("op0", "a", 4).unwrap();
    assert!(!env.crank("op0", &register("a", 4, &hot("a"))).changed);
    assert!(env.crank("op0", &register("a", 5, &hot("a"))).changed);
    assert_eq!(env.component().registered, Power(5));
    assert_eq!(env.component().largest, Power(5));
    env.register("op0", "b", 3).unwrap();
    for (power, largest) in [(2, 3), (3, 3), (4, 4), (0, 3)] {
        assert!(env.crank("op0", &register("a", power, &hot("a"))).changed || power == 5);
        assert_eq!(env.component().largest, Power(largest), "a has {power}, b has 3");
    }
}

#[test]
fn only_a_hot_key_reports_leases_and_gives_back() {
    let mut fleet = Fleet::open(Setup::default(), three_waves());
    let one = fleet.wave(0)[0];
    for stranger in ["eve", "op0", "ann", "gus"] {
        for message in [
            ExecuteMsg::Report { rollout: ROLLOUT, report: fleet.ready_report() },
            ExecuteMsg::Lease { rollout: ROLLOUT, purpose: Purpose::Activate },
            ExecuteMsg::ReturnLease { rollout: ROLLOUT, attempt: 1 },
        ] {
            assert_err(fleet.env.send(stranger, &message), "a registered node's hot key");
        }
    }
    let who = format!("hot-n{one}");
    let nowhere = ExecuteMsg::Lease { rollout: RolloutId(9), purpose: Purpose::Activate };
    assert_err(fleet.env.send(&who, &nowhere), "there is no rollout");
    assert_err(fleet.give_back(one), "holds no lease");
    let message = ExecuteMsg::ExpireLease { rollout: ROLLOUT, node: NodeNo(99) };
    assert_err(fleet.env.send("eve", &message), "there is no node");
    assert_err(fleet.say(one, Report::Failed { attempt: 0, reason: "x".repeat(129) }), "1 to 128 bytes");
}

// ---- the seed ----

#[test]
fn the_seed_comes_from_the_first_block_that_may_and_only_once() {
    let mut env = MockEnv::new();
    env.advance(1, 1);
    for index in 0..6 {
        env.register(&format!("op{index}"), &format!("n{index}"), 10).unwrap();
    }
    env.decide(&upgrade(&release("2.0.0", &["1.0.0"])));
    let draw = ExecuteMsg::Draw { rollout: ROLLOUT };
    let early = env.crank("eve", &draw);
    assert!(!early.changed && early.what.starts_with("waiting on draw, from height"), "{}", early.what);
    assert_eq!(env.rollout_phase(ROLLOUT), RolloutPhase::Drawing);
    let waits = env.advance_rollout(ROLLOUT);
    assert!(!waits.changed && waits.what.contains("draw"), "{}", waits.what);
    env.advance(0, 1);
    assert!(env.crank("eve", &draw).changed);
    let drawn = env.rollout(ROLLOUT).1.drawn;
    env.advance(1, 1);
    assert!(!env.crank("bob", &draw).changed);
    assert_eq!(env.rollout(ROLLOUT).1.drawn, drawn);
    assert_err(env.send("eve", &ExecuteMsg::Draw { rollout: RolloutId(2) }), "there is no rollout");
}

#[test]
fn ready_draws_by_itself() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    assert_err(fleet.say(0, fleet.ready_report()), "from height");
    fleet.env.advance(1, 1);
    let before = fleet.env.entries.len();
    fleet.say(0, fleet.ready_report()).unwrap();
    assert_eq!(fleet.kinds_since(before), ["drawn", "reported"]);
}

// ---- stories ----

#[test]
fn six_nodes_in_three_waves_to_completion() {
    let mut fleet = Fleet::ready(Setup::default(), three_waves());
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Preparing);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    let mut switched = 0;
    while let RolloutPhase::Wave(wave) = fleet.env.rollout_phase(ROLLOUT) {
        fleet.env.advance(2, 2);
        let nodes = fleet.wave(wave);
        assert!(!nodes.is_empty(), "an empty wave opened");
        for index in nodes {
            fleet.switch(index);
            switched += 1;
        }
        let soak = fleet.explain(Subject::Rollout(ROLLOUT));
        assert!(matches!(soak.waiting_on, WaitingOn::Soak { .. }), "{}", soak.sentence);
        fleet.env.pass(SHORT);
        assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    }
    assert_eq!(switched, 6);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Completed));
    let Component { current, live, last, .. } = fleet.env.component();
    assert_eq!((current, live, last), (fleet.release, None, Some(ROLLOUT)));
    assert_eq!(fleet.down(), Power(0));
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::Allowed);
    let again = fleet.env.advance_rollout(ROLLOUT);
    assert!(!again.changed, "{}", again.what);
}

/// The failure bars as in a demo: half of a wave, a fifth of the fleet.
fn two_of_the_first_wave() -> (Fleet, usize, usize) {
    let mut fleet = Fleet::open(Setup::default(), three_waves());
    let first = fleet.wave(0);
    assert_eq!(first.len(), 2);
    let (one, two) = (first[0], first[1]);
    fleet.activate(one);
    fleet.activate(two);
    (fleet, one, two)
}

#[test]
fn two_failures_of_two_organisations_halt_and_go_back_in_the_same_transaction() {
    let (mut fleet, one, two) = two_of_the_first_wave();
    fleet.fail(one).unwrap();
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Wave(0), "half of the wave is at the bar");
    let before = fleet.env.entries.len();
    fleet.fail(two).unwrap();
    assert_eq!(fleet.kinds_since(before), ["reported", "rollout_halted", "rolling_back"]);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::RollingBack);
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::RolledBack);
    fleet.back(one).unwrap();
    let waits = fleet.env.advance_rollout(ROLLOUT);
    assert!(!waits.changed && waits.what.contains("power 10 to go back"), "{}", waits.what);
    fleet.back(two).unwrap();
    assert_eq!(fleet.down(), Power(0));
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::RolledBack));
    let component = fleet.env.component();
    assert_eq!((component.current, component.live), (fleet.previous, None));
    // NODE-5: it stays denied.
    fleet.env.pass(LONG);
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::RolledBack);
}

#[test]
fn one_silent_operator_denies_no_release() {
    let mut fleet = Fleet::open(Setup::default(), three_waves());
    let silent = fleet.wave(0)[0];
    fleet.switch(fleet.wave(0)[1]);
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    let why = fleet.explain(Subject::Rollout(ROLLOUT));
    assert!(
        matches!(why.waiting_on, WaitingOn::HaltVote { cause: HaltCause::Stalled, .. }),
        "{silent} is silent"
    );
    fleet.env.pass(LONG);
    let before = fleet.env.entries.len();
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.kinds_since(before), ["rolling_back_stalled"]);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::RollingBack);
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::RolledBack));
    assert_eq!(fleet.env.component().current, fleet.previous);
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::Allowed);
}

/// Failures of two organisations deny a release also where a stall sent it back before.
#[test]
fn two_failures_on_the_way_back_from_a_stall_deny_the_release() {
    let mut fleet = one_wave();
    for index in [0, 1] {
        fleet.activate(index);
    }
    for _ in 0..2 {
        fleet.env.pass(LONG);
        assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    }
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::RollingBack);
    for (index, standing) in [(0, Standing::Allowed), (1, Standing::RolledBack)] {
        assert!(fleet.fail(index).is_ok_and(|done| done.changed));
        assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), standing, "node {index}");
    }
    fleet.env.check_replay();
}

#[test]
fn one_organisation_alone_only_halts_and_is_contained() {
    let mut setup = Setup::default();
    for operator in &mut setup.operators {
        operator.1 = "org0";
    }
    let mut fleet = Fleet::open(setup, three_waves());
    let first = fleet.wave(0);
    for index in &first {
        fleet.activate(*index);
    }
    for index in &first {
        fleet.fail(*index).unwrap();
    }
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Halted);
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::Allowed);
    let why = fleet.explain(Subject::Rollout(ROLLOUT));
    assert!(matches!(why.waiting_on, WaitingOn::HaltVote { cause: HaltCause::Failures, .. }));
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Contained));
    assert_eq!(fleet.env.component().live, None);
    assert_eq!(fleet.env.standing(&release("2.0.0", &["1.0.0"])), Standing::Allowed);
}

#[test]
fn readiness_missed_is_postponed_once_and_then_frees_the_component() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    fleet.env.advance(1, 1);
    for index in 0..5 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    fleet.env.pass(LONG);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Postponed);
    let why = fleet.explain(Subject::Rollout(ROLLOUT));
    assert!(matches!(why.waiting_on, WaitingOn::Readiness { .. }), "{}", why.sentence);
    fleet.env.pass(LONG);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Expired));
    assert_err(fleet.say(5, fleet.ready_report()), "not taken");
    // Computed by now; advance persists it.
    assert_eq!(fleet.env.component().live, Some(ROLLOUT));
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.component().live, None);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Expired));
    // And another can begin.
    fleet.env.decide(&upgrade(&release("3.0.0", &["1.0.0"])));
    assert_eq!(fleet.env.component().live, Some(RolloutId(2)));
}

#[test]
fn too_many_refusals_end_it_at_once() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    fleet.env.advance(1, 1);
    fleet.say(0, Report::Refused { reason: "no space left".into() }).unwrap();
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Expired));
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.component().live, None);
}

/// One wave of all six, half of which may be down.
fn one_wave() -> Fleet {
    let mut waves = three_waves().waves;
    waves.drain(..2);
    Fleet::open(Setup::default(), Plan { waves, ..three_waves() })
}

#[test]
fn half_of_six_nodes_may_be_down_and_waiting_is_recorded_once() {
    let mut fleet = one_wave();
    for index in 0..3 {
        assert!(fleet.lease(index, Purpose::Activate).unwrap().changed);
    }
    assert_eq!(fleet.down(), Power(30));
    let waits = fleet.lease(3, Purpose::Activate).unwrap();
    assert!(waits.changed && waits.what.contains("room to be down"), "{}", waits.what);
    assert_eq!(fleet.seat(3).state, SeatState::Waiting);
    let message = ExecuteMsg::Lease { rollout: ROLLOUT, purpose: Purpose::Activate };
    assert!(!fleet.env.crank("hot-n3", &message).changed, "recorded once");
    let why = fleet.explain(Subject::Seat { rollout: ROLLOUT, node: fleet.no(3) });
    assert!(matches!(why.waiting_on, WaitingOn::Power { .. }), "{}", why.sentence);
    assert!(!fleet.env.crank("hot-n0", &message).changed, "one that holds a lease");
    fleet.give_back(0).unwrap();
    assert!(fleet.env.crank("hot-n3", &message).changed);
    assert_eq!(fleet.down(), Power(30));
}

#[test]
fn an_expired_lease_leaves_its_power_in_what_is_down() {
    let mut fleet = one_wave();
    fleet.lease(0, Purpose::Activate).unwrap();
    let expire = ExecuteMsg::ExpireLease { rollout: ROLLOUT, node: fleet.no(0) };
    let early = fleet.env.crank("eve", &expire);
    assert!(!early.changed && early.what.starts_with("waiting on the lease's holder"), "{}", early.what);
    fleet.env.pass(LONG);
    assert!(fleet.env.crank("eve", &expire).changed);
    assert_eq!((fleet.seat(0).state, fleet.down()), (SeatState::Lost, Power(10)));
    let again = fleet.env.crank("eve", &expire);
    assert_eq!((again.changed, again.what.as_str()), (false, "no lease of this node is out"));
    // It comes back by saying what became of it.
    fleet.say(0, Report::Activated { attempt: 1, height: Height(1) }).unwrap();
    fleet.healthy(0);
    assert_eq!(fleet.down(), Power(0));
}

#[test]
fn another_payload_is_logged_once_and_the_first_stands() {
    let mut fleet = one_wave();
    fleet.activate(0);
    let other =
        ExecuteMsg::Report { rollout: ROLLOUT, report: Report::Activated { attempt: 1, height: Height(1) } };
    let before = fleet.env.entries.len();
    assert!(fleet.env.crank("hot-n0", &other).changed);
    assert!(!fleet.env.crank("hot-n0", &other).changed);
    assert_eq!(fleet.kinds_since(before), ["equivocated"]);
    assert_eq!(fleet.seat(0).state, SeatState::Trial);
}

#[test]
fn a_repeated_report_writes_nothing() {
    let mut fleet = one_wave();
    fleet.activate(0);
    fleet.healthy(0);
    let healthy = Report::Healthy { attempt: 1, height: Height(20_000_000), downtime_ms: 412 };
    for report in [healthy, fleet.ready_report()] {
        let message = ExecuteMsg::Report { rollout: ROLLOUT, report };
        assert!(!fleet.env.crank("hot-n0", &message).changed);
    }
}

#[test]
fn who_registers_after_the_start_counts_from_the_next_rollout() {
    let mut setup = Setup::default();
    setup.operators[5].2 = 20;
    let mut fleet = Fleet::started(setup, three_waves());
    fleet.env.register("op5", "n5", 10).unwrap();
    fleet.env.register("op5", "extra", 10).unwrap();
    fleet.env.send("op0", &register("n0", 1, &hot("n0"))).unwrap();
    assert_eq!(fleet.env.component().registered, Power(61), "from the next one on");
    fleet.env.advance(1, 1);
    for index in 0..6 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    let ready = ExecuteMsg::Report { rollout: ROLLOUT, report: fleet.ready_report() };
    fleet.env.send("hot-extra", &ready).unwrap();
    let (rollout, progress) = fleet.env.rollout(ROLLOUT);
    assert_eq!((rollout.registered, progress.ready), (Power(70), Power(70)));
    assert_eq!((fleet.seat(0).power, fleet.seat(5).power), (Power(10), Power(20)));
    let extra: Node =
        fleet.env.query::<Option<Node>>(&QueryMsg::NodeOf { hot_key: hot("extra") }).unwrap().unwrap();
    assert_eq!(fleet.env.seat(ROLLOUT, extra.no).unwrap().wave, None);
    assert_eq!(extra.power_at(rollout.epoch + 1), Some(Power(10)));
}

#[test]
fn what_waits_at_the_deadline_moves_to_the_next_wave() {
    let mut plan = three_waves();
    plan.waves.remove(1);
    plan.waves[0].power_max_bps = None;
    plan.waves[0].lot_bps = Bps(9_000);
    plan.lease_bps = Bps(3_334);
    let mut fleet = Fleet::open(Setup::default(), plan);
    let first = fleet.wave(0);
    assert!(first.len() > 2, "{first:?}");
    fleet.activate(first[0]);
    fleet.activate(first[1]);
    for index in &first[2..] {
        assert!(fleet.lease(*index, Purpose::Activate).unwrap().changed);
    }
    fleet.healthy(first[0]);
    fleet.healthy(first[1]);
    fleet.env.pass(LONG);
    let before = fleet.env.entries.len();
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.kinds_since(before), ["waiters_moved"]);
    assert!(fleet.next_wave().what.contains("wave 1 is open"));
    for index in fleet.wave(1) {
        fleet.switch(index);
    }
    fleet.env.pass(SHORT);
    assert!(fleet.env.advance_rollout(ROLLOUT).what.contains("completed"));
}

// ---- votes ----

fn cancel() -> Vec<Action> {
    vec![Action::CancelRollout { rollout: ROLLOUT }]
}

#[test]
fn cancelled_before_a_lease_it_ends_and_after_activation_it_halts() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    fleet.env.decide(&draft("stop", cancel()));
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Cancelled));
    assert_eq!(fleet.env.component().live, None);

    let mut plan = three_waves();
    for wave in &mut plan.waves {
        wave.deadline = concord_schema::Span::new(10_000, 10_000);
    }
    let mut fleet = Fleet::open(Setup::default(), plan);
    let one = fleet.wave(0)[0];
    fleet.activate(one);
    fleet.env.decide(&draft("stop", cancel()));
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Halted);
    assert_err(fleet.lease(fleet.wave(0)[1], Purpose::Activate), "no lease is granted");
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Contained));
}

// ---- explain and pages ----

#[test]
fn why_is_answered_for_every_seat_and_pages_go_on() {
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    let unseated = fleet.explain(Subject::Seat { rollout: ROLLOUT, node: fleet.no(0) });
    assert_eq!((unseated.phase.as_str(), unseated.waiting_on), ("not seated", WaitingOn::Node));
    fleet.env.advance(1, 1);
    for index in 0..6 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    let page = |after, limit| -> SeatsAnswer {
        fleet.env.query(&QueryMsg::Seats { rollout: ROLLOUT, after, limit }).unwrap()
    };
    let first = page(None, Some(4));
    assert_eq!((first.seats.len(), first.scanned_to), (4, Some(NodeNo(4))));
    let rest = page(first.scanned_to, Some(4));
    assert_eq!((rest.seats.len(), rest.scanned_to), (2, None));
    let seat = fleet.explain(Subject::Seat { rollout: ROLLOUT, node: fleet.no(0) });
    assert!(matches!(seat.waiting_on, WaitingOn::Readiness { .. } | WaitingOn::Node), "{}", seat.sentence);
    assert_eq!(fleet.explain(Subject::Rollout(ROLLOUT)).waiting_on, WaitingOn::Advance);
    let deferred = Report::Deferred { until: Seconds(u64::MAX) };
    assert_err(fleet.say(0, deferred), "cannot report deferred");
    assert_eq!(state::ROLLOUT_COUNT.load(&*fleet.env.store()).unwrap(), 1);
}
