//! LOG-1: the events alone rebuild the state. The harness compares the whole store, byte by byte, after every message
//! of every scenario in this crate; here one life goes through every kind of event, and histories that lie are told.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::BTreeSet;

use concord_coordinator::state;
use concord_schema::Bps;
use concord_schema::attestation::Finding;
use concord_schema::brake::Scope;
use concord_schema::event::Event;
use concord_schema::log::{Entry, Head};
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Draft, Member, Phase};
use concord_schema::release::{Release, Standing};
use concord_schema::replay::{Replay, ReplayError};
use concord_schema::report::Report;
use concord_schema::rollout::{Outcome, Purpose, RolloutPhase};
use concord_schema::tally::Ballot;
use concord_schema::units::{Height, ProposalId, RolloutId};
use concord_tests::env::{MockEnv, assert_err};
use concord_tests::fleet::three_waves;
use concord_tests::rebuilt;
use concord_tests::setup::{COMPONENT, DENOM, LONG, SHORT, Setup, addr, document, draft, member, release};
use cosmwasm_std::{Uint128, coin};

fn join(name: &str) -> Draft {
    draft("one more member", vec![Action::ChangeMembers { set: vec![member(name, 5)], remove: vec![] }])
}

fn leave(name: &str) -> Draft {
    let remove = vec![addr(name).to_string()];
    draft("one less", vec![Action::ChangeMembers { set: vec![], remove }])
}

/// A plan whose first wave holds five nodes of six, two of which may be down.
fn start(release: &Release) -> Draft {
    let mut plan = three_waves();
    plan.waves.remove(1);
    for wave in &mut plan.waves {
        wave.deadline = LONG.plus(&LONG);
    }
    let first = plan.waves.first_mut().unwrap();
    (first.power_max_bps, first.lot_bps) = (None, Bps(9_999));
    plan.lease_bps = Bps(3_334);
    plan.ready_bps = Bps(8_000);
    draft(
        "an upgrade",
        vec![Action::StartRollout { release: Box::new(release.clone()), plan: Box::new(plan) }],
    )
}

fn deployed() -> MockEnv {
    let mut setup = Setup::default();
    setup.rules.constitutional.deposit = Some(coin(100, DENOM));
    let mut env = setup.build();
    env.advance(5, 1);
    env
}

fn registered(env: &mut MockEnv) {
    for index in 0..6 {
        env.register(&format!("op{index}"), &format!("n{index}"), 9).unwrap();
    }
    for (index, power) in [(4, 10), (5, 10), (3, 1), (3, 10)] {
        env.register(&format!("op{index}"), &format!("n{index}"), power).unwrap();
    }
    let message = ExecuteMsg::Register {
        component: COMPONENT.to_owned(),
        node_id: "n0".to_owned(),
        power: concord_schema::Power(10),
        hot_key: addr("hot-n0-new").to_string(),
    };
    env.send("op0", &message).unwrap();
    let back = ExecuteMsg::Register {
        component: COMPONENT.to_owned(),
        node_id: "n0".to_owned(),
        power: concord_schema::Power(10),
        hot_key: addr("hot-n0").to_string(),
    };
    assert_err(env.send("op0", &back), "a hot key serves one node, once");
}

/// Proposals that end in every way without a rollout, and their money.
fn governed(env: &mut MockEnv) {
    let withdrawn = env.propose(&join("dan"));
    env.send("eve", &ExecuteMsg::Comment { proposal: withdrawn, document: document("hm") }).unwrap();
    env.send("eve", &ExecuteMsg::Comment { proposal: withdrawn, document: document("oh") }).unwrap();
    env.send("ann", &ExecuteMsg::Withdraw { proposal: withdrawn }).unwrap();
    let vetoed = env.propose(&join("eve"));
    env.to_voting(vetoed);
    env.vote("ann", vetoed, Ballot::Veto).unwrap();
    env.pass(SHORT);
    assert_eq!(env.phase(vetoed), Phase::Vetoed);
    for proposal in [withdrawn, vetoed] {
        assert!(env.crank("eve", &ExecuteMsg::SettleDeposit { proposal }).changed);
    }
    assert!(env.crank("ann", &ExecuteMsg::Claim {}).changed);
    // Two changes in one block, and one whose weights sum to too much.
    let first = env.propose(&leave("cyd"));
    let second = env.propose(&join("dan"));
    let set = vec![Member { addr: addr("fay").to_string(), weight: Uint128::MAX }];
    let doomed = env.propose(&draft("too much", vec![Action::ChangeMembers { set, remove: vec![] }]));
    env.pass(SHORT);
    for proposal in [first, second, doomed] {
        env.send("eve", &ExecuteMsg::OpenVote { proposal }).unwrap();
        env.vote("ann", proposal, Ballot::Yes).unwrap();
        env.vote("bob", proposal, Ballot::Yes).unwrap();
    }
    env.pass(SHORT);
    env.pass(SHORT);
    assert!(env.execute(first).changed && env.execute(second).changed);
    assert!(env.execute(doomed).what.contains("attempt 1 of 3"));
    assert_eq!(state::MEMBERS_TOTAL.load(&*env.store()).unwrap().u128(), 80);
}

