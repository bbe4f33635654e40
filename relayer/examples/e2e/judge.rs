//! Compares what was seen with what was promised. Pure: facts in, findings out.

use concord_schema::Digest;
use serde::Serialize;

use super::chain::{Block, Vote};
use super::settings::{Story, VALIDATORS};
use super::witness::Seen;

/// The longest that a validator may be away beyond its own stop.
pub(crate) const AWAY_MS_MAX: u64 = 5_000;

/// What an agent says at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Its stage.
    pub(crate) stage: String,
    /// What its validator executes.
    pub(crate) digest: Option<Digest>,
    /// The difference between asked and actual height of its newest switch.
    pub(crate) skew_blocks: Option<u64>,
    /// What needs the operator.
    pub(crate) fault: Option<String>,
}

/// Everything that is judged.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The story.
    pub(crate) story: Story,
    /// The release of before.
    pub(crate) before: Digest,
    /// The new one.
    pub(crate) after: Digest,
    /// The node that gets a bad artifact, and its digest.
    pub(crate) victim: Option<(usize, Digest)>,
    /// How the rollout ended.
    pub(crate) outcome: String,
    /// What the agents say.
    pub(crate) told: [Told; VALIDATORS],
    /// What was seen from outside.
    pub(crate) seen: Seen,
    /// When the upgrade was executed, in Unix milliseconds.
    pub(crate) from_ms: u64,
    /// The blocks before the upgrade.
    pub(crate) calm: Vec<Block>,
    /// The blocks of the upgrade.
    pub(crate) blocks: Vec<Block>,
    /// How many different blocks the validators show at the end.
    pub(crate) forks: usize,
}

/// One expectation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Of what.
    pub(crate) what: String,
    /// What was promised.
    pub(crate) expected: String,
    /// What was seen.
    pub(crate) observed: String,
    /// Whether they agree.
    pub(crate) as_expected: bool,
}

/// A validator's line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    /// Its number.
    pub(crate) validator: usize,
    /// Its agent's stage.
    pub(crate) stage: String,
    /// Which release runs: `before`, `after`, or neither.
    pub(crate) release: &'static str,
    /// What it executes.
    pub(crate) digest: Option<Digest>,
    /// Activation height against the one that was asked.
    pub(crate) skew_blocks: Option<u64>,
    /// From the end of its old process to the next vote that it signed.
    pub(crate) away_seconds: Option<f64>,
    /// From there to its next vote that is in a block: the chain's pace is in it, too.
    pub(crate) in_block_seconds: Option<f64>,
    /// Blocks without its signature while it was away.
    pub(crate) missed_own: usize,
    /// Blocks without its signature while it was not.
    pub(crate) missed_other: Vec<u64>,
}

/// Milliseconds from one block to the next.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct BlockTime {
    /// How many of them.
    pub(crate) blocks: usize,
    /// The longest.
    pub(crate) max_ms: u64,
    /// The mean.
    pub(crate) mean_ms: u64,
    /// Blocks that took more than one round.
    pub(crate) more_rounds: usize,
}

impl BlockTime {
    /// Of blocks in a row.
    pub(crate) fn of(blocks: &[Block]) -> Self {
        let pairs = blocks.windows(2).filter_map(|pair| match pair {
            [before, after] => Some(after.time_ms.saturating_sub(before.time_ms)),
            _ => None,
        });
        let (max_ms, sum, count) =
            pairs.fold((0_u64, 0_u64, 0_u64), |(max, sum, count), ms| (max.max(ms), sum + ms, count + 1));
        let more_rounds = blocks.iter().filter(|block| block.round > 0).count();
        Self {
            blocks: blocks.len(),
            max_ms,
            mean_ms: sum.checked_div(count).unwrap_or_default(),
            more_rounds,
        }
    }
}

/// A validator's absence, by the chain's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Absence {
    stopped_ms: u64,
    back_ms: u64,
    /// The first block that it signed again.
    back: u64,
}

