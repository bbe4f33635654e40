//! The brake through real messages: who may not, what it stops, and what it never stops (BRAKE-1, BRAKE-2).

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use concord_schema::Bps;
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::query::{BrakeAnswer, QueryMsg};
use concord_schema::rollout::{Purpose, RolloutPhase};
use concord_schema::units::Power;
use concord_tests::env::{MockEnv, assert_err};
use concord_tests::fleet::{Fleet, ROLLOUT, three_waves};
use concord_tests::setup::{COMPONENT, LONG, SHORT, Setup, release, upgrade};

fn own() -> Scope {
    Scope::Component(COMPONENT.to_owned())
}

fn holds(env: &MockEnv, scope: &Scope) -> bool {
    let answer: BrakeAnswer = env.query(&QueryMsg::Brake { scope: scope.clone() }).unwrap();
    answer.holds
}

#[test]
fn only_a_guardian_brakes_and_releases_and_only_what_is_there() {
    let mut env = MockEnv::new();
    for stranger in ["eve", "ann", "op0"] {
        assert_err(env.brake(stranger, Scope::All), "a guardian");
        assert_err(env.send(stranger, &ExecuteMsg::Release { scope: Scope::All }), "a guardian");
    }
    let nowhere = Scope::Component("daemon".to_owned());
    assert_err(env.brake("gus", nowhere.clone()), "there is no component");
    assert_err(env.send("gus", &ExecuteMsg::Release { scope: nowhere }), "there is no component");
}

#[test]
fn one_guardian_pulls_the_short_brake_the_second_lengthens_it_and_both_end_by_themselves() {
    for (pullers, short, full) in [(1, false, false), (2, true, false)] {
        let mut env = MockEnv::new();
        for guardian in ["gus", "gil"].iter().take(pullers) {
            env.brake(guardian, Scope::All).unwrap();
        }
        assert!(holds(&env, &Scope::All));
        env.advance(SHORT.seconds.0, SHORT.blocks.0 - 1);
        assert!(holds(&env, &Scope::All), "one clock is not over");
        env.advance(0, 1);
        assert_eq!(holds(&env, &Scope::All), short, "{pullers} after the short span");
        env.advance(LONG.seconds.0 - SHORT.seconds.0, LONG.blocks.0 - SHORT.blocks.0);
        assert_eq!(holds(&env, &Scope::All), full, "{pullers} after the full span");
    }
}

#[test]
fn the_same_guardian_again_changes_nothing_and_k_of_them_release() {
    let mut env = MockEnv::new();
    let (brake, release) = (ExecuteMsg::Brake { scope: own() }, ExecuteMsg::Release { scope: own() });
    let idle = env.crank("gus", &release);
    assert_eq!((idle.changed, idle.what.as_str()), (false, "not braked"));
    assert!(env.crank("gus", &brake).changed);
    assert!(!env.crank("gus", &brake).changed);
    assert!(env.crank("gus", &release).changed, "who pulled it may ask for its release");
    assert!(!env.crank("gus", &release).changed);
    assert!(holds(&env, &own()));
    assert!(env.crank("gay", &release).changed);
    assert!(!holds(&env, &own()));
    assert!(!env.crank("gil", &release).changed);
}

#[test]
fn a_second_pull_in_the_same_rollout_is_refused() {
    let mut fleet = Fleet::ready(Setup::default(), three_waves());
    for scope in [Scope::All, own()] {
        fleet.env.brake("gus", scope.clone()).unwrap();
        fleet.env.pass(SHORT);
        assert!(!holds(&fleet.env, &scope));
        assert_err(fleet.env.brake("gil", scope.clone()), "one pull per rollout and scope");
        assert_err(fleet.env.brake("gus", scope), "one pull per rollout and scope");
    }
    // The next rollout arms it again.
    fleet.env.pass(LONG);
    fleet.env.pass(LONG);
    fleet.env.pass(LONG);
    let mut env = fleet.env;
    if env.component().live.is_some() {
        let cancel = concord_schema::proposal::Action::CancelRollout { rollout: ROLLOUT };
        env.decide(&concord_tests::setup::draft("stop", vec![cancel]));
    }
    env.decide(&upgrade(&release("3.0.0", &["1.0.0"])));
    env.brake("gil", Scope::All).unwrap();
    env.brake("gil", own()).unwrap();
}

