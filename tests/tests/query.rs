//! Answers: every query in every state that a story passes through (QUERY-1), pages, `can_i`, and cw3's shapes.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use concord_schema::Digest;
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Draft};
use concord_schema::query::{
    BallotsAnswer, CanIAnswer, ConfigAnswer, ExplainAnswer, MembersAnswer, NodesAnswer, PAGE_MAX,
    ProposalAnswer, ProposalsAnswer, QueryMsg, RulesAnswer, Subject, ThresholdAnswer, VoteAnswer,
    VoteListAnswer,
};
use concord_schema::report::Report;
use concord_schema::rollout::Purpose;
use concord_schema::tally::Ballot;
use concord_schema::units::{NodeNo, Power, ProposalId, RolloutId};
use concord_schema::waiting::WaitingOn;
use concord_tests::env::{MockEnv, assert_err};
use concord_tests::fleet::{Fleet, ROLLOUT, three_waves};
use concord_tests::setup::{COMPONENT, LONG, SHORT, Setup, addr, draft, release, upgrade};
use cosmwasm_std::Uint128;
use serde::de::IgnoredAny;

/// Every query that there is, about things that may or may not be there.
fn all(env: &MockEnv) -> Vec<QueryMsg> {
    let (proposal, rollout, node) = (ProposalId(1), ROLLOUT, NodeNo(1));
    let (addr, limit) = (addr("ann").to_string(), Some(u32::MAX));
    let digest: Digest = release("1.0.0", &[]).digest();
    let mut queries = vec![
        QueryMsg::Config {},
        QueryMsg::Rules { version: None },
        QueryMsg::Guardians {},
        QueryMsg::Component { name: COMPONENT.to_owned() },
        QueryMsg::Components { after: None, limit },
        QueryMsg::Release { digest },
        QueryMsg::Proposals { before: None, limit },
        QueryMsg::Member { addr: addr.clone() },
        QueryMsg::Members { after: None, limit },
        QueryMsg::Ballot { proposal, voter: addr.clone() },
        QueryMsg::Ballots { proposal, after: None, limit },
        QueryMsg::MyBallots { voter: addr.clone(), after: None, limit },
        QueryMsg::Operator { addr: addr.clone(), component: COMPONENT.to_owned() },
        QueryMsg::NodeOf { hot_key: addr.clone() },
        QueryMsg::Nodes { after: None, limit },
        QueryMsg::Seat { rollout, node },
        QueryMsg::Seats { rollout, after: None, limit },
        QueryMsg::Down { group: COMPONENT.to_owned() },
        QueryMsg::Brake { scope: Scope::All },
        QueryMsg::Brake { scope: Scope::Component(COMPONENT.to_owned()) },
        QueryMsg::LogHead {},
        QueryMsg::Claimable { addr: addr.clone() },
        QueryMsg::Vote { proposal_id: 1, voter: addr.clone() },
        QueryMsg::ListVotes { proposal_id: 1, start_after: None, limit },
        QueryMsg::CanI { addr: addr.clone(), msg: Box::new(ExecuteMsg::Claim {}) },
        QueryMsg::CanI { addr: addr.clone(), msg: Box::new(ExecuteMsg::Execute { proposal }) },
        QueryMsg::CanI { addr, msg: Box::new(ExecuteMsg::Advance { rollout }) },
    ];
    let page: ProposalsAnswer = env.query(&QueryMsg::Proposals { before: None, limit }).unwrap();
    for line in page.proposals {
        queries.extend([
            QueryMsg::Proposal { proposal: line.id },
            QueryMsg::Attestations { proposal: line.id, after: None, limit },
            QueryMsg::Explain { subject: Subject::Proposal(line.id) },
            QueryMsg::Threshold { proposal_id: line.id.0 },
        ]);
        if line.proposal.rollout == Some(rollout) {
            queries.extend([
                QueryMsg::Rollout { rollout },
                QueryMsg::Explain { subject: Subject::Rollout(rollout) },
            ]);
            queries.extend(
                (1..=6)
                    .map(|no| Subject::Seat { rollout, node: NodeNo(no) })
                    .map(|subject| QueryMsg::Explain { subject }),
            );
        }
    }
    queries
}

