//! Leases: the bound, the height, the brake, waiting, giving back, running out.

use super::*;

fn waits(answer: Result<LeaseAnswer, LeaseRefused>) -> (WaitingOn, bool) {
    match answer {
        Ok(LeaseAnswer::Waiting { on, recorded }) => (on, recorded),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_lease_bound_at_both_edges() {
    // NODE-3: half of six nodes.
    let mut fleet = six();
    for index in 0..3 {
        assert!(matches!(fleet.lease(index), Ok(LeaseAnswer::Granted { attempt: 1, down: Power(10) })));
    }
    let (on, recorded) = waits(fleet.lease(3));
    let full = WaitingOn::Power { down: Power(30), asked: Power(10), bound_bps: Bps(5_000) };
    assert_eq!((on, recorded), (full, true));
    assert_eq!(fleet.state(3), SeatState::Waiting);
    let before = (fleet.progress.clone(), fleet.seat(3).clone());
    let (_, recorded) = waits(fleet.lease(3));
    assert!(!recorded, "recorded once");
    assert_eq!((fleet.progress.clone(), fleet.seat(3).clone()), before);
    // A basis point below a half, and the third does not fit.
    let mut fleet = six();
    fleet.rollout.plan.lease_bps = Bps(4_999);
    fleet.lease(0).unwrap();
    fleet.lease(1).unwrap();
    waits(fleet.lease(2));
}

#[test]
fn one_at_a_time_is_one_whatever_its_power() {
    let mut fleet = six();
    fleet.rollout.plan.one_at_a_time = true;
    fleet.rollout.plan.lease_bps = Bps(1);
    fleet.lease(0).unwrap();
    waits(fleet.lease(1));
    fleet.give_back(0).unwrap();
    assert!(matches!(fleet.lease(1), Ok(LeaseAnswer::Granted { .. })));
}

/// NODE-3: a node without power is down like any other.
#[test]
fn a_node_without_power_is_down_as_one() {
    for (one_at_a_time, granted) in [(true, 1), (false, 3)] {
        let mut plan = plan();
        plan.one_at_a_time = one_at_a_time;
        plan.ready_bps = Bps(1);
        plan.lease_bps = Bps(5_000);
        let mut fleet = Fleet::drawn(&[(0, "a"), (0, "b"), (0, "c"), (0, "d"), (0, "e")], plan);
        // Three sentries and two nodes of one.
        for (member, power) in fleet.members.iter_mut().zip([0, 0, 0, 1, 1]) {
            member.node.power = Power(power);
        }
        fleet.rollout.registered = Power(6);
        for index in 0..5 {
            fleet.say(index, ready()).unwrap();
        }
        fleet.advance();
        fleet.pass(NOTICE);
        for index in 0..5 {
            let answer = fleet.lease(index).unwrap();
            let is_granted = matches!(answer, LeaseAnswer::Granted { down: Power(1), .. });
            assert_eq!(is_granted, index < granted, "node {index}: {answer:?}");
        }
        assert_eq!(fleet.down, Power(granted as u64));
        assert_eq!(fleet.give_back(0), Ok(Returned::Now { up: Power(1) }));
        assert!(matches!(fleet.lease(4), Ok(LeaseAnswer::Granted { .. })));
        if !one_at_a_time {
            fleet.say(1, activated(1)).unwrap();
            assert_eq!(fleet.say(1, healthy(1)), Ok(counted(false, false, 1)));
        }
    }
}

#[test]
fn room_opens_when_a_node_is_healthy_back_or_gives_its_lease_back_and_not_by_time() {
    let mut fleet = six();
    for index in 0..3 {
        fleet.activate(index);
    }
    waits(fleet.lease(3));
    fleet.pass(40);
    waits(fleet.lease(3));
    fleet.say(0, healthy(1)).unwrap();
    assert_eq!(fleet.down, Power(20));
    fleet.activate(3);
    waits(fleet.lease(4));
    assert_eq!(fleet.say(1, failed(1)), Ok(counted(false, false, 0)), "a failed node is still down");
    waits(fleet.lease(4));
    fleet.say(1, rolled_back(1)).unwrap();
    assert!(matches!(fleet.lease(4), Ok(LeaseAnswer::Granted { .. })));
    assert!(matches!(fleet.lease(4), Ok(LeaseAnswer::Held { attempt: 1 })));
}

#[test]
fn a_lease_waits_for_its_wave_its_height_and_the_brake() {
    let mut fleet = Fleet::ready(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    fleet.progress.ready = Power(39);
    assert!(matches!(waits(fleet.lease(0)), (WaitingOn::Readiness { .. }, false)));
    fleet.progress.ready = Power(40);
    fleet.advance();
    assert_eq!(waits(fleet.lease(2)), (WaitingOn::Wave { wave: 1, open: 0 }, false));
    fleet.pass(1);
    assert_eq!(waits(fleet.lease(0)), (WaitingOn::ActivationHeight { height: Height(1_002) }, false));
    fleet.pass(1);
    fleet.lease(0).unwrap();
    fleet.brakes.all.pull(fleet.now.into(), &Span::new(5, 5), 0, 1);
    assert!(matches!(waits(fleet.lease(1)), (WaitingOn::Brake { .. }, false)));
    fleet.pass(5);
    assert!(matches!(fleet.lease(1), Ok(LeaseAnswer::Granted { .. })), "the height was used before");
}

#[test]
fn a_height_that_passed_under_a_brake_is_void_until_advance_fixes_a_new_one() {
    for seconds in [5, 500] {
        let mut fleet = Fleet::ready(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
        fleet.advance();
        fleet.pass(1);
        // The seconds may outlast the blocks: the brake holds until both are over.
        fleet.brakes.all.pull(fleet.now.into(), &Span::new(seconds, 1), 0, 1);
        assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Brake { .. })));
        fleet.pass(seconds);
        assert_eq!(waits(fleet.lease(0)), (WaitingOn::NewHeight, false));
        let height = Height(fleet.now.height.0 + NOTICE);
        assert_eq!(fleet.advance(), Advanced::Did(Transition::HeightFixed { wave: 0, height }));
        fleet.pass(NOTICE - 1);
        assert_eq!(waits(fleet.lease(0)), (WaitingOn::ActivationHeight { height }, false));
        fleet.pass(1);
        assert!(matches!(fleet.lease(0), Ok(LeaseAnswer::Granted { .. })));
    }
}

#[test]
fn a_brake_before_the_height_was_fixed_or_after_it_voids_nothing() {
    let mut fleet = Fleet::ready(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    let own = fleet.brakes.component.as_mut().unwrap();
    own.pull(fleet.now.into(), &Span::new(5, 5), 0, 1);
    fleet.pass(5);
    fleet.advance();
    fleet.pass(NOTICE);
    assert!(!fleet.rollout.height_is_void(&fleet.progress, &fleet.brakes, fleet.now));
    fleet.pass(1);
    fleet.brakes.all.pull(fleet.now.into(), &Span::new(5, 5), 0, 1);
    fleet.pass(5);
    assert!(matches!(fleet.lease(0), Ok(LeaseAnswer::Granted { .. })));
}

#[test]
fn no_lease_where_no_wait_would_help() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    assert_eq!(fleet.lease(0), Err(LeaseRefused::NoSeat));
    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    let phase = fleet.phase();
    assert_eq!(fleet.ask(0, Purpose::RollBack), Err(LeaseRefused::Phase { phase }));
    fleet.fail(0);
    let phase = RolloutPhase::Halted;
    assert_eq!(fleet.phase(), phase);
    assert_eq!(fleet.lease(1), Err(LeaseRefused::Phase { phase }));
    assert_eq!(fleet.lease(0), Err(LeaseRefused::State { from: "failed".into() }));
}

#[test]
fn a_late_node_goes_while_the_release_is_current_and_no_newer_rollout_is_live() {
    for (current, live, granted) in [
        (new_release(), None, true),
        (new_release(), Some(RolloutId(2)), false),
        (old_release(), None, false),
    ] {
        let mut plan = plan();
        plan.ready_bps = Bps(6_000);
        let mut fleet = Fleet::drawn(&[(0, "a"), (0, "b"), (0, "c")], plan);
        fleet.say(0, ready()).unwrap();
        fleet.say(1, ready()).unwrap();
        fleet.advance();
        fleet.pass(NOTICE);
        fleet.switch(0);
        fleet.switch(1);
        fleet.next_wave();
        assert_eq!(fleet.phase(), RolloutPhase::Ended(Outcome::Completed));
        fleet.say(2, ready()).unwrap();
        (fleet.component.current, fleet.component.live) = (current, live);
        let answer = fleet.lease(2);
        assert_eq!(matches!(answer, Ok(LeaseAnswer::Granted { .. })), granted, "{live:?}: {answer:?}");
    }
}

#[test]
fn a_returned_lease_closes_its_try_and_there_are_five() {
    let mut fleet = six();
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(fleet.lease(0), Ok(LeaseAnswer::Granted { attempt, down: Power(10) }));
        assert_eq!(fleet.give_back(0), Ok(Returned::Now { up: Power(10) }));
        assert_eq!(fleet.give_back(0), Ok(Returned::Before), "a repeat changes nothing");
    }
    assert_eq!(fleet.lease(0), Err(LeaseRefused::Attempts));
    assert_eq!((fleet.down, fleet.progress.leased), (Power(0), Power(0)));
}

