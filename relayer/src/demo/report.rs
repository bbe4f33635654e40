//! What came of the demo: for people a table, for programs one object.

use std::fmt;

use concord_schema::Digest;
use serde::Serialize;

/// The longest that the acts may take together, on two cores.
const DURATION_MS_MAX: u64 = 90_000;

/// One expectation and what was observed of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was observed.
    pub observed: String,
    /// They agree.
    pub as_expected: bool,
}

/// A node's part in an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeOutcome {
    /// Its name.
    pub node: String,
    /// Its wave, where it had one.
    pub wave: Option<u8>,
    /// The version that it served to the client at the act's end.
    pub release: String,
    /// SHA-256 of the file that its daemon executed then.
    pub digest: Option<Digest>,
    /// The height at which it was to leave Armed: its wave's, or its lease's if that came later.
    pub height_asked: Option<u64>,
    /// The height of the state on which it did.
    pub height_actual: Option<u64>,
    /// How many blocks it was late.
    pub skew_blocks: Option<u64>,
    /// How long the client got no answer from it in this act, all outages together.
    pub downtime_ms: u64,
    /// The longest of them.
    pub longest_outage_ms: u64,
}

/// An act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActReport {
    /// Its number, from 1.
    pub act: u8,
    /// What it shows.
    pub title: String,
    /// Every expectation was met.
    pub as_expected: bool,
    /// How long it took.
    pub milliseconds: u64,
    /// What was expected and observed.
    pub findings: Vec<Finding>,
    /// The nodes; none in the last act.
    pub nodes: Vec<NodeOutcome>,
    /// The contract's log at the act's end.
    pub log_head: LogHead,
}

/// The newest entry of the contract's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogHead {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// Its block.
    pub height: u64,
}

/// What came of the demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DemoReport {
    /// Every outcome is the expected one: the process ends with 0 then, and only then.
    pub as_expected: bool,
    /// From the end of the build to the end of the last act.
    pub milliseconds: u64,
    /// The same as an expectation.
    pub duration: Finding,
    /// The acts.
    pub acts: Vec<ActReport>,
    /// The contract's log at the end.
    pub log_head: LogHead,
    /// Where everything was left to look at, with `--keep`.
    pub kept: Option<String>,
}

impl DemoReport {
    /// Puts the acts together.
    #[must_use]
    pub(crate) fn new(acts: Vec<ActReport>, milliseconds: u64, kept: Option<String>) -> Self {
        let log_head = acts.last().map(|act| act.log_head).unwrap_or_default();
        // A demo that shows nothing proves nothing.
        let acted = !acts.is_empty() && acts.iter().all(|act| act.as_expected);
        let duration = Finding {
            what: "the duration of all acts".to_owned(),
            expected: format!("at most {}", seconds(DURATION_MS_MAX)),
            observed: seconds(milliseconds),
            as_expected: milliseconds <= DURATION_MS_MAX,
        };
        Self { as_expected: acted && duration.as_expected, milliseconds, duration, acts, log_head, kept }
    }
}

impl ActReport {
    /// Puts an act together; it is as expected when every finding is, and there is one.
    #[must_use]
    pub(crate) fn new(
        act: u8,
        title: &str,
        milliseconds: u64,
        findings: Vec<Finding>,
        nodes: Vec<NodeOutcome>,
    ) -> Self {
        let as_expected = !findings.is_empty() && findings.iter().all(|finding| finding.as_expected);
        let title = title.to_owned();
        Self { act, title, as_expected, milliseconds, findings, nodes, log_head: LogHead::default() }
    }
}

