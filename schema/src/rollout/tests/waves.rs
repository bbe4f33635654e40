//! Preparation, lots and caps, canaries, gate, soak, stall, what waits and moves.

use super::*;

#[test]
fn nothing_is_drawn_before_its_block_and_nothing_twice() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    assert_eq!(fleet.draw(), Ok(None), "drawn in setting up");
    fleet.progress.drawn = None;
    fleet.now = at(999);
    assert_eq!(fleet.phase(), RolloutPhase::Drawing);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Draw { from: Height(1_000) })));
    assert_eq!(fleet.draw(), Err(DrawRefused::Early { from: Height(1_000), found: Height(999) }));
    fleet.now = at(1_000);
    let seed = fleet.draw().unwrap().unwrap();
    fleet.pass(1);
    assert_eq!(fleet.draw(), Ok(None));
    assert_eq!(fleet.progress.drawn.unwrap().seed, seed);
}

#[test]
fn preparation_is_postponed_once_and_then_expires() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    fleet.say(0, ready()).unwrap();
    for (height, phase) in [
        (1_000, RolloutPhase::Preparing),
        (1_049, RolloutPhase::Preparing),
        (1_050, RolloutPhase::Postponed),
        (1_079, RolloutPhase::Postponed),
        (1_080, RolloutPhase::Ended(Outcome::Expired)),
    ] {
        fleet.now = at(height);
        assert_eq!(fleet.phase(), phase, "at {height}");
    }
    let ended = Transition::Ended { outcome: Outcome::Expired, unaccounted: Power(0) };
    assert_eq!(fleet.advance(), Advanced::Did(ended));
}

#[test]
fn the_braked_time_is_not_preparation() {
    let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan());
    fleet.brakes.all.pull(at(1_010).into(), &Span::new(100, 100), 0, 1);
    fleet.now = at(1_149);
    assert_eq!(fleet.phase(), RolloutPhase::Preparing);
    fleet.now = at(1_150);
    assert_eq!(fleet.phase(), RolloutPhase::Postponed);
}

#[test]
fn the_readiness_bar_at_both_edges() {
    for (bar, ready_nodes, is_ready) in
        [(6_666, 2, true), (6_667, 2, false), (10_000, 2, false), (10_000, 3, true), (1, 0, false)]
    {
        let mut plan = plan();
        plan.ready_bps = Bps(bar);
        let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan);
        for index in 0..ready_nodes {
            fleet.say(index, ready()).unwrap();
        }
        assert_eq!(fleet.rollout.is_ready(&fleet.progress), is_ready, "{ready_nodes} of 3 at {bar}");
        let opened = matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { .. }));
        assert_eq!(opened, is_ready);
    }
}

#[test]
fn refusals_above_what_the_bar_leaves_end_it_at_once() {
    for (bar, ended) in [(6_667, true), (6_666, false)] {
        let mut plan = plan();
        plan.ready_bps = Bps(bar);
        let mut fleet = Fleet::drawn(&ONE_A_WAVE, plan);
        fleet.say(0, refused()).unwrap();
        assert_eq!(fleet.phase().is_terminal(), ended, "a third refused, bar {bar}");
    }
}

#[test]
fn a_lot_finds_its_wave_and_a_cap_the_next() {
    let nodes = [(0, "a"), (0, "b"), (0, "c"), (0, "d"), (1, "e"), (2, "f")];
    let mut capped = plan();
    // Two nodes of six in the first wave, one in the second.
    capped.waves[0].power_max_bps = Some(Bps(3_334));
    capped.waves[1].power_max_bps = Some(Bps(1_667));
    let fleet = Fleet::ready(&nodes, capped);
    let waves: Vec<_> = (0..6).map(|index| fleet.seat(index).wave.unwrap()).collect();
    assert_eq!(waves, [0, 0, 1, 2, 2, 2]);
    assert_eq!(fleet.progress.waves.iter().map(|sum| sum.0.0).collect::<Vec<_>>(), [20, 10, 30]);
}

