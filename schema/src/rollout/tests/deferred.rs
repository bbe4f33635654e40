//! A node that is ready, but not before a time of its own (design 4).

use super::*;

fn until(fleet: &Fleet, seconds: u64) -> Report {
    Report::Deferred { until: Seconds(fleet.now.time.0 + seconds) }
}

/// The first node of six defers by some seconds; the others are ready, and its wave is open at its height.
fn with_one_deferred(seconds: u64) -> Fleet {
    let mut fleet = drawn_six();
    let report = until(&fleet, seconds);
    fleet.say(0, report).unwrap();
    for index in 1..6 {
        fleet.say(index, ready()).unwrap();
    }
    fleet.advance();
    fleet.pass(NOTICE);
    fleet
}

#[test]
fn it_counts_as_ready_and_takes_no_lease_before_its_time() {
    let mut fleet = with_one_deferred(10);
    let due = fleet.members[0].seat.as_ref().unwrap().deferred.unwrap();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(0), "all power is ready");
    let before = fleet.progress.clone();
    fleet.now.time = Seconds(due.0 - 1);
    let waiting = LeaseAnswer::Waiting { on: WaitingOn::Deferred { until: due }, recorded: false };
    assert_eq!(fleet.lease(0), Ok(waiting));
    assert_eq!(fleet.progress, before);
    fleet.now.time = due;
    assert!(matches!(fleet.lease(0), Ok(LeaseAnswer::Granted { attempt: 1, .. })));
    assert_eq!(fleet.members[0].seat.as_ref().unwrap().deferred, None);
}

#[test]
fn ready_ends_it_early_and_moves_no_sum() {
    let mut fleet = with_one_deferred(10);
    let before = fleet.progress.clone();
    let counted = Heard::Counted { halted: false, rolling_back: false, up: Power(0) };
    assert_eq!(fleet.say(0, ready()), Ok(counted));
    assert_eq!(fleet.progress, before);
    assert_eq!(fleet.say(0, ready()), Ok(Heard::Repeated));
    assert!(matches!(fleet.lease(0), Ok(LeaseAnswer::Granted { .. })));
}

#[test]
fn who_is_ready_defers_no_more_and_another_time_is_an_equivocation() {
    let mut fleet = drawn_six();
    fleet.say(1, ready()).unwrap();
    let late = until(&fleet, 10);
    assert!(matches!(fleet.say(1, late.clone()), Err(ReportRefused::Move { .. })));
    fleet.say(0, late.clone()).unwrap();
    assert_eq!(fleet.say(0, late), Ok(Heard::Repeated));
    let later = until(&fleet, 11);
    assert_eq!(fleet.say(0, later), Ok(Heard::Equivocation { first: true }));
}

#[test]
fn a_time_that_has_come_is_no_deferral() {
    let mut fleet = drawn_six();
    for (seconds, is_taken) in [(0, false), (1, true)] {
        let report = until(&fleet, seconds);
        assert_eq!(fleet.say(0, report).is_ok(), is_taken, "{seconds} s from now");
    }
}

#[test]
fn past_its_waves_deadline_it_is_unknown() {
    let mut fleet = with_one_deferred(1_000);
    for index in 1..6 {
        if fleet.members[index].seat.as_ref().unwrap().wave == Some(0) {
            fleet.activate(index);
            fleet.say(index, healthy(1)).unwrap();
        }
    }
    fleet.pass(100);
    assert_eq!(fleet.phase(), RolloutPhase::Halted);
}

#[test]
fn it_is_no_canary_before_it_is_ready() {
    let fleet = drawn_six();
    let seat = |deferred: Option<Seconds>, power: u64| Seat {
        deferred,
        power: Power(power),
        ..Fleet::seat_of(1, SeatState::Assigned)
    };
    let listed = |before: Option<&Seat>, after: Option<&Seat>| {
        fleet.progress.listing(NodeNo(1), before, after).map(|(_, wave)| wave)
    };
    let (late, ready, nothing) = (seat(Some(Seconds(9)), 10), seat(None, 10), seat(None, 0));
    assert_eq!(listed(None, Some(&late)), None);
    assert_eq!(listed(Some(&late), Some(&ready)), Some(Some(1)));
    assert_eq!(listed(Some(&ready), None), Some(None));
    assert_eq!(listed(None, Some(&nothing)), None, "one without power proves nothing");
}
