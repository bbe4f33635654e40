//! A proposal's life and a rollout's, in the chain's virtual machine and natively at once. Every message, every error
//! and every query is compared: answers, events, words and stored bytes. Run with `--nocapture` for what each costs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use concord_schema::Bps;
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::Action;
use concord_schema::query::{ExplainAnswer, ProposalAnswer, QueryMsg, RolloutAnswer, SeatsAnswer, Subject};
use concord_schema::release::{Artifact, Release};
use concord_schema::report::Report;
use concord_schema::rollout::{Outcome, Purpose, RolloutPhase};
use concord_schema::tally::Ballot;
use concord_schema::units::ProposalId;
use concord_tests::env::{MockEnv, assert_err};
use concord_tests::fleet::{Fleet, ROLLOUT, operators, three_waves};
use concord_tests::setup::{COMPONENT, LONG, SHORT, Setup, document, draft, member, plan, release};
use concord_vm::machine::Machine;
use concord_vm::twin::{Compared, Twin};
use cosmwasm_std::testing::MockStorage;

/// The least that the two ways are compared in.
const MESSAGES_MIN: usize = 60;

fn machine() -> Rc<Machine> {
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/coordinator.wasm");
    let wasm = std::fs::read(wasm).unwrap_or_else(|error| panic!("{error}; scripts/build-wasm.sh makes it"));
    Rc::new(Machine::load(&wasm).unwrap())
}

fn twin(setup: Setup, machine: &Rc<Machine>) -> (MockEnv, Rc<RefCell<Compared>>) {
    let compared = Rc::new(RefCell::new(Compared::default()));
    (setup.build_of(MockStorage::new(), Box::new(Twin::new(machine, &compared))), compared)
}

/// The dearest of each message.
fn dearest(compared: &Compared) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for charge in &compared.taken {
        let most = all.entry(charge.message.clone()).or_default();
        *most = charge.gas.max(*most);
    }
    all
}

fn large() -> Release {
    let text = "x".repeat(450);
    let mut large = release("3.0.0", &["1.0.0"]);
    large.artifacts = (0..16)
        .map(|index| Artifact {
            platform: format!("platform-{index}"),
            uris: vec![format!("https://releases.example/{text}")],
            ..large.artifacts.first().unwrap().clone()
        })
        .collect();
    large
}

/// Deliberation, comments, a revision, attestations by all kinds of keys, votes, errors, an execution, the brake.
fn governed(machine: &Rc<Machine>) -> Compared {
    let (mut env, compared) = twin(Setup::default(), machine);
    env.advance(1_790_000_000, 12_345_678);
    assert_err(env.try_propose("eve", &draft("a stranger's", vec![])), "actions");
    let start = |release: &Release| {
        draft(
            "an upgrade",
            vec![Action::StartRollout { release: Box::new(release.clone()), plan: Box::new(plan()) }],
        )
    };
    let id = env.propose(&start(&release("2.0.0", &["1.0.0"])));
    env.send("cyd", &ExecuteMsg::Comment { proposal: id, document: document("comment") }).unwrap();
    env.send("ann", &ExecuteMsg::Revise { proposal: id, draft: Box::new(start(&large())) }).unwrap();
    assert_err(env.vote("ann", id, Ballot::Yes), "voting");
    env.to_voting(id);
    assert_err(env.vote("eve", id, Ballot::Yes), "weight");
    env.vote("cyd", id, Ballot::No).unwrap();
    assert_err(env.vote("cyd", id, Ballot::Yes), "cyd".get(..0).unwrap());
    let asked: ProposalAnswer = env.query(&QueryMsg::Proposal { proposal: id }).unwrap();
    assert_eq!(asked.tally.no.u128(), 25);
    env.vote("ann", id, Ballot::Yes).unwrap();
    env.vote("bob", id, Ballot::Yes).unwrap();
    env.pass(SHORT);
    env.pass(SHORT);
    let _: ExplainAnswer = env.query(&QueryMsg::Explain { subject: Subject::Proposal(id) }).unwrap();
    assert!(env.execute(id).changed);
    let change = Action::ChangeMembers { set: vec![member("dan", 5)], remove: vec![] };
    env.decide(&draft("a member more", vec![change]));
    let scope = Scope::Component(COMPONENT.to_owned());
    for guardian in ["gus", "gil"] {
        env.brake(guardian, scope.clone()).unwrap();
    }
    assert_err(env.brake("ann", scope.clone()), "guardian");
    for guardian in ["gus", "gil"] {
        env.send(guardian, &ExecuteMsg::Release { scope: scope.clone() }).unwrap();
    }
    let withdrawn = env.propose(&draft("taken back", vec![Action::LiftBrake { scope: Scope::All }]));
    env.send("ann", &ExecuteMsg::Withdraw { proposal: withdrawn }).unwrap();
    assert_err(env.query::<ProposalAnswer>(&QueryMsg::Proposal { proposal: ProposalId(99) }), "99");
    drop(env);
    Rc::into_inner(compared).unwrap().into_inner()
}

