//! What votes decide about rollouts in motion and rollouts that have ended.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use concord_schema::Span;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Draft, Phase};
use concord_schema::release::{Release, Standing};
use concord_schema::report::Report;
use concord_schema::rollout::{HaltCause, Outcome, Purpose, RolloutPhase, SeatState};
use concord_schema::tally::Ballot;
use concord_schema::units::{Height, NodeNo, ProposalId, RolloutId};
use concord_tests::env::{LONG, MockEnv, SHORT, Setup, draft, member, release, upgrade};

const LIVE: RolloutId = RolloutId(1);

fn v2() -> Release {
    release("2.0.0", &["1.0.0"])
}

fn about(action: Action) -> Draft {
    draft("about a rollout", vec![action])
}

/// Two nodes of two organisations, and a rollout to them whose first wave is open at its height.
fn in_first_wave() -> MockEnv {
    in_first_wave_of(Setup::default())
}

fn in_first_wave_of(setup: Setup) -> MockEnv {
    let mut env = setup.build();
    env.advance(5, 1);
    env.register("op0", "n0", 10).unwrap();
    env.register("op1", "n1", 10).unwrap();
    env.decide(&upgrade(&v2()));
    env.advance(1, 1);
    for node in ["n0", "n1"] {
        env.report(node, LIVE, Report::Ready { release: v2().digest() }).unwrap();
    }
    let done = env.advance_rollout(LIVE);
    assert!(done.changed, "{}", done.what);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Wave(0));
    env.advance(1, 2);
    env
}

fn activate(env: &mut MockEnv, node: &str) {
    env.lease(node, LIVE, Purpose::Activate).unwrap();
    let height = Height(env.now().height.0);
    env.report(node, LIVE, Report::Activated { attempt: 1, height }).unwrap();
}

fn healthy(env: &mut MockEnv, node: &str) {
    let height = Height(env.now().height.0);
    env.report(node, LIVE, Report::Healthy { attempt: 1, height, downtime_ms: 5 }).unwrap();
}

fn goes_back(env: &mut MockEnv, node: &str) {
    let release = release("1.0.0", &[]).digest();
    env.report(node, LIVE, Report::RolledBack { attempt: 1, release }).unwrap();
}

/// Opens the vote of a proposal and has it pass; it is not executed.
fn pass_vote(env: &mut MockEnv, id: ProposalId) {
    env.to_voting(id);
    env.vote("ann", id, Ballot::Yes).unwrap();
    env.vote("bob", id, Ballot::Yes).unwrap();
}

#[test]
fn a_cancel_after_an_activation_halts_and_a_resume_opens_the_wave_anew() {
    let mut env = in_first_wave();
    activate(&mut env, "n0");
    env.decide(&about(Action::CancelRollout { rollout: LIVE }));
    let (_, progress) = env.rollout(LIVE);
    assert_eq!(progress.halted.map(|halt| halt.cause), Some(HaltCause::Cancelled));
    assert_eq!(env.component().live, Some(LIVE));
    assert_eq!(env.standing(&v2()), Standing::Allowed, "a cancel denies nothing");
    env.decide(&about(Action::ResumeRollout { rollout: LIVE }));
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Wave(0));
    let open = env.rollout(LIVE).1.open.unwrap();
    assert_eq!(open.height, Height(env.now().height.0 + 2));
    assert_eq!(open.since, env.now().into());
    assert_eq!(open.gate, None);
}

#[test]
fn a_lease_that_is_out_makes_a_cancel_a_halt() {
    let mut env = in_first_wave();
    env.lease("n0", LIVE, Purpose::Activate).unwrap();
    env.decide(&about(Action::CancelRollout { rollout: LIVE }));
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Halted);
}

#[test]
fn a_completed_rollout_is_taken_back_by_a_vote() {
    let mut env = in_first_wave();
    let old = env.component().current;
    for node in ["n0", "n1"] {
        activate(&mut env, node);
        healthy(&mut env, node);
    }
    env.pass(SHORT);
    let done = env.advance_rollout(LIVE);
    assert!(done.changed, "{}", done.what);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Ended(Outcome::Completed));
    assert_eq!(env.component().current, v2().digest());

    env.decide(&about(Action::RollBackRollout { rollout: LIVE }));
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::RollingBack);
    assert_eq!(env.standing(&v2()), Standing::RolledBack);
    let component = env.component();
    assert_eq!((component.current, component.live), (old, Some(LIVE)));
    // The same decision again finds it so, and changes nothing.
    env.decide(&about(Action::RollBackRollout { rollout: LIVE }));
    for node in ["n0", "n1"] {
        env.lease(node, LIVE, Purpose::RollBack).unwrap();
        goes_back(&mut env, node);
    }
    assert_eq!(env.seat(LIVE, NodeNo(1)).unwrap().state, SeatState::RolledBack);
    let done = env.advance_rollout(LIVE);
    assert!(done.changed, "{}", done.what);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Ended(Outcome::RolledBack));
    let component = env.component();
    assert_eq!((component.current, component.live), (old, None));
}

