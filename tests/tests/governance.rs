//! From a proposal to its execution. Per verb, first who may not.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use concord_schema::attestation::{Finding, Signature};
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Phase};
use concord_schema::release::{Reversibility, Standing};
use concord_schema::rollout::{Outcome, RolloutPhase};
use concord_schema::tally::Ballot;
use concord_schema::units::{ProposalId, RolloutId, Seconds};
use concord_schema::{Bps, Digest, Span};
use concord_tests::env::{
    CHAIN_ID, DENOM, LONG, MockEnv, PURSE, SHORT, Secret, Setup, addr, assert_err, document, draft, member,
    release, upgrade,
};
use cosmwasm_std::{Coin, Uint128, Uint256, coin};

/// A proposal that anyone can follow: no release, so no attestation.
fn join(name: &str) -> concord_schema::proposal::Draft {
    draft("one more member", vec![Action::ChangeMembers { set: vec![member(name, 5)], remove: vec![] }])
}

fn v2() -> concord_schema::proposal::Draft {
    upgrade(&release("2.0.0", &["1.0.0"]))
}

mod setting_up {
    use super::*;
    use concord_schema::msg::InstantiateMsg;
    use concord_schema::units::{POWER_MAX, Power};
    use cosmwasm_std::testing::MockStorage;

    #[test]
    fn every_setting_out_of_bounds_is_refused_by_name() {
        type Change = fn(&mut InstantiateMsg);
        let cases: &[(Change, &str)] = &[
            (|m| m.members.clear(), "members must hold 1 to 1000"),
            (|m| m.members[0].weight = Uint128::zero(), "a member's weight must be 1"),
            (|m| m.members[1] = m.members[0].clone(), "members lists"),
            (|m| m.members[0].addr = "cosmos1xyz".into(), "members is no account"),
            (|m| m.members[0].addr = m.members[0].addr.to_uppercase(), "members is no account"),
            (|m| m.members[0].weight = Uint128::MAX, "the sum of members' weights exceeds"),
            (|m| m.members = vec![m.members[0].clone(); 1_001], "members must hold 1 to 1000"),
            (|m| m.components.clear(), "components must hold 1 to 1000"),
            (|m| m.components.push(m.components[0].clone()), "components lists \"feeder\" twice"),
            (|m| m.components[0].name = "*".into(), "component may hold lower-case"),
            (|m| m.components[0].group = Some(String::new()), "group must be 1 to 64"),
            (|m| m.components[0].baseline.component = "else".into(), "the component of a baseline"),
            (|m| m.components[0].baseline.artifacts.clear(), "artifacts must hold 1 to 16"),
            (|m| m.auditors[1].addr = m.auditors[0].addr.clone(), "auditors lists"),
            (|m| m.auditors[2].key = m.auditors[0].key.clone(), "auditors' keys lists"),
            (|m| m.auditors[0].organisation.clear(), "organisation must be 1 to 32"),
            (|m| m.auditors.truncate(1), "auditors_min must be 0 to 1, found 2"),
            (|m| m.auditors[0].organisation = "lab1".into(), "organisations_min must be 0 to 1, found 2"),
            (|m| m.operators[0].power = Power(0), "an operator's power must be 1"),
            (|m| m.operators[0].power = Power(POWER_MAX), "the sum of operators' power"),
            (|m| m.operators[0].component = "none".into(), "there is no component \"none\""),
            (|m| m.operators[1] = m.operators[0].clone(), "operators lists"),
            (|m| m.guardians.addrs.clear(), "guardians must hold 1 to 32"),
            (|m| m.guardians.threshold = 0, "threshold must be 1 to 3, found 0"),
            (|m| m.guardians.threshold = 4, "threshold must be 1 to 3, found 4"),
            (|m| m.guardians.addrs[1] = m.guardians.addrs[0].clone(), "guardians lists"),
            (|m| m.rules.standard.timelock = Span::new(0, 1), "timelock must be at least 1 s"),
            (|m| m.rules.standard.bars.quorum_bps = Bps(1_999), "quorum_bps must be 2000"),
            (|m| m.rules.critical.proposer_weight_min = Uint128::new(41), "proposer_weight_min"),
            (|m| m.rules.routine.deposit = Some(coin(0, DENOM)), "a deposit must be 1"),
            (|m| m.floors.deliberation = Span::new(11, 1), "deliberation must be at least 11 s"),
        ];
        for (change, text) in cases {
            let mut message = Setup::default().message();
            change(&mut message);
            let mut env = MockEnv::empty(MockStorage::new());
            assert_err(env.instantiate(&message), text);
        }
    }