/// A rollout: ready, refused, waves, leases, healthy nodes, failures, and the way back.
fn rolled_out(machine: &Rc<Machine>) -> Compared {
    let mut loose = three_waves();
    for wave in &mut loose.waves {
        wave.healthy_bps = Bps(1);
    }
    loose.failure.wave_bps = Bps(0);
    loose.failure.rollout_bps = Bps(0);
    loose.ready_bps = Bps(8_000);
    let setup = Setup { operators: operators(12, 5), ..Setup::default() };
    let (env, compared) = twin(setup, machine);
    let mut fleet = Fleet::started_in(env, loose);
    assert!(fleet.lease(0, Purpose::Activate).is_err(), "nobody is ready");
    fleet.env.advance(1, 1);
    for index in 0..11 {
        assert!(fleet.say(index, fleet.ready_report()).unwrap().changed);
    }
    assert!(!fleet.say(0, fleet.ready_report()).unwrap().changed, "a repeat");
    assert!(fleet.say(11, Report::Refused { reason: "no disk".into() }).unwrap().changed);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    fleet.env.advance(2, 2);
    let first = fleet.wave(0);
    let (one, two) = pair(&first);
    fleet.lease(one, Purpose::Activate).unwrap();
    fleet.give_back(one).unwrap();
    fleet.switch(one);
    fleet.switch(two);
    let _: SeatsAnswer =
        fleet.env.query(&QueryMsg::Seats { rollout: ROLLOUT, after: None, limit: None }).unwrap();
    assert!(fleet.next_wave().changed);
    let (three, four) = pair(&fleet.wave(1));
    for failing in [three, four] {
        fleet.activate(failing);
    }
    for failing in [three, four] {
        fleet.fail(failing).unwrap();
    }
    let asked: RolloutAnswer = fleet.env.query(&QueryMsg::Rollout { rollout: ROLLOUT }).unwrap();
    assert_eq!(asked.phase, RolloutPhase::RollingBack);
    for healthy in [one, two] {
        let _ = fleet.lease(healthy, Purpose::RollBack).unwrap();
    }
    for index in [one, two, three, four] {
        fleet.back(index).unwrap();
    }
    fleet.env.pass(LONG);
    assert!(fleet.env.advance_rollout(ROLLOUT).changed);
    assert_eq!(fleet.env.rollout_phase(ROLLOUT), RolloutPhase::Ended(Outcome::RolledBack));
    drop(fleet);
    Rc::into_inner(compared).unwrap().into_inner()
}

/// Two nodes of two organisations.
fn pair(nodes: &[usize]) -> (usize, usize) {
    let one = *nodes.first().unwrap();
    (one, *nodes.iter().find(|node| **node % 5 != one % 5).unwrap())
}

/// What a message may cost beside its transaction, whose signature, bytes and fee are 58,000 at most for these: so a vote,
/// a report, a crank and the brake stay below 165,000 in whole, which `scripts/bench.sh gas` measures on the chain itself.
const GAS_MAX: [(&str, u64); 5] =
    [("vote", 107_000), ("report", 107_000), ("advance", 107_000), ("brake", 107_000), ("lease", 107_000)];

#[test]
fn the_machine_and_the_native_contract_are_one() {
    let machine = machine();
    let all = [governed(&machine), rolled_out(&machine)];
    let messages: usize = all.iter().map(|compared| compared.taken.len()).sum();
    for compared in &all {
        println!(
            "{} messages with {} events, {} refused, {} queries",
            compared.taken.len(),
            compared.events,
            compared.refused,
            compared.queries
        );
        for (message, gas) in dearest(compared) {
            println!("  {message:20} {gas:7} gas");
            let bar = GAS_MAX.iter().find(|(name, _)| message.split(' ').next() == Some(*name));
            if let Some((name, most)) = bar {
                assert!(gas <= *most, "{name} costs {gas}, at most {most}");
            }
        }
    }
    assert!(messages >= MESSAGES_MIN, "{messages}");
    assert!(all.iter().any(|compared| compared.refused > 0 && compared.queries > 0));
}
