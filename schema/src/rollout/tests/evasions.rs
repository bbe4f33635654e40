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
