use super::*;
use crate::demo::outage::Outage;

const ROLLOUT: u64 = 2;

fn v(version: &str) -> Digest {
    Digest::of(version.as_bytes())
}

/// An entry of the log; `fields` as `name value` by commas.
fn entry(seq: u64, height: u64, kind: &str, fields: &str) -> Entry {
    let pair = |text: &str| {
        let (name, value) = text.trim().split_once(' ').unwrap();
        (name.to_owned(), value.to_owned())
    };
    Entry {
        seq,
        prev: Digest::default(),
        prev_height: 0,
        height,
        time: 1_000 + height / 10,
        who: "who".to_owned(),
        kind: kind.to_owned(),
        fields: fields.split(',').map(pair).collect(),
    }
}

fn of_rollout(seq: u64, height: u64, kind: &str, fields: &str) -> Entry {
    entry(seq, height, kind, &format!("rollout {ROLLOUT}, {fields}"))
}

fn node(no: u64, wave: u8, version: &str, stage: &str) -> NodeFacts {
    NodeFacts {
        node: format!("node-{no}"),
        no,
        wave: Some(wave),
        stage: stage.to_owned(),
        version: version.to_owned(),
        digest: Some(v(version)),
        ran: vec![v("1.0.0")],
        outages: vec![Outage { from_ms: 100, to_ms: Some(130), failed_ms: 105, failures: 3 }],
        outside: Vec::new(),
    }
}

/// Two nodes, a wave each, all as it should be.
fn good() -> Facts {
    Facts {
        rollout: ROLLOUT,
        outcome: Some(Outcome::Completed),
        standing: Standing::Allowed,
        target: v("2.0.0"),
        previous: v("1.0.0"),
        version: "2.0.0".to_owned(),
        version_before: "1.0.0".to_owned(),
        entries: vec![
            of_rollout(1, 10, "wave_opened", "wave 0, height 18"),
            of_rollout(2, 18, "leased", "node 1, attempt 1, purpose activate"),
            of_rollout(3, 20, "reported", "node 1, report activated, attempt 1, detail 18"),
            of_rollout(4, 45, "reported", "node 1, report healthy, attempt 1, detail 44"),
            of_rollout(5, 60, "wave_opened", "wave 1, height 68"),
            of_rollout(6, 70, "leased", "node 2, attempt 1, purpose activate"),
            of_rollout(7, 72, "reported", "node 2, report activated, attempt 1, detail 70"),
            of_rollout(8, 95, "reported", "node 2, report healthy, attempt 1, detail 94"),
        ],
        nodes: vec![node(1, 0, "2.0.0", "committed"), node(2, 1, "2.0.0", "committed")],
        violations: Vec::new(),
        looks: 100,
        to_ms: 10_000,
    }
}

/// What is wrong, by what it is about.
fn wrong(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|finding| !finding.as_expected).map(|finding| finding.what.as_str()).collect()
}

type Change = fn(&mut Facts);
type Harm = fn(&mut Killed);

#[test]
fn every_promise_of_a_good_upgrade_is_missed_by_the_fault_that_breaks_it() {
    let long = |to_ms| Outage { from_ms: 100, to_ms: Some(to_ms), failed_ms: 105, failures: 3 };
    assert_eq!(wrong(&upgrade(&good())), Vec::<&str>::new());
    let table: [(Change, &str); 14] = [
        (|facts| facts.outcome = None, "rollout 2"),
        (|facts| facts.outcome = Some(Outcome::Contained), "rollout 2"),
        (|facts| facts.nodes[0].version = "1.0.0".to_owned(), "every node"),
        (|facts| facts.nodes[0].digest = Some(v("other")), "every node"),
        (|facts| facts.nodes[1].stage = "on_trial".to_owned(), "every node"),
        (|facts| facts.entries.swap(0, 4), "the waves"),
        (|facts| facts.entries[3].seq = 6, "the waves"),
        (
            |facts| {
                facts.entries[6] =
                    of_rollout(7, 72, "reported", "node 2, report activated, attempt 1, detail 71")
            },
            "skew of every node",
        ),
        (|facts| drop(facts.entries.remove(6)), "skew of every node"),
        (
            |facts| facts.nodes[0].outside = facts.nodes[0].outages.clone(),
            "the client's failures outside of a node's own switch",
        ),
        (|facts| facts.nodes[0].outages[0].to_ms = None, "each outage that the client saw"),
        (|facts| facts.violations.push(Violation::Two { node: 0, pids: vec![1, 2], at_ms: 1 }), "daemons"),
        (|facts| facts.violations.push(Violation::Unknown { node: 0, digest: v("x"), at_ms: 1 }), "daemons"),
        (|facts| facts.looks = 0, "daemons"),
    ];
    for (row, (change, about)) in table.into_iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        assert!(wrong(&upgrade(&facts)).contains(&about), "row {row}: {:?}", wrong(&upgrade(&facts)));
    }
    for (to_ms, as_expected) in [(1_100, true), (1_101, false)] {
        let mut facts = good();
        facts.nodes[0].outages = vec![long(to_ms)];
        assert_eq!(longest(&facts).as_expected, as_expected, "{to_ms}");
    }
}