fn every_query_answers(env: &MockEnv) {
    for query in all(env) {
        let answer = env.query::<IgnoredAny>(&query);
        assert!(answer.is_ok(), "{query:?}: {answer:?}");
    }
}

#[test]
fn every_query_answers_from_the_first_block_to_the_last() {
    let mut env = MockEnv::new();
    every_query_answers(&env);
    env.advance(1, 1);
    let id = env.propose(&upgrade(&release("2.0.0", &["1.0.0"])));
    every_query_answers(&env);
    env.pass(SHORT);
    every_query_answers(&env);
    env.to_voting(id);
    every_query_answers(&env);
    for _ in 0..12 {
        env.pass(LONG);
        every_query_answers(&env);
    }
    let mut fleet = Fleet::started(Setup::default(), three_waves());
    every_query_answers(&fleet.env);
    fleet.env.advance(1, 1);
    for index in 0..6 {
        fleet.say(index, fleet.ready_report()).unwrap();
    }
    every_query_answers(&fleet.env);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    fleet.env.brake("gus", Scope::All).unwrap();
    every_query_answers(&fleet.env);
    fleet.env.pass(SHORT);
    let _ = fleet.env.advance_rollout(ROLLOUT);
    fleet.env.advance(2, 2);
    let first = fleet.wave(0);
    for index in &first {
        fleet.activate(*index);
        every_query_answers(&fleet.env);
    }
    for index in &first {
        fleet.fail(*index).unwrap();
        every_query_answers(&fleet.env);
    }
    fleet.env.pass(LONG);
    every_query_answers(&fleet.env);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    every_query_answers(&fleet.env);
}

#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let env = MockEnv::new();
    for query in [
        QueryMsg::Proposal { proposal: ProposalId(1) },
        QueryMsg::Rollout { rollout: ROLLOUT },
        QueryMsg::Node { node: NodeNo(1) },
        QueryMsg::Component { name: "daemon".into() },
        QueryMsg::Release { digest: Digest::of(b"none") },
        QueryMsg::Brake { scope: Scope::Component("daemon".into()) },
        QueryMsg::Rules { version: Some(9) },
        QueryMsg::Explain { subject: Subject::Rollout(RolloutId(1)) },
        QueryMsg::Threshold { proposal_id: 1 },
    ] {
        assert_err(env.query::<IgnoredAny>(&query), "there is no");
    }
}

#[test]
fn settings_are_those_of_the_instantiation() {
    let env = MockEnv::new();
    let config: ConfigAnswer = env.query(&QueryMsg::Config {}).unwrap();
    assert!(config.short_floors);
    assert_eq!(config.floors, env.setup.floors);
    assert_eq!(config.contract, env.contract.to_string());
    let rules: RulesAnswer = env.query(&QueryMsg::Rules { version: None }).unwrap();
    assert_eq!((rules.digest, &rules.rules), (env.setup.rules.digest(), &env.setup.rules));
}

#[test]
fn a_page_holds_at_most_thirty_and_says_where_to_go_on() {
    let mut setup = Setup::default();
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    setup.members = (0..40).map(|index| (leak(format!("member-{index}")), 1)).collect();
    let mut env = setup.build();
    for index in 0..64 {
        env.register("op0", &format!("n{index}"), 0).unwrap();
    }
    let members =
        |after| -> MembersAnswer { env.query(&QueryMsg::Members { after, limit: Some(1_000) }).unwrap() };
    let first = members(None);
    assert_eq!(first.members.len(), PAGE_MAX as usize);
    let rest = members(first.scanned_to);
    assert_eq!((rest.members.len(), rest.scanned_to), (10, None));
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page: NodesAnswer = env.query(&QueryMsg::Nodes { after, limit: None }).unwrap();
        assert!(page.nodes.len() <= 10);
        seen.extend(page.nodes.iter().map(|node| node.no.0));
        after = page.scanned_to;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=64).collect::<Vec<_>>());
}

fn can(env: &MockEnv, who: &str, msg: ExecuteMsg) -> CanIAnswer {
    let head = env.head();
    let addr = addr(who).to_string();
    let answer = env.query(&QueryMsg::CanI { addr, msg: Box::new(msg) }).unwrap();
    assert_eq!(env.head(), head, "asking changes nothing");
    answer
}