/// A return that comes late, after the node has asked again, leaves the newer lease alone; so does an early one.
#[test]
fn a_return_names_its_try() {
    let mut fleet = six();
    fleet.lease(0).unwrap();
    fleet.give_back_of(0, 1).unwrap();
    fleet.lease(0).unwrap();
    for named in [1, 3] {
        let refused = Err(LeaseRefused::OtherAttempt { held: 2, named });
        assert_eq!(fleet.give_back_of(0, named), refused);
        assert_eq!((fleet.down, fleet.progress.leased), (Power(10), Power(10)));
    }
    assert_eq!(fleet.give_back_of(0, 2), Ok(Returned::Now { up: Power(10) }));
}

#[test]
fn what_was_activated_cannot_be_given_back() {
    let mut fleet = six();
    fleet.activate(0);
    assert_eq!(fleet.give_back(0), Err(LeaseRefused::Activated));
    assert_eq!(fleet.expire(0), Expired::NotHeld, "a report ends it now");
}

#[test]
fn a_lease_expires_when_both_clocks_are_over_and_its_node_stays_down() {
    let mut fleet = six();
    assert_eq!(fleet.expire(0), Expired::NotHeld);
    fleet.lease(0).unwrap();
    let end = fleet.now.height.0 + 40;
    fleet.pass(39);
    assert_eq!(fleet.expire(0), Expired::Early { left: Span::new(1, 1) });
    fleet.now = Now { height: Height(end + 100), time: Seconds(end - 1) };
    assert_eq!(fleet.expire(0), Expired::Early { left: Span::new(1, 0) });
    fleet.now = Now { height: Height(end - 1), time: Seconds(end + 100) };
    assert_eq!(fleet.expire(0), Expired::Early { left: Span::new(0, 1) });
    fleet.now = at(end);
    assert_eq!(fleet.expire(0), Expired::Now);
    assert_eq!(fleet.state(0), SeatState::Lost);
    assert_eq!((fleet.down, fleet.progress.leased), (Power(10), Power(0)));
    assert!(fleet.lease(0).is_err(), "it must say first what became of it");
    // It comes back and says so.
    fleet.give_back(0).unwrap();
    assert_eq!(fleet.down, Power(0));
    assert!(matches!(fleet.lease(0), Ok(LeaseAnswer::Granted { attempt: 2, .. })));
}