#[test]
fn three_nodes_may_be_silent_at_once_and_a_fourth_may_not() {
    for (nodes, as_expected) in [(3, true), (4, false)] {
        let mut facts = good();
        facts.nodes = (1..=nodes).map(|no| node(no, 0, "2.0.0", "committed")).collect();
        assert_eq!(silent(&facts).as_expected, as_expected, "{nodes}");
    }
}

#[test]
fn the_height_asked_is_the_later_of_wave_and_lease_and_a_new_height_replaces_the_old_one() {
    let mut facts = good();
    let heights = |facts: &Facts| {
        facts.heights(&facts.nodes[1]).map(|heights| (heights.asked, heights.actual, heights.skew()))
    };
    assert_eq!(heights(&facts), Some((70, 70, 0)));
    facts.entries[4] = of_rollout(5, 60, "wave_opened", "wave 1, height 75");
    facts.entries[6] = of_rollout(7, 80, "reported", "node 2, report activated, attempt 1, detail 77");
    assert_eq!(heights(&facts), Some((75, 77, 2)));
    facts.entries.insert(5, of_rollout(5, 65, "height_fixed", "wave 1, height 77"));
    assert_eq!(heights(&facts), Some((77, 77, 0)));
    facts.nodes[1].wave = None;
    assert_eq!(heights(&facts), None);
}

/// Two organisations of wave 0 fail in one rollout; a third node was never asked.
fn bad() -> Facts {
    let mut facts = Facts {
        outcome: Some(Outcome::RolledBack),
        standing: Standing::RolledBack,
        entries: vec![
            of_rollout(1, 10, "wave_opened", "wave 0, height 18"),
            of_rollout(2, 18, "leased", "node 1, attempt 1, purpose activate"),
            of_rollout(3, 18, "leased", "node 2, attempt 1, purpose activate"),
            of_rollout(4, 20, "reported", "node 1, report activated, attempt 1, detail 18"),
            of_rollout(5, 20, "reported", "node 2, report activated, attempt 1, detail 18"),
            of_rollout(6, 32, "reported", "node 1, report failed, attempt 1, detail unhealthy"),
            of_rollout(7, 33, "reported", "node 2, report failed, attempt 1, detail unhealthy"),
            of_rollout(8, 33, "rollout_halted", "cause failures"),
            of_rollout(9, 33, "rolling_back", "release x"),
        ],
        nodes: vec![
            node(1, 0, "1.0.0", "rolled_back"),
            node(2, 0, "1.0.0", "rolled_back"),
            node(3, 1, "1.0.0", "cancelled"),
        ],
        ..good()
    };
    for node in &mut facts.nodes[..2] {
        node.ran = vec![v("1.0.0"), v("2.0.0"), v("1.0.0")];
    }
    facts
}

#[test]
fn every_promise_of_a_bad_upgrade_is_missed_by_the_fault_that_breaks_it() {
    assert_eq!(wrong(&bad_upgrade(&bad())), Vec::<&str>::new());
    let table: [(Change, &str); 11] = [
        (|facts| drop(facts.entries.remove(5)), "wave 0"),
        (|facts| facts.nodes[1].wave = Some(1), "wave 0"),
        (|facts| facts.entries[7].height = 34, "the halt"),
        (|facts| facts.entries[7] = of_rollout(8, 33, "rollout_halted", "cause stalled"), "the halt"),
        (|facts| drop(facts.entries.remove(7)), "the halt"),
        (|facts| drop(facts.entries.remove(8)), "the way back"),
        (|facts| facts.entries[8].height = 40, "the way back"),
        (|facts| facts.nodes[0].digest = Some(v("2.0.0")), "wave 0 afterwards"),
        (|facts| facts.nodes[2].ran.push(v("2.0.0")), "the other waves"),
        (|facts| facts.standing = Standing::Allowed, "the standing of 2.0.0"),
        (|facts| facts.outcome = Some(Outcome::Completed), "rollout 2"),
    ];
    for (row, (change, about)) in table.into_iter().enumerate() {
        let mut facts = bad();
        change(&mut facts);
        assert!(wrong(&bad_upgrade(&facts)).contains(&about), "row {row}: {:?}", wrong(&bad_upgrade(&facts)));
    }
}

