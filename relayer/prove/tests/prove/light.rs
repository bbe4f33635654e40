//! The driver: skips, halving, witnesses, forks, old headers.

use concord_prove::{Evidence, Light, Reason, StateKey, Told, TrustFile, Verdict, read, read_any};

use super::maker::{Ballot, CHAIN_ID, CONTRACT, Chain, Plan, key, voters};
use super::world::{Node, after, run, terms};

fn begin(sources: &[Node<'_>], chain: &Chain, height: u64) -> Light {
    let told = run(Light::begin(sources, CHAIN_ID, chain.anchor(height), "test", terms(), after(height)));
    told.verdict.proved().unwrap()
}

fn pair(chain: &Chain) -> Vec<Node<'_>> {
    vec![Node::honest("a:1", chain), Node::honest("b:1", chain)]
}

#[test]
fn a_skip_verifies_one_block_and_its_app_hash_proves_values_and_absences() {
    let chain = Plan::new().make();
    let sources = pair(&chain);
    let mut light = begin(&sources, &chain, 1);
    let root = run(light.tip(&sources, after(40))).verdict.proved().unwrap();
    assert_eq!((root.height, root.state_height()), (40, 39));
    assert_eq!(sources[0].asked(), ["commit-1", "validators-1-1", "status", "commit-40", "validators-40-1"]);
    assert_eq!(sources[1].asked(), ["status", "commit-40"]);
    for (own, expected) in [
        (&b"tip"[..], Some(&b"39"[..])),
        (&[b'k', 0], Some(br#"{"n":0}"#)),
        (b"a", None),
        (b"k", None),
        (&[b'k', 3], None),
        (b"z", None),
    ] {
        let told = run(read_any(&sources, CHAIN_ID, &StateKey::contract(&CONTRACT, own), &root));
        assert_eq!(told.verdict, Verdict::Yes(expected.map(<[u8]>::to_vec)), "{own:?}");
        assert!(told.refusals.is_empty());
    }
    let bytes = run(read(&sources[0], CHAIN_ID, &StateKey::staking_params(), &root)).unwrap().unwrap();
    assert_eq!(concord_prove::unbonding_seconds(&bytes), Ok(21 * 86_400));
    assert_eq!(key(b"tip"), StateKey::contract(&CONTRACT, b"tip").bytes());
}

fn names(told_refusals: &[concord_prove::Refusal]) -> Vec<(usize, String)> {
    told_refusals.iter().map(|refusal| (refusal.source, refusal.reason.name())).collect()
}

/// Sources, what they lead to, and what each of them is refused for.
type Row<'c, E> = (Vec<Node<'c>>, E, Vec<(usize, &'static str)>);

fn never<T: std::fmt::Debug>(told: &Told<T>) -> String {
    match &told.verdict {
        Verdict::Never(reason) => reason.name(),
        other => panic!("expected never, found {other:?}"),
    }
}

fn not_yet<T: std::fmt::Debug>(told: &Told<T>) -> String {
    match &told.verdict {
        Verdict::NotYet(reason) => reason.name(),
        other => panic!("expected not yet, found {other:?}"),
    }
}

#[test]
fn a_set_that_changes_wholly_is_reached_by_halving_and_a_slow_change_in_one_skip() {
    let wholly =
        Plan { voters: Box::new(|height| voters(u32::try_from(height / 13).unwrap() * 4, 4)), ..Plan::new() };
    let chain = wholly.make();
    let sources = pair(&chain);
    let mut light = begin(&sources, &chain, 1);
    assert_eq!(run(light.root(&sources, 40, after(40))).verdict.proved().unwrap().height, 40);
    let commits = sources[0].asked().iter().filter(|name| name.starts_with("commit")).count();
    assert!((6..=24).contains(&commits), "{commits} blocks for three whole changes");
    assert_eq!(sources[1].asked().iter().filter(|name| name.starts_with("commit")).count(), 1);

    // One of four is new every 13 heights: more than a third of the old power has signed.
    let slowly =
        Plan { voters: Box::new(|height| voters(u32::try_from(height / 13).unwrap(), 4)), ..Plan::new() };
    let chain = slowly.make();
    let sources = pair(&chain);
    let mut light = begin(&sources, &chain, 1);
    assert_eq!(run(light.root(&sources, 30, after(40))).verdict.proved().unwrap().height, 30);
    assert_eq!(sources[0].asked().iter().filter(|name| name.starts_with("commit")).count(), 2);
}

#[test]
fn many_validators_come_in_pages_and_votes_for_nil_and_absences_carry_no_power() {
    let ballot = |_: u64, place: usize| match place % 9 {
        0 => Ballot::Nil,
        5 => Ballot::Absent,
        _ => Ballot::Commit,
    };
    let plan =
        Plan { voters: Box::new(|_| voters(0, 180)), ballot: Box::new(ballot), heights: 3, ..Plan::new() };
    let chain = plan.make();
    let sources = pair(&chain);
    let mut light = begin(&sources, &chain, 1);
    assert_eq!(run(light.root(&sources, 3, after(3))).verdict.proved().unwrap().height, 3);
    assert!(sources[0].asked().contains(&"validators-3-2".to_owned()));
}

#[test]
fn exactly_two_thirds_are_not_enough_and_exactly_one_third_of_the_trusted_is_too_little() {
    // Validators and absent ones: more than two thirds must have signed.
    for (count, absent, is_enough) in
        [(3, 1, false), (4, 1, true), (4, 2, false), (6, 2, false), (7, 2, true), (1, 0, true)]
    {
        let plan = Plan {
            voters: Box::new(move |_| voters(0, count)),
            ballot: Box::new(
                move |height, place| {
                    if height == 9 && place < absent { Ballot::Absent } else { Ballot::Commit }
                },
            ),
            heights: 9,
            ..Plan::new()
        };
        let chain = plan.make();
        let sources = pair(&chain);
        // By a skip, as the very next block, and as the anchor itself.
        let told = [1, 8]
            .map(|from| run(begin(&sources, &chain, from).root(&sources, 9, after(9))).verdict.map_name());
        let anchor = chain.anchor(9);
        let alone = run(Light::begin(&sources, CHAIN_ID, anchor, "", terms(), after(9))).verdict.map_name();
        let expected = if is_enough { "" } else { "power" };
        assert_eq!(
            (told.each_ref().map(String::as_str), alone.as_str()),
            ([expected; 2], expected),
            "{count} {absent}"
        );
    }
    // Of three trusted ones, one or two are still there at height 20: a third is not more than a third.
    for (kept, blocks) in [(1, 3), (2, 2)] {
        let plan = Plan {
            voters: Box::new(move |height| {
                let mut all = voters(0, if height <= 10 { 3 } else { kept });
                all.extend(voters(50, if height <= 10 { 0 } else { 4 }));
                all
            }),
            heights: 20,
            ..Plan::new()
        };
        let chain = plan.make();
        let sources = pair(&chain);
        // The set that counts is the one that the trusted header names for its next block.
        let mut light = begin(&sources, &chain, 9);
        assert_eq!(run(light.root(&sources, 20, after(20))).verdict.proved().unwrap().height, 20);
        let commits = sources[0].asked().iter().filter(|name| name.starts_with("commit")).count();
        assert!(if kept == 1 { commits > blocks } else { commits == blocks }, "{kept}: {commits}");
    }
}

#[test]
fn without_a_witness_nothing_is_believed_and_one_of_many_suffices() {
    let chain = Plan::new().make();
    let behind = Plan { heights: 30, ..Plan::new() }.make();
    let honest = |label| Node::honest(label, &chain);
    let table: Vec<Row<'_, Option<&str>>> = vec![
        (vec![honest("a"), honest("b")], None, vec![]),
        (
            vec![honest("a"), Node::dead("b")],
            Some("no_witness"),
            vec![(1, "no_answer"), (0, "no_witness"), (1, "no_answer")],
        ),
        (
            vec![honest("a"), Node::honest("b", &behind)],
            Some("ahead"),
            vec![(1, "ahead"), (0, "no_witness"), (1, "ahead")],
        ),
        (vec![honest("a"), Node::dead("b"), honest("c")], None, vec![(1, "no_answer")]),
        (vec![Node::dead("a"), honest("b"), honest("c")], None, vec![(0, "no_answer"), (0, "no_answer")]),
    ];
    for (sources, expected, refusals) in table {
        let mut light = begin(&pair(&chain), &chain, 1);
        let told = run(light.root(&sources, 40, after(40)));
        match expected {
            None => assert!(matches!(told.verdict, Verdict::Yes(_))),
            Some(expected) => {
                assert_eq!(not_yet(&told), expected);
                assert_eq!(light.latest().height(), 1);
            }
        }
        let refusals: Vec<(usize, String)> =
            refusals.into_iter().map(|(source, name)| (source, name.to_owned())).collect();
        assert_eq!(names(&told.refusals), refusals);
    }
}

#[test]
fn one_source_is_no_witness_of_itself() {
    let chain = Plan::new().make();
    let mut light = begin(&pair(&chain), &chain, 1);
    for labels in [vec!["a"], vec!["a", "a"], vec!["a", "b", "a"]] {
        let sources: Vec<Node<'_>> = labels.iter().map(|label| Node::honest(label, &chain)).collect();
        assert_eq!(never(&run(light.root(&sources, 40, after(40)))), "sources");
        assert_eq!(never(&run(light.tip(&sources, after(40)))), "sources");
        assert_eq!(never(&run(concord_prove::propose_anchor(&sources, CHAIN_ID, None))), "sources");
    }
}

#[test]
fn a_fork_is_kept_with_both_blocks_and_nothing_is_believed_any_more() {
    let chain = Plan::new().make();
    let other = Plan { salt: (20, 1), ..Plan::new() }.make();
    let sources = vec![Node::honest("a:1", &chain), Node::honest("b:1", &other), Node::honest("c:1", &chain)];
    let mut light = begin(&sources, &chain, 10);
    assert_eq!(run(light.root(&sources, 19, after(40))).verdict.proved().unwrap().height, 19);
    let told = run(light.root(&sources, 40, after(40)));
    assert_eq!(never(&told), "forked");
    let Verdict::Never(Reason::Forked(evidence)) = told.verdict else { panic!() };
    let Evidence { common, first, first_source, second, second_source } = *evidence.clone();
    assert_eq!((common.height(), first_source.as_str(), second_source.as_str()), (19, "a:1", "b:1"));
    assert_eq!((first.hash(), second.hash()), (chain.header(40).hash(), other.header(40).hash()));
    // It stays so, also after a restart, also with the forked source gone.
    let kept = light.file().bytes().unwrap();
    let mut light = Light::resume(TrustFile::read(&kept, CHAIN_ID).unwrap());
    assert_eq!(light.file().forked, Some(evidence));
    for height in [5, 19, 30, 40] {
        assert_eq!(never(&run(light.root(&pair(&chain), height, after(40)))), "forked");
    }
    assert_eq!(never(&run(light.tip(&pair(&chain), after(40)))), "forked");
    // Only a new anchor leaves it.
    let mut light = begin(&sources, &chain, 30);
    assert_eq!(run(light.root(&pair(&chain), 40, after(40))).verdict.proved().unwrap().height, 40);
}

#[test]
fn a_witness_that_cannot_prove_its_other_header_is_only_refused() {
    let chain = Plan::new().make();
    // The same chain id with other validators: nobody trusted signed it.
    let forged = Plan { voters: Box::new(|_| voters(900, 4)), ..Plan::new() }.make();
    let sources = vec![Node::honest("a", &chain), Node::honest("b", &forged), Node::honest("c", &chain)];
    let mut light = begin(&pair(&chain), &chain, 1);
    let told = run(light.root(&sources, 40, after(40)));
    assert!(matches!(told.verdict, Verdict::Yes(_)));
    assert_eq!(names(&told.refusals), [(1, "witness_unproved".to_owned())]);
    // As the first source it is refused for what it shows, and the others go on.
    let sources = vec![Node::honest("b", &forged), Node::honest("a", &chain), Node::honest("c", &chain)];
    let mut light = begin(&pair(&chain), &chain, 1);
    let told = run(light.root(&sources, 40, after(40)));
    assert!(matches!(told.verdict, Verdict::Yes(_)));
    assert_eq!(names(&told.refusals), [(0, "succession".to_owned()), (0, "witness_unproved".to_owned())]);
    // Two that do not agree, neither proving against the other: nothing is known yet.
    let sources = vec![Node::honest("a", &chain), Node::honest("b", &forged)];
    let mut light = begin(&pair(&chain), &chain, 1);
    assert_eq!(not_yet(&run(light.root(&sources, 40, after(40)))), "no_witness");
}

#[test]
fn older_headers_are_walked_to_by_their_parents_hash_alone() {
    let chain = Plan { heights: 150, ..Plan::new() }.make();
    let sources = pair(&chain);
    let mut light = begin(&sources, &chain, 1);
    run(light.tip(&sources, after(150))).verdict.proved().unwrap();
    let root = run(light.root(&sources, 140, after(150))).verdict.proved().unwrap();
    assert_eq!(root.app_hash.to_vec(), chain.header(140).app_hash.as_bytes());
    // Once walked, it is remembered, and so is what lies between.
    let asked = sources[0].asked().len();
    assert!(matches!(run(light.root(&sources, 145, after(150))).verdict, Verdict::Yes(_)));
    assert_eq!(sources[0].asked().len(), asked);
    assert_eq!(light.latest().height(), 150);
    // The bound counts from the lowest verified header above.
    assert_eq!(never(&run(light.root(&sources, 11, after(150)))), "too_far_back");
    assert!(matches!(run(light.root(&sources, 12, after(150))).verdict, Verdict::Yes(_)));
    assert_eq!(never(&run(light.root(&sources, 0, after(150)))), "height");

    // A source that shows another old header is refused, the next one goes on where it stopped.
    let other = Plan { heights: 150, salt: (130, 1), ..Plan::new() }.make();
    let sources = vec![Node::honest("a", &other), Node::honest("b", &chain)];
    let mut light = begin(&pair(&chain), &chain, 1);
    run(light.tip(&pair(&chain), after(150))).verdict.proved().unwrap();
    let told = run(light.root(&sources, 147, after(150)));
    assert!(matches!(told.verdict, Verdict::Yes(_)));
    assert_eq!(names(&told.refusals), [(0, "parent_hash".to_owned())]);
}

#[test]
fn trust_ends_on_the_nanosecond_and_a_header_may_be_ahead_by_the_drift() {
    let chain = Plan::new().make();
    let sources = pair(&chain);
    let anchor = chain.anchor(1);
    let end = (chain.header(1).time + terms().trusting()).unwrap();
    let just_before = (end - std::time::Duration::from_nanos(1)).unwrap();
    for (now, is_over) in [(just_before, false), (end, true)] {
        let told = run(Light::begin(&sources, CHAIN_ID, anchor, "", terms(), now));
        assert_eq!(matches!(told.verdict, Verdict::Never(Reason::TrustExpired { .. })), is_over);
        let mut light = begin(&sources, &chain, 1);
        let told = run(light.root(&sources, 40, now));
        assert_eq!(matches!(told.verdict, Verdict::Never(Reason::TrustExpired { .. })), is_over);
        assert_eq!(light.check(now).is_err(), is_over && light.latest().height() == 1);
    }
    // The header's own time, less the drift, is the first moment at which it is not from the future.
    let earliest = (chain.header(40).time - terms().drift()).unwrap();
    let after_it = (earliest + std::time::Duration::from_nanos(1)).unwrap();
    for (now, is_future) in [(earliest, true), (after_it, false)] {
        let mut light = begin(&sources, &chain, 1);
        let told = run(light.root(&sources, 40, now));
        assert_eq!(matches!(told.verdict, Verdict::Never(Reason::Future { .. })), is_future);
    }
}

#[test]
fn the_tip_is_the_newest_block_with_a_witness_and_no_single_liar_moves_it() {
    let chain = Plan::new().make();
    let status = |height: u64, catching_up: bool| {
        move |name: &str, body: String| {
            let from = "\"latest_block_height\":\"40\"";
            let body = if name == "status" {
                body.replace(from, &format!("\"latest_block_height\":\"{height}\""))
                    .replace("\"catching_up\":false", &format!("\"catching_up\":{catching_up}"))
            } else {
                body
            };
            Ok(body)
        }
    };
    let node = |label, height, catching_up| Node::honest(label, &chain).tweaked(status(height, catching_up));
    let table: Vec<Row<'_, Result<u64, &str>>> = vec![
        (vec![node("a", 40, false), node("b", 40, false)], Ok(40), vec![]),
        (vec![node("a", 40, false), node("b", 38, false)], Ok(38), vec![]),
        (vec![node("a", 9_999, false), node("b", 39, false), node("c", 38, false)], Ok(39), vec![]),
        // Six below what is proved is back; five are another node behind the same address.
        (
            vec![node("a", 14, false), node("b", 40, false), node("c", 40, false)],
            Ok(40),
            vec![(0, "went_back")],
        ),
        (vec![node("a", 15, false), node("b", 40, false)], Ok(20), vec![]),
        (vec![node("a", 40, true), node("b", 40, false)], Err("no_witness"), vec![(0, "catching_up")]),
        (
            vec![node("a", 40, true), node("b", 40, true)],
            Err("catching_up"),
            vec![(0, "catching_up"), (1, "catching_up")],
        ),
        (
            vec![Node::dead("a"), node("b", 40, true)],
            Err("catching_up"),
            vec![(0, "no_answer"), (1, "catching_up")],
        ),
    ];
    for (sources, expected, refusals) in table {
        let mut light = begin(&pair(&chain), &chain, 20);
        let told = run(light.tip(&sources, after(40)));
        match expected {
            Ok(height) => assert_eq!(told.verdict.clone().proved().unwrap().height, height),
            Err(name) => assert_eq!(not_yet(&told), name),
        }
        let refusals: Vec<(usize, String)> =
            refusals.into_iter().map(|(source, name)| (source, name.to_owned())).collect();
        assert_eq!(names(&told.refusals), refusals);
    }
    let light = begin(&pair(&chain), &chain, 20);
    let mut light2 = light.clone();
    let dead = vec![Node::dead("a"), Node::dead("b")];
    assert_eq!(never(&run(light2.tip(&dead, after(40)))), "no_answer");
}

#[test]
fn an_anchor_is_proposed_when_two_agree_and_none_disagrees() {
    let chain = Plan::new().make();
    let other = Plan { salt: (20, 1), ..Plan::new() }.make();
    let sources = pair(&chain);
    let told = run(concord_prove::propose_anchor(&sources, CHAIN_ID, None));
    assert_eq!(told.verdict, Verdict::Yes(chain.anchor(40)));
    let told = run(concord_prove::propose_anchor(&sources, CHAIN_ID, Some(7)));
    assert_eq!(told.verdict, Verdict::Yes(chain.anchor(7)));
    let sources = vec![Node::honest("a", &chain), Node::honest("b", &chain), Node::honest("c", &other)];
    assert_eq!(never(&run(concord_prove::propose_anchor(&sources, CHAIN_ID, None))), "anchor_hash");
    assert!(matches!(
        run(concord_prove::propose_anchor(&sources, CHAIN_ID, Some(19))).verdict,
        Verdict::Yes(_)
    ));
    let sources = vec![Node::honest("a", &chain), Node::dead("b")];
    assert_eq!(not_yet(&run(concord_prove::propose_anchor(&sources, CHAIN_ID, Some(7)))), "no_witness");
    assert_eq!(never(&run(concord_prove::propose_anchor(&pair(&chain), "made-2", None))), "chain_id");
}

#[test]
fn trust_begins_at_the_vouched_block_only() {
    let chain = Plan::new().make();
    let other = Plan { salt: (20, 1), ..Plan::new() }.make();
    let anchor = other.anchor(30);
    let told = run(Light::begin(&pair(&chain), CHAIN_ID, anchor, "", terms(), after(40)));
    assert_eq!(told.verdict.map_name(), "anchor_hash");
    assert_eq!(names(&told.refusals), [(0, "anchor_hash".to_owned()), (1, "anchor_hash".to_owned())]);
    let sources = vec![Node::honest("a", &chain), Node::honest("b", &other)];
    let told = run(Light::begin(&sources, CHAIN_ID, anchor, "", terms(), after(40)));
    assert_eq!(told.verdict.proved().unwrap().file().anchor, anchor);
    let told = run(Light::begin(&sources, "made-2", anchor, "", terms(), after(40)));
    assert_eq!(told.verdict.map_name(), "anchor_hash");
    assert_eq!(names(&told.refusals), [(0, "anchor_hash".to_owned()), (1, "chain_id".to_owned())]);
    let ahead = concord_prove::Anchor::new(41, [1; 32]).unwrap();
    let told = run(Light::begin(&sources, CHAIN_ID, ahead, "", terms(), after(40)));
    assert_eq!(told.verdict.map_name(), "ahead");
}

trait Name {
    fn map_name(self) -> String;
}

impl<T> Name for Verdict<T> {
    fn map_name(self) -> String {
        self.proved().err().map_or_else(String::new, |reason| reason.name())
    }
}

#[test]
fn a_halted_nodes_newest_state_is_not_yet_and_a_pruned_one_is_never() {
    let chain = Plan::new().make();
    // As the SDK says both: the same text for a state that is not committed yet and for one that is gone.
    let gone = r#"{"jsonrpc":"2.0","id":1,"result":{"response":{"code":18,"codespace":"sdk","height":"0",
        "log":"proof is unexpectedly empty; ensure height has not been pruned: invalid request"}}}"#;
    let source = Node::honest("a", &chain)
        .tweaked(move |name, body| Ok(if name.starts_with("abci_query") { gone.to_owned() } else { body }));
    let key = StateKey::contract(&CONTRACT, b"tip");
    let root = |height| concord_prove::Root { height, time: after(40), app_hash: [0; 32] };
    let reason = |height| Verdict::of(run(read(&source, CHAIN_ID, &key, &root(height))));
    assert!(matches!(reason(41), Verdict::NotYet(Reason::StateAhead { asked: 40, latest: 40 })));
    assert!(matches!(reason(40), Verdict::Never(Reason::StatePruned { asked: 39, latest: 40 })));
    assert!(matches!(reason(1), Verdict::Never(Reason::Height { asked: 0 })));
}

#[test]
fn reading_goes_on_to_the_source_that_proves() {
    let chain = Plan::new().make();
    let root = concord_prove::Root {
        height: 40,
        time: after(40),
        app_hash: chain.header(40).app_hash.as_bytes().try_into().unwrap(),
    };
    let liar = Node::honest("a", &chain)
        .tweaked(|_, body| Ok(body.replace("\"value\":\"Mzk=\"", "\"value\":\"NDA=\"")));
    let sources = vec![liar, Node::dead("b"), Node::honest("c", &chain)];
    let key = StateKey::contract(&CONTRACT, b"tip");
    let told = run(read_any(&sources, CHAIN_ID, &key, &root));
    assert_eq!(told.verdict, Verdict::Yes(Some(b"39".to_vec())));
    assert_eq!(names(&told.refusals), [(0, "value_differs".to_owned()), (1, "no_answer".to_owned())]);
    let told = run(read_any(&sources[..2], CHAIN_ID, &key, &root));
    assert_eq!(never(&told), "value_differs");
}
