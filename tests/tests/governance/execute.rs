//! Executing.

use super::*;

/// PHASE-2.
#[test]
fn nothing_executes_before_it_is_ready_and_a_second_time_changes_nothing() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&join("dan"));
    let execute = ExecuteMsg::Execute { proposal: id };
    assert_err(env.send("eve", &execute), "this one is in Deliberation, waiting on the deliberation: 10 s");
    env.to_voting(id);
    assert_err(env.send("eve", &execute), "this one is in Voting");
    env.vote("ann", id, Ballot::Yes).unwrap();
    env.vote("bob", id, Ballot::Yes).unwrap();
    env.pass(SHORT);
    assert_err(env.send("eve", &execute), "this one is in Timelocked, waiting on the timelock: 10 s and 2");
    env.pass(SHORT);
    let done = env.execute(id);
    assert!(done.changed, "{}", done.what);
    assert_eq!(env.phase(id), Phase::Executed);
    let again = env.execute(id);
    assert_eq!((again.changed, again.what.as_str()), (false, "it was executed already"));
    let kinds: Vec<&str> = env.entries.iter().rev().take(2).map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["executed", "members_changed"]);
    assert_eq!(env.entries.last().unwrap().who, addr("eve").to_string());
}

#[test]
fn an_upgrade_allows_its_release_and_starts_its_rollout() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let new = release("2.0.0", &["1.0.0"]);
    let before = env.component();
    let id = env.decide(&upgrade(&new));
    assert_eq!(env.standing(&new), Standing::Allowed);
    let component = env.component();
    assert_eq!(component.epoch, before.epoch + 1);
    assert_eq!((component.live, component.last), (Some(RolloutId(1)), Some(RolloutId(1))));
    assert_eq!(component.current, before.current, "current only once it completed");
    assert_eq!(env.proposal(id).rollout, Some(RolloutId(1)));
    let (rollout, _) = env.rollout(RolloutId(1));
    assert_eq!((rollout.epoch, rollout.previous), (before.epoch, before.current));
    assert_eq!(rollout.draw_from.0, env.now().height.0 + 1);
    assert_eq!(env.rollout_phase(RolloutId(1)), RolloutPhase::Drawing);
}

#[test]
fn a_live_rollout_is_waited_on_and_is_no_attempt() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.decide(&v2());
    let id = env.propose(&upgrade(&release("2.1.0", &["1.0.0", "2.0.0"])));
    env.to_ready(id);
    let done = env.execute(id);
    assert!(!done.changed && done.what.contains("rollout 1 of the same component"), "{}", done.what);
    assert_eq!((env.phase(id), env.proposal(id).attempts), (Phase::Ready, 0));
    env.pass(LONG);
    assert_eq!(env.phase(id), Phase::Expired);
    // One proposal may end what is in its way and start anew.
    let next = release("2.2.0", &["1.0.0"]);
    let mut both = upgrade(&next);
    both.actions.insert(0, Action::CancelRollout { rollout: RolloutId(1) });
    env.decide(&both);
    assert_eq!(env.rollout_phase(RolloutId(1)), RolloutPhase::Ended(Outcome::Cancelled));
    assert_eq!(env.component().live, Some(RolloutId(2)));
}

#[test]
fn three_failed_attempts_a_retry_span_apart_end_it() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    // Together they would pass the largest sum, so whichever is executed later fails; nothing but another vote mends that.
    let heavy = |name: &str| {
        let set = vec![Member { addr: addr(name).to_string(), weight: Uint128::MAX - Uint128::new(1_000) }];
        Action::ChangeMembers { set, remove: vec![] }
    };
    let add = join("dan").actions.remove(0);
    let doomed = env.propose(&draft("add two", vec![add, heavy("eve")]));
    let first = env.propose(&draft("add one", vec![heavy("fay")]));
    env.pass(SHORT);
    for id in [doomed, first] {
        env.send("eve", &ExecuteMsg::OpenVote { proposal: id }).unwrap();
        env.vote("ann", id, Ballot::Yes).unwrap();
        env.vote("bob", id, Ballot::Yes).unwrap();
    }
    env.pass(SHORT);
    env.pass(SHORT);
    assert!(env.execute(first).changed);
    for attempt in 1..=3 {
        let done = env.execute(doomed);
        assert!(done.changed, "a failure is remembered");
        assert!(
            done.what.starts_with(&format!("attempt {attempt} of 3 failed at action 1")),
            "{}",
            done.what
        );
        let proposal = env.proposal(doomed);
        let last = proposal.last_attempt.unwrap();
        assert_eq!((proposal.attempts, proposal.executed), (attempt, false));
        assert_eq!((last.action, last.codespace.as_str(), last.code), (1, "wasm", 5));
        let dan = concord_coordinator::state::MEMBERS.may_load(&*env.store(), addr("dan").as_str()).unwrap();
        assert_eq!(dan, None, "all or nothing");
        assert_eq!(env.entries.last().unwrap().kind, "execution_failed");
        if attempt < 3 {
            env.advance(9, 2);
            let early = env.execute(doomed);
            assert!(!early.changed && early.what.contains("the next attempt: 1 s"), "{}", early.what);
            env.advance(1, 0);
        }
    }
    assert_eq!(env.phase(doomed), Phase::Failed);
    assert_err(env.send("eve", &ExecuteMsg::Execute { proposal: doomed }), "this one is in Failed");
}

