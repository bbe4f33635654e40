//! What a node may report from where: the whole table, repeats and equivocations.

use super::*;

/// Brings node 0 to a state through its own messages; wave 0 is open, and nothing has halted.
fn reached(state: SeatState) -> Fleet {
    let mut plan = plan();
    plan.failure.wave_bps = Bps(10_000);
    plan.failure.rollout_bps = Bps(10_000);
    plan.ready_bps = Bps(6_000);
    let mut fleet = Fleet::drawn(&[(0, "a"), (0, "b"), (0, "c"), (0, "d"), (0, "e")], plan);
    if state == SeatState::Refused {
        fleet.say(0, refused()).unwrap();
    } else {
        fleet.say(0, ready()).unwrap();
    }
    for index in 1..5 {
        fleet.say(index, ready()).unwrap();
    }
    fleet.advance();
    fleet.pass(NOTICE);
    match state {
        SeatState::Refused | SeatState::Assigned => {}
        SeatState::Waiting => {
            fleet.lease(1).unwrap();
            fleet.lease(2).unwrap();
            fleet.lease(0).unwrap();
        }
        SeatState::Leased => drop(fleet.lease(0).unwrap()),
        SeatState::Lost => {
            fleet.lease(0).unwrap();
            fleet.pass(40);
            assert_eq!(fleet.expire(0), Expired::Now);
        }
        SeatState::Trial => fleet.activate(0),
        SeatState::Healthy => drop(fleet.switch(0)),
        SeatState::Failed => drop(fleet.fail(0)),
        SeatState::RolledBack => {
            fleet.fail(0);
            fleet.say(0, rolled_back(1)).unwrap();
        }
        SeatState::Contained => {
            fleet.activate(0);
            fleet.say(0, contained(1)).unwrap();
        }
    }
    assert_eq!(fleet.state(0), state);
    fleet
}

const STATES: [SeatState; 10] = [
    SeatState::Assigned,
    SeatState::Refused,
    SeatState::Waiting,
    SeatState::Leased,
    SeatState::Lost,
    SeatState::Trial,
    SeatState::Healthy,
    SeatState::Failed,
    SeatState::RolledBack,
    SeatState::Contained,
];

fn about(attempt: u8) -> [Report; 5] {
    [activated(attempt), healthy(attempt), failed(attempt), rolled_back(attempt), contained(attempt)]
}

/// Columns: activated, healthy, failed, rolled back, contained. `y` moves, `r` repeats, `-` is refused.
#[test]
fn the_whole_table_of_legal_moves() {
    for (state, row) in [
        (SeatState::Assigned, "-----"),
        (SeatState::Refused, "-----"),
        (SeatState::Waiting, "-----"),
        (SeatState::Leased, "y-y-y"),
        (SeatState::Lost, "y-y-y"),
        (SeatState::Trial, "ryyyy"),
        (SeatState::Healthy, "rry-y"),
        (SeatState::Failed, "r-ryy"),
        (SeatState::RolledBack, "r-rr-"),
        (SeatState::Contained, "r--yr"),
    ] {
        assert_row(state, row, |fleet| fleet);
    }
}

/// On the way back whatever runs the release, or holds a lease, may say that it is back.
#[test]
fn the_table_while_rolling_back() {
    for (state, row) in [
        (SeatState::Leased, "y-yyy"),
        (SeatState::Lost, "y-yyy"),
        (SeatState::Trial, "ryyyy"),
        (SeatState::Healthy, "rryyy"),
        (SeatState::Failed, "r-ryy"),
        (SeatState::Assigned, "-----"),
        (SeatState::Waiting, "-----"),
    ] {
        assert_row(state, row, |mut fleet| {
            fleet.rollout.roll_back(&mut fleet.progress, &fleet.brakes, fleet.now).unwrap();
            fleet
        });
    }
}

