//! Single decisions at both of their edges.

use concord_schema::report::Report;
use concord_schema::{Height, RolloutId};

use super::world::*;
use crate::*;

#[test]
fn a_crash_repeats_what_only_the_journal_knows_and_nothing_else() {
    let mut world = World::new();
    world.until("committed");
    let rollout = RolloutId(1);
    let report = Report::Healthy { attempt: 1, height: Height(1), downtime_ms: 2 };
    let repeated =
        [Effect::Commit, Effect::Report { rollout, report }, Effect::ReturnLease { rollout, attempt: 1 }];
    let derived = [
        Effect::Stop { run: 1 },
        Effect::Switch { to: new_bytes() },
        Effect::Spawn { run: 1, digest: new_bytes() },
        Effect::Crank { rollout, crank: Crank::Draw },
        Effect::StartProbing { interval_ms: 20 },
    ];
    let pending = derived.iter().chain(&repeated).cloned().collect();
    let disk = world.disk.clone();
    let (_, step) = Agent::resume(world.settings.clone(), world.journal.clone(), pending, disk, None, 9_000);
    assert_eq!(step.effects, repeated);
    assert!(step.must_journal());
}

#[test]
fn a_lease_whose_span_has_passed_is_given_back_and_not_used() {
    // (seconds and blocks since the grant, is it used?): over only when both clocks are.
    for (seconds, blocks, used) in
        [(400, 400, false), (399, 400, true), (400, 399, true), (401, 401, false), (0, 0, true)]
    {
        let mut world = World::new();
        world.until("armed");
        let mut view = world.view();
        while !world.agent.as_ref().is_some_and(Agent::has_asked) {
            world.tick();
            view = world.view();
        }
        let granted = view.now;
        let seat = view.rollout.as_mut().and_then(|seen| seen.seat.as_mut()).unwrap();
        seat.state = concord_schema::rollout::SeatState::Leased;
        seat.attempt = 1;
        seat.lease = Some(granted.into());
        view.now.time.0 += seconds;
        view.now.height.0 += blocks;
        view.tip = view.now.height;
        let step = world.agent.as_mut().unwrap().step(world.now_ms, Input::Chain(Box::new(view)));
        let what = format!("{seconds} s, {blocks} blocks: {:?}", step.effects);
        assert_eq!(step.effects.contains(&Effect::Drain), used, "{what}");
        let returned = Effect::ReturnLease { rollout: RolloutId(1), attempt: 1 };
        assert_eq!(step.effects.contains(&returned), !used, "{what}");
    }
}

#[test]
fn a_trial_ends_when_its_probes_and_both_its_clocks_say_so() {
    // (probes, milliseconds and blocks since the first pass, does it commit?) for a trial of 3 s and 3 blocks.
    for (probes, ms, blocks, commits) in [
        (92, 3_000, 3, true),
        (91, 3_000, 3, false),
        (92, 2_999, 3, false),
        (92, 3_000, 2, false),
        (500, 0, 0, false),
    ] {
        let mut world = World::new();
        world.probes = 0;
        world.until("booting");
        let (mut agent, _) = Agent::resume(
            world.settings.clone(),
            world.journal.clone(),
            vec![],
            world.disk.clone(),
            Some(world.view()),
            50_000,
        );
        agent.step(50_000, Input::Probe(Verdict::Pass));
        agent.step(50_000, Input::Undrained(Ok(())));
        for _ in 1..probes {
            agent.step(50_000, Input::Probe(Verdict::Pass));
        }
        assert_eq!(agent.memory().stage, Stage::OnTrial);
        let mut view = world.view();
        view.now.height.0 += blocks;
        view.tip = view.now.height;
        let step = agent.step(50_000 + ms, Input::Chain(Box::new(view)));
        let what = format!("{probes} probes, {ms} ms, {blocks} blocks: {}", step.waiting_on);
        assert_eq!(step.stage == Stage::Committed, commits, "{what}");
        assert_eq!(step.effects.contains(&Effect::Commit), commits, "{what}");
    }
}

