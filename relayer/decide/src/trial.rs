//! The verdict on a release from its probes: Wald's sequential test in integer thousandths.
//!
//! The null hypothesis is a healthy daemon that fails one probe of a thousand, the other a sick one that fails one of
//! twenty, with an error of 1% either way. So the bounds are ±ln(0.99 / 0.01) = ±4.595, a failed probe weighs
//! ln(0.05 / 0.001) = 3.912, a passed one ln(0.95 / 0.999) = -0.050: two straight failures condemn, 92 clean probes
//! acquit. The sum never goes below its lower bound, so that a long good past does not excuse a bad present.

use concord_schema::Height;

use crate::input::Verdict;

/// Weight of a failed probe.
const FAIL: i64 = 3_912;
/// Weight of a passed probe.
const PASS: i64 = -50;
/// Both bounds of the sum.
const BOUND: i64 = 4_595;

/// What the probes so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Healthy.
    Healthy,
    /// Sick.
    Sick,
    /// They do not say.
    Undecided,
}

/// The probes of one run of a daemon. Not journaled: a trial that its agent did not see to the end begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    sum: i64,
    /// Probes that passed.
    pub passed: u64,
    /// Probes that failed and counted.
    pub failed: u64,
    /// When the run was started or adopted.
    pub spawned_ms: u64,
    /// When the first probe passed.
    pub healthy_ms: Option<u64>,
    /// Height of the first facts after that.
    pub healthy_height: Option<Height>,
    /// Since when every probe says that it could not be found out.
    pub unclear_from_ms: Option<u64>,
    /// What the last probe said.
    pub last: Option<String>,
}

impl Trial {
    /// A run that begins now.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self { spawned_ms: now_ms, ..Self::default() }
    }

    /// Takes a probe. Failures before the first pass count only once `boot_ms` are over; unknown ones never.
    pub fn feed(&mut self, verdict: &Verdict, now_ms: u64, boot_ms: u64) {
        self.unclear_from_ms = match verdict {
            Verdict::Unknown { .. } => self.unclear_from_ms.or(Some(now_ms)),
            Verdict::Pass | Verdict::Fail { .. } => None,
        };
        let weight = match verdict {
            Verdict::Pass => {
                self.healthy_ms = self.healthy_ms.or(Some(now_ms));
                self.passed = self.passed.saturating_add(1);
                self.last = Some("passed".to_owned());
                PASS
            }
            Verdict::Fail { why } => {
                self.last = Some(why.clone());
                if self.healthy_ms.is_none() && self.boot_left_ms(now_ms, boot_ms) > 0 {
                    return;
                }
                self.failed = self.failed.saturating_add(1);
                FAIL
            }
            Verdict::Unknown { why } => {
                self.last = Some(format!("unknown: {why}"));
                return;
            }
        };
        self.sum = self.sum.saturating_add(weight).clamp(-BOUND, BOUND);
    }

    /// What the probes say.
    #[must_use]
    pub fn finding(&self) -> Finding {
        if self.sum >= BOUND {
            Finding::Sick
        } else if self.sum <= -BOUND {
            Finding::Healthy
        } else {
            Finding::Undecided
        }
    }

    /// Milliseconds until failures count without a pass.
    #[must_use]
    pub fn boot_left_ms(&self, now_ms: u64, boot_ms: u64) -> u64 {
        boot_ms.saturating_sub(now_ms.saturating_sub(self.spawned_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(probes: &str) -> Trial {
        let mut trial = Trial::new(0);
        for probe in probes.chars() {
            let verdict = match probe {
                '+' => Verdict::Pass,
                '-' => Verdict::Fail { why: "refused".into() },
                _ => Verdict::Unknown { why: "slow".into() },
            };
            trial.feed(&verdict, 100, 100);
        }
        trial
    }

    #[test]
    fn the_test_decides_at_its_edges() {
        let long = "+".repeat(5_000);
        for (why, probes, finding) in [
            ("no probe says nothing", String::new(), Finding::Undecided),
            ("one failure is not enough", "-".into(), Finding::Undecided),
            ("two straight ones are", "--".into(), Finding::Sick),
            ("91 clean probes are not enough", "+".repeat(91), Finding::Undecided),
            ("92 are", "+".repeat(92), Finding::Healthy),
            ("a failure among 92 undoes it", format!("{}-", "+".repeat(92)), Finding::Undecided),
            ("and takes 79 more", format!("{}-{}", "+".repeat(92), "+".repeat(78)), Finding::Undecided),
            ("to be made good", format!("{}-{}", "+".repeat(92), "+".repeat(79)), Finding::Healthy),
            ("a long good past bears two failures", format!("{long}--"), Finding::Undecided),
            ("and not three", format!("{long}---"), Finding::Sick),
            ("every tenth probe failing is sick", "+++++++++-".repeat(3), Finding::Sick),
            ("unknown is neither", "?".repeat(500), Finding::Undecided),
            ("unknown takes nothing back", "-?????-".into(), Finding::Sick),
        ] {
            assert_eq!(fed(&probes).finding(), finding, "{why}");
        }
    }

    #[test]
    fn failures_count_after_the_first_pass_or_when_the_boot_is_over() {
        let fail = Verdict::Fail { why: "refused".into() };
        for (why, pass_first, at_ms, failed) in [
            ("still booting", false, 149, 0),
            ("the boot is over", false, 150, 1),
            ("passed once", true, 60, 1),
        ] {
            let mut trial = Trial::new(50);
            if pass_first {
                trial.feed(&Verdict::Pass, 55, 100);
            }
            trial.feed(&fail, at_ms, 100);
            assert_eq!(trial.failed, failed, "{why}");
        }
    }
}