fn assert_row(state: SeatState, row: &str, prepare: impl Fn(Fleet) -> Fleet) {
    for (column, expected) in row.chars().enumerate() {
        let mut fleet = prepare(reached(state));
        let attempt = fleet.seat(0).attempt;
        let report = about(attempt)[column].clone();
        let before = (fleet.progress.clone(), fleet.seat(0).clone());
        let heard = fleet.say(0, report.clone());
        let got = match heard {
            Ok(Heard::Counted { .. }) => 'y',
            Ok(Heard::Repeated) => 'r',
            Ok(Heard::Equivocation { .. }) => 'e',
            Err(_) => '-',
        };
        assert_eq!(got, expected, "{state:?}: {}", report.kind());
        if got != 'y' {
            assert_eq!(
                (fleet.progress.clone(), fleet.seat(0).clone()),
                before,
                "{state:?}: {}",
                report.kind()
            );
        }
    }
}

#[test]
fn a_report_about_another_try_is_refused() {
    for state in STATES {
        let mut fleet = reached(state);
        let attempt = fleet.seat(0).attempt;
        for report in about(attempt + 1) {
            let refused = fleet.say(0, report);
            assert_eq!(refused, Err(ReportRefused::Attempt { expected: attempt, found: attempt + 1 }));
        }
    }
}

#[test]
fn a_node_that_said_nothing_may_only_get_ready_or_refuse() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    for report in about(0).into_iter().chain(about(1)) {
        assert_eq!(fleet.say(0, report), Err(ReportRefused::NoSeat));
    }
    let wrong = fleet.say(0, Report::Ready { release: old_release() });
    assert_eq!(wrong, Err(ReportRefused::Release { expected: new_release(), found: old_release() }));
    assert_eq!(fleet.say(1, Report::Deferred { until: Seconds(9_000) }), Ok(counted(false, false, 0)));
    assert_eq!(fleet.progress.ready, Power(10), "deferred counts as ready");
    assert_eq!(fleet.say(0, refused()), Ok(counted(false, false, 0)));
}

#[test]
fn back_is_only_the_release_of_before() {
    let mut fleet = reached(SeatState::Failed);
    let report = Report::RolledBack { attempt: 1, release: new_release() };
    assert_eq!(
        fleet.say(0, report),
        Err(ReportRefused::Release { expected: old_release(), found: new_release() })
    );
}

#[test]
fn ready_again_is_a_repeat_from_every_seat_that_got_ready() {
    for state in STATES.into_iter().filter(|state| *state != SeatState::Refused) {
        let mut fleet = reached(state);
        assert_eq!(fleet.say(0, ready()), Ok(Heard::Repeated), "{state:?}");
    }
}

#[test]
fn another_payload_is_an_equivocation_and_the_first_stands() {
    let mut fleet = reached(SeatState::Trial);
    let other = Report::Activated { attempt: 1, height: Height(99) };
    let before = fleet.progress.clone();
    assert_eq!(fleet.say(0, other.clone()), Ok(Heard::Equivocation { first: true }));
    assert_eq!(fleet.say(0, other), Ok(Heard::Equivocation { first: false }));
    assert_eq!(fleet.state(0), SeatState::Trial);
    assert_eq!(fleet.progress, before);
    assert!(fleet.seat(0).equivocated);
    assert_eq!(fleet.say(0, activated(1)), Ok(Heard::Repeated));
}

#[test]
fn a_statement_about_another_try_is_no_equivocation() {
    let mut fleet = reached(SeatState::Trial);
    assert_eq!(
        fleet.say(0, Report::Activated { attempt: 0, height: Height(1) }),
        Err(ReportRefused::Attempt { expected: 1, found: 0 })
    );
    assert!(!fleet.seat(0).equivocated);
}

