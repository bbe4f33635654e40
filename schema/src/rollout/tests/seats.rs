//! A node has one seat: it takes it along from rollout to rollout, and never counts twice in what is down.

use super::*;

const OTHER: RolloutId = RolloutId(2);

#[test]
fn a_stored_seat_is_here_or_elsewhere() {
    let seat = Fleet::seat_of(0, SeatState::Assigned);
    assert_eq!(Seat::sort(None, ROLLOUT), (None, None));
    assert_eq!(Seat::sort(Some(seat.clone()), ROLLOUT), (Some(seat.clone()), None));
    assert_eq!(Seat::sort(Some(seat.clone()), OTHER), (None, Some(seat)));
}

#[test]
fn it_leaves_an_ended_rollout_and_comes_up() {
    let fleet = drawn_six();
    for state in [SeatState::Lost, SeatState::Contained, SeatState::Failed, SeatState::Trial] {
        let mut seat = Fleet::seat_of(0, state);
        seat.down = true;
        assert_eq!(seat.leave(Some(&fleet.rollout), Some(OTHER), fleet.now), Ok(Power(10)), "{state:?}");
        seat.down = false;
        assert_eq!(seat.leave(None, None, fleet.now), Ok(Power(0)), "{state:?}");
    }
}

#[test]
fn it_stays_where_it_counts() {
    let mut fleet = six();
    let elsewhere = Err(ReportRefused::Elsewhere { rollout: ROLLOUT });
    let seat = |fleet: &Fleet| fleet.members[0].seat.clone().unwrap();
    assert_eq!(seat(&fleet).leave(Some(&fleet.rollout), Some(ROLLOUT), fleet.now), elsewhere, "it moves");
    assert_eq!(seat(&fleet).leave(Some(&fleet.rollout), None, fleet.now), Ok(Power(0)));
    fleet.lease(0).unwrap();
    fleet.pass(39);
    assert_eq!(seat(&fleet).leave(Some(&fleet.rollout), None, fleet.now), elsewhere, "its lease runs");
    fleet.pass(1);
    assert_eq!(seat(&fleet).leave(Some(&fleet.rollout), None, fleet.now), Ok(Power(10)), "its lease is over");
}
