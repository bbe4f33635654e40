//! Compares what was observed with what was promised. Pure: facts in, findings out.

use concord_schema::Digest;
use concord_schema::log::Entry;
use concord_schema::release::Standing;
use concord_schema::rollout::Outcome;

use super::facts::{Facts, NodeFacts};
use super::history::{field, number};
use super::outage::silent_at_once;
use super::plan::{OUTAGE_MS_MAX, SILENT_MAX};
use super::report::Finding;
use super::sampler::Violation;
use crate::cli::output::words;

/// Puts a finding together.
fn finding(
    what: &str,
    expected: impl Into<String>,
    observed: impl Into<String>,
    as_expected: bool,
) -> Finding {
    Finding { what: what.to_owned(), expected: expected.into(), observed: observed.into(), as_expected }
}

/// What each of some nodes shows, in one line.
fn each<'n>(nodes: impl Iterator<Item = &'n NodeFacts>, show: impl Fn(&NodeFacts) -> String) -> String {
    let shown: Vec<String> = nodes.map(|node| format!("{} {}", node.node, show(node))).collect();
    if shown.is_empty() { "no node".to_owned() } else { shown.join(", ") }
}

fn none_or(list: Vec<String>, none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { list.join("; ") }
}

/// Act one: a good upgrade, in waves, while a client keeps asking.
#[must_use]
pub(crate) fn upgrade(facts: &Facts) -> Vec<Finding> {
    vec![
        ended(facts, Outcome::Completed),
        all_on(facts),
        waves(facts),
        skew(facts, "every node", |_| true),
        outside(facts),
        longest(facts),
        silent(facts),
        fleet(facts),
    ]
}

/// Act two: a bad upgrade that is halted and taken back by itself.
#[must_use]
pub(crate) fn bad_upgrade(facts: &Facts) -> Vec<Finding> {
    vec![
        first_wave_failed(facts),
        halted_at_once(facts),
        went_back_by_itself(facts),
        ended(facts, Outcome::RolledBack),
        first_wave_is_back(facts),
        others_untouched(facts),
        denied(facts),
        skew(facts, "every node that switched", |node| node.wave == Some(0)),
        fleet(facts),
    ]
}

/// What happened around the brake of act three.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Braked {
    /// The block of the first pull.
    pub(crate) from_height: u64,
    /// Its time in seconds.
    pub(crate) from_seconds: u64,
    /// The block of the release.
    pub(crate) to_height: u64,
    /// Its time in seconds.
    pub(crate) to_seconds: u64,
    /// The time at which the brake would have ended by itself.
    pub(crate) until_seconds: u64,
}

impl Braked {
    /// Reads it from the log, from entry `from_seq` on.
    #[must_use]
    pub(crate) fn read(entries: &[Entry], from_seq: u64) -> Option<Self> {
        let mut newer = entries.iter().filter(|entry| entry.seq >= from_seq);
        let pulled = newer.clone().find(|entry| entry.kind == "braked")?;
        let released = newer.clone().find(|entry| entry.kind == "brake_released")?;
        let lengthened = newer.rfind(|entry| entry.kind == "braked")?;
        Some(Self {
            from_height: pulled.height,
            from_seconds: pulled.time,
            to_height: released.height,
            to_seconds: released.time,
            until_seconds: number(lengthened, "until_seconds")?,
        })
    }
}

/// Act three: the brake after the first wave. `braked` is none where it was not pulled and released.
#[must_use]
pub(crate) fn brake(facts: &Facts, braked: Option<&Braked>) -> Vec<Finding> {
    let Some(braked) = braked else {
        return vec![finding("the brake", "pulled and released by guardians", "it was not", false)];
    };
    vec![
        pulled_after_first_wave(facts, braked),
        nothing_activated(facts, braked),
        released_by_guardians(braked),
        skew(facts, "every node of wave 0", |node| node.wave == Some(0)),
    ]
}