#[test]
fn a_refusal_can_be_taken_back_and_given_again() {
    let mut fleet = Fleet::drawn(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    fleet.say(0, ready()).unwrap();
    fleet.say(1, ready()).unwrap();
    assert_eq!(fleet.progress.first_of, ["a", "b"]);
    fleet.say(0, refused()).unwrap();
    let progress = &fleet.progress;
    assert_eq!((progress.ready, progress.refused), (Power(10), Power(10)));
    assert_eq!(progress.waves[0], WaveSum(Power(10), Power(0)));
    assert_eq!(progress.first_of, ["b"], "who left is not waited for");
}

#[test]
fn a_change_of_mind_leaves_no_refused_power_behind() {
    let mut open_plan = plan();
    open_plan.ready_bps = Bps(7_000);
    let mut fleet = Fleet::drawn(&[(0, "a"), (1, "b"), (2, "c"), (2, "d")], open_plan);
    // One that registered after the snapshot counts nowhere, whatever it says.
    fleet.members[3].node.since = 1;
    fleet.say(3, refused()).unwrap();
    assert_eq!(fleet.progress.refused, Power(0));
    fleet.say(3, ready()).unwrap();
    fleet.say(0, refused()).unwrap();
    assert_eq!((fleet.progress.ready, fleet.progress.refused), (Power(0), Power(10)));
    fleet.say(0, ready()).unwrap();
    assert_eq!((fleet.progress.ready, fleet.progress.refused), (Power(10), Power(0)));
    assert_eq!(fleet.seat(3).wave, None);
}

#[test]
fn nothing_is_said_before_the_draw_or_after_the_end() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    fleet.progress.drawn = None;
    for report in [ready(), refused()] {
        let kind = report.kind();
        assert_eq!(fleet.say(0, report), Err(ReportRefused::Phase { kind, phase: RolloutPhase::Drawing }));
    }
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    fleet.say(0, refused()).unwrap();
    let phase = RolloutPhase::Ended(Outcome::Expired);
    assert_eq!(fleet.say(1, ready()), Err(ReportRefused::Phase { kind: "ready", phase }));
}

/// A node that stops acting counts as failed power. Against the release it speaks only where it ran it: a release that was
/// never started is not denied for hosts that could not bring the old one up again.
#[test]
fn a_contained_node_speaks_against_a_release_that_it_ran() {
    for (runs, goes_back) in [(true, true), (false, false)] {
        let mut plan = plan();
        plan.waves[0].lot_bps = Bps(10_000);
        plan.waves.truncate(1);
        plan.waves[0].power_max_bps = None;
        plan.lease_bps = Bps(10_000);
        let mut fleet = Fleet::drawn(&[(0, "a"), (0, "b"), (0, "c")], plan);
        for index in 0..3 {
            fleet.say(index, ready()).unwrap();
        }
        fleet.advance();
        fleet.pass(NOTICE);
        for index in 0..2 {
            if runs {
                fleet.activate(index);
            } else {
                drop(fleet.lease(index).unwrap());
            }
        }
        for index in 0..2 {
            fleet.say(index, contained(1)).unwrap();
        }
        assert!(fleet.progress.halted.is_some() || fleet.progress.rolling_back.is_some());
        assert_eq!(fleet.progress.rolling_back.is_some(), goes_back, "it ran: {runs}");
        assert_eq!(fleet.progress.failed(), Power(20), "it ran: {runs}");
    }
}

/// Back from its trial without a failure: nothing is counted against the release, and the node is up.
#[test]
fn a_node_that_goes_back_without_a_failure_counts_none() {
    let mut fleet = reached(SeatState::Trial);
    let heard = fleet.say(0, rolled_back(1)).unwrap();
    assert!(
        matches!(heard, Heard::Counted { halted: false, rolling_back: false, up } if up > Power(0)),
        "{heard:?}"
    );
    assert_eq!((fleet.state(0), fleet.progress.failed()), (SeatState::RolledBack, Power(0)));
    assert_eq!((fleet.progress.running, fleet.seat(0).down), (Power(0), false));
}
