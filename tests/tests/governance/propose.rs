//! Proposing.

use super::*;

#[test]
fn a_stranger_may_not_nor_may_a_member_of_too_little_weight() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    assert_err(env.try_propose("eve", &join("dan")), "a member's weight before this block");
    for (weight_min, taken) in [(35, true), (36, false)] {
        let mut setup = Setup::default();
        setup.rules.constitutional.proposer_weight_min = Uint128::new(weight_min);
        let mut env = setup.build();
        env.advance(5, 1);
        match env.try_propose("bob", &join("dan")) {
            Ok(_) => assert!(taken, "35 is below {weight_min}"),
            refused => assert_err(refused, "a weight of at least 36, found 35"),
        }
    }
}

#[test]
fn weight_counts_as_of_the_block_before() {
    let mut env = MockEnv::new();
    // The deployment's own block: nobody had weight at the end of the one before.
    assert_err(env.try_propose("ann", &join("dan")), "a member's weight before this block");
    env.advance(5, 1);
    env.decide(&join("dan"));
    assert_err(env.try_propose("dan", &join("eve")), "a member's weight before this block");
    env.advance(5, 1);
    env.try_propose("dan", &join("eve")).unwrap();
}

#[test]
fn exactly_the_deposit_of_the_class_and_nothing_else() {
    let mut setup = Setup::default();
    setup.rules.standard.deposit = Some(coin(100, DENOM));
    let mut env = setup.build();
    env.advance(5, 1);
    let message = |draft| ExecuteMsg::Propose { draft: Box::new(draft) };
    let cases: &[(&[Coin], &str)] = &[
        (&[], "exactly 100ucon as its deposit, found nothing"),
        (&[coin(99, DENOM)], "found 99ucon"),
        (&[coin(101, DENOM)], "found 101ucon"),
        (&[coin(100, "uother")], "found 100uother"),
        (&[coin(100, DENOM), coin(1, "uother")], "found 100ucon,1uother"),
    ];
    for (funds, text) in cases {
        assert_err(env.send_with("ann", &message(v2()), funds), text);
    }
    assert_err(env.send_with("ann", &message(join("dan")), &[coin(100, DENOM)]), "exactly nothing");
    env.send_with("ann", &message(v2()), &[coin(100, DENOM)]).unwrap();
    // Every other message takes no money.
    let vote = ExecuteMsg::OpenVote { proposal: ProposalId(1) };
    assert_err(env.send_with("ann", &vote, &[coin(1, DENOM)]), "takes no money");
}

#[test]
fn subjects_that_are_not_there_are_refused() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let mut other = release("2.0.0", &["1.0.0"]);
    other.component = "none".into();
    let baseline = release("1.0.0", &[]);
    let mut again = upgrade(&baseline);
    if let Action::StartRollout { release, .. } = &mut again.actions[0] {
        release.upgrades_from = vec!["1.0.0".into()];
    }
    for (draft, text) in [
        (upgrade(&other), "there is no component \"none\""),
        (upgrade(&release("3.0.0", &["2.0.0"])), "a list with the current version, 1.0.0"),
        (draft("x", vec![Action::CancelRollout { rollout: RolloutId(1) }]), "there is no rollout \"1\""),
        (draft("x", vec![Action::LiftBrake { scope: Scope::Component("none".into()) }]), "no component"),
        (
            draft("x", vec![Action::ChangeMembers { set: vec![], remove: vec!["bad".into()] }]),
            "members is no account",
        ),
        (draft("x", vec![]), "actions must hold 1 to 8"),
        (draft("", vec![Action::LiftBrake { scope: Scope::All }]), "title must be 1 to 128"),
    ] {
        assert_err(env.try_propose("ann", &draft), text);
    }
}

/// RULES-1: a proposal keeps the version and digest of all rules, and its class's row is read by that version.
#[test]
fn the_rules_of_the_day_are_pinned() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    let proposal = env.proposal(id);
    assert_eq!((proposal.rules_version, proposal.rules), (1, env.setup.rules.digest()));
    let row = concord_coordinator::load::row(&*env.store(), &proposal).unwrap();
    assert_eq!(row, env.setup.rules.standard);
}

#[test]
fn the_class_is_the_strictest_that_any_action_needs() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let lift = || Action::LiftBrake { scope: Scope::All };
    let change = join("dan").actions.remove(0);
    let mut forward = release("2.1.0", &["1.0.0"]);
    forward.reversibility = Reversibility::ForwardOnly;
    use concord_schema::rules::Class;
    for (draft, class, exempt) in [
        (draft("x", vec![lift()]), Class::Routine, true),
        (v2(), Class::Standard, false),
        (upgrade(&forward), Class::Critical, false),
        (draft("x", vec![lift(), change]), Class::Constitutional, false),
    ] {
        let id = env.propose(&draft);
        let proposal = env.proposal(id);
        assert_eq!((proposal.class, proposal.exempt), (class, exempt));
    }
    assert_eq!(env.standing(&forward), Standing::Proposed);
}
