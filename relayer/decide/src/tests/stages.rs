//! Ways through the stages: what is passed, what the chain hears, what the agent says that it waits on.

use std::collections::BTreeSet;

use super::world::*;
use crate::*;

const WAY: [&str; 13] = [
    "discovered",
    "fetching",
    "verified",
    "staged",
    "armed",
    "leased",
    "draining",
    "stopped",
    "snapshotted",
    "switched",
    "booting",
    "on_trial",
    "committed",
];

#[test]
fn the_plain_way_from_discovery_to_commit() {
    let mut world = World::new();
    world.until("committed");
    world.ticks(20);
    assert_eq!(world.names(), WAY);
    assert_eq!(world.refused, Vec::<String>::new());
    let reports: Vec<_> =
        world.sent.iter().filter(|sent| !["draw", "advance"].contains(&sent.as_str())).collect();
    assert_eq!(reports, ["ready", "lease", "activated", "healthy"]);
    assert_eq!(world.runs(), Some(new_bytes()));
    assert!(!world.drained);
    assert_eq!(world.journal.serves.version, "2.0.0");
    assert_eq!(world.journal.left_armed.map(|left| left.skew_blocks), Some(0));
    assert_eq!(world.waiting.to_string(), "a newer rollout; 2.0.0 serves");
    assert_eq!(world.component.current, world.rollout.release, "the agent's cranks completed it");
}

/// Everything that can happen to a node once it has passed a stage.
fn scenarios() -> Vec<(&'static str, World)> {
    let mut all = Vec::new();
    let mut run = |why: &'static str, make: &dyn Fn(&mut World)| {
        let mut world = World::new();
        make(&mut world);
        all.push((why, world));
    };
    run("plain", &|w| w.until("committed"));
    run("sick in its trial", &|w| {
        w.new_is_sick = true;
        w.until("rolled_back");
    });
    run("exits at once", &|w| {
        w.new_exits = true;
        w.until("rolled_back");
    });
    run("the fleet goes back", &|w| {
        w.until("committed");
        w.ticks(3);
        w.roll_back();
        w.until("rolled_back");
    });
    run("old release does not come up", &|w| {
        w.new_is_sick = true;
        w.old_is_sick = true;
        w.until("contained");
    });
    all
}

#[test]
fn a_failed_release_goes_back_by_itself_and_is_denied() {
    for (why, exits, last) in [
        ("sick", false, "2 probes failed"),
        ("exits", true, "the daemon exited with code 3, before it served"),
    ] {
        let mut world = World::new();
        world.new_is_sick = !exits;
        world.new_exits = exits;
        world.until("rolled_back");
        world.ticks(5);
        assert_eq!(world.runs(), Some(old_bytes()), "{why}");
        assert_eq!(world.refused, Vec::<String>::new(), "{why}");
        assert!(
            world.journal.why.as_deref().is_some_and(|kept| kept.starts_with(last)),
            "{:?}",
            world.journal.why
        );
        let seat = world.seat.as_ref().unwrap();
        assert_eq!(seat.state, concord_schema::rollout::SeatState::RolledBack, "{why}");
        assert!(!seat.down, "{why}");
        assert!(world.journal.denies(&world.rollout.release, &foreign_bytes()), "{why}");
        // The same bytes under another name are refused, until the owner retries.
        let mut again = release(new_bytes());
        again.flags = vec!["renamed".into()];
        world.next_rollout(again);
        world.until("refused");
        world.ticks(3);
        assert_eq!(world.seat.as_ref().unwrap().state, concord_schema::rollout::SeatState::Refused, "{why}");
        assert!(world.waiting.to_string().contains("its owner must retry it"), "{}", world.waiting);
        (world.new_is_sick, world.new_exits) = (false, false);
        world.feed(Input::Retry { request: concord_schema::Digest::of(b"again") });
        world.until("committed");
        assert_eq!(world.refused, Vec::<String>::new(), "{why}");
    }
}

/// NODE-5: the owner's word survives a crash of the agent that heard it, and one request never lifts a later denial.
#[test]
fn a_request_to_retry_is_durable_and_counts_once() {
    let mut world = World::new();
    world.new_is_sick = true;
    world.until("rolled_back");
    world.ticks(5);
    let mut again = release(new_bytes());
    again.flags = vec!["renamed".into()];
    world.next_rollout(again);
    world.until("refused");
    let resume = |memory: &Memory| {
        let (settings, disk) = (world.settings.clone(), world.disk.clone());
        Agent::resume(settings, memory.clone(), vec![], disk, None, world.now_ms).0
    };
    let request = concord_schema::Digest::of(b"again");
    // Nothing is known of the chain, so that only memory can carry the request.
    let mut agent = resume(&world.journal);
    assert!(agent.step(world.now_ms, Input::Retry { request }).must_journal());
    let kept = agent.memory().clone();
    assert!(kept.denied.is_empty());
    let mut after = resume(&kept);
    let step = after.step(world.now_ms, Input::Chain(Box::new(world.view())));
    assert!(step.moves.iter().any(|passed| passed.from == Stage::Refused), "{step:?}");
    let mut later = kept.clone();
    later.denied = world.journal.denied.clone();
    let mut agent = resume(&later);
    assert!(!agent.step(world.now_ms, Input::Retry { request }).changed);
    assert_eq!(agent.memory().denied, later.denied);
    let request = concord_schema::Digest::of(b"once more");
    agent.step(world.now_ms, Input::Retry { request });
    assert!(agent.memory().denied.is_empty());
}

