//! What a node takes up, what it refuses, and what it ignores.

use concord_schema::release::{Artifact, Reversibility, Standing};
use concord_schema::rollout::{LeaseAnswer, Outcome, Purpose, SeatState};
use concord_schema::{Digest, Height, RolloutId};

use super::world::*;
use crate::*;

fn refusals() -> Vec<(&'static str, Change, &'static str)> {
    vec![
        (
            "another platform",
            |w| w.release.artifacts[0].platform = "aarch64-linux".into(),
            "has no artifact for x86_64-linux",
        ),
        ("not from this version", |w| w.release.upgrades_from = vec!["1.5.0".into()], "cannot replace 1.0.0"),
        ("the same bytes", |w| w.release.artifacts[0].digest = old_bytes(), "bytes that run here already"),
        ("too large", |w| w.settings.artifact_bytes_max = 8, "this node takes 8"),
        (
            "needs a restore",
            |w| w.release.reversibility = Reversibility::NeedsStateRestore,
            "which this agent does not keep",
        ),
        ("rolled back", |w| w.standing = Standing::RolledBack, "only a vote brings it back"),
        ("not allowed", |w| w.standing = Standing::Proposed, "not yet allowed"),
    ]
}

fn fresh(change: Change) -> World {
    let mut world = World::new();
    change(&mut world);
    world.rollout.release = world.release.digest();
    world
}

#[test]
fn what_may_not_run_here_is_refused_with_its_reason() {
    for (why, change, sentence) in refusals() {
        let mut world = fresh(change);
        world.ticks(6);
        assert_eq!(world.stage(), "refused", "{why}");
        assert_eq!(world.seat.as_ref().map(|seat| seat.state), Some(SeatState::Refused), "{why}");
        assert!(world.waiting.to_string().contains(sentence), "{why}: {}", world.waiting);
        assert_eq!(world.refused, Vec::<String>::new(), "{why}");
        assert!(!world.names().contains(&"fetching"), "{why}: not a byte is fetched");
        assert_eq!(world.runs(), Some(old_bytes()), "{why}");
    }
}

#[test]
fn one_byte_at_the_size_limit_decides() {
    for (bytes_max, stage) in [(9, "fetching"), (8, "refused")] {
        let mut world = fresh(|_| {});
        world.settings.artifact_bytes_max = bytes_max;
        world.tick();
        assert!(world.names().contains(&stage), "{bytes_max}: {:?}", world.names());
    }
}

#[test]
fn an_older_generation_never_moves_a_node() {
    let mut world = World::new();
    world.until("committed");
    let old = world.view();
    let mut second = release(Digest::of(b"third bytes"));
    second.upgrades_from = vec!["2.0.0".into()];
    second.version = "3.0.0".into();
    world.next_rollout(second);
    world.until("armed");
    let before = world.journal.clone();
    let mut older = old;
    older.now.height = Height(world.now.height.0 + 50);
    older.tip = older.now.height;
    older.rollout.as_mut().unwrap().progress.rolling_back = Some(concord_schema::Moment(1, 1));
    world.feed(Input::Chain(Box::new(older)));
    assert_eq!(world.journal, before);
    assert!(world.waiting.to_string().contains("already told of 2"), "{}", world.waiting);
    // An older height of the right chain is not even noted.
    let mut past = world.view();
    past.now.height = Height(1);
    past.rollout.as_mut().unwrap().standing = Standing::RolledBack;
    world.feed(Input::Chain(Box::new(past)));
    assert_eq!(world.journal, before);
}

#[test]
fn metadata_that_do_not_hash_to_their_name_are_not_believed() {
    let mut world = fresh(|_| {});
    world.release.version = "6.6.6".into();
    world.rollout.release = Digest::of(b"another");
    world.ticks(3);
    assert_eq!(world.stage(), "idle");
    assert!(world.waiting.to_string().contains("not to be trusted"), "{}", world.waiting);
    assert!(world.sent.is_empty());
}

