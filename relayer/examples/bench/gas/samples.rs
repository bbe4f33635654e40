//! Gas as it was used, by operation.

use std::collections::BTreeMap;

use super::super::figure::{Bar, Figure};

/// What was measured, by operation: what exactly was done, and its gas.
#[derive(Default)]
pub(crate) struct Samples(BTreeMap<String, Vec<(String, u64)>>);

impl Samples {
    /// Notes the gas of a transaction.
    pub(crate) fn note(&mut self, operation: &str, what: impl Into<String>, gas: u64) {
        self.0.entry(operation.to_owned()).or_default().push((what.into(), gas));
    }

    /// Notes the cheapest and the dearest of many transactions that did the same.
    pub(crate) fn note_many(&mut self, operation: &str, what: &str, gas: impl Iterator<Item = u64>) {
        let all: Vec<u64> = gas.collect();
        if let (Some(least), Some(most)) = (all.iter().min(), all.iter().max()) {
            self.note(operation, format!("{what}, the dearest of {} from {least} on", all.len()), *most);
        }
    }

    /// One figure an operation: the dearest of what was measured, with all of it in words. `suffix` ends the name of an
    /// operation, and `bar` is what is promised of it.
    pub(crate) fn figures(
        self,
        who: &str,
        setting: &str,
        suffix: impl Fn(&str) -> &'static str,
        bar: fn(&str) -> Bar,
    ) -> Vec<Figure> {
        let figure = |(operation, mut samples): (String, Vec<(String, u64)>)| {
            samples.sort_by_key(|(_, gas)| std::cmp::Reverse(*gas));
            let told: Vec<String> = samples.iter().map(|(what, gas)| format!("{what} {gas}")).collect();
            let value = samples.first().map_or(0, |(_, gas)| *gas);
            Figure {
                name: format!("gas_{who}_{operation}{}", suffix(&operation)).into(),
                value: value as f64,
                unit: "gas",
                what: format!("gas_used of a whole transaction on wasmd, {setting}: {}", told.join("; ")),
                bar: bar(&operation),
            }
        };
        self.0.into_iter().map(figure).collect()
    }
}