#[test]
fn an_operator_may_lengthen_a_trial_and_not_shorten_it() {
    for (ms_min, left_ms, blocks_min, left_blocks) in
        [(0, 3_000, 0, 3), (2_999, 3_000, 2, 3), (3_001, 3_001, 4, 4)]
    {
        let mut world = World::new();
        world.settings.trial_ms_min = ms_min;
        world.settings.trial_blocks_min = blocks_min;
        world.probes = 0;
        world.until("booting");
        let target = world.journal.target.clone().unwrap();
        assert_eq!(world.agent.as_ref().unwrap().trial_left(&target), (left_ms, left_blocks), "{ms_min}");
    }
}

/// Design 5: from Stopped on a node goes forward, whether or not its lease still holds; a brake calls it off even then.
#[test]
fn a_daemon_that_is_down_goes_forward_whatever_happened_to_its_lease() {
    type During = fn(&mut World);
    let table: [(&str, During, Stage); 4] = [
        ("nothing", |_| {}, Stage::Stopped),
        ("the lease is lost", |world| world.lose_lease(), Stage::Stopped),
        ("a read goes stale", |world| world.stale = true, Stage::Stopped),
        ("a brake", |world| world.brake(), Stage::Restoring),
    ];
    for (what, during, stage) in table {
        let mut world = World::new();
        world.hangs = Some(Work::Drain);
        world.until("draining");
        let mut agent = world.agent.take().unwrap();
        let mut asked = Vec::new();
        for input in [Input::Drained(Ok(())), Input::Chain(Box::new(world.view()))] {
            asked.extend(agent.step(world.now_ms, input).effects);
        }
        let run = agent.memory().run;
        assert!(
            asked.contains(&Effect::Stop { run }) || agent.work == Some(Effect::Stop { run }),
            "{asked:?}"
        );
        during(&mut world);
        world.now.height.0 += 1;
        let heard =
            if world.stale { Input::Stale { since_ms: 1 } } else { Input::Chain(Box::new(world.view())) };
        agent.step(world.now_ms, heard);
        let step = agent.step(world.now_ms, Input::Stopped { run, ended: Ok(()) });
        assert!(step.moves.iter().any(|passed| passed.to == Stage::Stopped), "{what}: {:?}", step.moves);
        assert_eq!(step.stage, stage, "{what}");
    }
}

#[test]
fn a_lease_that_was_given_back_is_given_back_until_the_chain_shows_it() {
    type End = fn(&mut RolloutView);
    let ends: [(End, Stage); 2] = [
        (|own| own.progress.rolling_back = Some(concord_schema::Moment(1, 1)), Stage::Cancelled),
        (|own| own.standing = concord_schema::release::Standing::RolledBack, Stage::Refused),
    ];
    for (end, stage) in ends {
        // (milliseconds and blocks since it was given back, is it given back again?)
        for (ms, blocks, again) in [(2_000, 5, true), (1_999, 5, false), (2_000, 4, false), (0, 0, false)] {
            let mut world = World::new();
            world.settings.again_ms = 2_000;
            world.settings.again_blocks = 5;
            world.until("armed");
            let mut agent = world.agent.take().unwrap();
            let seen = |blocks: u64| {
                let mut view = world.view();
                let own = view.rollout.as_mut().unwrap();
                end(own);
                let seat = own.seat.as_mut().unwrap();
                seat.state = concord_schema::rollout::SeatState::Leased;
                seat.attempt = 1;
                seat.lease = Some(view.now.into());
                view.now.height.0 += 1 + blocks;
                view.tip = view.now.height;
                Input::Chain(Box::new(view))
            };
            let returned = Effect::ReturnLease { rollout: RolloutId(1), attempt: 1 };
            let step = agent.step(world.now_ms, seen(0));
            assert_eq!(step.stage, stage);
            assert!(step.effects.contains(&returned), "{:?}", step.effects);
            let step = agent.step(world.now_ms + ms, seen(blocks));
            let what = format!("{stage}, {ms} ms, {blocks} blocks: {:?}", step.effects);
            assert_eq!(step.effects.contains(&returned), again, "{what}");
        }
    }
}