/// A rollout whose second wave is braked between its opening and its height.
fn held() -> (Facts, Braked) {
    let mut facts = good();
    facts
        .entries
        .insert(5, entry(6, 63, "braked", "scope *, length short, until_seconds 1011, until_height 113"));
    facts
        .entries
        .insert(6, entry(7, 64, "braked", "scope *, length full, until_seconds 1011, until_height 113"));
    facts.entries.insert(7, entry(8, 69, "brake_released", "scope *"));
    (facts.clone(), Braked::read(&facts.entries, 5).unwrap())
}

#[test]
fn the_brake_is_judged_by_blocks_at_both_edges() {
    let (facts, braked) = held();
    assert_eq!((braked.from_height, braked.to_height, braked.until_seconds), (63, 69, 1_011));
    assert_eq!(wrong(&brake(&facts, Some(&braked))), Vec::<&str>::new());
    assert!(!brake(&facts, None).iter().all(|finding| finding.as_expected));
    for (height, as_expected) in [(63, true), (64, false), (68, false), (69, true)] {
        for fields in
            ["node 2, attempt 1, purpose activate", "node 2, report activated, attempt 1, detail 60"]
        {
            let kind = if fields.contains("report") { "reported" } else { "leased" };
            let mut facts = facts.clone();
            facts.entries.push(of_rollout(99, height, kind, fields));
            assert_eq!(nothing_activated(&facts, &braked).as_expected, as_expected, "{kind} in {height}");
        }
    }
    let early = Braked { from_height: 59, ..braked };
    assert_eq!(wrong(&brake(&facts, Some(&early))), ["the brake"]);
    for (to_seconds, as_expected) in [(1_010, true), (1_011, false)] {
        assert_eq!(released_by_guardians(&Braked { to_seconds, ..braked }).as_expected, as_expected);
    }
    assert!(Braked::read(&facts.entries, 8).is_none(), "an older brake is not this one");
}

fn killed() -> Killed {
    let victim = |node: &str, stage: &str, daemon| Victim {
        node: node.to_owned(),
        stage: stage.to_owned(),
        intent: "switch".to_owned(),
        daemon,
    };
    Killed {
        alone: Some(victim("node-2", "snapshotted", None)),
        together: Some(victim("node-2", "booting", Some(7))),
        serving: Some(Bystander {
            node: "node-1".to_owned(),
            stage: "committed".to_owned(),
            pid_before: Some(5),
            pid_after: Some(5),
            outages: 0,
        }),
        missed: Vec::new(),
    }
}

#[test]
fn kills_count_only_in_the_middle_of_a_switch_and_a_serving_daemon_goes_on() {
    let mut facts = good();
    facts.nodes.push(node(3, 1, "2.0.0", "committed"));
    facts.entries.push(of_rollout(9, 70, "leased", "node 3, attempt 1, purpose activate"));
    facts.entries.push(of_rollout(10, 71, "reported", "node 3, report activated, attempt 1, detail 70"));
    assert_eq!(wrong(&kills(&facts, &killed())), Vec::<&str>::new());
    let table: [(Harm, usize); 9] = [
        (|killed| killed.alone = None, 0),
        (|killed| killed.alone.as_mut().unwrap().stage = "on_trial".to_owned(), 0),
        (|killed| killed.alone.as_mut().unwrap().stage = "leased".to_owned(), 0),
        (|killed| killed.together = None, 1),
        (|killed| killed.together.as_mut().unwrap().daemon = None, 1),
        (|killed| killed.serving = None, 2),
        (|killed| killed.serving.as_mut().unwrap().pid_after = Some(6), 2),
        (|killed| killed.serving.as_mut().unwrap().outages = 1, 2),
        (|killed| killed.serving.as_mut().unwrap().stage = "armed".to_owned(), 2),
    ];
    for (row, (change, about)) in table.into_iter().enumerate() {
        let mut killed = killed();
        change(&mut killed);
        assert!(!kills(&facts, &killed)[about].as_expected, "row {row}");
    }
    // A killed node may be late; the others may not.
    facts.entries[6] = of_rollout(7, 72, "reported", "node 2, report activated, attempt 1, detail 75");
    assert_eq!(wrong(&kills(&facts, &killed())), Vec::<&str>::new());
    facts.entries[9] = of_rollout(10, 71, "reported", "node 3, report activated, attempt 1, detail 71");
    assert_eq!(wrong(&kills(&facts, &killed())), ["skew of every node that was not killed"]);
}

#[test]
fn the_log_must_hold_every_entry_that_was_seen() {
    for (verified, seen, as_expected) in [
        (Ok(5), 5, true),
        (Ok(4), 5, false),
        (Ok(5), 4, false),
        (Err("entry 3 is another".to_owned()), 5, false),
    ] {
        assert_eq!(log(&verified, seen)[0].as_expected, as_expected, "{verified:?} of {seen}");
    }
}
