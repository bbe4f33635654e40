use super::*;

fn tally(yes: u128, no: u128, abstain: u128, veto: u128) -> Tally {
    Tally { yes: yes.into(), no: no.into(), abstain: abstain.into(), veto: veto.into(), decided: None }
}

fn bars(quorum: u16, threshold: u16, yes_min: u16, veto: Option<u16>, veto_floor: u16) -> Bars {
    Bars {
        quorum_bps: Bps(quorum),
        threshold_bps: Bps(threshold),
        yes_min_bps: Bps(yes_min),
        veto_bps: veto.map(Bps),
        veto_floor_bps: Bps(veto_floor),
    }
}

#[test]
fn both_edges_of_every_bar() {
    let rules = bars(4_000, 6_000, 3_000, Some(3_340), 1_000);
    for (why, tally, want) in [
        ("nobody voted", tally(0, 0, 0, 0), Verdict::QuorumFailed),
        ("cast at the quorum", tally(40, 0, 0, 0), Verdict::Passed),
        ("cast one below the quorum", tally(39, 0, 0, 0), Verdict::QuorumFailed),
        ("all abstain", tally(0, 0, 100, 0), Verdict::Rejected),
        ("yes at the threshold", tally(60, 40, 0, 0), Verdict::Passed),
        ("yes one below the threshold", tally(59, 41, 0, 0), Verdict::Rejected),
        ("yes at the floor of all", tally(30, 0, 10, 0), Verdict::Passed),
        ("yes one below the floor of all", tally(29, 0, 11, 0), Verdict::Rejected),
        ("veto at a third of the cast, not above", tally(60, 0, 6, 33), Verdict::Passed),
        ("veto above a third of the cast", tally(60, 0, 6, 34), Verdict::Vetoed),
        ("veto at the floor of all", tally(15, 0, 15, 16), Verdict::Vetoed),
        ("a lone vetoer cannot make a quorum", tally(0, 0, 0, 39), Verdict::QuorumFailed),
        ("veto below its floor of all only counts as no", tally(9, 0, 22, 9), Verdict::Rejected),
    ] {
        assert_eq!(tally.verdict(&rules, Uint128::new(100)), want, "{why}");
    }
    let half = bars(2_000, 5_000, 0, None, 0);
    assert_eq!(tally(50, 50, 0, 0).verdict(&half, Uint128::new(100)), Verdict::Rejected, "a tie at one half");
    assert_eq!(tally(51, 49, 0, 0).verdict(&half, Uint128::new(100)), Verdict::Passed, "a majority");
    assert_eq!(tally(1, 0, 0, 0).verdict(&half, Uint128::zero()), Verdict::QuorumFailed, "a total of zero");
}

#[test]
fn the_largest_weights_stay_exact() {
    let rules = bars(10_000, 10_000, 10_000, Some(1), 0);
    let whole = Tally { yes: Uint128::MAX, ..Tally::default() };
    assert_eq!(whole.verdict(&rules, Uint128::MAX), Verdict::Passed);
    let short = Tally { yes: Uint128::new(u128::MAX - 1), abstain: Uint128::one(), ..Tally::default() };
    assert_eq!(short.verdict(&rules, Uint128::MAX), Verdict::Rejected);
}

#[test]
fn a_ballot_never_lifts_the_sum_above_the_total() {
    let total = Uint128::new(10);
    let mut sums = tally(6, 0, 0, 0);
    assert!(sums.count(Ballot::No, Uint128::new(5), None, total).is_err());
    assert_eq!(sums, tally(6, 0, 0, 0));
    assert_eq!(sums.count(Ballot::No, Uint128::new(4), None, total), Ok(()));
    assert_eq!(sums.count(Ballot::Veto, Uint128::new(6), Some(Ballot::Yes), total), Ok(()));
    assert_eq!(sums, tally(0, 4, 0, 6));
}

/// Every way in which the rest can still be cast, by brute force.
fn continuations(sums: Tally, total: u128) -> Vec<Tally> {
    let rest = total - Uint128::try_from(sums.cast()).unwrap().u128();
    let mut all = Vec::new();
    for yes in 0..=rest {
        for no in 0..=rest - yes {
            for abstain in 0..=rest - yes - no {
                for veto in 0..=rest - yes - no - abstain {
                    all.push(Tally {
                        yes: sums.yes + Uint128::new(yes),
                        no: sums.no + Uint128::new(no),
                        abstain: sums.abstain + Uint128::new(abstain),
                        veto: sums.veto + Uint128::new(veto),
                        decided: None,
                    });
                }
            }
        }
    }
    all
}

/// TALLY-1 and TALLY-2, and early finish against the truth, for every tally of a total of 1 to 5.
#[test]
fn early_finish_equals_the_truth_over_all_continuations() {
    let mut states = 0u32;
    for quorum in [2_000, 4_000, 6_000] {
        for threshold in [5_000, 6_670] {
            for yes_min in [0, 4_000] {
                for veto in [None, Some(2_500), Some(3_340)] {
                    let rules = bars(quorum, threshold, yes_min, veto, 1_000);
                    for total in 1..=5u128 {
                        for sums in continuations(Tally::default(), total) {
                            let total = Uint128::new(total);
                            let passes = |t: &Tally| t.verdict(&rules, total) == Verdict::Passed;
                            let truth = continuations(sums, total.u128());
                            let want = match (truth.iter().all(passes), truth.iter().any(passes)) {
                                (true, _) => Early::Pass,
                                (_, false) => Early::Reject,
                                _ => Early::Open,
                            };
                            assert_eq!(
                                sums.early(&rules, total),
                                want,
                                "{sums:?} of {total} under {rules:?}"
                            );
                            if sums.yes.is_zero() {
                                assert!(!passes(&sums), "TALLY-2: {sums:?}");
                            }
                            states += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(states, 36 * 251);
}
