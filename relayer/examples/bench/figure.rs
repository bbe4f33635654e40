//! A measured figure and what it must reach.

use std::borrow::Cow;

use serde::Serialize;

use super::error::{BenchError, step};

/// What a figure must reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// Nothing; it is only told.
    None,
}

/// A measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Its name, for programs.
    pub(crate) name: Cow<'static, str>,
    /// What was measured.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// How it was measured.
    pub(crate) what: String,
    /// What it must reach.
    pub(crate) bar: Bar,
}

/// A figure as it is printed, in this order.
#[derive(Serialize)]
struct Line<'f> {
    name: &'f str,
    value: f64,
    unit: &'f str,
    what: &'f str,
}

impl Figure {
    /// One JSON object in one line; the value with three decimals.
    ///
    /// # Errors
    /// [`BenchError`] for a value that is no number.
    pub(crate) fn line(&self) -> Result<String, BenchError> {
        let value = (self.value * 1_000.0).round() / 1_000.0;
        let line = Line { name: &self.name, value, unit: self.unit, what: &self.what };
        serde_json::to_string(&line).map_err(step("write a figure"))
    }

    /// Why it is not good enough, if so.
    pub(crate) fn missed(&self) -> Option<String> {
        let (is_met, expected) = match self.bar {
            Bar::AtLeast(bar) => (self.value >= bar, format!("at least {bar}")),
            Bar::AtMost(bar) => (self.value <= bar, format!("at most {bar}")),
            Bar::None => return None,
        };
        (!is_met).then(|| format!("{} is {:.3}, expected {expected}", self.name, self.value))
    }
}