#[test]
fn a_cap_counts_the_exact_share() {
    let nodes = [(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e")];
    for (cap, second) in [(4_000, 0), (3_999, 1)] {
        let mut plan = plan();
        plan.waves[0].power_max_bps = Some(Bps(cap));
        let fleet = Fleet::ready(&nodes, plan);
        assert_eq!(fleet.seat(1).wave, Some(second), "20 of 50 under {cap}");
    }
}

#[test]
fn who_is_late_goes_to_a_wave_that_is_not_open_and_after_the_last_nowhere() {
    let mut plan = plan();
    plan.ready_bps = Bps(5_000);
    let mut fleet = Fleet::drawn(&[(0, "a"), (1, "b"), (2, "c"), (0, "d"), (0, "e"), (2, "f")], plan);
    for index in 0..3 {
        fleet.say(index, ready()).unwrap();
    }
    fleet.advance();
    fleet.say(3, ready()).unwrap();
    assert_eq!(fleet.seat(3).wave, Some(1), "wave 0 is open");
    fleet.pass(NOTICE);
    fleet.switch(0);
    fleet.switch(1);
    fleet.next_wave();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(1));
    fleet.switch(3);
    fleet.next_wave();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(2));
    let before = fleet.progress.clone();
    fleet.say(4, ready()).unwrap();
    assert_eq!(fleet.seat(4).wave, None);
    assert_eq!(fleet.progress, before, "late counts nowhere");
    let waits = fleet.lease(4).unwrap();
    assert_eq!(waits, LeaseAnswer::Waiting { on: WaitingOn::Completion, recorded: false });
    fleet.switch(2);
    let ended = Transition::Ended { outcome: Outcome::Completed, unaccounted: Power(0) };
    assert_eq!(fleet.next_wave(), Advanced::Did(ended));
    // Now it goes, and one that gets ready only now too.
    fleet.switch(4);
    fleet.say(5, ready()).unwrap();
    assert_eq!(fleet.seat(5).wave, None);
    fleet.switch(5);
}

#[test]
fn an_empty_first_wave_gets_two_canaries_of_two_organisations() {
    let mut fleet = Fleet::ready(&[(1, "a"), (1, "a"), (2, "b"), (2, "c")], plan());
    let lots = fleet.candidates();
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 0, .. })));
    let progress = &fleet.progress;
    assert_eq!(progress.canaries.len(), 2);
    assert_eq!(progress.canaries[0], lots[0].node, "the lowest lot");
    assert!(progress.open.as_ref().unwrap().wants_two);
    assert_eq!(progress.waves[0].0, Power(20));
    let assigned: u64 = progress.waves.iter().map(|sum| sum.0.0).sum();
    assert_eq!(assigned, 40, "moved, not added");
}

