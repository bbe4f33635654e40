//! Voting.

use super::*;

fn changeable(setup: &mut Setup) {
    for row in [
        &mut setup.rules.routine,
        &mut setup.rules.standard,
        &mut setup.rules.critical,
        &mut setup.rules.constitutional,
    ] {
        row.early_finish = false;
    }
}

fn open(setup: Setup) -> (MockEnv, ProposalId) {
    let mut env = setup.build();
    env.advance(5, 1);
    let id = env.propose(&join("dan"));
    env.to_voting(id);
    (env, id)
}

#[test]
fn a_stranger_may_not_nor_one_who_saw_another_content() {
    let (mut env, id) = open(Setup::default());
    assert_err(env.vote("eve", id, Ballot::Yes), "a member's weight before height");
    assert_err(env.vote("aud0", id, Ballot::Yes), "a member's weight before height");
    let expect_digest = Digest::of(b"else");
    let message = ExecuteMsg::Vote { proposal: id, ballot: Ballot::Yes, expect_digest, rationale: None };
    assert_err(env.send("ann", &message), "read the proposal again before voting");
    let early = env.propose(&join("eve"));
    assert_err(env.vote("ann", early, Ballot::Yes), "vote needs a proposal in voting");
}

#[test]
fn weights_are_those_of_the_block_before_the_vote_opened() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let first = env.propose(&draft(
        "a change",
        vec![Action::ChangeMembers {
            set: vec![member("dan", 1_000)],
            remove: vec![addr("cyd").to_string()],
        }],
    ));
    env.to_ready(first);
    let second = env.propose(&join("eve"));
    env.pass(SHORT);
    // In one block: the change is executed, and the other vote opens. It must not see the change.
    assert!(env.execute(first).changed);
    assert!(env.crank("eve", &ExecuteMsg::OpenVote { proposal: second }).changed);
    assert_eq!(env.proposal(second).vote.unwrap().total, Uint128::new(100));
    assert_err(env.vote("dan", second, Ballot::Yes), "a member's weight before height");
    env.vote("cyd", second, Ballot::Yes).unwrap();
    let third = env.propose(&join("eve"));
    env.to_voting(third);
    assert_eq!(env.proposal(third).vote.unwrap().total, Uint128::new(1_075));
    assert_err(env.vote("cyd", third, Ballot::Yes), "a member's weight before height");
}

/// RULES-1, TALLY-1: what a vote decided elsewhere changes nothing of a vote that is open: not whose weights count, nor
/// their sum, nor a ballot, nor the bars.
#[test]
fn a_change_of_members_leaves_an_open_vote_as_it_is() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let set = vec![member("ann", 1_000), member("dan", 500)];
    let remove = vec![addr("cyd").to_string()];
    let change = env.propose(&draft("a change", vec![Action::ChangeMembers { set, remove }]));
    env.to_ready(change);
    let open = env.propose(&join("eve"));
    env.to_voting(open);
    env.vote("cyd", open, Ballot::Yes).unwrap();
    let facts = |env: &MockEnv| {
        let proposal = env.proposal(open);
        let row = concord_coordinator::load::row(&*env.store(), &proposal).unwrap();
        (proposal, row, env.tally(open))
    };
    let before = facts(&env);
    assert!(env.execute(change).changed);
    let total = concord_coordinator::state::MEMBERS_TOTAL.load(&*env.store()).unwrap();
    assert_eq!(total, Uint128::new(1_535));
    env.advance(1, 1);
    assert_eq!(facts(&env), before);
    assert_eq!(before.0.vote.unwrap().total, Uint128::new(100));
    assert_err(env.vote("dan", open, Ballot::No), "a member's weight before height");
    env.vote("ann", open, Ballot::No).unwrap();
    let tally = env.tally(open);
    assert_eq!((tally.yes, tally.no, tally.decided), (Uint128::new(25), Uint128::new(40), None));
    // Bob's 35 of 100 decide, though they are nothing beside the 1,500 of today.
    env.vote("bob", open, Ballot::Yes).unwrap();
    env.pass(LONG);
    assert_eq!(env.phase(open), Phase::Ready);
}