/// Brings a release to its rollout, with a revision and an objection on the way.
fn upgraded(env: &mut MockEnv, old: &Release, new: &Release) -> ProposalId {
    let id = env.propose(&start(old));
    env.pass(SHORT);
    env.attest("aud0", id).unwrap();
    env.send("ann", &ExecuteMsg::Revise { proposal: id, draft: Box::new(start(new)) }).unwrap();
    env.pass(SHORT);
    let objection = env.statement(id, Finding::Objects);
    env.send("aud2", &ExecuteMsg::Attest { statement: objection, signature: None }).unwrap();
    env.to_ready(id);
    assert!(env.execute(id).changed);
    id
}

fn hot(index: usize) -> String {
    if index == 0 { "hot-n0-new".to_owned() } else { format!("hot-n{index}") }
}

fn say(env: &mut MockEnv, rollout: RolloutId, index: usize, report: Report) {
    env.send(&hot(index), &ExecuteMsg::Report { rollout, report }).unwrap();
}

fn lease(env: &mut MockEnv, rollout: RolloutId, index: usize) -> String {
    env.crank(&hot(index), &ExecuteMsg::Lease { rollout, purpose: Purpose::Activate }).what
}

fn ready(env: &mut MockEnv, rollout: RolloutId, release: &Release) {
    env.advance(1, 1);
    for index in 0..6 {
        say(env, rollout, index, Report::Ready { release: release.digest() });
    }
}

/// From the draw to the first leases, with the brake in between.
fn prepared(env: &mut MockEnv, rollout: RolloutId, new: &Release) {
    env.advance(1, 1);
    env.send("eve", &ExecuteMsg::Draw { rollout }).unwrap();
    say(env, rollout, 0, Report::Deferred { until: concord_schema::Seconds(2_000_000) });
    for reason in ["disk ", "\tdisk full"] {
        say(env, rollout, 5, Report::Refused { reason: reason.to_owned() });
    }
    for index in (1..6).chain([0]) {
        say(env, rollout, index, Report::Ready { release: new.digest() });
    }
    assert!(env.advance_rollout(rollout).changed);
    for guardian in ["gus", "gil"] {
        env.brake(guardian, Scope::All).unwrap();
    }
    env.brake("gay", Scope::Component(COMPONENT.to_owned())).unwrap();
    env.advance(3, 3);
    for scope in [Scope::All, Scope::Component(COMPONENT.to_owned())] {
        for guardian in ["gil", "gay"] {
            env.send(guardian, &ExecuteMsg::Release { scope: scope.clone() }).unwrap();
        }
    }
    env.advance(1, 1);
    assert!(env.advance_rollout(rollout).what.contains("has a new height"));
    env.advance(2, 2);
}