/// LIVE-1.
#[test]
fn somebody_must_be_left_to_vote() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let remove = ["ann", "bob", "cyd"].map(|name| addr(name).to_string()).to_vec();
    let id = env.propose(&draft("the end", vec![Action::ChangeMembers { set: vec![], remove }]));
    env.to_ready(id);
    let done = env.execute(id);
    assert!(done.what.contains("members must be 1 to"), "{}", done.what);
    let mut set = vec![member("ann", u128::MAX - 59), member("dan", 1)];
    let over = draft("too much", vec![Action::ChangeMembers { set: set.clone(), remove: vec![] }]);
    let id = env.propose(&over);
    env.to_ready(id);
    let done = env.execute(id);
    assert!(done.what.contains("the sum of members' weights exceeds"), "{}", done.what);
    set.pop();
    set[0].weight = Uint128::new(u128::MAX - 60);
    env.decide(&draft("just enough", vec![Action::ChangeMembers { set, remove: vec![] }]));
}

#[test]
fn cancel_resume_and_roll_back_say_where_they_may() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.decide(&v2());
    let live = RolloutId(1);
    let one = |action| draft("about a rollout", vec![action]);
    for (action, text) in [
        (Action::ResumeRollout { rollout: live }, "cannot be resumed"),
        (Action::RollBackRollout { rollout: live }, "cannot be rolled back"),
    ] {
        let id = env.propose(&one(action));
        if env.proposal(id).class == concord_schema::rules::Class::Standard {
            // A decision about a release that was attested before needs no second attestation.
            assert_eq!(env.proposal(id).release, None);
        }
        env.to_ready(id);
        let done = env.execute(id);
        assert!(done.what.contains(text), "{}", done.what);
    }
    env.decide(&one(Action::CancelRollout { rollout: live }));
    assert_eq!(env.component().live, None);
    assert_eq!(env.component().last, Some(live));
}

/// PHASE-2, and BRAKE-2: the brake never blocks votes, refunds or what undoes.
#[test]
fn the_brake_is_waited_on_unless_every_action_stops_or_undoes() {
    use concord_coordinator::state;
    use concord_schema::Moment;
    let mut setup = Setup::default();
    setup.rules.constitutional.deposit = Some(coin(100, DENOM));
    let mut env = setup.build();
    env.advance(5, 1);
    let change = env.propose(&join("dan"));
    env.to_ready(change);
    let lift = env.propose(&draft("lift it", vec![Action::LiftBrake { scope: Scope::All }]));
    env.to_voting(lift);
    env.vote("ann", lift, Ballot::Yes).unwrap();
    env.vote("bob", lift, Ballot::Yes).unwrap();
    env.brake("gus", Scope::All).unwrap();
    env.brake("gil", Scope::All).unwrap();
    let braked = env.propose(&join("eve"));
    env.to_voting(braked);
    env.vote("cyd", braked, Ballot::No).unwrap();
    let withdrawn = env.propose(&join("eve"));
    env.send("ann", &ExecuteMsg::Withdraw { proposal: withdrawn }).unwrap();
    assert!(env.crank("ann", &ExecuteMsg::SettleDeposit { proposal: withdrawn }).changed);
    assert!(env.crank("ann", &ExecuteMsg::Claim {}).changed);
    let now: Moment = env.now().into();
    assert!(state::BRAKES.load(&*env.store(), "*").unwrap().holds(&now));
    env.pass(SHORT);
    env.pass(SHORT);
    let done = env.execute(change);
    assert!(!done.changed && done.what.contains("the brake on everything"), "{}", done.what);
    assert_eq!(env.phase(change), Phase::Ready, "the grace stands still");
    let done = env.execute(lift);
    assert!(done.changed && env.phase(lift) == Phase::Executed, "{}", done.what);
    let now: Moment = env.now().into();
    assert!(!state::BRAKES.load(&*env.store(), "*").unwrap().holds(&now));
    assert!(env.execute(change).changed);
    assert_eq!(env.phase(change), Phase::Executed);
}

/// No outsider uses up the attempts of a decision that rests on another one (LIVE-2).
#[test]
fn a_member_that_is_not_there_yet_is_waited_for() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let remove = Action::ChangeMembers { set: vec![], remove: vec![addr("dan").to_string()] };
    let id = env.propose(&draft("remove dan", vec![remove]));
    env.to_ready(id);
    for _ in 0..4 {
        let done = env.execute(id);
        assert!(!done.changed && done.what.contains("there is no member"), "{}", done.what);
        env.advance(10, 2);
    }
    assert_eq!((env.proposal(id).attempts, env.phase(id)), (0, Phase::Ready));
}