#[test]
fn can_i_answers_as_the_message_itself_would() {
    let mut fleet = Fleet::open(Setup::default(), three_waves());
    let first = fleet.wave(0)[..].first().copied().unwrap();
    let lease = || ExecuteMsg::Lease { rollout: ROLLOUT, purpose: Purpose::Activate };
    let hot = format!("hot-n{first}");
    let yes = can(&fleet.env, &hot, lease());
    assert_eq!((yes.allowed, yes.why), (true, None));
    let no = can(&fleet.env, "eve", lease());
    assert!(!no.allowed && no.why.unwrap().contains("a registered node's hot key"));
    let healthy = Report::Failed { attempt: 1, reason: "x".into() };
    let no = can(&fleet.env, &hot, ExecuteMsg::Report { rollout: ROLLOUT, report: healthy });
    assert!(!no.allowed && no.why.unwrap().contains("the node's current try is 0"));
    let idle = can(&fleet.env, "eve", ExecuteMsg::Advance { rollout: ROLLOUT });
    assert!(idle.allowed && idle.why.unwrap().contains("to be healthy"), "it would be taken, and do nothing");
    let no = can(&fleet.env, "eve", ExecuteMsg::Brake { scope: Scope::All });
    assert!(!no.allowed && no.why.unwrap().contains("a guardian"));
    let yes = can(&fleet.env, "gus", ExecuteMsg::Brake { scope: Scope::All });
    assert!(yes.allowed && yes.why.is_none());
    fleet.activate(first);
    let answer: CanIAnswer = fleet
        .env
        .query(&QueryMsg::CanI { addr: "nobody".into(), msg: Box::new(ExecuteMsg::Claim {}) })
        .unwrap();
    assert!(!answer.allowed && answer.why.unwrap().contains("no account"));
    let register = ExecuteMsg::Register {
        component: COMPONENT.to_owned(),
        node_id: "more".to_owned(),
        power: Power(1),
        hot_key: addr("hot-more").to_string(),
    };
    let no = can(&fleet.env, "op0", register);
    assert!(!no.allowed && no.why.unwrap().contains("must be 0 to 0, found 1"));
}

#[test]
fn can_i_propose_counts_the_deposit_as_sent() {
    let mut setup = Setup::default();
    setup.rules.standard.deposit = Some(cosmwasm_std::coin(100, concord_tests::setup::DENOM));
    let mut env = setup.build();
    env.advance(1, 1);
    let propose = || ExecuteMsg::Propose { draft: Box::new(upgrade(&release("2.0.0", &["1.0.0"]))) };
    assert!(can(&env, "ann", propose()).allowed);
    assert!(!can(&env, "eve", propose()).allowed);
}

/// What explains a proposal and what executes it give the same reason: they ask the same question.
#[test]
fn what_holds_an_execution_up_is_explained_as_it_answers() {
    let mut fleet = Fleet::open(Setup::default(), three_waves());
    let back = draft("back", vec![Action::RollBackRollout { rollout: ROLLOUT }]);
    let resume = draft("resume", vec![Action::ResumeRollout { rollout: ROLLOUT }]);
    let next = upgrade(&release("3.0.0", &["1.0.0", "2.0.0"]));
    let mut waits = |draft: &Draft| {
        let id = fleet.env.propose(draft);
        fleet.env.to_ready(id);
        let why = fleet.explain(Subject::Proposal(id)).waiting_on;
        let done = fleet.env.execute(id);
        if !matches!(why, WaitingOn::Execute { .. }) {
            assert!(!done.changed, "{}", done.what);
            assert_eq!(done.what, format!("waiting on {why}"));
            assert_eq!(fleet.env.proposal(id).attempts, 0, "it is no attempt");
        }
        why
    };
    assert!(matches!(waits(&resume), WaitingOn::Action { action: 0, .. }), "it is not halted");
    assert!(matches!(waits(&next), WaitingOn::LiveRollout { rollout: ROLLOUT }));
    assert!(matches!(waits(&back), WaitingOn::Execute { .. }));
    assert!(matches!(waits(&resume), WaitingOn::Action { action: 0, .. }), "it goes back");
}