/// Leases that are granted, returned, waited for and lost; two failures and a vote between them.
fn rolled_back(env: &mut MockEnv, rollout: RolloutId, old: &Release) {
    assert_eq!(lease(env, rollout, 0), "leased for try 1");
    env.send(&hot(0), &ExecuteMsg::ReturnLease { rollout, attempt: 1 }).unwrap();
    assert_eq!(lease(env, rollout, 0), "leased for try 2");
    assert!(lease(env, rollout, 1).starts_with("leased"));
    assert!(lease(env, rollout, 2).starts_with("waiting on room"));
    let height = Height(20_000_000);
    say(env, rollout, 0, Report::Activated { attempt: 2, height });
    say(env, rollout, 0, Report::Healthy { attempt: 2, height, downtime_ms: 412 });
    env.pass(LONG);
    let node = env.replay.as_ref().unwrap().hot_keys.get(addr(&hot(1)).as_str()).unwrap().no;
    env.send("eve", &ExecuteMsg::ExpireLease { rollout, node }).unwrap();
    env.pass(LONG);
    assert!(env.advance_rollout(rollout).what.contains("waited moved on"));
    say(env, rollout, 1, Report::Failed { attempt: 1, reason: "  probes failed\n".to_owned() });
    assert!(env.advance_rollout(rollout).what.contains("halted"));
    env.decide(&draft("go on", vec![Action::ResumeRollout { rollout }]));
    say(env, rollout, 0, Report::Failed { attempt: 2, reason: "crashed".to_owned() });
    assert_eq!(env.rollout_phase(rollout), RolloutPhase::RollingBack);
    for (index, attempt) in [(0, 2), (1, 1)] {
        say(env, rollout, index, Report::RolledBack { attempt, release: old.digest() });
    }
    assert!(env.advance_rollout(rollout).changed);
    assert_eq!(env.rollout_phase(rollout), RolloutPhase::Ended(Outcome::RolledBack));
}

/// One that stalls, one that a vote ends before anything happened, and one that a vote halts.
fn stalled_and_cancelled(env: &mut MockEnv) {
    for (number, version) in [(2, "3.0.0"), (3, "4.0.0"), (4, "5.0.0")] {
        let (rollout, new) = (RolloutId(number), release(version, &["1.0.0"]));
        env.decide(&start(&new));
        let cancel = draft("stop", vec![Action::CancelRollout { rollout }]);
        if number == 3 {
            env.decide(&cancel);
            continue;
        }
        ready(env, rollout, &new);
        assert!(env.advance_rollout(rollout).changed);
        env.advance(2, 2);
        if number == 4 {
            assert!(lease(env, rollout, 3).starts_with("leased"));
            env.brake("gus", Scope::All).unwrap();
            env.decide(&draft("lift", vec![Action::LiftBrake { scope: Scope::All }]));
            env.decide(&cancel);
            assert_eq!(env.rollout_phase(rollout), RolloutPhase::Halted);
            continue;
        }
        env.pass(LONG);
        env.pass(LONG);
        assert!(env.advance_rollout(rollout).what.contains("Stalled"));
        env.pass(LONG);
        assert!(env.advance_rollout(rollout).what.contains("after a stall"));
        assert!(env.advance_rollout(rollout).changed);
        assert_eq!(env.standing(&new), Standing::Allowed);
    }
}

/// A history with every kind of event.
fn life() -> MockEnv {
    let mut env = deployed();
    registered(&mut env);
    governed(&mut env);
    let (old, draft, new) =
        (release("1.0.0", &[]), release("2.0.0", &["1.0.0"]), release("2.0.1", &["1.0.0"]));
    upgraded(&mut env, &draft, &new);
    let rollout = RolloutId(1);
    prepared(&mut env, rollout, &new);
    rolled_back(&mut env, rollout, &old);
    assert_eq!(env.standing(&new), Standing::RolledBack);
    stalled_and_cancelled(&mut env);
    env
}

fn entries(env: &MockEnv) -> Vec<Entry> {
    env.deployed.iter().chain(&env.entries).cloned().collect()
}

#[test]
fn every_kind_of_event_is_lived_through_and_the_events_alone_rebuild_every_stored_byte() {
    let env = life();
    let entries = entries(&env);
    let lived: BTreeSet<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    let known: BTreeSet<&str> = Event::KINDS.iter().copied().collect();
    assert_eq!(known.difference(&lived).collect::<Vec<_>>(), Vec::<&&str>::new());
    let replay = Replay::of(&entries).unwrap();
    assert_eq!(Some(&replay), env.replay.as_ref());
    assert_eq!(replay.log_head, env.head());
    let stored: rebuilt::Records = env.app.dump_wasm_raw(&env.contract).into_iter().collect();
    assert_eq!(rebuilt::difference(&stored, &rebuilt::records(&replay)), None);
    // Only the code's name and version are not in the log.
    let left_out = stored.keys().filter(|key| !rebuilt::records(&replay).contains_key(*key)).count();
    assert_eq!(left_out, 1);
}

