//! Failure bars, two organisations, halts, the way back.

use super::*;

/// Ten nodes of power 10 in the first wave, each of its own organisation but those named alike.
fn ten(organisations: [&str; 10], change: impl Fn(&mut Plan)) -> Fleet {
    let mut plan = plan();
    plan.lease_bps = Bps(10_000);
    plan.failure.wave_bps = Bps(10_000);
    plan.failure.rollout_bps = Bps(10_000);
    change(&mut plan);
    Fleet::open(&organisations.map(|organisation| (0, organisation)), plan)
}

const EACH: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
const SAME: [&str; 10] = ["a"; 10];

#[test]
fn the_bar_over_the_rollout_is_crossed_when_exceeded() {
    let mut fleet = ten(EACH, |plan| plan.failure.rollout_bps = Bps(2_000));
    assert_eq!(fleet.fail(0), counted(false, false, 0));
    assert_eq!(fleet.fail(1), counted(false, false, 0), "at the bar");
    assert_eq!(fleet.fail(2), counted(true, true, 0), "above it, of two organisations");
    assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
}

#[test]
fn the_bar_of_a_wave_is_crossed_when_exceeded() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    assert_eq!(fleet.fail(0), counted(false, false, 0), "at the bar");
    assert_eq!(fleet.fail(1), counted(true, true, 0), "above it");
}

#[test]
fn a_node_that_went_back_after_failing_still_counts() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.fail(0);
    assert_eq!(fleet.say(0, rolled_back(1)), Ok(counted(false, false, 10)));
    assert_eq!(fleet.progress.failed(), Power(10));
    assert_eq!(fleet.fail(1), counted(true, true, 0));
}

#[test]
fn one_organisation_alone_only_halts() {
    let mut fleet = ten(SAME, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.fail(0);
    assert_eq!(fleet.fail(1), counted(true, false, 0));
    assert_eq!(fleet.phase(), RolloutPhase::Halted);
    // Its span ends without a vote: contained, and nothing is denied.
    fleet.pass(59);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::HaltVote { .. })));
    fleet.pass(1);
    let ended = Transition::Ended { outcome: Outcome::Contained, unaccounted: Power(0) };
    assert_eq!(fleet.advance(), Advanced::Did(ended));
    assert_eq!(fleet.advance(), Advanced::Settled(Outcome::Contained));
}

#[test]
fn the_failure_of_a_second_organisation_applies_the_policy_even_while_halted() {
    let organisations = ["a", "a", "b", "a", "a", "a", "a", "a", "a", "a"];
    let mut fleet = ten(organisations, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.activate(2);
    fleet.fail(0);
    assert_eq!(fleet.fail(1), counted(true, false, 0));
    assert_eq!(fleet.say(2, failed(1)), Ok(counted(false, true, 0)));
    assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
}

#[test]
fn the_policy_halt_waits_for_a_vote_and_goes_back_only_when_the_span_is_over() {
    let mut fleet = ten(EACH, |plan| {
        plan.failure.wave_bps = Bps(1_000);
        plan.failure.on_crossed = OnFailure::Halt;
    });
    fleet.fail(0);
    assert_eq!(fleet.fail(1), counted(true, false, 0));
    assert_eq!(fleet.phase(), RolloutPhase::Halted);
    fleet.pass(60);
    assert_eq!(fleet.advance(), Advanced::Did(Transition::RollingBack));
}

#[test]
fn forward_only_is_contained() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.rollout.reversibility = Reversibility::ForwardOnly;
    fleet.fail(0);
    assert_eq!(fleet.fail(1), counted(true, false, 0));
    fleet.pass(60);
    let ended = Transition::Ended { outcome: Outcome::Contained, unaccounted: Power(0) };
    assert_eq!(fleet.advance(), Advanced::Did(ended));
}

#[test]
fn healthy_may_still_fail_until_the_end_and_counts_in_its_own_wave() {
    let mut plan = plan();
    plan.failure.rollout_bps = Bps(10_000);
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan);
    fleet.switch(0);
    fleet.switch(1);
    fleet.next_wave();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(1));
    assert_eq!(fleet.say(0, failed(1)), Ok(counted(false, false, 0)), "half of wave 0 is at its bar");
    assert_eq!(fleet.progress.waves[0], WaveSum(Power(20), Power(10)));
    assert_eq!(fleet.say(1, failed(1)), Ok(counted(true, true, 0)));
}

#[test]
fn a_wave_of_one_node_is_over_its_bar_with_it() {
    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    // Two canaries were moved in beside the one of the first wave.
    assert_eq!(fleet.progress.canaries.len(), 1);
    assert_eq!(fleet.fail(0), counted(true, false, 0), "a third of the fleet exceeds a fifth");
}

/// Silence proves nothing against a release: a stall goes back, and only two organisations' failures deny.
#[test]
fn a_stall_denies_only_what_failed_on_two_organisations() {
    for (failures, back) in [
        (0, Transition::RollingBackStalled),
        (1, Transition::RollingBackStalled),
        (2, Transition::RollingBack),
    ] {
        let mut fleet = ten(EACH, |_| {});
        for index in 0..failures {
            fleet.fail(index);
        }
        fleet.pass(100);
        assert_eq!(fleet.advance(), Advanced::Did(Transition::Halted(HaltCause::Stalled)));
        fleet.pass(60);
        assert_eq!(fleet.advance(), Advanced::Did(back), "{failures} failed");
        assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
    }
}