#[test]
fn before_any_rollout_there_is_one_pull_too() {
    let mut env = MockEnv::new();
    env.brake("gus", Scope::All).unwrap();
    env.pass(SHORT);
    assert_err(env.brake("gus", Scope::All), "rollout 0");
}

#[test]
fn while_it_holds_nothing_is_leased_or_opened_and_clocks_stand_still() {
    for scope in [Scope::All, own()] {
        let mut fleet = Fleet::open(Setup::default(), three_waves());
        let first = fleet.wave(0);
        for index in &first {
            fleet.switch(*index);
        }
        fleet.env.brake("gus", scope.clone()).unwrap();
        // The whole soak would be over.
        fleet.env.advance(SHORT.seconds.0, SHORT.blocks.0 - 1);
        let waits = fleet.env.advance_rollout(ROLLOUT);
        assert!(!waits.changed && waits.what.contains("the brake on"), "{}", waits.what);
        fleet.env.advance(0, 1);
        let waits = fleet.env.advance_rollout(ROLLOUT);
        assert!(!waits.changed && waits.what.contains("the soak"), "{}", waits.what);
        fleet.env.pass(SHORT);
        assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    }
}

#[test]
fn no_lease_under_the_brake_and_a_height_that_passed_under_it_is_fixed_anew() {
    let mut fleet = Fleet::ready(Setup::default(), three_waves());
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    let one = fleet.wave(0)[0];
    fleet.env.advance(1, 1);
    fleet.env.brake("gus", Scope::All).unwrap();
    fleet.env.advance(1, 1);
    let waits = fleet.lease(one, Purpose::Activate).unwrap();
    assert!(!waits.changed && waits.what.contains("the brake on everything"), "{}", waits.what);
    for guardian in ["gil", "gay"] {
        fleet.env.send(guardian, &ExecuteMsg::Release { scope: Scope::All }).unwrap();
    }
    let waits = fleet.lease(one, Purpose::Activate).unwrap();
    assert!(!waits.changed && waits.what.contains("new height"), "{}", waits.what);
    let fixed = fleet.env.advance_rollout(ROLLOUT);
    assert!(fixed.changed && fixed.what.contains("new height"), "{}", fixed.what);
    fleet.env.advance(2, 2);
    fleet.activate(one);
}

#[test]
fn it_never_stops_reports_the_way_back_or_a_release() {
    let mut plan = three_waves();
    plan.lease_bps = Bps(10_000);
    let mut fleet = Fleet::open(Setup::default(), plan);
    let first = fleet.wave(0);
    let (one, two) = (first[0], first[1]);
    fleet.activate(one);
    fleet.activate(two);
    fleet.env.brake("gus", Scope::All).unwrap();
    fleet.env.brake("gil", Scope::All).unwrap();
    fleet.healthy(one);
    fleet.fail(two).unwrap();
    fleet.fail(one).unwrap();
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::RollingBack);
    fleet.back(one).unwrap();
    fleet.back(two).unwrap();
    assert!(holds(&fleet.env, &Scope::All));
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.down(), Power(0));
    assert!(fleet.env.crank("gus", &ExecuteMsg::Release { scope: Scope::All }).changed);
    assert!(fleet.env.crank("gay", &ExecuteMsg::Release { scope: Scope::All }).changed);
    assert!(!holds(&fleet.env, &Scope::All));
}

#[test]
fn the_second_guardian_joins_a_component_brake_on_the_clock_that_the_outer_one_leaves() {
    let mut fleet = Fleet::ready(Setup::default(), three_waves());
    fleet.env.brake("gus", own()).unwrap();
    fleet.env.brake("gus", Scope::All).unwrap();
    // Ten seconds and two blocks of the outer brake do not run the inner one.
    fleet.env.pass(SHORT);
    assert!(!holds(&fleet.env, &Scope::All) && holds(&fleet.env, &own()));
    fleet.env.pass(SHORT);
    assert!(!holds(&fleet.env, &own()));
}