/// A victim of act four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Victim {
    /// The node's name.
    pub(crate) node: String,
    /// The stage in which its agent was stopped.
    pub(crate) stage: String,
    /// The intent on which it was stopped.
    pub(crate) intent: String,
    /// The daemon that was killed with it.
    pub(crate) daemon: Option<u32>,
}

/// The node of act four that only loses its agent while it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bystander {
    /// The node's name.
    pub(crate) node: String,
    /// Its agent's stage when it was killed.
    pub(crate) stage: String,
    /// Its daemon before.
    pub(crate) pid_before: Option<u32>,
    /// Its daemon at the end.
    pub(crate) pid_after: Option<u32>,
    /// Outages that the client saw from the kill on.
    pub(crate) outages: usize,
}

/// What was done to agents in act four.
#[derive(Clone, Debug, Default)]
pub(crate) struct Killed {
    /// Killed in the middle of a switch.
    pub(crate) alone: Option<Victim>,
    /// Killed likewise, together with its daemon.
    pub(crate) together: Option<Victim>,
    /// Killed while its node served.
    pub(crate) serving: Option<Bystander>,
    /// Nodes that were tried and were already past the switch.
    pub(crate) missed: Vec<String>,
}

impl Killed {
    fn is_victim(&self, node: &NodeFacts) -> bool {
        let named = |victim: &Option<Victim>| victim.as_ref().is_some_and(|victim| victim.node == node.node);
        let serving = self.serving.as_ref().is_some_and(|bystander| bystander.node == node.node);
        named(&self.alone) || named(&self.together) || serving || self.missed.contains(&node.node)
    }
}

/// Act four: agents and daemons that are killed in the middle of a switch.
#[must_use]
pub(crate) fn kills(facts: &Facts, killed: &Killed) -> Vec<Finding> {
    vec![
        victim("an agent killed in the middle of a switch", killed.alone.as_ref(), &killed.missed, false),
        victim("an agent killed together with its daemon", killed.together.as_ref(), &killed.missed, true),
        bystander(killed.serving.as_ref()),
        ended(facts, Outcome::Completed),
        all_on(facts),
        skew(facts, "every node that was not killed", |node| !killed.is_victim(node)),
        fleet(facts),
    ]
}

/// Act five: the log over the whole history. `verified` is the number of entries, or why it is not verified.
#[must_use]
pub(crate) fn log(verified: &Result<u64, String>, seen: u64) -> Vec<Finding> {
    let expected = format!("every entry chained to the head, as many as were seen: {seen}");
    let observed = match verified {
        Ok(count) => format!("{count} entries, each chained to the one before"),
        Err(why) => why.clone(),
    };
    vec![finding("log verify", expected, observed, *verified == Ok(seen))]
}

fn ended(facts: &Facts, expected: Outcome) -> Finding {
    let show = |outcome: Outcome| words(&outcome);
    let observed = facts.outcome.map_or_else(|| "it has not ended".to_owned(), show);
    let what = format!("rollout {}", facts.rollout);
    finding(&what, show(expected), observed, facts.outcome == Some(expected))
}

fn all_on(facts: &Facts) -> Finding {
    let is_on = |node: &NodeFacts| {
        node.stage == "committed" && node.version == facts.version && node.digest == Some(facts.target)
    };
    let show = |node: &NodeFacts| format!("{} {}", node.version, node.stage);
    let expected = format!("{} committed, executed from the digest that was voted on", facts.version);
    let all = !facts.nodes.is_empty() && facts.nodes.iter().all(is_on);
    finding("every node", expected, each(facts.nodes.iter(), show), all)
}