impl Facts {
    /// The first time after the upgrade's begin that a validator's process ended, until it signed again.
    fn absence(&self, node: usize) -> Option<Absence> {
        let stopped_ms = self.seen.stopped(node, self.from_ms)?;
        // Its last vote before the stop may be in a block that was made after it, by the votes of the others.
        let signed = self.blocks.iter().filter_map(|block| match block.votes.get(node) {
            Some(Vote::Signed(at_ms)) if *at_ms > stopped_ms => Some((block.height, *at_ms)),
            _ => None,
        });
        let (back, back_ms) = signed.min()?;
        Some(Absence { stopped_ms, back_ms, back })
    }

    /// From the end of a validator's process to the first vote that it signed after it, if one of its votes is in a block
    /// again.
    fn away_ms(&self, node: usize) -> Option<u64> {
        let stopped_ms = self.absence(node)?.stopped_ms;
        self.seen.signed_after(node, stopped_ms).map(|at_ms| at_ms.saturating_sub(stopped_ms))
    }

    fn missed(&self, node: usize) -> (usize, Vec<u64>) {
        let absence = self.absence(node);
        let absent = self.blocks.iter().filter(|block| block.votes.get(node) == Some(&Vote::Absent));
        let is_own = |block: &&Block| {
            absence.is_some_and(|absence| {
                block.height < absence.back && self.votes_until(block.height) >= absence.stopped_ms
            })
        };
        let own = absent.clone().filter(is_own).count();
        (own, absent.filter(|block| !is_own(block)).map(|block| block.height).collect())
    }

    /// Votes for a block are collected until the next one is proposed. That is before the next one's own votes, whose time
    /// is that of the block after it.
    fn votes_until(&self, height: u64) -> u64 {
        let later = self.blocks.iter().find(|block| block.height > height.saturating_add(1));
        later.map_or(u64::MAX, |block| block.time_ms)
    }