#[test]
fn final_ballots_stay_and_changeable_ones_change() {
    let (mut env, id) = open(Setup::default());
    env.vote("cyd", id, Ballot::Yes).unwrap();
    assert_err(env.vote("cyd", id, Ballot::No), "ballots of this class are final");
    let expect_digest = env.proposal(id).digest;
    let again = ExecuteMsg::Vote { proposal: id, ballot: Ballot::Yes, expect_digest, rationale: None };
    assert!(!env.crank("cyd", &again).changed);

    let mut setup = Setup::default();
    changeable(&mut setup);
    let (mut env, id) = open(setup);
    env.vote("cyd", id, Ballot::Yes).unwrap();
    env.vote("cyd", id, Ballot::No).unwrap();
    assert!(
        !env.crank(
            "cyd",
            &ExecuteMsg::Vote {
                proposal: id,
                ballot: Ballot::No,
                expect_digest: env.proposal(id).digest,
                rationale: Some(document("why-not")),
            }
        )
        .changed
    );
    let tally = env.tally(id);
    assert_eq!((tally.yes, tally.no), (Uint128::zero(), Uint128::new(25)));
}

#[test]
fn an_early_pass_counts_from_when_it_was_certain_and_never_before_the_minimum() {
    let (mut env, id) = open(Setup::default());
    let opened = env.proposal(id).vote.unwrap().from;
    env.vote("ann", id, Ballot::Yes).unwrap();
    assert_eq!(env.tally(id).decided, None);
    env.vote("bob", id, Ballot::Yes).unwrap();
    assert_eq!(env.tally(id).decided, Some(opened), "75 of 100 cannot be outvoted");
    for (seconds, blocks, phase) in [
        (9, 2, Phase::Voting),
        (0, 0, Phase::Voting),
        (1, 0, Phase::Timelocked),
        (9, 2, Phase::Timelocked),
        (1, 0, Phase::Ready),
        (59, 10, Phase::Ready),
        (1, 0, Phase::Expired),
    ] {
        env.advance(seconds, blocks);
        assert_eq!(env.phase(id), phase, "after {:?}", env.now());
    }
    assert_err(env.send("eve", &ExecuteMsg::Execute { proposal: id }), "this one is in Expired");
}

#[test]
fn without_early_finish_the_whole_period_runs() {
    let mut setup = Setup::default();
    changeable(&mut setup);
    let (mut env, id) = open(setup);
    for name in ["ann", "bob", "cyd"] {
        env.vote(name, id, Ballot::Yes).unwrap();
    }
    env.advance(59, 10);
    assert_eq!(env.phase(id), Phase::Voting);
    env.advance(1, 0);
    assert_eq!(env.phase(id), Phase::Timelocked);
}

#[test]
fn quorum_then_veto_then_threshold() {
    use Ballot::{Abstain, No, Veto, Yes};
    // ann 40, bob 35, cyd 25; quorum 40%, veto above 33.4% of the cast, threshold 50%.
    for (ballots, phase) in [
        (vec![("bob", Yes)], Phase::QuorumFailed),
        (vec![("ann", Yes)], Phase::Timelocked),
        (vec![("ann", No)], Phase::Rejected),
        (vec![("ann", Yes), ("bob", Veto)], Phase::Vetoed),
        (vec![("ann", Yes), ("bob", Yes), ("cyd", Veto)], Phase::Timelocked),
        (vec![("bob", Yes), ("cyd", No)], Phase::Timelocked),
        (vec![("bob", No), ("cyd", Yes)], Phase::Rejected),
        (vec![("ann", Abstain), ("bob", Abstain), ("cyd", Abstain)], Phase::Rejected),
        (vec![], Phase::QuorumFailed),
    ] {
        let mut setup = Setup::default();
        changeable(&mut setup);
        let (mut env, id) = open(setup);
        for (name, ballot) in &ballots {
            env.vote(name, id, *ballot).unwrap();
        }
        env.pass(LONG);
        assert_eq!(env.phase(id), phase, "{ballots:?}");
    }
}

#[test]
fn an_early_reject_ends_it_too() {
    let (mut env, id) = open(Setup::default());
    env.vote("ann", id, Ballot::Veto).unwrap();
    assert!(env.tally(id).decided.is_some(), "40 vetoes of 100 cross 33.4% whatever comes");
    env.pass(SHORT);
    assert_eq!(env.phase(id), Phase::Vetoed);
}