/// Rounded up, so that what is too long looks so.
fn seconds(milliseconds: u64) -> String {
    let tenths = milliseconds.div_ceil(100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

fn mark(as_expected: bool) -> &'static str {
    if as_expected { "ok  " } else { "FAIL" }
}

fn dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

impl fmt::Display for ActReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.milliseconds / 1_000;
        writeln!(f, "{} act {}: {} ({seconds} s)", mark(self.as_expected), self.act, self.title)?;
        for finding in &self.findings {
            let Finding { what, expected, observed, as_expected } = finding;
            // A result says little without what was expected of it.
            writeln!(f, "     {} {what}: expected {expected}", mark(*as_expected))?;
            writeln!(f, "            observed {observed}")?;
        }
        if self.nodes.is_empty() {
            return Ok(());
        }
        writeln!(f, "     node      wave  release  digest        asked  actual  skew  downtime")?;
        for node in &self.nodes {
            writeln!(
                f,
                "     {:<8}  {:<4}  {:<7}  {:<12}  {:<5}  {:<6}  {:<4}  {} ms",
                node.node,
                dash(node.wave),
                node.release,
                dash(node.digest.map(|digest| digest.short())),
                dash(node.height_asked),
                dash(node.height_actual),
                dash(node.skew_blocks),
                node.downtime_ms,
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for act in &self.acts {
            write!(f, "{act}")?;
        }
        let LogHead { seq, hash, height } = self.log_head;
        writeln!(f, "log head {seq} at height {height}: {hash}")?;
        if let Some(kept) = &self.kept {
            writeln!(f, "everything is left in {kept}")?;
        }
        let Finding { what, expected, observed, as_expected } = &self.duration;
        if !as_expected {
            writeln!(f, "FAIL {what}: expected {expected}, observed {observed}")?;
        }
        let findings = self.acts.iter().flat_map(|act| &act.findings).chain([&self.duration]);
        let failed = findings.clone().filter(|finding| !finding.as_expected).count();
        match failed {
            0 if self.as_expected => {
                write!(f, "all {} expectations were met in {observed} ({expected})", findings.count())
            }
            _ => write!(f, "{failed} of {} expectations were not met", findings.count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(as_expected: bool) -> Finding {
        Finding { what: "skew".to_owned(), expected: "0".to_owned(), observed: "0".to_owned(), as_expected }
    }

    #[test]
    fn one_unmet_expectation_fails_its_act_and_the_demo() {
        for (findings, as_expected) in [
            (vec![finding(true), finding(true)], true),
            (vec![finding(true), finding(false)], false),
            (vec![], false),
        ] {
            let act = ActReport::new(1, "an upgrade", 10, findings, Vec::new());
            assert_eq!(act.as_expected, as_expected);
            assert_eq!(DemoReport::new(vec![act], 10, None).as_expected, as_expected);
        }
        assert!(!DemoReport::new(Vec::new(), 0, None).as_expected);
    }

    #[test]
    fn a_demo_that_takes_too_long_is_not_as_expected() {
        for (milliseconds, as_expected) in [(90_000, true), (90_001, false)] {
            let act = ActReport::new(1, "an upgrade", 10, vec![finding(true)], Vec::new());
            let report = DemoReport::new(vec![act], milliseconds, None);
            assert_eq!(report.as_expected, as_expected);
            let late = report.to_string().contains("expected at most 90.0 s, observed 90.1 s");
            assert_eq!(late, !as_expected);
        }
    }

    #[test]
    fn what_was_expected_stands_beside_what_was_observed_also_where_it_was_met() {
        let act = ActReport::new(1, "an upgrade", 10, vec![finding(true)], Vec::new());
        let text = DemoReport::new(vec![act], 10, None).to_string();
        assert!(text.contains("ok   skew: expected 0\n            observed 0\n"), "{text}");
        assert!(text.ends_with("all 2 expectations were met in 0.1 s (at most 90.0 s)"), "{text}");
    }

    #[test]
    fn programs_get_one_object_with_the_names_that_are_promised() {
        let node = NodeOutcome {
            node: "node-1".to_owned(),
            wave: Some(0),
            release: "2.0.0".to_owned(),
            digest: Some(Digest::of(b"v2")),
            height_asked: Some(7),
            height_actual: Some(7),
            skew_blocks: Some(0),
            downtime_ms: 31,
            longest_outage_ms: 31,
        };
        let act = ActReport::new(1, "an upgrade", 10, vec![finding(true)], vec![node]);
        let json = serde_json::to_value(DemoReport::new(vec![act], 10, None)).unwrap();
        for path in [
            "/as_expected",
            "/duration/observed",
            "/acts/0/findings/0/expected",
            "/acts/0/findings/0/observed",
            "/acts/0/nodes/0/release",
            "/acts/0/nodes/0/digest",
            "/acts/0/nodes/0/height_asked",
            "/acts/0/nodes/0/height_actual",
            "/acts/0/nodes/0/skew_blocks",
            "/acts/0/nodes/0/downtime_ms",
            "/acts/0/log_head/hash",
        ] {
            assert!(json.pointer(path).is_some(), "{path} in {json}");
        }
    }

    #[test]
    fn people_see_what_was_expected_only_where_it_did_not_come() {
        let act = ActReport::new(1, "an upgrade", 10, vec![finding(false)], Vec::new());
        let text = DemoReport::new(vec![act], 10, None).to_string();
        assert!(
            text.contains("FAIL act 1") && text.contains("expected 0") && text.contains("1 of 2"),
            "{text}"
        );
    }
}
