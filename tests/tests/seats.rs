//! A node has one seat, and takes it along from rollout to rollout: what is down by lease is counted once, and comes
//! back when its node speaks up (NODE-3).

use concord_schema::plan::Plan;
use concord_schema::proposal::{Action, Draft};
use concord_schema::query::{QueryMsg, SeatsAnswer};
use concord_schema::report::Report;
use concord_schema::rollout::{Outcome, Purpose, RolloutPhase, SeatState};
use concord_schema::rules::Class;
use concord_schema::units::{Power, RolloutId};
use concord_schema::waiting::WaitingOn;
use concord_tests::env::assert_err;
use concord_tests::fleet::{Fleet, ROLLOUT, three_waves};
use concord_tests::setup::{LONG, SHORT, Setup, draft, plan, release};

const NEXT: RolloutId = RolloutId(2);

fn one_wave() -> Plan {
    let mut plan = three_waves();
    plan.waves.drain(..2);
    plan
}

fn next_upgrade() -> Draft {
    let action = Action::StartRollout {
        release: Box::new(release("3.0.0", &["1.0.0", "2.0.0"])),
        plan: Box::new(plan()),
    };
    draft("the next upgrade", vec![action])
}

/// The first rollout ended, contained, with one node that never came back from its lease.
fn contained() -> Fleet {
    let mut fleet = Fleet::open(Setup::default(), one_wave());
    fleet.lease(0, Purpose::Activate).unwrap_or_else(|error| unreachable!("{error}"));
    fleet.env.decide(&draft("stop", vec![Action::CancelRollout { rollout: ROLLOUT }]));
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    fleet
}

#[test]
fn who_was_lost_in_one_rollout_counts_once_in_the_next() {
    let mut fleet = contained();
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Contained));
    assert_eq!((fleet.seat(0).state, fleet.down()), (SeatState::Leased, Power(10)));
    fleet.env.decide(&next_upgrade());
    fleet.env.advance(1, 1);
    let ready = Report::Ready { release: release("3.0.0", &["1.0.0", "2.0.0"]).digest() };
    for index in 0..6 {
        fleet.env.report(&format!("n{index}"), NEXT, ready.clone()).map(drop).unwrap_or_else(|error| {
            unreachable!("{error}");
        });
    }
    assert_eq!(fleet.down(), Power(0), "it spoke up, so it is up");
    // Its seat went along, and the old rollout no longer takes a word of it.
    let seats = |rollout| -> SeatsAnswer {
        let page = QueryMsg::Seats { rollout, after: None, limit: Some(30) };
        fleet.env.query(&page).unwrap_or_else(|error| unreachable!("{error}"))
    };
    assert_eq!((seats(ROLLOUT).seats.len(), seats(NEXT).seats.len()), (0, 6));
    assert_err(fleet.say(0, Report::Failed { attempt: 1, reason: "late".into() }), "no seat in this rollout");
    assert!(fleet.env.advance_rollout(NEXT).changed);
    fleet.env.advance(2, 2);
    let first = (0..6).find(|index| {
        let seat = fleet.env.seat(NEXT, fleet.no(*index));
        seat.is_some_and(|seat| seat.wave == Some(0))
    });
    let node = format!("n{}", first.unwrap_or_default());
    fleet.env.lease(&node, NEXT, Purpose::Activate).map(drop).unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(fleet.down(), Power(10));
    fleet.env.check_replay();
}

#[test]
fn a_lease_that_runs_and_a_rollout_in_motion_keep_their_seats() {
    let mut plan = one_wave();
    plan.lease = concord_schema::Span::new(1_000_000, 1_000_000);
    let mut fleet = Fleet::open(Setup::default(), plan);
    fleet.lease(0, Purpose::Activate).unwrap_or_else(|error| unreachable!("{error}"));
    fleet.env.decide(&draft("stop", vec![Action::CancelRollout { rollout: ROLLOUT }]));
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    fleet.env.decide(&next_upgrade());
    fleet.env.advance(1, 1);
    let ready = Report::Ready { release: release("3.0.0", &["1.0.0", "2.0.0"]).digest() };
    assert_err(fleet.env.report("n0", NEXT, ready.clone()), "bound to rollout 1");
    fleet.give_back(0).unwrap_or_else(|error| unreachable!("{error}"));
    fleet.env.report("n0", NEXT, ready).unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(fleet.down(), Power(0));
    fleet.env.check_replay();
}

#[test]
fn what_the_whole_fleet_runs_is_taken_back_by_a_vote_of_its_class() {
    let mut fleet = Fleet::open(Setup::default(), one_wave());
    let back = draft("back", vec![Action::RollBackRollout { rollout: ROLLOUT }]);
    // Proposed while it moves, it is Routine; by the time of its execution it has completed.
    let early = fleet.env.propose(&back);
    assert_eq!(fleet.env.proposal(early).class, Class::Routine);
    for index in 0..6 {
        fleet.switch(index);
    }
    fleet.env.pass(SHORT);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::Completed));
    fleet.env.to_ready(early);
    let done = fleet.env.execute(early);
    assert!(!done.changed && done.what.contains("needs a vote of class Standard"), "{}", done.what);
    let why = fleet.explain(concord_schema::query::Subject::Proposal(early)).waiting_on;
    assert!(matches!(why, WaitingOn::Action { action: 0, .. }), "{why:?}");
    let late = fleet.env.decide(&back);
    assert_eq!(fleet.env.proposal(late).class, Class::Standard);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::RollingBack);
    fleet.env.check_replay();
}