    #[test]
    fn baselines_are_allowed_and_brakes_are_there() {
        let env = MockEnv::new();
        let baseline = release("1.0.0", &[]);
        assert_eq!(env.component().current, baseline.digest());
        assert_eq!(env.standing(&baseline), Standing::Allowed);
        for scope in ["*", "feeder"] {
            assert!(concord_coordinator::state::BRAKES.has(&*env.store(), scope));
        }
        assert!(concord_coordinator::state::DOWN.has(&*env.store(), "feeder"));
    }
}

mod proposing {
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
}

mod before_the_vote {
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
        assert_err(
            env.send("ann", &revise("2.0.4")),
            "revise needs a proposal in deliberation or validation",
        );
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
}

mod attesting {
    use super::*;

    fn in_validation() -> (MockEnv, ProposalId) {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let id = env.propose(&v2());
        env.pass(SHORT);
        (env, id)
    }

    #[test]
    fn a_stranger_may_not_and_a_signature_is_good_for_one_thing_only() {
        let (mut env, id) = in_validation();
        let statement = env.statement(id, Finding::Approves);
        let plain = ExecuteMsg::Attest { statement: statement.clone(), signature: None };
        assert_err(env.send("eve", &plain), "an auditor, or an auditor's signature");
        assert_err(env.send("ann", &plain), "an auditor, or an auditor's signature");
        let contract = env.contract.to_string();
        // Even places are ed25519, odd ones secp256k1: both must refuse all of it.
        for (place, auditor) in [(0, "aud0"), (1, "aud1")] {
            let own = Secret::of(place);
            let name = addr(auditor).to_string();
            let good = statement.sign_bytes(CHAIN_ID, &contract, &name);
            let mut other_nonce = statement.clone();
            other_nonce.nonce += 1;
            let mut truncated = own.sign(&good).to_vec();
            truncated.pop();
            for (what, signature) in [
                ("another chain", own.sign(&statement.sign_bytes("other-1", &contract, &name))),
                ("another contract", own.sign(&statement.sign_bytes(CHAIN_ID, addr("ann").as_str(), &name))),
                ("another auditor", own.sign(&statement.sign_bytes(CHAIN_ID, &contract, addr("aud2").as_str()))),
                ("another statement", own.sign(&other_nonce.sign_bytes(CHAIN_ID, &contract, &name))),
                ("another key", Secret::of(place + 2).sign(&good)),
                ("a key of the other kind", Secret::of(place + 1).sign(&good)),
                ("zeros", vec![0; 64].into()),
                ("too short", truncated.into()),
                ("nothing", vec![].into()),
            ] {
                let signature =
                    Some(Signature { auditor: addr(auditor).to_string(), signature, wallet_key: None });
                let message = ExecuteMsg::Attest { statement: statement.clone(), signature };
                assert_err(env.send("eve", &message), "does not verify");
                assert_eq!(env.phase(id), Phase::Validation, "{what}");
            }
        }
        let nobody = Some(Signature {
            auditor: addr("eve").to_string(),
            signature: vec![0; 64].into(),
            wallet_key: None,
        });
        assert_err(env.send("eve", &ExecuteMsg::Attest { statement, signature: nobody }), "no auditor");
    }

    #[test]
    fn a_statement_about_something_else_is_refused() {
        let (mut env, id) = in_validation();
        let good = env.statement(id, Finding::Approves);
        let mut cases = vec![good.clone(), good.clone(), good.clone(), good.clone(), good.clone()];
        cases[0].revision = 1;
        cases[1].release = Digest::of(b"else");
        cases[2].platforms = Digest::of(b"else");
        cases[3].expires = env.now().time;
        cases[4].proposal = ProposalId(9);
        for (statement, text) in cases.into_iter().zip([
            "the revision must be \"0\"",
            "the release's digest must be",
            "the platforms' digest must be",
            "the statement expired at",
            "there is no proposal \"9\"",
        ]) {
            let signature = Some(env.signature("aud0", &statement));
            assert_err(env.send("eve", &ExecuteMsg::Attest { statement, signature }), text);
        }
        let mut last_second = good;
        last_second.expires = Seconds(env.now().time.0 + 1);
        let signature = Some(env.signature("aud0", &last_second));
        env.send("eve", &ExecuteMsg::Attest { statement: last_second, signature }).unwrap();
    }