#[test]
fn going_back_ends_when_all_is_back() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.switch(3);
    fleet.activate(4);
    fleet.lease(5).unwrap();
    fleet.fail(0);
    fleet.fail(1);
    assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
    let out = |fleet: &mut Fleet, expected: u64| match fleet.advance() {
        Advanced::WaitingOn(WaitingOn::GoingBack { power, .. }) => assert_eq!(power, Power(expected)),
        other => panic!("{other:?}"),
    };
    out(&mut fleet, 50);
    fleet.say(0, rolled_back(1)).unwrap();
    fleet.say(1, rolled_back(1)).unwrap();
    out(&mut fleet, 30);
    // One under a lease that never started it gives the lease back.
    fleet.give_back(5).unwrap();
    out(&mut fleet, 20);
    fleet.say(4, rolled_back(1)).unwrap();
    // A healthy one takes a lease, and is not counted twice under it.
    assert_eq!(fleet.ask(4, Purpose::RollBack), Err(LeaseRefused::State { from: "rolledback".into() }));
    assert!(matches!(fleet.ask(3, Purpose::RollBack), Ok(LeaseAnswer::Granted { attempt: 1, .. })));
    out(&mut fleet, 10);
    assert_eq!(fleet.say(3, rolled_back(1)), Ok(counted(false, false, 10)));
    assert_eq!(fleet.down, Power(0));
    let ended = Transition::Ended { outcome: Outcome::RolledBack, unaccounted: Power(0) };
    assert_eq!(fleet.advance(), Advanced::Did(ended));
    assert_eq!(fleet.phase(), RolloutPhase::Ended(Outcome::RolledBack));
}

#[test]
fn going_back_ends_at_its_deadline_with_the_rest_unaccounted() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.fail(0);
    fleet.fail(1);
    fleet.pass(69);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::GoingBack { .. })));
    fleet.pass(1);
    let ended = Transition::Ended { outcome: Outcome::RolledBack, unaccounted: Power(20) };
    assert_eq!(fleet.advance(), Advanced::Did(ended));
    // Late news are still heard.
    assert_eq!(fleet.say(0, rolled_back(1)), Ok(counted(false, false, 10)));
}

#[test]
fn a_brake_never_holds_up_the_way_back() {
    let mut fleet = ten(EACH, |plan| plan.failure.wave_bps = Bps(1_000));
    fleet.switch(3);
    fleet.brakes.all.pull(fleet.now.into(), &Span::new(1_000, 1_000), 0, 1);
    fleet.activate_under_brake();
    fleet.fail_two();
    assert_eq!(fleet.phase(), RolloutPhase::RollingBack);
    assert!(matches!(fleet.ask(3, Purpose::RollBack), Ok(LeaseAnswer::Granted { .. })));
    fleet.pass(70);
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::Ended { .. })));
}

impl Fleet {
    /// Nodes 0 and 1 were on trial before the brake; the brake grants nothing new.
    fn activate_under_brake(&mut self) {
        let answer = self.lease(5).unwrap();
        assert!(
            matches!(answer, LeaseAnswer::Waiting { on: WaitingOn::Brake { .. }, recorded: false }),
            "{answer:?}"
        );
    }

    /// Two organisations fail while the brake holds: lifted for a moment, since a lease needs that.
    fn fail_two(&mut self) {
        let held = std::mem::replace(&mut self.brakes.all, Brake::off());
        self.activate(0);
        self.activate(1);
        self.brakes.all = held;
        self.say(0, failed(1)).unwrap();
        self.say(1, failed(1)).unwrap();
    }
}

/// Whoever let its lease run out may be switching: the rollout must stay one that can be taken back.
#[test]
fn a_vote_halts_a_rollout_whose_only_lease_ran_out() {
    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    fleet.lease(0).unwrap();
    fleet.pass(fleet.rollout.plan.lease.seconds.0.max(fleet.rollout.plan.lease.blocks.0));
    assert_eq!(fleet.expire(0), Expired::Now);
    assert_eq!((fleet.progress.leased, fleet.progress.running), (Power(0), Power(0)));
    let cancelled = fleet.rollout.cancel(&mut fleet.progress, &fleet.brakes, fleet.now);
    assert_eq!(cancelled, Ok(Transition::Halted(HaltCause::Cancelled)));
}

#[test]
fn a_vote_cancels_before_a_node_was_let_at_it_and_halts_after() {
    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    let ended = Transition::Ended { outcome: Outcome::Cancelled, unaccounted: Power(0) };
    let cancelled = fleet.rollout.cancel(&mut fleet.progress, &fleet.brakes, fleet.now);
    assert_eq!(cancelled, Ok(ended));
    let again = fleet.rollout.cancel(&mut fleet.progress, &fleet.brakes, fleet.now);
    assert!(matches!(again, Err(VoteRefused::Phase { .. })));

    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    fleet.activate(0);
    let cancelled = fleet.rollout.cancel(&mut fleet.progress, &fleet.brakes, fleet.now);
    assert_eq!(cancelled, Ok(Transition::Halted(HaltCause::Cancelled)));
    assert_eq!(fleet.phase(), RolloutPhase::Halted);
    let halted = fleet.progress.halted.unwrap().since;
    let blind = Moment(halted.0, halted.1 - 1);
    let stale = fleet.rollout.resume(&mut fleet.progress, &fleet.brakes, blind, fleet.now);
    assert_eq!(stale, Err(VoteRefused::Stale { voted: blind.1, halted: halted.1 }));
    fleet.rollout.resume(&mut fleet.progress, &fleet.brakes, halted, fleet.now).unwrap();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(0));
    let again = fleet.rollout.resume(&mut fleet.progress, &fleet.brakes, halted, fleet.now);
    assert!(matches!(again, Err(VoteRefused::Phase { .. })));
    assert_eq!(
        fleet.rollout.roll_back(&mut fleet.progress, &fleet.brakes, fleet.now),
        Ok(Transition::RollingBack)
    );
}
