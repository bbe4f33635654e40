//! Before the vote: revising, withdrawing, commenting, and when deliberation and validation end.

use super::*;

#[test]
fn only_the_proposer_revises_and_only_three_times_before_the_vote() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    let revise = |version: &str| ExecuteMsg::Revise {
        proposal: id,
        draft: Box::new(upgrade(&release(version, &["1.0.0"]))),
    };
    assert_err(env.send("bob", &revise("2.0.1")), "it needs the proposer");
    let other_class = ExecuteMsg::Revise { proposal: id, draft: Box::new(join("dan")) };
    assert_err(env.send("ann", &other_class), "make it a proposal of its own");
    assert!(!env.crank("ann", &revise("2.0.0")).changed, "the same content is no revision");
    for (count, version) in ["2.0.1", "2.0.2", "2.0.3"].iter().enumerate() {
        assert!(env.crank("ann", &revise(version)).changed);
        assert_eq!(usize::from(env.proposal(id).revision), count + 1);
    }
    assert_err(env.send("ann", &revise("2.0.4")), "revisions of a proposal must be 0 to 3, found 4");
    env.to_voting(id);
    assert_err(env.send("ann", &revise("2.0.4")), "revise needs a proposal in deliberation or validation");
}

#[test]
fn a_revision_starts_the_deliberation_again_and_voids_attestations() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    env.pass(SHORT);
    env.attest("aud0", id).unwrap();
    let old = env.statement(id, Finding::Approves);
    let draft = Box::new(upgrade(&release("2.0.1", &["1.0.0"])));
    env.send("ann", &ExecuteMsg::Revise { proposal: id, draft }).unwrap();
    assert_eq!(env.phase(id), Phase::Deliberation);
    env.pass(SHORT);
    let signature = Some(env.signature("aud1", &old));
    let message = ExecuteMsg::Attest { statement: old, signature };
    assert_err(env.send("eve", &message), "the revision must be \"1\", found \"0\"");
    env.attest("aud1", id).unwrap();
    assert_eq!(env.phase(id), Phase::Validation, "the approval of the old revision does not count");
    env.attest("aud0", id).unwrap();
    assert_eq!(env.phase(id), Phase::Voting);
}

#[test]
fn only_the_proposer_withdraws_and_only_before_the_vote() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    let withdraw = |proposal| ExecuteMsg::Withdraw { proposal };
    assert_err(env.send("bob", &withdraw(id)), "it needs the proposer");
    assert_err(env.send("ann", &withdraw(ProposalId(9))), "there is no proposal \"9\"");
    assert!(env.crank("ann", &withdraw(id)).changed);
    assert!(!env.crank("ann", &withdraw(id)).changed);
    assert_eq!(env.phase(id), Phase::Withdrawn);
    let other = env.propose(&join("dan"));
    env.to_voting(other);
    assert_err(env.send("ann", &withdraw(other)), "withdraw needs a proposal in a phase before its vote");
}

#[test]
fn comments_are_counted_and_end_with_the_proposal() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&join("dan"));
    let comment = ExecuteMsg::Comment { proposal: id, document: document("hm") };
    for _ in 0..20 {
        env.send("eve", &comment).unwrap();
    }
    assert_err(env.send("eve", &comment), "must be 0 to 20, found 21");
    env.send("bob", &comment).unwrap();
    let mut long = document("x");
    long.uri = "x".repeat(513);
    assert_err(
        env.send("bob", &ExecuteMsg::Comment { proposal: id, document: long }),
        "comment must be 1 to 512",
    );
    env.send("ann", &ExecuteMsg::Withdraw { proposal: id }).unwrap();
    assert_err(env.send("bob", &comment), "comment needs a proposal in a phase before its end");
}

#[test]
fn deliberation_and_validation_end_when_both_clocks_have() {
    for (seconds, blocks, phase) in [
        (9, 2, Phase::Deliberation),
        (10, 1, Phase::Deliberation),
        (10, 2, Phase::Validation),
        (69, 12, Phase::Validation),
        (70, 11, Phase::Validation),
        (70, 12, Phase::Rejected),
    ] {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let id = env.propose(&v2());
        env.advance(seconds, blocks);
        assert_eq!(env.phase(id), phase, "{seconds} s, {blocks} blocks");
    }
}
