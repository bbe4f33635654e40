//! Crashes at every effect, and every stage against every disk: the node ends well, with one known release (NODE-4).

use super::world::*;
use crate::*;

/// Ways to an end, with the release that must serve there.
fn ways() -> Vec<(&'static str, Change, &'static str)> {
    vec![
        ("plain", |_| {}, "committed"),
        ("sick", |world| world.new_is_sick = true, "rolled_back"),
        ("exits", |world| world.new_exits = true, "rolled_back"),
        ("braked", |world| world.then = Some(("stopped", World::brake)), "armed"),
        ("goes back", |world| world.then = Some(("committed", World::roll_back)), "rolled_back"),
    ]
}

fn crashed(make: Change, at: u32, blow: Blow, toll: Toll, chain: bool) -> World {
    let mut world = World::new();
    make(&mut world);
    world.blow = Some((at, blow, toll));
    world.chain_at_start = chain;
    // As long as it moves, and a while longer: a pause after failed work is not the end.
    let mut quiet = 0;
    while quiet < 12 {
        let moves = world.moves.len();
        world.tick();
        let trial = world.stage() == "on_trial" && !world.waiting.to_string().contains("the brake");
        quiet = if world.moves.len() > moves || trial || world.agent.is_none() { 0 } else { quiet + 1 };
    }
    world
}

/// How many effects a way has when nothing goes wrong.
fn effects(make: Change) -> u32 {
    crashed(make, u32::MAX, Blow::Before, Toll::Agent, true).performed
}

/// Some of them, for what looks at each.
pub(super) fn walk_all(look: &mut dyn FnMut(&World)) {
    for (_, make, _) in ways() {
        for at in 1..=effects(make) {
            look(&crashed(make, at, Blow::After, Toll::Daemon, true));
        }
    }
}

#[test]
fn a_crash_at_every_effect_ends_well() {
    for (why, make, end) in ways() {
        for at in 1..=effects(make) {
            for blow in [Blow::Before, Blow::After] {
                for toll in [Toll::Agent, Toll::Daemon, Toll::Host] {
                    for chain in [true, false] {
                        let world = crashed(make, at, blow, toll, chain);
                        let what = format!("{why}: {blow:?} effect {at}, {toll:?} dies, {:?}", world.names());
                        // A try that a crash took counts, so a daemon that is killed twice may fail; never otherwise.
                        let stage = world.stage();
                        assert!(
                            stage == end || (why == "braked" && stage == "on_trial"),
                            "{what}: {}",
                            world.waiting
                        );
                        let new = matches!(stage, "committed" | "on_trial");
                        let serves = if new { new_bytes() } else { old_bytes() };
                        assert_eq!(world.runs(), Some(serves), "{what}");
                        assert_eq!(world.disk.current, Link::To(serves), "{what}");
                        assert!(!world.drained, "{what}");
                        let bad: Vec<_> =
                            world.refused.iter().filter(|text| text.contains("equivocation")).collect();
                        assert!(bad.is_empty(), "{what}: {bad:?}");
                        if stage == "committed" || stage == "rolled_back" {
                            assert!(!world.seat.as_ref().unwrap().down, "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_death_that_nobody_saw_is_no_verdict_and_tries_run_out() {
    let mut world = World::new();
    world.until("on_trial");
    for (toll, stage) in [(Toll::Daemon, "on_trial"), (Toll::Daemon, "rolled_back")] {
        world.crash(toll);
        world.ticks(2);
        world.until(stage);
    }
    // A host that starts anew takes no try, until it has done so too often to be believed.
    let mut world = World::new();
    world.until("on_trial");
    for _ in 0..3 {
        world.crash(Toll::Host);
        world.tick();
        world.until("on_trial");
    }
    assert_eq!(world.journal.hosts_lost, 3);
    world.crash(Toll::Host);
    world.tick();
    world.until("on_trial");
    world.crash(Toll::Host);
    world.tick();
    world.until("rolled_back");
}

fn disks() -> Vec<DiskView> {
    let mut all = Vec::new();
    for current in [
        Link::To(old_bytes()),
        Link::To(new_bytes()),
        Link::To(foreign_bytes()),
        Link::Missing,
        Link::Broken { why: "dangles".into() },
    ] {
        for daemon in [
            DaemonView::Running { digest: old_bytes() },
            DaemonView::Running { digest: new_bytes() },
            DaemonView::Running { digest: foreign_bytes() },
            DaemonView::Dead,
            DaemonView::HostLost,
            DaemonView::Unknown,
        ] {
            for staged in [true, false] {
                all.push(DiskView { current: current.clone(), previous: None, daemon, staged });
            }
        }
    }
    all
}

/// One world of each stage that was ever reached, as it was then.
pub(super) fn reached() -> Vec<World> {
    let mut seen: Vec<World> = vec![World::new()];
    for (_, make, _) in ways() {
        let mut world = World::new();
        make(&mut world);
        for _ in 0..40 {
            world.tick();
            for memory in core::mem::take(&mut world.memories) {
                if !seen.iter().any(|known| known.journal.stage == memory.stage) {
                    let mut at = world.clone();
                    at.journal = memory;
                    seen.push(at);
                }
            }
        }
    }
    seen
}

#[test]
fn every_stage_on_every_disk_comes_to_rest_and_starts_nothing_unknown() {
    let worlds = reached();
    let names: std::collections::BTreeSet<_> = worlds.iter().map(|world| world.stage()).collect();
    for name in [
        "idle",
        "armed",
        "draining",
        "stopped",
        "snapshotted",
        "booting",
        "on_trial",
        "rolling_back",
        "restoring",
    ] {
        assert!(names.contains(name), "{name} was not reached: {names:?}");
    }
    for world in worlds {
        for disk in disks() {
            for chain in [true, false] {
                let mut world = world.clone();
                world.crash(Toll::Agent);
                world.pending.clear();
                world.then = None;
                world.blow = None;
                world.disk = disk.clone();
                world.chain_at_start = chain;
                let from = world.stage();
                let before = disk.daemon;
                // The world itself refuses a second daemon, unknown bytes, and a switch under a daemon.
                world.ticks(25);
                let what = format!("{from} on {disk:?}: {} waits on {}", world.stage(), world.waiting);
                let lost = !matches!(disk.current, Link::To(d) if d != foreign_bytes());
                if lost && matches!(before, DaemonView::Dead | DaemonView::HostLost) {
                    assert_eq!(world.runs(), None, "started by guess: {what}");
                    assert!(matches!(world.waiting, AgentWaiting::Fault { .. }), "{what}");
                }
                if matches!(before, DaemonView::Unknown) && world.journal.stage.is_serving() {
                    assert!(world.disk.daemon == before || !lost, "{what}");
                }
            }
        }
    }
}