/// Waves open in order, and none before every node of the ones before was healthy.
fn waves(facts: &Facts) -> Finding {
    let opened: Vec<(u64, u64)> =
        facts.of("wave_opened").filter_map(|entry| Some((number(entry, "wave")?, entry.seq))).collect();
    let in_order = opened.windows(2).all(|pair| pair.first() < pair.last());
    let too_early = opened.iter().flat_map(|(wave, opened_seq)| {
        let earlier =
            facts.nodes.iter().filter(move |node| node.wave.is_some_and(|own| u64::from(own) < *wave));
        let late = move |node: &&NodeFacts| {
            let healthy = facts.reports("healthy", node.no).next_back();
            healthy.is_none_or(|entry| entry.seq > *opened_seq)
        };
        earlier.filter(late).map(move |node| format!("wave {wave} opened before {} was healthy", node.node))
    });
    let too_early: Vec<String> = too_early.collect();
    let shown: Vec<String> = opened.iter().map(|(wave, _)| wave.to_string()).collect();
    let good = format!("waves {} in order; {}", shown.join(", "), each(facts.nodes.iter(), wave));
    let met = in_order && opened.len() > 1 && too_early.is_empty();
    let expected = "several, in order, each after all nodes of the ones before were healthy";
    finding("the waves", expected, none_or(too_early, &good), met)
}

fn wave(node: &NodeFacts) -> String {
    node.wave.map_or_else(|| "in none".to_owned(), |wave| format!("in {wave}"))
}

fn skew(facts: &Facts, who: &str, of: impl Fn(&NodeFacts) -> bool) -> Finding {
    let nodes: Vec<&NodeFacts> = facts.nodes.iter().filter(|node| of(node)).collect();
    let of_node = |node: &NodeFacts| facts.heights(node).map(|heights| heights.skew());
    let show = |node: &NodeFacts| of_node(node).map_or_else(|| "unknown".to_owned(), |skew| skew.to_string());
    let met = !nodes.is_empty() && nodes.iter().all(|node| of_node(node) == Some(0));
    finding(&format!("skew of {who}"), "0 blocks", each(nodes.iter().copied(), show), met)
}

fn outside(facts: &Facts) -> Finding {
    let failed: Vec<&NodeFacts> = facts.nodes.iter().filter(|node| !node.outside.is_empty()).collect();
    let show = |node: &NodeFacts| {
        let lengths: Vec<String> =
            node.outside.iter().map(|outage| format!("{} ms", outage.length_ms(facts.to_ms))).collect();
        format!("silent outside of its own switch for {}", lengths.join(" and "))
    };
    let observed = if failed.is_empty() { "none".to_owned() } else { each(failed.iter().copied(), show) };
    finding("the client's failures outside of a node's own switch", "none", observed, failed.is_empty())
}

fn longest(facts: &Facts) -> Finding {
    let longest = |node: &NodeFacts| {
        node.outages.iter().map(|outage| outage.length_ms(facts.to_ms)).max().unwrap_or_default()
    };
    let show = |node: &NodeFacts| format!("{} ms", longest(node));
    let met = !facts.nodes.is_empty() && facts.nodes.iter().all(|node| longest(node) <= OUTAGE_MS_MAX);
    let expected = format!("at most {OUTAGE_MS_MAX} ms");
    finding("each outage that the client saw", expected, each(facts.nodes.iter(), show), met)
}

fn silent(facts: &Facts) -> Finding {
    let most = silent_at_once(facts.nodes.iter().flat_map(|node| &node.outages));
    let expected = format!("at most {SILENT_MAX}");
    finding("nodes silent at once", expected, most.to_string(), most <= SILENT_MAX)
}

/// Never two daemons of one node, never unknown bytes, as far as it was sampled.
fn fleet(facts: &Facts) -> Finding {
    let name = |node: usize| facts.nodes.get(node).map_or("a node", |node| node.node.as_str());
    let show = |violation: &Violation| match violation {
        Violation::Two { node, pids, .. } => {
            format!("{} ran {} daemons at once: {pids:?}", name(*node), pids.len())
        }
        Violation::Unknown { node, digest, .. } => {
            format!("{} ran unknown bytes {}", name(*node), digest.short())
        }
    };
    let bad: Vec<String> = facts.violations.iter().map(show).collect();
    let met = bad.is_empty() && facts.looks > 0;
    let observed = none_or(bad, &format!("so in all of {} looks", facts.looks));
    finding("daemons", "never two of one node, never one of unknown bytes", observed, met)
}