    #[test]
    fn k_auditors_of_m_organisations_and_the_last_opens_the_vote() {
        let (mut env, id) = in_validation();
        // Two auditors, one organisation.
        env.attest("aud1", id).unwrap();
        let statement = env.statement(id, Finding::Approves);
        let plain = ExecuteMsg::Attest { statement: statement.clone(), signature: None };
        env.send("aud2", &plain).unwrap();
        assert_eq!(env.phase(id), Phase::Validation);
        assert_err(
            env.send("eve", &ExecuteMsg::OpenVote { proposal: id }),
            "open_vote needs a proposal in validated",
        );
        // A repeat changes nothing; another statement of the same auditor is refused.
        assert!(!env.crank("aud2", &plain).changed);
        let mut other = statement;
        other.finding = Finding::Objects;
        assert_err(
            env.send("aud2", &ExecuteMsg::Attest { statement: other, signature: None }),
            "the first one stands",
        );
        env.attest("aud0", id).unwrap();
        assert_eq!(env.phase(id), Phase::Voting);
        let vote = env.proposal(id).vote.unwrap();
        assert_eq!((vote.total, vote.snapshot_height), (Uint128::new(100), env.now().height.0));
        assert!(!env.crank("eve", &ExecuteMsg::OpenVote { proposal: id }).changed);
        assert!(!env.crank("aud2", &plain).changed, "a retry after the vote opened is a repeat");
    }

    #[test]
    fn objections_are_recorded_and_do_not_count() {
        let (mut env, id) = in_validation();
        for auditor in ["aud0", "aud1", "aud2"] {
            let statement = env.statement(id, Finding::Objects);
            env.send(auditor, &ExecuteMsg::Attest { statement, signature: None }).unwrap();
        }
        assert_eq!(env.phase(id), Phase::Validation);
        env.pass(LONG);
        assert_eq!(env.phase(id), Phase::Rejected);
        assert_err(env.attest("aud0", id), "the first one stands");
    }

    #[test]
    fn nothing_is_attested_during_deliberation_or_after_the_deadline() {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let id = env.propose(&v2());
        assert_err(
            env.attest("aud0", id),
            "attest needs a proposal in validation; this one is in Deliberation",
        );
        env.pass(SHORT);
        env.pass(LONG);
        assert_err(env.attest("aud0", id), "this one is in Rejected");
    }
}

mod voting {
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
                    rationale: Some(document("why not")),
                }
            )
            .changed
        );
        let tally = concord_coordinator::load::tally(&*env.store(), id).unwrap();
        assert_eq!((tally.yes, tally.no), (Uint128::zero(), Uint128::new(25)));
    }

    #[test]
    fn an_early_pass_counts_from_when_it_was_certain_and_never_before_the_minimum() {
        let (mut env, id) = open(Setup::default());
        let opened = env.proposal(id).vote.unwrap().from;
        env.vote("ann", id, Ballot::Yes).unwrap();
        assert_eq!(env.proposal(id).decided, None);
        env.vote("bob", id, Ballot::Yes).unwrap();
        assert_eq!(env.proposal(id).decided, Some(opened), "75 of 100 cannot be outvoted");
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
        assert!(env.proposal(id).decided.is_some(), "40 vetoes of 100 cross 33.4% whatever comes");
        env.pass(SHORT);
        assert_eq!(env.phase(id), Phase::Vetoed);
    }
}

mod executing {
    use super::*;

    #[test]
    fn nobody_runs_actions_but_the_contract() {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let id = env.propose(&join("dan"));
        env.to_ready(id);
        for who in ["ann", "gus", "op0", "eve"] {
            assert_err(env.send(who, &ExecuteMsg::RunActions { proposal: id }), "the contract itself");
        }
    }

    /// PHASE-2.
    #[test]
    fn nothing_executes_before_it_is_ready_and_a_second_time_changes_nothing() {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let id = env.propose(&join("dan"));
        let execute = ExecuteMsg::Execute { proposal: id };
        assert_err(
            env.send("eve", &execute),
            "this one is in Deliberation, waiting on the deliberation: 10 s",
        );
        env.to_voting(id);
        assert_err(env.send("eve", &execute), "this one is in Voting");
        env.vote("ann", id, Ballot::Yes).unwrap();
        env.vote("bob", id, Ballot::Yes).unwrap();
        env.pass(SHORT);
        assert_err(
            env.send("eve", &execute),
            "this one is in Timelocked, waiting on the timelock: 10 s and 2",
        );
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
        // Both remove the same member: the second to be executed fails, whatever stands before it in the list.
        let remove = Action::ChangeMembers { set: vec![], remove: vec![addr("cyd").to_string()] };
        let add = join("dan").actions.remove(0);
        let doomed = env.propose(&draft("add, then remove", vec![add, remove.clone()]));
        let first = env.propose(&draft("remove", vec![remove]));
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
            let dan =
                concord_coordinator::state::MEMBERS.may_load(&*env.store(), addr("dan").as_str()).unwrap();
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
}

mod deposits {
    use super::*;

    fn with_deposit() -> MockEnv {
        let mut setup = Setup::default();
        setup.rules.constitutional.deposit = Some(coin(100, DENOM));
        setup.rules.routine.deposit = Some(coin(7, "uother"));
        let mut env = setup.build();
        env.advance(5, 1);
        env
    }