/// Chains entries anew after a change, as a forger would.
fn forged(entries: &[Entry], change: impl Fn(&mut Entry)) -> Vec<Entry> {
    let mut head = Head::default();
    let mut forged = Vec::new();
    for entry in entries {
        let mut entry = entry.clone();
        change(&mut entry);
        let Entry { height, time, who, kind, fields, .. } = entry;
        let next = head.entry(height, time, &who, &kind, fields);
        head = Head::after(&next);
        forged.push(next);
    }
    forged
}

#[test]
fn entries_that_are_missing_swapped_or_changed_do_not_chain() {
    let entries = entries(&life());
    assert_eq!(Replay::of(&forged(&entries, |_| {})).unwrap(), Replay::of(&entries).unwrap());
    let order = |seq, head| Err(ReplayError::Order { seq, head });
    let mut missing = entries.clone();
    missing.remove(7);
    assert_eq!(Replay::of(&missing), order(9, 7));
    let mut swapped = entries.clone();
    swapped.swap(7, 8);
    assert_eq!(Replay::of(&swapped), order(9, 7));
    let mut changed = entries.clone();
    changed[7].who = "else".to_owned();
    assert!(matches!(
        Replay::of(&changed),
        Err(ReplayError::Order { seq: 9, .. } | ReplayError::NotFound { .. })
    ));
    let late = &entries[1..];
    assert_eq!(Replay::of(late), order(2, 0));
    assert_eq!(Replay::of(&[]), Err(ReplayError::Beginning { kind: String::new() }));
}

/// The digest of something else.
const FOREIGN: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A history that chains and breaks a rule is refused at the entry that does.
#[test]
fn a_history_that_chains_but_breaks_the_rules_is_refused() {
    let entries = entries(&life());
    let cases: [(&str, &str, &str, &str); 14] = [
        ("voted", "weight", "41", "the voter's weight"),
        ("vote_opened", "total", "99", "the snapshot's total"),
        ("proposed", "class", "routine", "the class"),
        ("proposed", "digest", FOREIGN, "the content's digest"),
        ("instantiated", "rules", "00", "the rules' digest"),
        ("members_changed", "total", "1000", "the sum of weights"),
        ("deposit_settled", "amount", "101ucon", "the deposit"),
        ("claimed", "amount", "101ucon", "the payment"),
        ("leased", "attempt", "2", "the lease"),
        ("wave_opened", "height", "1", "the step"),
        ("rollout_started", "registered", "61", "the registered power"),
        ("braked", "until_seconds", "1", "the brake's end"),
        ("reported", "attempt", "9", "the report"),
        ("execution_failed", "attempts", "2", "the number of attempts"),
    ];
    for (kind, key, value, what) in cases {
        let at = entries.iter().position(|entry| {
            entry.kind == kind
                && (kind != "reported" || entry.fields.iter().any(|field| field.1 == "healthy"))
        });
        let seq = entries[at.unwrap()].seq;
        let history = forged(&entries, |entry| {
            if entry.seq == seq {
                entry
                    .fields
                    .iter_mut()
                    .filter(|(name, _)| name == key)
                    .for_each(|field| field.1 = value.into());
            }
        });
        let error = Replay::of(&history).unwrap_err();
        let ReplayError::Disagrees { seq: found, what: about, .. } = &error else {
            unreachable!("{kind} {key}: {error}");
        };
        assert_eq!((*found, *about), (seq, what), "{error}");
    }
}

#[test]
fn what_a_reader_cannot_know_is_an_error_and_never_skipped() {
    let entries = entries(&life());
    let newer = forged(&entries, |entry| {
        if entry.kind == "drawn" {
            entry.kind = "of_a_newer_contract".to_owned();
        }
    });
    assert_err(Replay::of(&newer), "which this reader does not know; use a newer one");
    let short = forged(&entries, |entry| {
        if entry.kind == "drawn" {
            entry.fields.clear();
        }
    });
    assert_err(Replay::of(&short), "lacks attribute \"rollout\"");
    let nobody = forged(&entries, |entry| {
        if entry.kind == "braked" {
            entry.who = "nobody".to_owned();
        }
    });
    assert_err(Replay::of(&nobody), "there is no guardian nobody");
    let twice: Vec<Entry> = forged(&[entries[0].clone(), entries[0].clone()], |_| {});
    assert_err(Replay::of(&twice), "a second deployment");
}