fn first_wave(facts: &Facts) -> impl Iterator<Item = &NodeFacts> {
    facts.nodes.iter().filter(|node| node.wave == Some(0))
}

fn first_wave_failed(facts: &Facts) -> Finding {
    let failed = |node: &NodeFacts| facts.reports("failed", node.no).next_back().is_some();
    let show = |node: &NodeFacts| {
        let reason = facts.reports("failed", node.no).next_back().and_then(|entry| field(entry, "detail"));
        reason.map_or_else(|| "did not fail".to_owned(), |reason| format!("failed: {reason}"))
    };
    let met = first_wave(facts).count() == 2 && first_wave(facts).all(failed);
    finding("wave 0", "both nodes fail on the bad release", each(first_wave(facts), show), met)
}

/// The failure that crosses the bar, and the halt, are in one block.
fn halted_at_once(facts: &Facts) -> Finding {
    let halted = facts.of("rollout_halted").next();
    let before = |halt: &Entry| {
        let is_failure = |entry: &&Entry| field(entry, "report") == Some("failed") && entry.seq < halt.seq;
        facts.of("reported").rfind(is_failure).map(|entry| entry.height)
    };
    let heights = halted.map(|halt| (before(halt), halt.height, field(halt, "cause").unwrap_or_default()));
    let observed = match heights {
        None => "it did not halt".to_owned(),
        Some((reported, halted, cause)) => {
            let reported = reported.map_or_else(|| "no block".to_owned(), |height| format!("block {height}"));
            format!("failure reported in {reported}, halted in block {halted} by {cause}")
        }
    };
    let met =
        heights.is_some_and(|(reported, halted, cause)| reported == Some(halted) && cause == "failures");
    finding("the halt", "in the block of the report that crosses the bar", observed, met)
}

fn went_back_by_itself(facts: &Facts) -> Finding {
    let back = facts.of("rolling_back").next();
    let halted = facts.of("rollout_halted").next();
    let later_votes = facts
        .entries
        .iter()
        .filter(|entry| entry.kind == "executed" && back.is_some_and(|back| entry.height == back.height));
    let votes = later_votes.count();
    let observed = match (halted, back) {
        (_, None) => "it did not go back".to_owned(),
        (None, Some(back)) => format!("going back from block {} on, without a halt", back.height),
        (Some(halt), Some(back)) => {
            format!(
                "halted in block {}, going back from block {} on, {votes} votes in between",
                halt.height, back.height
            )
        }
    };
    let met = matches!((halted, back), (Some(halt), Some(back)) if halt.height == back.height) && votes == 0;
    finding("the way back", "begins by itself, as two organisations failed", observed, met)
}

fn first_wave_is_back(facts: &Facts) -> Finding {
    let is_back = |node: &NodeFacts| {
        node.stage == "rolled_back"
            && node.version == facts.version_before
            && node.digest == Some(facts.previous)
    };
    let show = |node: &NodeFacts| format!("{} {}", node.version, node.stage);
    let met = first_wave(facts).count() > 0 && first_wave(facts).all(is_back);
    finding(
        "wave 0 afterwards",
        format!("{} again", facts.version_before),
        each(first_wave(facts), show),
        met,
    )
}

fn others_untouched(facts: &Facts) -> Finding {
    let others = || facts.nodes.iter().filter(|node| node.wave != Some(0));
    let touched: Vec<String> = others()
        .filter(|node| node.ran.contains(&facts.target) || node.version != facts.version_before)
        .map(|node| format!("{} ran {}", node.node, versions(&node.ran)))
        .collect();
    let good = each(others(), |node| format!("ran {} only", versions(&node.ran)));
    let met = touched.is_empty() && others().count() > 0 && others().all(|node| node.ran == [facts.previous]);
    finding("the other waves", "never run the bad release", none_or(touched, &good), met)
}

fn versions(digests: &[Digest]) -> String {
    let shown: Vec<String> = digests.iter().map(Digest::short).collect();
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(" then ") }
}