#[test]
fn only_the_newest_rollout_of_a_component_is_taken_back() {
    let mut env = in_first_wave();
    for node in ["n0", "n1"] {
        activate(&mut env, node);
        healthy(&mut env, node);
    }
    env.pass(SHORT);
    assert!(env.advance_rollout(LIVE).changed);
    env.decide(&upgrade(&release("3.0.0", &["2.0.0"])));
    let id = env.propose(&about(Action::RollBackRollout { rollout: LIVE }));
    env.to_ready(id);
    let done = env.execute(id);
    assert!(done.what.contains("its component's newest"), "{}", done.what);
    assert_eq!(env.standing(&v2()), Standing::Allowed);
}

#[test]
fn a_release_rolled_back_after_a_vote_opened_stays_denied_until_a_later_one() {
    let mut env = in_first_wave();
    activate(&mut env, "n0");
    healthy(&mut env, "n0");
    activate(&mut env, "n1");
    // A second proposal for the same release, whose vote opens before anything has failed.
    let mut again = upgrade(&v2());
    again.title = "the same release again".into();
    let blind = env.propose(&again);
    pass_vote(&mut env, blind);
    let failed = |reason: &str| Report::Failed { attempt: 1, reason: reason.into() };
    env.advance(1, 1);
    env.report("n0", LIVE, failed("crashed")).unwrap();
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Halted);
    env.report("n1", LIVE, failed("crashed")).unwrap();
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::RollingBack);
    for node in ["n0", "n1"] {
        goes_back(&mut env, node);
    }
    assert!(env.advance_rollout(LIVE).changed);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Ended(Outcome::RolledBack));
    assert_eq!(env.standing(&v2()), Standing::RolledBack);
    env.pass(SHORT);
    env.pass(SHORT);
    assert_eq!(env.phase(blind), Phase::Ready);
    let done = env.execute(blind);
    assert!(done.what.contains("rolled back after this vote opened"), "{}", done.what);
    assert_eq!(env.standing(&v2()), Standing::RolledBack, "NODE-5: it never comes back by itself");
    // People who know of the failure may allow it again.
    let mut knowing = upgrade(&v2());
    knowing.title = "it was the disk".into();
    let id = env.propose(&knowing);
    assert_eq!(env.standing(&v2()), Standing::RolledBack, "a proposal alone allows nothing");
    env.to_ready(id);
    assert!(env.execute(id).changed);
    assert_eq!(env.phase(id), Phase::Executed);
    assert_eq!(env.standing(&v2()), Standing::Allowed);
    assert_eq!(env.component().live, Some(RolloutId(2)));
}

#[test]
fn a_rollout_that_expires_unready_cannot_be_decided_about() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.register("op0", "n0", 10).unwrap();
    let start = upgrade(&v2());
    // One node of one: no lease bound below the whole lets it switch.
    assert!(env.try_propose("ann", &start).unwrap_err().0.contains("one_at_a_time"));
    env.register("op1", "n1", 10).unwrap();
    env.decide(&start);
    env.advance(1, 1);
    env.send("eve", &ExecuteMsg::Draw { rollout: LIVE }).unwrap();
    env.pass(LONG);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Postponed);
    env.advance(30, 6);
    let cancel = env.propose(&about(Action::CancelRollout { rollout: LIVE }));
    pass_vote(&mut env, cancel);
    env.pass(SHORT);
    env.pass(SHORT);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Ended(Outcome::Expired));
    let done = env.execute(cancel);
    assert!(done.what.contains("Ended(Expired) cannot be cancelled"), "{}", done.what);
    assert!(env.advance_rollout(LIVE).changed);
    assert_eq!(env.component().live, None);
}

/// LIVE-2: an outsider who executes a decision before its time takes none of its attempts.
#[test]
fn a_decision_whose_time_has_not_come_is_waited_on_and_is_no_attempt() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.register("op0", "n0", 10).unwrap();
    env.register("op1", "n1", 10).unwrap();
    env.decide(&upgrade(&v2()));
    env.advance(1, 1);
    let id = env.propose(&about(Action::RollBackRollout { rollout: LIVE }));
    env.to_ready(id);
    for _ in 0..4 {
        let done = env.execute(id);
        assert!(!done.changed && done.what.starts_with("waiting on"), "{}", done.what);
        env.advance(1, 1);
    }
    let proposal = env.proposal(id);
    assert_eq!((env.phase(id), proposal.attempts, proposal.last_attempt), (Phase::Ready, 0, None));
    for node in ["n0", "n1"] {
        env.report(node, LIVE, Report::Ready { release: v2().digest() }).unwrap();
    }
    assert!(env.advance_rollout(LIVE).changed);
    let done = env.execute(id);
    assert!(done.changed, "{}", done.what);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::RollingBack);
}

