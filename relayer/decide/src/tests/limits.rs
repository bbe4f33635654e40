//! Work whose answer never comes is given up, or said to be overdue: each at its limit, and not a moment before.

use super::world::*;
use crate::*;

const LIMIT_MS: u64 = 5_000;
const LIMITS: Limits = Limits {
    fetch_ms: LIMIT_MS,
    stage_ms: LIMIT_MS,
    drain_ms: LIMIT_MS,
    undrain_ms: LIMIT_MS,
    stop_ms: LIMIT_MS,
    snapshot_ms: LIMIT_MS,
    switch_ms: LIMIT_MS,
    spawn_ms: LIMIT_MS,
    look_ms: LIMIT_MS,
};

/// A node whose agent waits for the answer to this work; it was begun at the time that comes with it.
fn hanging(on: Work) -> (World, u64) {
    let mut world = World::new();
    world.settings.limits = LIMITS;
    world.hangs = Some(on);
    for _ in 0..100 {
        if let Some((since_ms, _)) = world.unanswered {
            return (world, since_ms);
        }
        world.tick();
    }
    panic!("{on:?} was never asked for");
}

fn at(world: &mut World, now_ms: u64) -> AgentWaiting {
    world.now_ms = now_ms;
    world.feed(Input::Tick);
    world.waiting.clone()
}

#[test]
fn work_that_may_be_given_up_has_failed_at_its_limit_and_is_tried_again() {
    for (on, again) in [
        (Work::Fetch, Work::Fetch),
        (Work::Stage, Work::Fetch),
        (Work::Drain, Work::Drain),
        (Work::Snapshot, Work::Snapshot),
        (Work::Undrain, Work::Undrain),
    ] {
        let (mut world, since_ms) = hanging(on);
        assert_eq!(at(&mut world, since_ms + LIMIT_MS - 1), AgentWaiting::Working { on });
        at(&mut world, since_ms + LIMIT_MS);
        // A look may come first, at whether what was to run next is still there.
        while let Some(input) = world.inbox.pop_front() {
            world.feed(input);
        }
        let given_up = world.waiting.clone();
        let is_failure = matches!(&given_up, AgentWaiting::Retry { on, why, .. } if *on == again && why == "no end within 5000 ms");
        assert!(is_failure, "{on:?}: {given_up:?}");
        world.hangs = None;
        world.until("committed");
        assert!(!world.drained, "{on:?}");
        assert_eq!(world.refused, Vec::<String>::new(), "{on:?}");
    }
}

/// An answer at the limit itself counts: it is heard before the work is given up.
#[test]
fn an_answer_in_time_is_an_answer() {
    for on in [Work::Fetch, Work::Stage, Work::Drain, Work::Snapshot, Work::Undrain] {
        let (mut world, since_ms) = hanging(on);
        let (_, answer) = world.unanswered.take().unwrap();
        world.now_ms = since_ms + LIMIT_MS;
        world.feed(answer);
        assert!(!matches!(world.waiting, AgentWaiting::Retry { .. }), "{on:?}: {:?}", world.waiting);
        world.hangs = None;
        world.until("committed");
    }
}

/// Which bytes run hangs on it, so nothing is begun before its end is known.
#[test]
fn work_that_must_be_waited_for_is_overdue_at_its_limit_and_nothing_else_is_begun() {
    for on in [Work::Stop, Work::Switch, Work::Spawn] {
        let (mut world, since_ms) = hanging(on);
        assert_eq!(at(&mut world, since_ms + LIMIT_MS - 1), AgentWaiting::Working { on });
        let overdue = AgentWaiting::Overdue { on, for_ms: LIMIT_MS, limit_ms: LIMIT_MS };
        assert_eq!(at(&mut world, since_ms + LIMIT_MS), overdue);
        assert!(world.waiting.to_string().contains("expected at most 5000 ms"), "{}", world.waiting);
        let (stage, performed) = (world.stage(), world.performed);
        world.ticks(50);
        assert_eq!((world.stage(), world.performed), (stage, performed), "{on:?}");
        assert!(matches!(world.waiting, AgentWaiting::Overdue { for_ms, .. } if for_ms >= 50_000));
        let (_, answer) = world.unanswered.take().unwrap();
        world.hangs = None;
        world.feed(answer);
        world.until("committed");
        assert_eq!(world.refused, Vec::<String>::new(), "{on:?}");
    }
}

#[test]
fn a_look_that_hangs_is_overdue_while_the_daemon_runs_on() {
    let mut world = World::new();
    world.settings.limits = LIMITS;
    world.hangs = Some(Work::Look);
    world.disk.daemon = DaemonView::Unknown;
    world.start();
    let (since_ms, _) = world.unanswered.clone().unwrap();
    assert_eq!(at(&mut world, since_ms + LIMIT_MS - 1), AgentWaiting::Working { on: Work::Look });
    assert!(matches!(at(&mut world, since_ms + LIMIT_MS), AgentWaiting::Overdue { on: Work::Look, .. }));
    world.disk.daemon = DaemonView::Running { digest: old_bytes() };
    world.hangs = None;
    world.feed(Input::Looked(world.disk.clone()));
    world.until("committed");
}

/// A node must not stay down, or out of service, because a driver forgot it.
#[test]
fn a_drain_or_a_snapshot_that_always_hangs_calls_the_switch_off() {
    for on in [Work::Drain, Work::Snapshot] {
        let (mut world, _) = hanging(on);
        for _ in 0..100 {
            if world.names().contains(&"restoring") {
                break;
            }
            world.tick();
        }
        world.hangs = None;
        world.ticks(10);
        assert!(world.names().contains(&"restoring"), "{on:?}: {:?}", world.names());
        assert!(world.sent.iter().any(|sent| sent == "return_lease"), "{on:?}: {:?}", world.sent);
        world.until("committed");
    }
}