#[test]
fn one_organisation_alone_is_its_own_canary() {
    let mut fleet = Fleet::open(&[(1, "a"), (2, "a"), (2, "a")], plan());
    assert_eq!(fleet.progress.canaries.len(), 1);
    assert!(!fleet.progress.open.as_ref().unwrap().wants_two);
    let canary = fleet.progress.canaries[0];
    let index = fleet.members.iter().position(|member| member.node.no == canary).unwrap();
    fleet.switch(index);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

#[test]
fn the_gate_of_the_first_wave_wants_two_organisations() {
    let mut plan = plan();
    plan.waves[0].healthy_bps = Bps(5_000);
    let mut fleet = Fleet::open(&[(0, "a"), (0, "a"), (0, "b"), (1, "c"), (2, "d")], plan);
    fleet.switch(0);
    fleet.switch(1);
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None, "two thirds healthy, of one organisation");
    fleet.switch(2);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

#[test]
fn the_gate_at_both_edges() {
    for (bar, switched, reached) in [(6_666, 2, true), (6_667, 2, false), (10_000, 3, true), (1, 1, true)] {
        let mut plan = plan();
        plan.waves[0].healthy_bps = Bps(bar);
        let mut fleet = Fleet::open(&[(0, "a"), (0, "a"), (0, "a"), (2, "d")], plan);
        // A canary of another organisation joins; it is the last here.
        fleet.progress.open.as_mut().unwrap().wants_two = false;
        fleet.progress.waves[0].0 = Power(30);
        for index in 0..switched {
            fleet.switch(index);
        }
        assert_eq!(fleet.rollout.gate_reached(&fleet.progress), reached, "{switched} of 3 at {bar}");
    }
}

#[test]
fn the_soak_at_both_edges_and_void_when_the_gate_drops() {
    let mut plan = plan();
    plan.failure.wave_bps = Bps(10_000);
    plan.failure.rollout_bps = Bps(10_000);
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan);
    fleet.switch(0);
    fleet.switch(1);
    let reached = fleet.now;
    fleet.pass(9);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Soak { wave: 0, .. })));
    // It drops one block before its end.
    fleet.say(1, failed(1)).unwrap();
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None);
    fleet.pass(1);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Gate { wave: 0, .. })));
    assert_eq!(fleet.now, at(reached.height.0 + 10));

    let mut fleet = Fleet::open(&ONE_A_WAVE, self::plan());
    fleet.switch(0);
    fleet.switch(1);
    fleet.pass(10);
    assert!(
        matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 2, .. })),
        "1 is a canary"
    );
}

#[test]
fn a_brake_stops_the_soak_and_opens_nothing() {
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (1, "c"), (2, "d")], plan());
    fleet.switch(0);
    fleet.switch(1);
    let own = fleet.brakes.component.as_mut().unwrap();
    own.pull(fleet.now.into(), &Span::new(20, 20), 0, 1);
    fleet.pass(19);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Brake { .. })));
    fleet.pass(1);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Soak { .. })));
    fleet.pass(10);
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 1, .. })));
}

#[test]
fn a_wave_that_stays_silent_is_stalled_at_its_deadline_and_goes_back() {
    let mut fleet = Fleet::open(&ONE_A_WAVE, plan());
    fleet.switch(0);
    fleet.pass(100 - NOTICE - 1);
    assert!(matches!(fleet.advance(), Advanced::WaitingOn(WaitingOn::Gate { .. })));
    fleet.pass(1);
    assert_eq!(fleet.advance(), Advanced::Did(Transition::Halted(HaltCause::Stalled)));
    fleet.pass(60);
    assert_eq!(fleet.advance(), Advanced::Did(Transition::RollingBackStalled));
    fleet.ask(0, Purpose::RollBack).unwrap();
    fleet.say(0, rolled_back(1)).unwrap();
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::Ended { outcome: Outcome::RolledBack, .. })));
}

/// Three of the first wave, of which two may be down at once.
fn crowded(healthy_bps: u16) -> Fleet {
    let mut plan = plan();
    plan.lease_bps = Bps(4_000);
    for wave in &mut plan.waves {
        wave.healthy_bps = Bps(healthy_bps);
    }
    Fleet::open(&[(0, "a"), (0, "b"), (0, "c"), (1, "d"), (2, "e")], plan)
}

#[test]
fn what_waits_at_the_deadline_moves_on_and_counts_where_it_goes() {
    let mut fleet = crowded(10_000);
    fleet.activate(0);
    fleet.activate(1);
    assert!(matches!(fleet.lease(2), Ok(LeaseAnswer::Waiting { recorded: true, .. })));
    fleet.say(0, healthy(1)).unwrap();
    fleet.say(1, healthy(1)).unwrap();
    fleet.pass(100);
    assert_eq!(fleet.advance(), Advanced::Did(Transition::WaitersMoved { wave: 0, power: Power(10) }));
    assert_eq!(fleet.progress.waves[0].0, Power(20));
    assert_eq!(fleet.progress.waves[1].0, Power(20));
    // It has moved: no lease in the wave that it left.
    let waits = fleet.lease(2).unwrap();
    assert_eq!(waits, LeaseAnswer::Waiting { on: WaitingOn::Wave { wave: 1, open: 0 }, recorded: false });
    fleet.next_wave();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(1));
    assert_eq!(fleet.progress.waves[1].0, Power(20), "moved once");
    fleet.switch(2);
    assert_eq!(fleet.seat(2).wave, Some(0), "its lot stays what it was");
    assert_eq!(fleet.progress.open.as_ref().unwrap().healthy, Power(10));
    assert_eq!(fleet.progress.open.as_ref().unwrap().waiting, Power(0));
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None, "half of the wave");
    fleet.switch(3);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