/// What can never be asked is no verdict, and ends all the same: a boot and a minute of nothing but unknown answers.
#[test]
fn a_trial_that_nobody_can_judge_ends_and_denies_nothing() {
    for (known_between, ms, ends) in [(false, 59_999, false), (false, 60_000, true), (true, 60_000, false)] {
        let mut world = World::new();
        world.probes = 0;
        world.until("booting");
        let boot_ms = world.settings.boot_ms;
        let view = Some(world.view());
        let (settings, journal) = (world.settings.clone(), world.journal.clone());
        let (mut agent, _) = Agent::resume(settings, journal, vec![], world.disk.clone(), view, 50_000);
        let unknown = || Input::Probe(Verdict::Unknown { why: "no descriptor".into() });
        agent.step(50_000, unknown());
        if known_between {
            agent.step(50_001, Input::Probe(Verdict::Pass));
        }
        agent.step(50_002, unknown());
        let step = agent.step(50_000 + boot_ms + ms, Input::Tick);
        let what = format!("{known_between}, {ms} ms: {}", step.waiting_on);
        assert_eq!(step.stage == Stage::RollingBack, ends, "{what}");
        // The chain takes that word for a verdict on the release.
        assert!(!agent.has_said("failed"), "{what}");
        assert!(agent.memory().denied.is_empty(), "{what}");
        let why = agent.memory().why.clone().unwrap_or_default();
        assert_eq!(why.contains("could not be found out"), ends, "{why}");
    }
}

/// NODE-4, at the one place that asks for a start.
#[test]
fn a_start_is_asked_for_only_when_nothing_lives_and_the_link_agrees() {
    for (why, daemon, current, starts) in [
        ("dead", DaemonView::Dead, Link::To(old_bytes()), true),
        ("the host started anew", DaemonView::HostLost, Link::To(old_bytes()), true),
        ("alive", DaemonView::Running { digest: old_bytes() }, Link::To(old_bytes()), false),
        ("not proved dead", DaemonView::Unknown, Link::To(old_bytes()), false),
        ("the link names other bytes", DaemonView::Dead, Link::To(new_bytes()), false),
        ("there is no link", DaemonView::Dead, Link::Missing, false),
    ] {
        let mut world = World::new();
        world.tick();
        let mut agent = world.agent.take().unwrap();
        agent.host = Some(DiskView { current, previous: None, daemon, staged: true });
        agent.work = None;
        agent.spawn(old_bytes());
        assert_eq!(agent.work.as_ref().and_then(Effect::work) == Some(Work::Spawn), starts, "{why}");
    }
}

/// NODE-4: an exit is never lost, in whatever order it and the answer to its own start are told.
#[test]
fn an_exit_that_is_told_before_its_own_start_counts() {
    for early in [true, false] {
        let mut world = World::new();
        world.until("committed");
        let agent = world.agent.as_mut().unwrap();
        let exited = |run| Input::DaemonExited { run, code: Some(1), signal: None };
        let mut now_ms = world.now_ms + 100_000;
        let step = agent.step(now_ms, exited(agent.memory().run));
        let started = step.effects.iter().find_map(|effect| match effect {
            Effect::Spawn { run, .. } => Some(*run),
            _ => None,
        });
        let run = started.expect("a dead daemon is started again");
        let spawned = || Input::Spawned { run, ended: Ok(()) };
        let told = if early { [exited(run), spawned()] } else { [spawned(), exited(run)] };
        let mut effects = Vec::new();
        for input in told {
            effects.extend(agent.step(now_ms, input).effects);
        }
        for _ in 0..100 {
            now_ms += 1_000;
            effects.extend(agent.step(now_ms, Input::Tick).effects);
        }
        let again = |effect: &Effect| matches!(effect, Effect::Spawn { run: next, .. } if *next == run + 1);
        assert!(effects.iter().any(again), "told early: {early}; {effects:?}");
    }
}