    /// The validators' lines.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let line = |(node, told): (usize, &Told)| {
            let (missed_own, missed_other) = self.missed(node);
            let in_block =
                self.absence(node).map(|absence| absence.back_ms.saturating_sub(absence.stopped_ms));
            Line {
                validator: node,
                stage: told.stage.clone(),
                release: match told.digest {
                    Some(digest) if digest == self.after => "after",
                    Some(digest) if digest == self.before => "before",
                    Some(_) | None => "neither",
                },
                digest: told.digest,
                skew_blocks: told.skew_blocks,
                away_seconds: self.away_ms(node).map(seconds),
                in_block_seconds: in_block.map(seconds),
                missed_own,
                missed_other,
            }
        };
        self.told.iter().enumerate().map(line).collect()
    }

    fn is_victim(&self, node: usize) -> bool {
        self.victim.is_some_and(|(victim, _)| victim == node)
    }

    /// What each expectation comes to.
    pub(crate) fn judge(&self) -> Vec<Finding> {
        let mut findings = vec![
            Finding::new("the rollout", "completed", self.outcome.clone(), self.outcome == "completed"),
            self.releases(),
            self.skew(),
        ];
        findings.extend(self.came_back());
        findings.extend([self.away(), self.missed_by_others(), self.down(), self.processes()]);
        findings.extend([self.evidence(), self.signers(), self.one_chain()]);
        findings
    }

    fn releases(&self) -> Finding {
        let want = |node: usize| {
            if self.is_victim(node) { ("rolled_back", "before") } else { ("committed", "after") }
        };
        let show = |line: &Line| format!("{} {} on {}", line.validator, line.stage, line.release);
        let lines = self.lines();
        let met = lines.iter().all(|line| (line.stage.as_str(), line.release) == want(line.validator))
            && self.told.iter().all(|told| told.fault.is_none());
        let expected = match self.victim {
            None => "all committed on the new one".to_owned(),
            Some((victim, _)) => format!("all committed on the new one, {victim} rolled back on the old one"),
        };
        Finding::new("releases", expected, joined(lines.iter().map(show)), met)
    }

    fn skew(&self) -> Finding {
        let show = |told: &Told| told.skew_blocks.map_or_else(|| "none".to_owned(), |skew| skew.to_string());
        let met = self.told.iter().all(|told| told.skew_blocks == Some(0));
        Finding::new("activation skew", "0 blocks each", joined(self.told.iter().map(show)), met)
    }

    /// What the victim ran: the old one, the bad one, the old one again.
    fn came_back(&self) -> Option<Finding> {
        let (victim, bad) = self.victim?;
        let ran = self.seen.ran(victim, self.from_ms);
        let word = |digest: &Digest| {
            if *digest == self.before {
                "old"
            } else if *digest == bad {
                "bad"
            } else {
                "unknown"
            }
        };
        let met = ran == [self.before, bad, self.before] || ran == [self.before];
        let observed = joined(ran.iter().map(word));
        Some(Finding::new("what the victim ran", "old, bad, old again, as far as it was seen", observed, met))
    }

    fn away(&self) -> Finding {
        let away: Vec<Option<u64>> = (0..VALIDATORS).map(|node| self.away_ms(node)).collect();
        // Who has a bad release starts more than once.
        let met = away.iter().enumerate().all(|(node, ms)| {
            ms.is_some_and(|ms| ms <= AWAY_MS_MAX || (self.is_victim(node) && ms <= 2 * AWAY_MS_MAX))
        });
        let show =
            |ms: &Option<u64>| ms.map_or_else(|| "never back".to_owned(), |ms| format!("{} s", seconds(ms)));
        let expected = match self.story {
            Story::Rolling => "at most 5 s each beyond the own stop",
            Story::BadRelease => "at most 5 s each beyond the own stop, 10 s with the bad release",
        };
        Finding::new("away", expected, joined(away.iter().map(show)), met)
    }

    fn missed_by_others(&self) -> Finding {
        let missed: Vec<String> = (0..VALIDATORS)
            .flat_map(|node| self.missed(node).1.into_iter().map(move |height| format!("{node} at {height}")))
            .collect();
        let met = missed.is_empty() && !self.blocks.is_empty();
        let observed = format!("{} of {} blocks: {}", missed.len(), self.blocks.len(), joined(missed.iter()));
        Finding::new("blocks missed by who was not away", "none", observed, met)
    }

    fn down(&self) -> Finding {
        let most = self.seen.most_down;
        Finding::new(
            "validators down at once",
            "at most 1",
            most.to_string(),
            most <= 1 && self.seen.looks > 0,
        )
    }

    fn processes(&self) -> Finding {
        let bad = self.victim.map(|(_, bad)| bad);
        let known = |digest: Digest| digest == self.before || digest == self.after || Some(digest) == bad;
        let unknown = self.seen.lives.iter().filter(|life| life.digest.is_some_and(|digest| !known(digest)));
        let mut wrong = self.seen.doubles.clone();
        wrong.extend(unknown.map(|life| format!("validator {} ran unknown bytes", life.node)));
        let met = wrong.is_empty() && self.seen.looks > 0;
        let observed = format!("{} in {} looks: {}", wrong.len(), self.seen.looks, joined(wrong.iter()));
        Finding::new("two processes of one validator, or unknown bytes", "never", observed, met)
    }

    /// Blocks that carry evidence of a double vote.
    pub(crate) fn double_signs(&self) -> usize {
        self.calm.iter().chain(&self.blocks).map(|block| block.evidence).sum()
    }

    fn evidence(&self) -> Finding {
        let count = self.double_signs();
        Finding::new("evidence of double signing", "none in any block", count.to_string(), count == 0)
    }

    fn signers(&self) -> Finding {
        let back = self.seen.went_back();
        let marks: usize = self.seen.marks.iter().map(Vec::len).sum();
        let met = back.is_empty() && self.seen.marks.iter().all(|marks| marks.len() > 1);
        let observed = format!("{} of {marks} marks went back: {}", back.len(), joined(back.iter()));
        Finding::new("the signers' states", "never back", observed, met)
    }

    fn one_chain(&self) -> Finding {
        let expected = "the same block on all validators";
        Finding::new("the chain", expected, format!("{} different blocks", self.forks), self.forks == 1)
    }
}

