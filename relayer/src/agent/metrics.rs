//! The metrics page, in OpenMetrics text. Names are an interface: a golden pins them.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::{Error, Write as _};
use std::sync::atomic::AtomicU64;

use super::status::Status;

/// A label of a closed set of words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Word(String);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        encoder.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: Word,
}

/// The agent's gauges. Stage and reason are one gauge a word that was seen: 1 for the one that holds, 0 for the rest.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    stage: Family<StageLabel, Gauge>,
    waiting_on: Family<ReasonLabel, Gauge>,
    rollout: Gauge,
    attempt: Gauge,
    verified_height: Gauge,
    activation_skew_blocks: Gauge,
    downtime: Gauge<f64, AtomicU64>,
    outbox: Gauge,
    faults: Gauge,
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Metrics {
    /// The page of one agent; `watch` puts the watcher's own figures on it.
    #[must_use]
    pub(super) fn new(watch: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::with_prefix("concord");
        registry.register("build", "The agent's build", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        watch(&mut registry);
        let page = Self {
            stage: Family::default(),
            waiting_on: Family::default(),
            rollout: Gauge::default(),
            attempt: Gauge::default(),
            verified_height: Gauge::default(),
            activation_skew_blocks: Gauge::default(),
            downtime: Gauge::default(),
            outbox: Gauge::default(),
            faults: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("stage", "The node's stage: 1 for the one it is in", page.stage.clone());
        registry.register(
            "waiting_on",
            "Why nothing happens: 1 for the reason that holds",
            page.waiting_on.clone(),
        );
        registry.register("generation_rollout", "The rollout that the agent follows", page.rollout.clone());
        registry.register("generation_attempt", "The newest try in it", page.attempt.clone());
        registry.register(
            "verified_height",
            "Height of the state that the last decision rested on",
            page.verified_height.clone(),
        );
        registry.register(
            "activation_skew_blocks",
            "Blocks between the height asked and the state on which the node left Armed",
            page.activation_skew_blocks.clone(),
        );
        registry.register_with_unit(
            "downtime",
            "How long the daemon did not serve in the newest switch",
            Unit::Seconds,
            page.downtime.clone(),
        );
        registry.register("outbox", "Reports on their way", page.outbox.clone());
        registry.register("faults", "What needs the operator", page.faults.clone());
        Self { registry, ..page }
    }

    /// Brings the gauges up to a status.
    pub(super) fn set(&self, status: &Status, stages: &[&str]) {
        for stage in stages {
            let label = StageLabel { stage: Word((*stage).to_owned()) };
            self.stage.get_or_create(&label).set(i64::from(*stage == status.stage));
        }
        self.waiting_on.clear();
        self.waiting_on.get_or_create(&ReasonLabel { reason: Word(status.waiting_on.clone()) }).set(1);
        self.rollout.set(gauge(status.rollout));
        self.attempt.set(i64::from(status.attempt));
        self.verified_height.set(gauge(status.verified_height));
        self.activation_skew_blocks.set(gauge(status.activation.map_or(0, |switch| switch.skew_blocks)));
        self.downtime.set(std::time::Duration::from_millis(status.downtime_ms).as_secs_f64());
        self.outbox.set(i64::try_from(status.outbox).unwrap_or(i64::MAX));
        self.faults.set(i64::from(status.fault.is_some()));
    }

    /// The page.
    ///
    /// # Errors
    /// Only where a text cannot be written, which memory alone can cause.
    pub(super) fn page(&self) -> Result<String, Error> {
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Counters;

    /// The names are an interface: dashboards and alerts are written against them.
    const NAMES: &str = include_str!("metrics.golden");

    #[test]
    fn names_are_those_of_the_golden() {
        let counters = Counters::default();
        let metrics = Metrics::new(|registry| counters.register(registry));
        metrics.set(&Status::sample(), &["idle", "armed"]);
        let page = metrics.page().unwrap();
        let names: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(names.join("\n"), NAMES.trim_end(), "\n{page}");
        assert!(page.contains("concord_stage{stage=\"armed\"} 1"), "{page}");
        assert!(page.contains("concord_stage{stage=\"idle\"} 0"), "{page}");
        assert!(page.contains("concord_waiting_on{reason=\"view\"} 1"), "{page}");
        assert!(page.contains("concord_downtime_seconds 1.5"), "{page}");
        assert!(page.ends_with("# EOF\n"));
    }
}