#[test]
fn a_node_that_is_not_registered_does_nothing() {
    let mut world = fresh(|world| world.node = None);
    world.ticks(5);
    assert_eq!(world.stage(), "idle");
    assert_eq!(world.waiting.to_string(), "the registration of this node: its owner runs `concord register`");
    assert!(world.sent.is_empty());
}

fn leased_in_the_past() -> World {
    let mut world = World::new();
    for _ in 0..40 {
        if world.stage() == "leased" {
            break;
        }
        // The facts that show the lease are two blocks old.
        let asked = world.agent.as_ref().is_some_and(Agent::has_asked);
        world.lag = if asked { 2 } else { 0 };
        world.tick();
    }
    world
}

#[test]
fn a_lease_seen_in_the_past_is_acted_on_at_the_tip() {
    let mut world = leased_in_the_past();
    assert_eq!(world.stage(), "leased");
    assert!(world.waiting.to_string().starts_with("facts of the tip"), "{}", world.waiting);
    assert_eq!(world.journal.left_armed.map(|left| left.skew_blocks), Some(0));
    world.lag = 0;
    world.tick();
    assert!(world.names().contains(&"draining"));
}

#[test]
fn reports_that_got_lost_are_said_again_word_by_word() {
    let mut world = World::new();
    world.then = Some(("booting", |world| world.delivers = false));
    world.until("committed");
    world.tick();
    assert_eq!(world.seat.as_ref().unwrap().state, SeatState::Leased);
    world.delivers = true;
    world.ticks(20);
    assert_eq!(world.seat.as_ref().unwrap().state, SeatState::Healthy);
    assert_eq!(world.refused, Vec::<String>::new());
    let healthy = world.sent.iter().filter(|sent| *sent == "healthy").count();
    assert!(healthy <= 20, "it waits between two of them: {healthy}");
}

#[test]
fn a_lease_that_is_not_given_back_is_given_back_again() {
    let mut world = World::new();
    world.then = Some(("draining", |world| {
        world.brake();
        world.delivers = false;
    }));
    world.ticks(20);
    assert_eq!((world.stage(), world.names().contains(&"restoring")), ("armed", true));
    assert_eq!(world.seat.as_ref().unwrap().state, SeatState::Leased);
    assert_eq!(world.waiting.to_string(), "the chain to take its return_lease");
    world.delivers = true;
    world.unbrake();
    world.until("committed");
    assert_eq!(world.journal.generation.attempt, 2);
}

#[test]
fn a_node_that_slept_through_the_way_back_goes_back_before_anything_newer() {
    let mut world = World::new();
    world.until("committed");
    world.ticks(2);
    world.roll_back();
    let mut own = world.view().rollout.unwrap();
    own.progress.outcome = Some(Outcome::RolledBack);
    world.next_rollout(release(Digest::of(b"third bytes")));
    let mut view = world.view();
    view.own = Some(own);
    view.now.height.0 += 1;
    view.tip = view.now.height;
    world.feed(Input::Chain(Box::new(view.clone())));
    assert_eq!(world.stage(), "committed", "who is left keeps the bound on what is down");
    assert!(world.sent.contains(&"lease".to_owned()), "{:?}", world.sent);
    let (own, node) = (view.own.as_mut().unwrap(), view.node.clone().unwrap());
    let seat = own.seat.as_mut().unwrap();
    let granted = own.rollout.grant(
        &mut own.progress,
        seat,
        &node,
        Purpose::RollBack,
        view.down,
        false,
        &view.brakes,
        view.now,
    );
    assert!(matches!(granted, Ok(LeaseAnswer::Granted { .. })), "{granted:?}");
    view.now.height.0 += 1;
    view.tip = view.now.height;
    world.feed(Input::Chain(Box::new(view)));
    assert_eq!(world.stage(), "rolling_back");
}