#[test]
fn what_waits_when_its_wave_passes_goes_along() {
    let mut fleet = crowded(6_000);
    fleet.activate(0);
    fleet.activate(1);
    fleet.lease(2).unwrap();
    fleet.say(0, healthy(1)).unwrap();
    fleet.say(1, healthy(1)).unwrap();
    fleet.next_wave();
    assert_eq!(fleet.phase(), RolloutPhase::Wave(1));
    assert_eq!(fleet.progress.waves.iter().map(|sum| sum.0.0).collect::<Vec<_>>(), [20, 20, 10]);
    fleet.switch(2);
    assert_eq!(fleet.progress.open.as_ref().unwrap().gate, None, "the wave's own node is still to come");
    fleet.switch(3);
    assert!(fleet.progress.open.as_ref().unwrap().gate.is_some());
}

#[test]
fn where_everyone_waits_the_next_wave_opens() {
    let mut fleet = crowded(10_000);
    fleet.down = Power(20);
    for index in 0..3 {
        assert!(matches!(fleet.lease(index), Ok(LeaseAnswer::Waiting { recorded: true, .. })));
    }
    fleet.pass(100);
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaveOpened { wave: 1, .. })));
    assert_eq!(fleet.progress.waves.iter().map(|sum| sum.0.0).collect::<Vec<_>>(), [0, 40, 10]);
}

#[test]
fn silence_beside_what_waits_is_still_a_stall() {
    let mut fleet = crowded(10_000);
    fleet.activate(0);
    fleet.activate(1);
    fleet.lease(2).unwrap();
    fleet.say(0, healthy(1)).unwrap();
    fleet.pass(100);
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaitersMoved { .. })));
    assert_eq!(fleet.advance(), Advanced::Did(Transition::Halted(HaltCause::Stalled)));
}

#[test]
fn who_asks_after_the_move_joins_nothing_that_moves() {
    let mut plan = plan();
    plan.lease_bps = Bps(4_000);
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (0, "c"), (0, "d"), (1, "e")], plan);
    fleet.activate(0);
    fleet.activate(1);
    fleet.lease(2).unwrap();
    fleet.pass(100);
    assert!(matches!(fleet.advance(), Advanced::Did(Transition::WaitersMoved { .. })));
    // The wave is stalled: only `advance` is still to say so.
    assert_eq!(fleet.lease(3), Err(LeaseRefused::Phase { phase: RolloutPhase::Halted }));
    assert_eq!(fleet.state(3), SeatState::Assigned);
    assert_eq!(fleet.progress.open.as_ref().unwrap().waiting, Power(10));
}

#[test]
fn empty_waves_are_skipped() {
    let mut fleet = Fleet::open(&[(0, "a"), (0, "b"), (2, "c")], plan());
    fleet.switch(0);
    fleet.switch(1);
    assert!(matches!(fleet.next_wave(), Advanced::Did(Transition::WaveOpened { wave: 2, .. })));
    fleet.switch(2);
    assert!(matches!(
        fleet.next_wave(),
        Advanced::Did(Transition::Ended { outcome: Outcome::Completed, .. })
    ));
    // PHASE-1: nothing follows an end.
    assert_eq!(fleet.advance(), Advanced::Settled(Outcome::Completed));
    fleet.pass(100_000);
    assert_eq!(fleet.phase(), RolloutPhase::Ended(Outcome::Completed));
}