    fn balance(env: &MockEnv, name: &str, denom: &str) -> Uint256 {
        env.app.wrap().query_balance(addr(name), denom).unwrap().amount
    }

    #[test]
    fn a_deposit_comes_back_by_two_messages_and_only_once() {
        let mut env = with_deposit();
        let id = env.propose(&join("dan"));
        let other = env.propose(&draft("lift", vec![Action::LiftBrake { scope: Scope::All }]));
        let settle = |proposal| ExecuteMsg::SettleDeposit { proposal };
        assert_err(env.send("ann", &settle(id)), "settle_deposit needs a proposal in a terminal phase");
        assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
        env.send("ann", &ExecuteMsg::Withdraw { proposal: id }).unwrap();
        env.send("ann", &ExecuteMsg::Withdraw { proposal: other }).unwrap();
        // Anyone may settle; only the proposer gets it.
        assert!(env.crank("eve", &settle(id)).changed);
        assert!(!env.crank("eve", &settle(id)).changed);
        assert!(env.crank("eve", &settle(other)).changed);
        assert!(!env.crank("eve", &ExecuteMsg::Claim {}).changed);
        assert_eq!(balance(&env, "ann", DENOM), Uint256::from(PURSE - 100));
        assert!(env.crank("ann", &ExecuteMsg::Claim {}).changed);
        assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
        for denom in [DENOM, "uother"] {
            assert_eq!(balance(&env, "ann", denom), Uint256::from(PURSE));
            let owed = concord_coordinator::state::LIABILITIES.load(&*env.store(), denom).unwrap();
            assert_eq!(owed, Uint256::zero());
        }
    }

    #[test]
    fn a_vetoed_one_goes_to_the_treasury_and_stays_owed() {
        let mut env = with_deposit();
        let id = env.propose(&join("dan"));
        env.to_voting(id);
        env.vote("ann", id, Ballot::Veto).unwrap();
        env.pass(SHORT);
        assert_eq!(env.phase(id), Phase::Vetoed);
        let done = env.crank("eve", &ExecuteMsg::SettleDeposit { proposal: id });
        assert_eq!((done.changed, done.what.as_str()), (true, "treasury"));
        assert_eq!(env.phase(id), Phase::Vetoed);
        assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
        let store = env.store();
        let hundred = Uint256::from(100u128);
        assert_eq!(concord_coordinator::state::TREASURY.load(&*store, DENOM).unwrap(), hundred);
        assert_eq!(concord_coordinator::state::LIABILITIES.load(&*store, DENOM).unwrap(), hundred);
    }

    #[test]
    fn executed_rejected_and_expired_ones_are_refunded() {
        let mut env = with_deposit();
        let executed = env.decide(&join("dan"));
        let rejected = env.propose(&join("eve"));
        env.to_voting(rejected);
        env.vote("ann", rejected, Ballot::No).unwrap();
        env.vote("bob", rejected, Ballot::No).unwrap();
        env.pass(LONG);
        assert_eq!(env.phase(rejected), Phase::Rejected);
        for id in [executed, rejected] {
            let done = env.crank("eve", &ExecuteMsg::SettleDeposit { proposal: id });
            assert_eq!(done.what, "refund");
        }
    }
}

/// The table of rights, row by row: whoever is not named may not.
#[test]
fn rights_belong_to_roles_and_to_no_one_else() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.decide(&v2());
    let rollout = RolloutId(1);
    let everyone = ["ann", "aud0", "gus", "op0", "eve"];
    let brake = |scope| ExecuteMsg::Brake { scope };
    for (message, allowed, text) in [
        (brake(Scope::All), Some("gus"), "a guardian"),
        (ExecuteMsg::Release { scope: Scope::All }, Some("gus"), "a guardian"),
        (
            ExecuteMsg::Lease { rollout, purpose: concord_schema::rollout::Purpose::Activate },
            None,
            "a registered node's hot key",
        ),
        (ExecuteMsg::ReturnLease { rollout, attempt: 1 }, None, "a registered node's hot key"),
        (
            ExecuteMsg::Report {
                rollout,
                report: concord_schema::report::Report::Ready { release: Digest::of(b"x") },
            },
            None,
            "a registered node's hot key",
        ),
        (
            ExecuteMsg::Register {
                component: "feeder".into(),
                node_id: "n".into(),
                power: concord_schema::Power(1),
                hot_key: addr("hot").to_string(),
            },
            Some("op0"),
            "an operator of feeder",
        ),
    ] {
        for who in everyone.iter().filter(|who| Some(**who) != allowed) {
            assert_err(env.send(who, &message), text);
        }
    }
}