/// Design 5: the new binary is opened and hashed while the old one runs. One that turns out damaged costs no stop: the lease
/// goes back, and it is fetched again.
#[test]
fn a_release_that_is_damaged_before_the_stop_is_fetched_again_under_the_old_one() {
    let mut world = World::new();
    world.until("armed");
    // The host finds it when it is about to take the node out of service, and removes it.
    world.disk.staged = false;
    world.fails = vec![(Work::Drain, 1)];
    let before = world.names().len();
    world.until("committed");
    let names = world.names().split_off(before);
    let first = |name: &str| names.iter().position(|passed| *passed == name).unwrap_or(usize::MAX);
    assert!(first("restoring") < first("fetching") && first("fetching") < first("stopped"), "{names:?}");
    assert_eq!(world.runs(), Some(new_bytes()));
    assert_eq!(world.refused, Vec::<String>::new());
}

/// A daemon that is stopped for the way back comes up again, however long its link cannot be moved.
#[test]
fn a_link_that_cannot_be_moved_back_is_tried_until_it_can() {
    let mut world = World::new();
    world.new_is_sick = true;
    let probes = std::mem::take(&mut world.probes);
    world.until("booting");
    (world.probes, world.fails) = (probes, vec![(Work::Switch, 10)]);
    world.until("rolled_back");
    world.ticks(5);
    assert_eq!(world.runs(), Some(old_bytes()));
    assert_eq!(world.seat.as_ref().unwrap().state, concord_schema::rollout::SeatState::RolledBack);
}

/// What serves is not stopped for a release of before that cannot be started.
#[test]
fn a_node_whose_old_release_is_gone_goes_on_serving() {
    for (fails, stage, runs) in [(2, "rolled_back", old_bytes()), (3, "contained", new_bytes())] {
        let mut world = World::new();
        world.until("committed");
        world.ticks(3);
        world.fails = vec![(Work::Drain, fails)];
        world.roll_back();
        world.until(stage);
        assert_eq!(world.runs(), Some(runs), "{fails}");
        let why = world.journal.why.clone().unwrap_or_default();
        assert_eq!(why.contains("cannot be made ready"), fails == 3, "{why}");
    }
}

/// NODE-3: a lease that is on its way back is no lease for whoever takes the same rollout up again.
#[test]
fn a_closed_try_stays_closed_over_a_retry() {
    let mut world = World::new();
    world.until("armed");
    while !world.agent.as_ref().is_some_and(Agent::has_asked) {
        world.tick();
    }
    let mut agent = world.agent.take().unwrap();
    let seen = |standing, more: u64| {
        let mut view = world.view();
        let own = view.rollout.as_mut().unwrap();
        own.standing = standing;
        let seat = own.seat.as_mut().unwrap();
        seat.state = concord_schema::rollout::SeatState::Leased;
        seat.attempt = 1;
        seat.lease = Some(view.now.into());
        view.now.height.0 += more;
        view.tip = view.now.height;
        Input::Chain(Box::new(view))
    };
    use concord_schema::release::Standing;
    assert_eq!(agent.step(world.now_ms, seen(Standing::Proposed, 1)).stage, Stage::Refused);
    assert_eq!(agent.memory().closed_attempt, 1);
    agent.step(world.now_ms, seen(Standing::Allowed, 2));
    let retry = Input::Retry { request: concord_schema::Digest::of(b"again") };
    let mut effects = agent.step(world.now_ms, retry).effects;
    let artifact = release(new_bytes()).artifacts[0].clone();
    let digest = artifact.digest;
    effects.extend(agent.step(world.now_ms, Input::Fetched { digest, ended: Ok(()) }).effects);
    effects.extend(agent.step(world.now_ms, Input::Staged { digest, ended: Ok(()) }).effects);
    effects.extend(agent.step(world.now_ms, seen(Standing::Allowed, 3)).effects);
    assert_eq!(agent.memory().stage, Stage::Armed, "{effects:?}");
    assert!(!effects.contains(&Effect::Drain), "{effects:?}");
}
