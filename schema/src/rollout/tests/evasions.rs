//! What a node could try in order not to count, or to count for more than it is.

use super::*;

/// Every failure is within the bars, and everyone may be down.
fn tolerant() -> Plan {
    let mut plan = plan();
    plan.lease_bps = Bps(10_000);
    plan.failure.wave_bps = Bps(10_000);
    plan.failure.rollout_bps = Bps(10_000);
    plan
}

/// Who says `contained` and never `failed` has failed all the same, and runs the release until it says that it is back.
#[test]
fn contained_without_a_failure_before_counts_as_one() {
    for (bar, crossed) in [(10_000, counted(false, false, 0)), (9_999, counted(true, true, 0))] {
        let mut plan = tolerant();
        plan.failure.wave_bps = Bps(bar);
        let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (2, "c")], plan);
        fleet.activate(0);
        fleet.activate(1);
        fleet.say(0, contained(1)).unwrap();
        assert_eq!(fleet.say(1, contained(1)), Ok(crossed), "all of the wave, bar {bar}");
        assert_eq!(fleet.progress.failed(), Power(20));
        assert_eq!(fleet.progress.running, Power(20), "neither is proven back");
        fleet.say(0, rolled_back(1)).unwrap();
        assert_eq!(fleet.progress.running, Power(10));
    }
}

#[test]
fn contained_after_a_failure_counts_once() {
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (2, "c")], tolerant());
    fleet.fail(0);
    fleet.say(0, contained(1)).unwrap();
    assert_eq!((fleet.progress.failed(), fleet.progress.running), (Power(10), Power(10)));
}

/// A fleet in which the nodes at `nil` count for nothing, everyone ready and the first wave open.
fn with_nil(nodes: &[(usize, &str)], nil: &[usize], mut plan: Plan) -> Fleet {
    plan.ready_bps = Bps(1);
    let mut fleet = Fleet::drawn(nodes, plan);
    for index in nil {
        fleet.members[*index].node.power = Power(0);
    }
    for index in 0..nodes.len() {
        fleet.say(index, ready()).unwrap();
    }
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 0, .. })));
    fleet.pass(NOTICE);
    fleet
}

#[test]
fn a_node_without_power_is_no_second_organisation_that_failed() {
    let nodes = [(0, "a"), (0, "a"), (0, "b"), (2, "c")];
    for (nil, second) in [(&[2_usize][..], counted(false, false, 0)), (&[], counted(false, true, 0))] {
        let mut plan = tolerant();
        plan.failure.wave_bps = Bps(3_333);
        let mut fleet = with_nil(&nodes, nil, plan);
        fleet.activate(1);
        fleet.activate(2);
        fleet.fail(0);
        fleet.say(1, failed(1)).unwrap();
        assert_eq!(fleet.phase(), RolloutPhase::Halted);
        assert_eq!(fleet.say(2, failed(1)), Ok(second), "without power: {nil:?}");
    }
}

#[test]
fn a_node_without_power_is_no_canary() {
    // It lies in the first wave itself.
    let fleet = with_nil(&[(0, "a"), (0, "b"), (2, "c")], &[1], tolerant());
    assert_eq!(fleet.progress.canaries, [fleet.members[2].node.no], "another organisation is moved in");
    // It could be moved in.
    let fleet = with_nil(&[(0, "a"), (1, "b"), (2, "c")], &[1], tolerant());
    assert_eq!(fleet.progress.canaries, [fleet.members[2].node.no]);
}

#[test]
fn a_node_without_power_is_no_second_organisation_that_is_healthy() {
    let mut plan = tolerant();
    plan.waves[0].healthy_bps = Bps(3_333);
    let mut fleet = with_nil(&[(0, "a"), (0, "b"), (0, "c"), (2, "d")], &[2], plan);
    fleet.switch(0);
    fleet.switch(2);
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None);
    fleet.switch(1);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

#[test]
fn an_equivocation_outlives_a_change_of_mind() {
    let mut plan = tolerant();
    plan.ready_bps = Bps(5_000);
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan);
    fleet.say(0, refused()).unwrap();
    let other = Report::Refused { reason: "no time".into() };
    assert_eq!(fleet.say(0, other.clone()), Ok(Heard::Equivocation { first: true }));
    fleet.say(0, ready()).unwrap();
    assert!(fleet.seat(0).equivocated);
    fleet.say(0, other.clone()).unwrap();
    assert!(fleet.seat(0).equivocated);
    assert_eq!(fleet.say(0, refused()), Ok(Heard::Equivocation { first: false }));
}

#[test]
fn the_first_gate_goes_on_wanting_two_organisations_when_a_node_of_one_leaves() {
    let mut plan = tolerant();
    plan.ready_bps = Bps(5_000);
    plan.waves[0].healthy_bps = Bps(5_000);
    let mut fleet = Fleet::drawn(&[(0, "a"), (0, "a"), (0, "b")], plan);
    for index in 0..3 {
        fleet.say(index, ready()).unwrap();
    }
    fleet.say(0, refused()).unwrap();
    fleet.advance();
    fleet.pass(NOTICE);
    fleet.switch(1);
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None, "half is healthy, of one organisation");
    fleet.switch(2);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

/// Where the second organisation itself left, the first would wait for it for ever: all that is there suffices.
#[test]
fn the_first_gate_opens_when_all_that_is_left_of_one_organisation_is_healthy() {
    let mut plan = tolerant();
    plan.ready_bps = Bps(5_000);
    plan.waves[0].healthy_bps = Bps(5_000);
    let mut fleet = Fleet::drawn(&[(0, "a"), (0, "a"), (0, "b")], plan);
    for index in 0..3 {
        fleet.say(index, ready()).unwrap();
    }
    fleet.say(2, refused()).unwrap();
    fleet.advance();
    fleet.pass(NOTICE);
    fleet.switch(0);
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None, "half of what is left");
    fleet.switch(1);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

/// A node that counts for nothing may run the release although no sum says so: a cancel halts then, and never ends.
#[test]
fn a_cancel_halts_what_a_node_without_power_may_run() {
    for (leases, outcome) in [(true, Transition::Halted(HaltCause::Cancelled)), (false, ended_cancelled())] {
        let mut fleet = with_nil(&[(0, "a"), (0, "b"), (2, "c")], &[0], plan());
        if leases {
            fleet.activate(0);
            fleet.say(0, healthy(1)).unwrap();
        }
        let (progress, brakes) = (&mut fleet.progress, &fleet.brakes);
        assert_eq!(fleet.rollout.cancel(progress, brakes, fleet.now), Ok(outcome), "leases: {leases}");
    }
}

fn ended_cancelled() -> Transition {
    Transition::Ended { outcome: Outcome::Cancelled, unaccounted: Power(0) }
}