#[test]
fn why_a_node_does_not_move_is_always_answered() {
    let mut fleet = six();
    let why = |fleet: &Fleet, index: usize| {
        let (seat, node) = (fleet.seat(index), &fleet.members[index].node);
        let (rollout, progress) = (&fleet.rollout, &fleet.progress);
        rollout.seat_waiting_on(progress, seat, node, fleet.down, false, &fleet.brakes, fleet.now)
    };
    assert_eq!(why(&fleet, 0), WaitingOn::Node);
    fleet.lease(0).unwrap();
    assert_eq!(why(&fleet, 0), WaitingOn::Holder { left: Span::new(40, 40) });
    fleet.activate(1);
    fleet.activate(2);
    assert!(matches!(why(&fleet, 3), WaitingOn::Power { .. }));
    assert_eq!(fleet.state(3), SeatState::Assigned, "asking why changes nothing");
    fleet.say(1, healthy(1)).unwrap();
    assert_eq!(why(&fleet, 1), WaitingOn::Nothing);
    fleet.say(2, failed(1)).unwrap();
    assert_eq!(why(&fleet, 2), WaitingOn::Node);
}

/// NODE-3 outlives the way back: who is left when it ends goes back under leases too.
#[test]
fn who_is_left_when_the_way_back_ends_goes_under_leases() {
    let mut fleet = six();
    for index in 0..6 {
        fleet.activate(index);
        fleet.say(index, healthy(1)).unwrap();
    }
    let (progress, brakes) = (&mut fleet.progress, &fleet.brakes);
    fleet.rollout.roll_back(progress, brakes, fleet.now).unwrap();
    fleet.pass(70);
    assert_eq!(fleet.phase(), RolloutPhase::Ended(Outcome::RolledBack));
    for index in 0..6 {
        let answer = fleet.ask(index, Purpose::RollBack).unwrap();
        assert_eq!(matches!(answer, LeaseAnswer::Granted { .. }), index < 3, "node {index}: {answer:?}");
    }
    fleet.say(0, rolled_back(1)).unwrap();
    assert!(matches!(fleet.ask(3, Purpose::RollBack), Ok(LeaseAnswer::Granted { .. })));
}
