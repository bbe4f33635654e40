//! Who cranks first decides nothing: what `now` ends has ended, whether or not somebody said so (ADR 1).

use super::*;

/// Whether somebody cranks as soon as anything is due.
const CRANKED: [bool; 2] = [true, false];

impl Fleet {
    fn crank(&mut self, cranked: bool) {
        while cranked && matches!(self.advance(), Advanced::Did(_)) {}
    }
}

/// Three of the first wave, of which two may be down at once and the third waits.
fn with_one_that_waits() -> Fleet {
    let mut plan = plan();
    plan.lease_bps = Bps(4_000);
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (0, "c"), (1, "d"), (2, "e")], plan);
    fleet.activate(0);
    fleet.activate(1);
    assert!(matches!(fleet.lease(2), Ok(LeaseAnswer::Waiting { recorded: true, .. })));
    fleet
}

#[test]
fn a_late_healthy_report_undoes_no_stall() {
    for cranked in CRANKED {
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
        fleet.switch(0);
        fleet.activate(1);
        fleet.pass(100 - NOTICE - 1);
        assert_eq!(fleet.phase(), RolloutPhase::Wave(0));
        fleet.pass(1);
        fleet.crank(cranked);
        assert_eq!(fleet.phase(), RolloutPhase::Halted, "cranked: {cranked}");
        fleet.say(1, healthy(1)).unwrap();
        assert_eq!(fleet.phase(), RolloutPhase::Halted, "cranked: {cranked}");
        fleet.crank(true);
        assert_eq!(fleet.progress.halted.unwrap().cause, HaltCause::Stalled);
    }
}

#[test]
fn a_late_healthy_report_undoes_no_stall_beside_what_waits() {
    for cranked in CRANKED {
        let mut fleet = with_one_that_waits();
        fleet.say(0, healthy(1)).unwrap();
        fleet.pass(100);
        fleet.crank(cranked);
        fleet.say(1, healthy(1)).unwrap();
        assert_eq!(fleet.phase(), RolloutPhase::Halted, "cranked: {cranked}");
        fleet.crank(true);
        assert_eq!(fleet.progress.waves[1].0, Power(20), "what waited has moved");
        assert_eq!(fleet.progress.halted.unwrap().cause, HaltCause::Stalled);
    }
}

#[test]
fn no_lease_is_granted_past_the_deadline() {
    for cranked in CRANKED {
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
        fleet.pass(100 - NOTICE);
        fleet.crank(cranked);
        let phase = RolloutPhase::Halted;
        assert_eq!(fleet.lease(0), Err(LeaseRefused::Phase { phase }), "cranked: {cranked}");
    }
    // Where everyone waits, the next wave opens; until then nobody goes in this one.
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    fleet.down = Power(20);
    fleet.lease(0).unwrap();
    fleet.lease(1).unwrap();
    fleet.down = Power(0);
    fleet.pass(100);
    let waits = LeaseAnswer::Waiting { on: WaitingOn::Wave { wave: 1, open: 0 }, recorded: false };
    assert_eq!(fleet.lease(0), Ok(waits));
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 1, .. })));
}

#[test]
fn a_late_failure_finds_the_stall_and_the_end_of_the_halt() {
    for cranked in CRANKED {
        let mut plan = plan();
        plan.failure.rollout_bps = Bps(0);
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan);
        fleet.activate(0);
        fleet.pass(100);
        fleet.crank(cranked);
        assert_eq!(fleet.say(0, failed(1)), Ok(counted(false, false, 0)), "cranked: {cranked}");
        fleet.crank(true);
        assert_eq!(fleet.progress.halted.unwrap().cause, HaltCause::Stalled);
    }
    for cranked in CRANKED {
        let mut plan = plan();
        plan.lease_bps = Bps(10_000);
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan);
        fleet.lease(1).unwrap();
        fleet.fail(0);
        fleet.pass(59);
        assert_eq!(fleet.phase(), RolloutPhase::Halted);
        fleet.pass(1);
        fleet.crank(cranked);
        assert_eq!(fleet.phase(), RolloutPhase::Ended(Outcome::Contained), "cranked: {cranked}");
        assert_eq!(fleet.say(1, failed(1)), Ok(counted(false, false, 0)), "it denies nothing any more");
    }
}

#[test]
fn a_halt_is_resumed_within_its_span_and_by_who_saw_it() {
    for cranked in CRANKED {
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
        fleet.pass(100);
        fleet.crank(cranked);
        let blind = Moment(fleet.now.time.0 - 1, fleet.now.height.0 - 1);
        let resumed = fleet.rollout.resume(&mut fleet.progress, &fleet.brakes, blind, fleet.now);
        assert!(matches!(resumed, Err(VoteRefused::Stale { .. })), "cranked: {cranked}, {resumed:?}");
        fleet.crank(true);
        let saw: Moment = fleet.now.into();
        for (passed, is_taken) in [(59, true), (60, false)] {
            let mut progress = fleet.progress.clone();
            let now = at(fleet.now.height.0 + passed);
            let resumed = fleet.rollout.resume(&mut progress, &fleet.brakes, saw, now);
            assert_eq!(resumed.is_ok(), is_taken, "after {passed}: {resumed:?}");
        }
    }
}

#[test]
fn the_way_back_ends_at_its_deadline() {
    for cranked in CRANKED {
        let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
        fleet.switch(0);
        fleet.rollout.roll_back(&mut fleet.progress, &fleet.brakes, fleet.now).unwrap();
        fleet.pass(69);
        assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
        fleet.pass(1);
        fleet.crank(cranked);
        let phase = RolloutPhase::Ended(Outcome::RolledBack);
        assert_eq!(fleet.phase(), phase, "cranked: {cranked}");
        let late = fleet.ask(0, Purpose::RollBack);
        assert!(matches!(late, Ok(LeaseAnswer::Granted { .. })), "who is left keeps the bound: {late:?}");
    }
}