impl Finding {
    fn new(what: &str, expected: impl Into<String>, observed: impl Into<String>, as_expected: bool) -> Self {
        Self { what: what.to_owned(), expected: expected.into(), observed: observed.into(), as_expected }
    }
}

fn joined<T: ToString>(parts: impl Iterator<Item = T>) -> String {
    let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a span of a story in milliseconds is exact as a number of either kind"
)]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks 1 to 10, one a second, where every vote is in.
    fn blocks() -> Vec<Block> {
        let block = |height: u64| Block {
            height,
            time_ms: height * 1_000,
            evidence: 0,
            votes: [Vote::Signed(height * 1_000 + 500); VALIDATORS],
            round: 0,
        };
        (1..=10).map(block).collect()
    }

    /// Validator 2 is away from 3.4 s on, and back in block 6.
    fn facts() -> Facts {
        let mut blocks = blocks();
        for height in [3, 4, 5] {
            blocks[height - 1].votes[2] = Vote::Absent;
        }
        let mut seen = Seen::default();
        seen.looks = 1;
        seen.be(2, 0, 3_400);
        seen.be(2, 3_600, 10_000);
        Facts {
            story: Story::Rolling,
            before: Digest::of(b"before"),
            after: Digest::of(b"after"),
            victim: None,
            outcome: "completed".to_owned(),
            told: Default::default(),
            seen,
            from_ms: 1_000,
            calm: Vec::new(),
            blocks,
            forks: 1,
        }
    }

    #[test]
    fn who_is_away_misses_blocks_of_its_own_and_no_others() {
        let facts = facts();
        let absence = facts.absence(2).unwrap();
        assert_eq!((absence.stopped_ms, absence.back, absence.back_ms), (3_400, 6, 6_500));
        assert_eq!(facts.missed(2), (3, vec![]));
        assert!(facts.missed_by_others().as_expected);
    }

    #[test]
    fn a_block_missed_before_the_stop_after_the_return_or_by_another_one_is_told() {
        for (height, node) in [(1, 2), (2, 2), (7, 2), (10, 2), (4, 1)] {
            let mut facts = facts();
            facts.blocks[height - 1].votes[node] = Vote::Absent;
            let finding = facts.missed_by_others();
            // At the stop, votes for block 2 may still have been on their way.
            assert_eq!(
                finding.as_expected,
                height == 2 && node == 2,
                "{height} {node}: {}",
                finding.observed
            );
        }
    }

    #[test]
    fn who_never_signs_again_is_told() {
        let mut facts = facts();
        for block in facts.blocks.iter_mut().filter(|block| block.height > 2) {
            block.votes[2] = Vote::Absent;
        }
        assert!(facts.absence(2).is_none() && !facts.away().as_expected);
    }

    #[test]
    fn evidence_is_counted_before_and_during_the_upgrade() {
        let mut facts = facts();
        assert!(facts.evidence().as_expected);
        facts.calm = blocks();
        facts.calm[3].evidence = 1;
        assert!(!facts.evidence().as_expected && facts.double_signs() == 1);
    }

    #[test]
    fn block_times_are_those_between_blocks() {
        let mut blocks = blocks();
        blocks[9].time_ms += 2_000;
        let time = BlockTime::of(&blocks);
        assert_eq!((time.blocks, time.max_ms, time.mean_ms), (10, 3_000, 11_000 / 9));
        assert_eq!(BlockTime::of(&[]).mean_ms, 0);
    }
}