#[test]
fn a_proposal_is_explained_in_every_phase() {
    let mut env = MockEnv::new();
    env.advance(1, 1);
    let id = env.propose(&upgrade(&release("2.0.0", &["1.0.0"])));
    let why = |env: &MockEnv| -> ExplainAnswer {
        env.query(&QueryMsg::Explain { subject: Subject::Proposal(id) }).unwrap()
    };
    let first = why(&env);
    assert!(matches!(first.waiting_on, WaitingOn::Deliberation { .. }));
    assert_eq!(first.phase, "deliberation");
    assert!(first.sentence.starts_with("Proposal 1 is deliberation, and waits on the deliberation: "));
    env.pass(SHORT);
    assert!(matches!(why(&env).waiting_on, WaitingOn::Attestations { .. }));
    env.to_voting(id);
    assert!(matches!(why(&env).waiting_on, WaitingOn::Voting { .. }));
    for name in ["ann", "bob"] {
        env.vote(name, id, Ballot::Yes).unwrap();
    }
    env.pass(SHORT);
    assert!(matches!(why(&env).waiting_on, WaitingOn::Timelock { .. }));
    env.pass(SHORT);
    assert!(matches!(why(&env).waiting_on, WaitingOn::Execute { .. }));
    env.brake("gus", Scope::All).unwrap();
    assert!(matches!(why(&env).waiting_on, WaitingOn::Brake { .. }));
    env.pass(SHORT);
    assert!(env.execute(id).changed);
    let last = why(&env);
    assert_eq!(last.waiting_on, WaitingOn::Nothing);
    assert_eq!(last.sentence, "Proposal 1 is executed; nothing more is due.");
}

#[test]
fn ballots_answer_by_proposal_by_voter_and_in_cw3s_shapes() {
    let mut env = MockEnv::new();
    env.advance(1, 1);
    let first = env.propose(&upgrade(&release("2.0.0", &["1.0.0"])));
    let second = env.propose(&draft(
        "more members",
        vec![concord_schema::proposal::Action::ChangeMembers {
            set: vec![concord_tests::setup::member("dan", 7)],
            remove: vec![],
        }],
    ));
    let threshold: ThresholdAnswer = env.query(&QueryMsg::Threshold { proposal_id: 1 }).unwrap();
    let whole = Uint128::new(100);
    let bars = ThresholdAnswer::ThresholdQuorum {
        threshold: "0.5".into(),
        quorum: "0.4".into(),
        total_weight: whole,
    };
    assert_eq!(threshold, bars);
    env.to_voting(first);
    assert!(env.crank("eve", &ExecuteMsg::OpenVote { proposal: second }).changed);
    env.vote("ann", first, Ballot::Yes).unwrap();
    env.vote("bob", first, Ballot::Veto).unwrap();
    env.vote("ann", second, Ballot::Abstain).unwrap();
    let ann = addr("ann").to_string();
    let mine: BallotsAnswer =
        env.query(&QueryMsg::MyBallots { voter: ann.clone(), after: None, limit: Some(1) }).unwrap();
    assert_eq!((mine.ballots.len(), mine.scanned_to.as_deref()), (1, Some("1")));
    let mine: BallotsAnswer =
        env.query(&QueryMsg::MyBallots { voter: ann.clone(), after: Some(first), limit: None }).unwrap();
    assert_eq!(mine.ballots.iter().map(|ballot| ballot.ballot).collect::<Vec<_>>(), [Ballot::Abstain]);
    let vote: VoteAnswer = env.query(&QueryMsg::Vote { proposal_id: 1, voter: ann }).unwrap();
    let vote = vote.vote.unwrap();
    assert_eq!((vote.vote, vote.weight), (Ballot::Yes, Uint128::new(40)));
    let nobody = addr("eve").to_string();
    let vote: VoteAnswer = env.query(&QueryMsg::Vote { proposal_id: 1, voter: nobody }).unwrap();
    assert_eq!(vote.vote, None);
    let list: VoteListAnswer =
        env.query(&QueryMsg::ListVotes { proposal_id: 1, start_after: None, limit: None }).unwrap();
    assert_eq!(list.votes.len(), 2);
    let whole: ProposalAnswer = env.query(&QueryMsg::Proposal { proposal: first }).unwrap();
    assert_eq!((whole.tally.yes, whole.tally.veto), (Uint128::new(40), Uint128::new(35)));
    assert_eq!(whole.approvals.auditors, 2);
}