/// NODE-5, also where another rollout came between the failure and the blind vote's execution.
#[test]
fn a_blind_vote_allows_no_denied_release_after_another_rollout() {
    let mut setup = Setup::default();
    for row in [&mut setup.rules.routine, &mut setup.rules.standard, &mut setup.rules.critical] {
        row.grace = Span::new(5_000, 5_000);
    }
    let mut env = in_first_wave_of(setup);
    activate(&mut env, "n0");
    let mut again = upgrade(&v2());
    again.title = "the same release again".into();
    let blind = env.propose(&again);
    pass_vote(&mut env, blind);
    env.advance(1, 1);
    let taken_back = env.propose(&about(Action::RollBackRollout { rollout: LIVE }));
    env.to_ready(taken_back);
    assert!(env.execute(taken_back).changed);
    goes_back(&mut env, "n0");
    assert!(env.advance_rollout(LIVE).changed);
    assert_eq!(env.rollout_phase(LIVE), RolloutPhase::Ended(Outcome::RolledBack));
    let mut between = upgrade(&release("3.0.0", &["1.0.0"]));
    between.title = "another one".into();
    env.decide(&between);
    env.decide(&about(Action::CancelRollout { rollout: RolloutId(2) }));
    assert_eq!((env.component().live, env.component().last), (None, Some(RolloutId(2))));
    assert_eq!(env.phase(blind), Phase::Ready, "the case is reached");
    let done = env.execute(blind);
    assert!(done.what.contains("rolled back after this vote opened"), "{}", done.what);
    assert_eq!(env.standing(&v2()), Standing::RolledBack);
}

/// LIVE-1: a change of members leaves somebody who may propose.
#[test]
fn a_change_of_members_that_nobody_could_ever_follow_is_refused() {
    use concord_schema::proposal::Member;
    let mut setup = Setup::default();
    let least = setup.members.iter().map(|(_, weight)| *weight).max().unwrap();
    for row in [&mut setup.rules.routine, &mut setup.rules.standard, &mut setup.rules.critical] {
        row.proposer_weight_min = 1u128.into();
    }
    setup.rules.constitutional.proposer_weight_min = least.into();
    let members = setup.members.clone();
    let mut env = setup.build();
    env.advance(5, 1);
    let to = |weight: u128| -> Draft {
        let member = |(name, _): &(&str, u128)| member(name, weight);
        let set: Vec<Member> = members.iter().map(member).collect();
        draft("rescaled", vec![Action::ChangeMembers { set, remove: vec![] }])
    };
    let largest = members.iter().max_by_key(|(_, weight)| *weight).unwrap().0;
    for (weight, passes) in [(least - 1, false), (least, true)] {
        let id = env.try_propose(largest, &to(weight)).unwrap();
        env.to_ready(id);
        let done = env.execute(id);
        assert_eq!(env.phase(id) == Phase::Executed, passes, "{weight}: {}", done.what);
    }
}

/// A stall alone denies nothing; a vote on its way back does, whether or not a crank has said that it goes back, and also
/// after its end.
#[test]
fn a_vote_denies_the_release_of_a_rollout_that_goes_back_after_a_stall() {
    for (cranked, ended) in [(false, false), (true, false), (true, true)] {
        let mut env = in_first_wave();
        activate(&mut env, "n0");
        env.pass(LONG);
        assert!(env.advance_rollout(LIVE).changed);
        env.pass(LONG);
        if cranked {
            assert!(env.advance_rollout(LIVE).changed);
        }
        if ended {
            env.pass(LONG);
            assert!(env.advance_rollout(LIVE).changed);
        }
        assert_eq!(env.standing(&v2()), Standing::Allowed);
        env.decide(&about(Action::RollBackRollout { rollout: LIVE }));
        assert_eq!(env.standing(&v2()), Standing::RolledBack, "cranked {cranked}, ended {ended}");
        let phase = if ended { RolloutPhase::Ended(Outcome::RolledBack) } else { RolloutPhase::RollingBack };
        assert_eq!(env.rollout_phase(LIVE), phase);
        env.check_replay();
    }
}
