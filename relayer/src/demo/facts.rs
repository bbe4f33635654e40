//! What is known of an act at its end: data only, and what follows from it by counting.

use concord_schema::Digest;
use concord_schema::log::Entry;
use concord_schema::release::Standing;
use concord_schema::rollout::Outcome;

use super::history::{field, is_of, number};
use super::outage::Outage;
use super::report::NodeOutcome;
use super::sampler::Violation;

/// A node in an act.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeFacts {
    /// Its name.
    pub(crate) node: String,
    /// Its number on chain.
    pub(crate) no: u64,
    /// Its wave in the act's rollout.
    pub(crate) wave: Option<u8>,
    /// Its agent's stage at the end.
    pub(crate) stage: String,
    /// The version that the client was answered by last.
    pub(crate) version: String,
    /// What its daemon executes at the end.
    pub(crate) digest: Option<Digest>,
    /// What its daemons executed during the act, in order.
    pub(crate) ran: Vec<Digest>,
    /// When it did not answer the client, as far as that began in the act.
    pub(crate) outages: Vec<Outage>,
    /// Those of them that lie outside of its own switches.
    pub(crate) outside: Vec<Outage>,
}

/// An act with a rollout.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The rollout.
    pub(crate) rollout: u64,
    /// How it ended, if it did.
    pub(crate) outcome: Option<Outcome>,
    /// What the release may do at the end.
    pub(crate) standing: Standing,
    /// The artifact that the rollout brings.
    pub(crate) target: Digest,
    /// The artifact of before.
    pub(crate) previous: Digest,
    /// The version that the rollout brings.
    pub(crate) version: String,
    /// The version of before.
    pub(crate) version_before: String,
    /// The log so far.
    pub(crate) entries: Vec<Entry>,
    /// The nodes.
    pub(crate) nodes: Vec<NodeFacts>,
    /// What must never be, and was.
    pub(crate) violations: Vec<Violation>,
    /// How many looks at the daemons were taken.
    pub(crate) looks: u64,
    /// The act's end, in Unix milliseconds.
    pub(crate) to_ms: u64,
}

/// The heights of a node's newest switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heights {
    /// Its wave's height, or its lease's if that came later.
    pub(crate) asked: u64,
    /// Of the state on which it left Armed.
    pub(crate) actual: u64,
}

impl Heights {
    /// How many blocks it was late.
    #[must_use]
    pub(crate) fn skew(&self) -> u64 {
        self.actual.saturating_sub(self.asked)
    }
}

impl Facts {
    /// The entries of a kind in this rollout.
    pub(crate) fn of<'f>(&'f self, kind: &'f str) -> impl DoubleEndedIterator<Item = &'f Entry> {
        self.entries.iter().filter(move |entry| is_of(entry, kind, self.rollout))
    }

    /// A node's reports of a kind.
    pub(crate) fn reports<'f>(
        &'f self,
        kind: &'f str,
        no: u64,
    ) -> impl DoubleEndedIterator<Item = &'f Entry> {
        let of_node = self.of("reported").filter(move |entry| number(entry, "node") == Some(no));
        of_node.filter(move |entry| field(entry, "report") == Some(kind))
    }

    /// The height of the newest lease to activate of a node.
    fn leased(&self, no: u64) -> Option<u64> {
        let leases = self.of("leased").filter(|entry| number(entry, "node") == Some(no));
        leases
            .filter(|entry| field(entry, "purpose") == Some("activate"))
            .map(|entry| entry.height)
            .next_back()
    }

    /// The activation height of a wave that was fixed last before `height`.
    fn wave_height(&self, wave: u8, height: u64) -> Option<u64> {
        // A field may be called like the entry's own height; here it is the field that is meant.
        let fixed = self.entries.iter().filter(|entry| {
            is_of(entry, "wave_opened", self.rollout) || is_of(entry, "height_fixed", self.rollout)
        });
        let of_wave =
            fixed.filter(|entry| number(entry, "wave") == Some(wave.into()) && entry.height <= height);
        of_wave.filter_map(|entry| number(entry, "height")).next_back()
    }

    /// The heights of a node's newest switch, from the chain's own log.
    #[must_use]
    pub(crate) fn heights(&self, node: &NodeFacts) -> Option<Heights> {
        let leased = self.leased(node.no)?;
        let wave = self.wave_height(node.wave?, leased)?;
        let actual =
            self.reports("activated", node.no).filter_map(|entry| number(entry, "detail")).next_back()?;
        Some(Heights { asked: wave.max(leased), actual })
    }

    /// A node's line in the report.
    #[must_use]
    pub(crate) fn outcome_of(&self, node: &NodeFacts) -> NodeOutcome {
        let heights = self.heights(node);
        let lengths = node.outages.iter().map(|outage| outage.length_ms(self.to_ms));
        NodeOutcome {
            node: node.node.clone(),
            wave: node.wave,
            release: node.version.clone(),
            digest: node.digest,
            height_asked: heights.map(|heights| heights.asked),
            height_actual: heights.map(|heights| heights.actual),
            skew_blocks: heights.map(|heights| heights.skew()),
            downtime_ms: lengths.clone().sum(),
            longest_outage_ms: lengths.max().unwrap_or_default(),
        }
    }

    /// All nodes' lines.
    #[must_use]
    pub(crate) fn outcomes(&self) -> Vec<NodeOutcome> {
        self.nodes.iter().map(|node| self.outcome_of(node)).collect()
    }
}