#[test]
fn a_daemon_that_exits_is_tried_as_often_as_it_may() {
    let mut world = World::new();
    world.new_exits = true;
    world.until("rolled_back");
    let booted = world.memories.iter().map(|memory| (memory.stage.name(), memory.tries_left));
    let tries: BTreeSet<_> = booted.filter(|(stage, _)| *stage == "booting").map(|(_, left)| left).collect();
    assert_eq!(
        tries.into_iter().collect::<Vec<_>>(),
        [0, 1],
        "two tries, each counted down before its start"
    );
    // One that exits after it served is not tried again.
    let mut world = World::new();
    world.until("on_trial");
    let run = world.journal.run;
    world.disk.daemon = DaemonView::Dead;
    world.feed(Input::DaemonExited { run, code: None, signal: Some(11) });
    assert_eq!(world.stage(), "rolling_back");
    assert_eq!(world.journal.why.as_deref(), Some("the daemon was ended by signal 11, in its trial"));
}

#[test]
fn a_brake_at_each_stage() {
    const WAITS: &str = "the brake on everything";
    const TRIED: &str = "the brake on everything, before it commits: its trial has passed";
    for (stage, held_at, waits, passes) in [
        ("discovered", "armed", WAITS, "armed"),
        ("armed", "armed", WAITS, "armed"),
        ("leased", "armed", WAITS, "restoring"),
        ("draining", "armed", WAITS, "restoring"),
        ("stopped", "armed", WAITS, "restoring"),
        // The switch is under way by then, and what is under way is finished.
        ("snapshotted", "on_trial", TRIED, "booting"),
        ("switched", "on_trial", TRIED, "booting"),
        ("booting", "on_trial", TRIED, "booting"),
        ("on_trial", "on_trial", TRIED, "booting"),
    ] {
        let mut world = World::new();
        world.then = Some((stage, World::brake));
        world.ticks(60);
        assert_eq!((world.stage(), world.waiting.to_string().as_str()), (held_at, waits), "at {stage}");
        assert!(world.names().contains(&passes), "at {stage}: {:?}", world.names());
        let runs = if held_at == "armed" { old_bytes() } else { new_bytes() };
        assert_eq!(world.runs(), Some(runs), "at {stage}");
        assert!(!world.drained, "at {stage}");
        let down = world.seat.as_ref().is_some_and(|seat| seat.down);
        assert_eq!(down, held_at == "on_trial", "at {stage}");
        assert!(!world.sent.contains(&"healthy".to_owned()), "at {stage}");
        world.unbrake();
        world.until("committed");
        world.ticks(10);
        assert_eq!(world.refused, Vec::<String>::new(), "at {stage}");
        assert_eq!(world.runs(), Some(new_bytes()), "at {stage}");
    }
}

#[test]
fn a_brake_never_stops_the_way_back() {
    let mut world = World::new();
    world.new_is_sick = true;
    world.then = Some(("booting", World::brake));
    world.until("rolled_back");
    assert_eq!(world.refused, Vec::<String>::new());
}

#[test]
fn a_lost_lease_at_each_stage() {
    for (stage, passes_restoring) in [
        ("leased", true),
        ("draining", true),
        ("stopped", false),
        ("snapshotted", false),
        ("switched", false),
        ("booting", false),
    ] {
        let mut world = World::new();
        world.then = Some((stage, World::lose_lease));
        world.until("committed");
        world.ticks(3);
        assert_eq!(world.names().contains(&"restoring"), passes_restoring, "at {stage}: {:?}", world.names());
        assert_eq!(world.refused, Vec::<String>::new(), "at {stage}");
        let attempt = world.journal.generation.attempt;
        assert_eq!(attempt, if passes_restoring { 2 } else { 1 }, "at {stage}");
        assert!(!world.seat.as_ref().unwrap().down, "at {stage}");
    }
}

#[test]
fn a_fleet_that_goes_back_takes_its_nodes_along_at_each_stage() {
    for (stage, end) in [
        ("armed", "cancelled"),
        ("leased", "cancelled"),
        ("draining", "cancelled"),
        ("stopped", "cancelled"),
        ("snapshotted", "rolled_back"),
        ("switched", "rolled_back"),
        ("booting", "rolled_back"),
        ("on_trial", "rolled_back"),
        ("committed", "rolled_back"),
    ] {
        let mut world = World::new();
        world.then = Some((stage, |world| {
            if world.progress.open.is_some() {
                world.roll_back();
            } else {
                world.then = Some(("leased", World::roll_back));
            }
        }));
        world.until(end);
        world.ticks(3);
        assert_eq!(world.runs(), Some(old_bytes()), "at {stage}");
        assert!(!world.drained, "at {stage}");
        assert_eq!(world.refused, Vec::<String>::new(), "at {stage}: {:?}", world.names());
        assert!(!world.seat.as_ref().unwrap().down, "at {stage}");
        assert!(world.journal.denied.is_empty(), "it did not fail here: the chain alone denies it");
        let leased_back = world.sent.iter().filter(|sent| *sent == "lease").count();
        assert_eq!(leased_back, if stage == "committed" { 2 } else { 1 }, "at {stage}");
    }
}

