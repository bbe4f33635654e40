//! The arithmetic of silence: when a node did not answer, and how many did not at once. Pure.

use serde::Serialize;

/// A time in which one node did not answer, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outage {
    /// The last answer before it.
    pub(crate) from_ms: u64,
    /// The first answer after it; `None` while it lasts.
    pub(crate) to_ms: Option<u64>,
    /// The first request that failed.
    pub(crate) failed_ms: u64,
    /// How many requests failed.
    pub(crate) failures: u32,
}

impl Outage {
    /// Its length; up to `now_ms` while it lasts.
    #[must_use]
    pub(crate) fn length_ms(&self, now_ms: u64) -> u64 {
        self.to_ms.unwrap_or(now_ms).saturating_sub(self.from_ms)
    }

    /// Did it begin in `[from, to)`? It counts where it began.
    #[must_use]
    pub(crate) fn began_in(&self, from_ms: u64, to_ms: u64) -> bool {
        (from_ms..to_ms).contains(&self.failed_ms)
    }
}

/// What one client saw of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// Answered requests.
    pub(crate) answers: u64,
    /// The last answer.
    pub(crate) last_ms: Option<u64>,
    /// The version that it named.
    pub(crate) version: String,
    /// All outages, oldest first.
    pub(crate) outages: Vec<Outage>,
}

impl Record {
    /// A request was answered by this version at `at_ms`.
    pub(crate) fn answered(&mut self, at_ms: u64, version: &str) {
        if let Some(open) = self.outages.last_mut().filter(|outage| outage.to_ms.is_none()) {
            open.to_ms = Some(at_ms);
        }
        self.answers = self.answers.saturating_add(1);
        self.last_ms = Some(at_ms);
        if self.version != version {
            version.clone_into(&mut self.version);
        }
    }

    /// A request that was sent at `at_ms` failed. Before the first answer there is nothing to be missed.
    pub(crate) fn failed(&mut self, at_ms: u64) {
        let Some(last_ms) = self.last_ms else { return };
        match self.outages.last_mut().filter(|outage| outage.to_ms.is_none()) {
            Some(open) => open.failures = open.failures.saturating_add(1),
            None => {
                self.outages.push(Outage { from_ms: last_ms, to_ms: None, failed_ms: at_ms, failures: 1 })
            }
        }
    }
}

/// The most outages that overlap; an end at the moment of a begin does not overlap it.
#[must_use]
pub(crate) fn silent_at_once<'a>(outages: impl Iterator<Item = &'a Outage>) -> usize {
    let mut edges: Vec<(u64, bool)> = Vec::new();
    for outage in outages {
        edges.push((outage.failed_ms, true));
        edges.push((outage.to_ms.unwrap_or(u64::MAX), false));
    }
    edges.sort_unstable();
    let (mut now, mut most) = (0_usize, 0_usize);
    for (_, begins) in edges {
        now = if begins { now.saturating_add(1) } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}

/// A span in which a node may be silent, in Unix milliseconds; `None`: it still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// From here on.
    pub(crate) from_ms: u64,
    /// Up to here.
    pub(crate) to_ms: Option<u64>,
}

/// The outages of which a failure lies outside of every window; `slack_ms` is what two clocks may differ.
#[must_use]
pub(crate) fn outside(outages: &[Outage], windows: &[Window], slack_ms: u64) -> Vec<Outage> {
    let covered = |outage: &Outage| {
        windows.iter().any(|window| {
            let begins = window.from_ms.saturating_sub(slack_ms) <= outage.failed_ms;
            let ends = window.to_ms.is_none_or(|to_ms| {
                outage.to_ms.is_some_and(|back_ms| back_ms <= to_ms.saturating_add(slack_ms))
            });
            begins && ends
        })
    };
    outages.iter().filter(|outage| !covered(outage)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(failed_ms: u64, to_ms: Option<u64>) -> Outage {
        Outage { from_ms: failed_ms.saturating_sub(5), to_ms, failed_ms, failures: 1 }
    }

    #[test]
    fn an_outage_lasts_from_the_last_answer_to_the_next_one() {
        let mut record = Record::default();
        record.failed(1);
        assert_eq!(record.outages, [], "nothing is missed before the first answer");
        record.answered(10, "1.0.0");
        record.answered(20, "1.0.0");
        record.failed(30);
        record.failed(40);
        assert_eq!(record.outages.last().map(|open| open.length_ms(45)), Some(25));
        record.answered(50, "2.0.0");
        record.answered(60, "2.0.0");
        record.failed(70);
        record.answered(71, "2.0.0");
        let expected = [
            Outage { from_ms: 20, to_ms: Some(50), failed_ms: 30, failures: 2 },
            Outage { from_ms: 60, to_ms: Some(71), failed_ms: 70, failures: 1 },
        ];
        assert_eq!(record.outages, expected);
        assert_eq!(expected.map(|outage| outage.length_ms(0)), [30, 11]);
        assert_eq!((record.answers, record.version.as_str()), (5, "2.0.0"));
    }

    #[test]
    fn only_overlapping_outages_count_together() {
        for (outages, most) in [
            (vec![], 0),
            (vec![(10, Some(20))], 1),
            (vec![(10, Some(20)), (20, Some(30))], 1),
            (vec![(10, Some(21)), (20, Some(30))], 2),
            (vec![(10, None), (20, None), (30, Some(40)), (50, Some(60))], 3),
        ] {
            let outages: Vec<_> = outages.into_iter().map(|(from, to)| outage(from, to)).collect();
            assert_eq!(silent_at_once(outages.iter()), most, "{outages:?}");
        }
    }

    #[test]
    fn an_outage_must_lie_in_one_window_as_a_whole() {
        let window = |from_ms, to_ms| Window { from_ms, to_ms };
        for (outage, windows, slack_ms, inside) in [
            (outage(10, Some(20)), vec![], 0, false),
            (outage(10, Some(20)), vec![window(10, Some(20))], 0, true),
            (outage(9, Some(20)), vec![window(10, Some(20))], 0, false),
            (outage(10, Some(21)), vec![window(10, Some(20))], 0, false),
            (outage(9, Some(21)), vec![window(10, Some(20))], 1, true),
            (outage(10, None), vec![window(10, Some(20))], 0, false),
            (outage(10, None), vec![window(10, None)], 0, true),
            (outage(10, Some(20)), vec![window(1, Some(15)), window(15, Some(30))], 0, false),
        ] {
            assert_eq!(
                outside(&[outage], &windows, slack_ms).is_empty(),
                inside,
                "{outage:?} in {windows:?}"
            );
        }
    }

    #[test]
    fn an_outage_counts_where_it_began() {
        let one = outage(10, Some(20));
        assert!(one.began_in(10, 11) && one.began_in(0, 11));
        assert!(!one.began_in(0, 10) && !one.began_in(11, 20));
    }
}
