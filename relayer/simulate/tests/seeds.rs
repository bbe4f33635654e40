//! Seeded stories, and those that went wrong once.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a story that goes wrong fails its test")]

use std::sync::atomic::{AtomicU64, Ordering};

use concord_schema::rollout::Outcome;
use concord_simulate::{Profile, Summary, WIDE_FROM, World, simulate};

/// Seeds of every run of the tests; the program `simulate` plays as many as it is told to.
const SEEDS: u64 = 500;
/// And of these with wider fleets.
const WIDE_SEEDS: u64 = 150;
/// Threads that play them.
const THREADS: u64 = 4;

fn play(seeds: &[u64]) -> Summary {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut whole = Summary::default();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            match simulate(*seed) {
                Ok(summary) => whole.add(&summary),
                Err(failure) => panic!("{failure}"),
            }
        }
        whole
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        let mut whole = Summary::default();
        for worker in workers {
            match worker.join() {
                Ok(summary) => whole.add(&summary),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        whole
    })
}

fn kept() -> Vec<u64> {
    let lines = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().next()).map(|seed| seed.parse().unwrap()).collect()
}

#[test]
fn the_seeds_hold_every_invariant() {
    let mut seeds = kept();
    seeds.extend(0..SEEDS);
    seeds.extend(WIDE_FROM..WIDE_FROM + WIDE_SEEDS);
    let whole = play(&seeds);
    println!("{whole}");
    for outcome in
        [Outcome::Completed, Outcome::RolledBack, Outcome::Contained, Outcome::Expired, Outcome::Cancelled]
    {
        assert!(whole.ended(outcome) > 0, "no rollout ended {outcome:?}: the troubles are too tame");
    }
    for stage in concord_decide::Stage::NAMES.into_iter().filter(|name| *name != "idle") {
        assert!(whole.stages.contains_key(stage), "no node was ever {stage}: the troubles are too tame");
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in [1, 7, 23] {
        assert_eq!(simulate(seed), simulate(seed));
    }
}

#[test]
fn without_troubles_every_node_commits() {
    for seed in 0..8 {
        let summary = World::play(seed, Profile::calm()).unwrap();
        assert_eq!(summary.outcomes, [Outcome::Completed], "seed {seed}");
        assert_eq!(summary.stages.get("committed"), Some(&5), "seed {seed}");
        assert_eq!(summary.stages.get("restoring"), None, "seed {seed}");
    }
}