#[test]
fn a_stale_source_stops_what_may_still_be_stopped() {
    for (stage, goes_on) in [
        ("fetching", false),
        ("armed", false),
        ("draining", false),
        ("stopped", true),
        ("snapshotted", true),
        ("switched", true),
    ] {
        let mut world = World::new();
        world.then = Some((stage, |world| world.stale = true));
        world.ticks(40);
        assert_eq!(world.names().contains(&"booting"), goes_on, "at {stage}: {:?}", world.names());
        assert!(!world.names().contains(&"committed"), "at {stage}");
        assert!(world.runs().is_some() && !world.drained, "at {stage}");
        assert!(world.waiting.to_string().contains("no facts for 9000 ms"), "{}", world.waiting);
        world.stale = false;
        world.until("committed");
    }
}

#[test]
fn forward_only_has_no_way_back() {
    let mut release = release(new_bytes());
    release.reversibility = concord_schema::release::Reversibility::ForwardOnly;
    let plan = World::new().rollout.plan;
    let mut world = World::with(release, plan);
    world.new_is_sick = true;
    world.until("contained");
    world.ticks(3);
    assert_eq!(world.journal.stage, Stage::Contained { running: true });
    assert_eq!(world.runs(), Some(new_bytes()));
    assert_eq!(world.refused, Vec::<String>::new());
    assert!(world.waiting.to_string().ends_with("there is no way back from it"), "{}", world.waiting);
}

#[test]
fn an_old_release_that_does_not_come_up_contains_the_node_and_starts_nothing_else() {
    let mut world = World::new();
    world.new_is_sick = true;
    world.old_is_sick = true;
    world.until("contained");
    world.ticks(60);
    assert_eq!(world.runs(), Some(old_bytes()), "sick, but what its journal says");
    assert_eq!(world.refused, Vec::<String>::new());
    let mut world = World::new();
    world.new_is_sick = true;
    world.then = Some(("rolling_back", |world| world.fails = vec![(Work::Spawn, 4)]));
    world.until("contained");
    assert_eq!(world.journal.stage, Stage::Contained { running: false });
    world.ticks(60);
    assert_eq!(
        world.journal.stage,
        Stage::Contained { running: true },
        "it keeps trying what `current` names"
    );
    assert_eq!(world.runs(), Some(old_bytes()));
}

#[test]
fn work_that_fails_is_tried_again_or_called_off() {
    for (work, times, passes, end) in [
        (Work::Fetch, 4, "fetching", "committed"),
        (Work::Fetch, 5, "fetching", "refused"),
        (Work::Stage, 4, "verified", "committed"),
        (Work::Stage, 5, "verified", "refused"),
        (Work::Drain, 2, "draining", "committed"),
        (Work::Drain, 3, "restoring", "committed"),
        (Work::Undrain, 3, "on_trial", "committed"),
        (Work::Stop, 9, "draining", "committed"),
        (Work::Snapshot, 2, "stopped", "committed"),
        (Work::Snapshot, 3, "restoring", "committed"),
        (Work::Switch, 2, "snapshotted", "committed"),
        (Work::Switch, 3, "restoring", "committed"),
        (Work::Spawn, 1, "booting", "committed"),
        (Work::Spawn, 2, "rolling_back", "rolled_back"),
    ] {
        let mut world = World::new();
        world.rollout.plan.waves[0].deadline = concord_schema::Span::new(9_000, 9_000);
        world.fails = vec![(work, times)];
        world.until(end);
        world.ticks(3);
        assert!(world.names().contains(&passes), "{work:?} x{times}: {:?}", world.names());
        assert_eq!(world.refused, Vec::<String>::new(), "{work:?} x{times}");
    }
}

#[test]
fn every_drawn_edge_is_walked_and_every_walked_edge_is_drawn() {
    let mut walked: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut add = |world: &World| {
        walked.extend(
            world.moves.iter().map(|each| (each.from.name(), each.to.name())).filter(|(from, to)| from != to),
        );
    };
    for (_, world) in scenarios() {
        add(&world);
    }
    super::crash::walk_all(&mut |world| add(world));
    super::follow::walk_all(&mut |world| add(world));
    let drawn: BTreeSet<_> = moves::edges().collect();
    let missing: Vec<_> = walked.difference(&drawn).collect();
    let idle: Vec<_> = drawn.difference(&walked).collect();
    assert!(missing.is_empty() && idle.is_empty(), "not drawn: {missing:?}; never walked: {idle:?}");
}