#[test]
fn a_daemon_that_dies_while_the_node_serves_is_started_again_with_longer_pauses() {
    let mut world = World::new();
    world.node = None;
    world.tick();
    for _ in 0..30 {
        let run = world.journal.run;
        world.disk.daemon = DaemonView::Dead;
        world.feed(Input::DaemonExited { run, code: Some(1), signal: None });
        world.tick();
    }
    let starts = world.journal.run;
    assert!((4..8).contains(&starts), "{starts} starts in half a minute");
    world.ticks(61);
    assert_eq!(world.runs(), Some(old_bytes()));
}

/// Ways that only the chain opens, for what looks at each.
pub(super) fn walk_all(look: &mut dyn FnMut(&World)) {
    let mut world = leased_in_the_past();
    world.brake();
    world.tick();
    look(&world);
    for end in [
        |world: &mut World| world.progress.outcome = Some(Outcome::Cancelled),
        |world: &mut World| world.progress.outcome = Some(Outcome::Expired),
    ] {
        // The check fails, and before the next download the rollout ends.
        let mut world = World::new();
        world.fails = vec![(Work::Stage, 1)];
        world.tick();
        world.agent = None;
        world.journal = world.memories.iter().find(|memory| memory.stage == Stage::Verified).unwrap().clone();
        world.fails = vec![(Work::Stage, 1)];
        world.then = Some(("discovered", end));
        world.tick();
        look(&world);
    }
    for (_, change, _) in refusals() {
        let mut world = fresh(change);
        world.ticks(6);
        look(&world);
        // A newer rollout finds the node wherever it is.
        world.settings.artifact_bytes_max = 100;
        world.next_rollout(release(new_bytes()));
        world.ticks(90);
        look(&world);
    }
    for stage in [
        "fetching",
        "verified",
        "staged",
        "armed",
        "leased",
        "draining",
        "stopped",
        "snapshotted",
        "booting",
        "on_trial",
    ] {
        for then in CHAINS {
            for forward in [false, true] {
                let mut release = release(new_bytes());
                if forward {
                    release.reversibility = Reversibility::ForwardOnly;
                }
                let plan = World::new().rollout.plan;
                let mut world = World::with(release, plan);
                world.then = Some((stage, then));
                world.ticks(60);
                look(&world);
                world.next_rollout(super::world::release(Digest::of(b"third bytes")));
                world.disk.staged = false;
                for _ in 0..3 {
                    world.tick();
                    look(&world);
                }
            }
        }
    }
}

const CHAINS: [Change; 10] = [
    |world| {
        let mut next = super::world::release(foreign_bytes());
        next.artifacts[0].platform = "aarch64-linux".into();
        world.next_rollout(next);
    },
    World::brake,
    |world| world.progress.outcome = Some(Outcome::Cancelled),
    |world| world.progress.outcome = Some(Outcome::Expired),
    |world| world.progress.rolling_back = Some(concord_schema::Moment(1, 1)),
    |world| world.standing = Standing::RolledBack,
    |world| world.fails = vec![(Work::Fetch, 9), (Work::Stage, 9)],
    |world| {
        world.old_is_sick = true;
        world.brake();
    },
    |world| {
        world.disk.staged = false;
        world.crash(Toll::Agent);
    },
    |world| {
        world.new_is_sick = true;
        world.fails = vec![(Work::Spawn, 20)];
    },
];

#[test]
fn nothing_is_fetched_twice_for_one_platform() {
    let mut world = fresh(|world| {
        let mut other: Artifact = world.release.artifacts[0].clone();
        other.platform = "aarch64-linux".into();
        other.digest = foreign_bytes();
        world.release.artifacts.insert(0, other);
    });
    world.until("committed");
    assert_eq!(world.journal.target.as_ref().map(|target| target.artifact.digest), Some(new_bytes()));
    assert_eq!(world.agent.as_ref().unwrap().own_rollout(), Some(RolloutId(1)));
}