fn denied(facts: &Facts) -> Finding {
    let show = |standing: Standing| match standing {
        Standing::Proposed => "proposed",
        Standing::Allowed => "allowed",
        Standing::RolledBack => "rolled back: denied until a vote",
    };
    let what = format!("the standing of {}", facts.version);
    finding(&what, show(Standing::RolledBack), show(facts.standing), facts.standing == Standing::RolledBack)
}

fn pulled_after_first_wave(facts: &Facts, braked: &Braked) -> Finding {
    let passed = facts.of("wave_opened").find(|entry| number(entry, "wave").is_some_and(|wave| wave > 0));
    let observed = match passed {
        None => "wave 0 did not pass".to_owned(),
        Some(entry) => {
            format!("wave 0 passed in block {}, pulled in block {}", entry.height, braked.from_height)
        }
    };
    let met = passed.is_some_and(|entry| entry.height <= braked.from_height);
    finding("the brake", "pulled after wave 0 passed", observed, met)
}

/// Neither a lease nor a start of the new release while the brake holds.
fn nothing_activated(facts: &Facts, braked: &Braked) -> Finding {
    let held = |entry: &&Entry| braked.from_height < entry.height && entry.height < braked.to_height;
    let leases = facts.of("leased").filter(held).map(|entry| (entry, "was leased"));
    let activated = facts.of("reported").filter(|entry| field(entry, "report") == Some("activated"));
    let activated = activated.filter(held).map(|entry| (entry, "activated"));
    let bad: Vec<String> = leases
        .chain(activated)
        .map(|(entry, what)| {
            format!("node {} {what} in block {}", field(entry, "node").unwrap_or("?"), entry.height)
        })
        .collect();
    let blocks = braked.to_height.saturating_sub(braked.from_height);
    let met = bad.is_empty() && blocks > 0;
    finding(
        "while the brake holds",
        "nothing activates",
        none_or(bad, &format!("nothing, for {blocks} blocks")),
        met,
    )
}

fn released_by_guardians(braked: &Braked) -> Finding {
    let held = braked.to_seconds.saturating_sub(braked.from_seconds);
    let observed = format!(
        "released after {held} s, {} s before its own end",
        braked.until_seconds.saturating_sub(braked.to_seconds)
    );
    let met = braked.to_seconds < braked.until_seconds;
    finding("the release", "by guardians, before the brake ends by itself", observed, met)
}

/// Stages in which a switch is in its middle: the old daemon has ended, the new one does not serve yet.
pub(crate) const MIDDLE: [&str; 4] = ["stopped", "snapshotted", "switched", "booting"];

fn victim(what: &str, victim: Option<&Victim>, missed: &[String], with_daemon: bool) -> Finding {
    let expected = "between stopped and booting, found by its journal";
    let Some(victim) = victim else {
        let missed = none_or(missed.to_vec(), "none");
        return finding(what, expected, format!("no node was left; tried too late: {missed}"), false);
    };
    let daemon = victim.daemon.map_or_else(String::new, |pid| format!(", with daemon {pid}"));
    let observed =
        format!("{} at the intent {} in stage {}{daemon}", victim.node, victim.intent, victim.stage);
    let met = MIDDLE.contains(&victim.stage.as_str()) && victim.daemon.is_some() == with_daemon;
    finding(what, expected, observed, met)
}

fn bystander(bystander: Option<&Bystander>) -> Finding {
    let what = "a serving node that loses only its agent";
    let expected = "its daemon goes on, the new agent adopts it, the client notices nothing";
    let Some(node) = bystander else { return finding(what, expected, "there was none", false) };
    let pid = |pid: Option<u32>| pid.map_or_else(|| "none".to_owned(), |pid| pid.to_string());
    let observed = format!(
        "{} in stage {}, daemon {} before and {} after, {} outages",
        node.node,
        node.stage,
        pid(node.pid_before),
        pid(node.pid_after),
        node.outages
    );
    let same = node.pid_before.is_some() && node.pid_before == node.pid_after;
    finding(what, expected, observed, same && node.outages == 0 && node.stage == "committed")
}

#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;
