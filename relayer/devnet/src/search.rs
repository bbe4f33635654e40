//! The query language of `tx_search`, `block_search` and `subscribe`: conditions joined by AND
//! (CometBFT, `libs/pubsub/query/syntax`).

use std::ops::RangeInclusive;

use cosmwasm_std::Event;
use thiserror::Error;

/// The longest query taken (CometBFT's bound).
const QUERY_CHARS_MAX: usize = 512;

/// A range that holds no height.
pub(crate) const NOTHING: RangeInclusive<u64> = RangeInclusive::new(1, 0);

/// Why a query was not understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SearchError {
    #[error("maximum query length exceeded: expected at most {QUERY_CHARS_MAX}, found {found}")]
    Long { found: usize },
    #[error("failed to parse query at {rest:?}: expected {expected}")]
    Syntax { rest: String, expected: &'static str },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    Exists,
}

/// One condition, such as `tx.height > 5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) key: String,
    pub(crate) comparison: Comparison,
    /// Text without quotes, or the digits of a number; empty for EXISTS.
    pub(crate) value: String,
}

/// A whole query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) conditions: Vec<Condition>,
}

const COMPARISONS: [(&str, Comparison); 7] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("CONTAINS", Comparison::Contains),
    ("EXISTS", Comparison::Exists),
];

fn syntax(rest: &str, expected: &'static str) -> SearchError {
    SearchError::Syntax { rest: rest.chars().take(40).collect(), expected }
}

impl Search {
    /// Parses a query.
    ///
    /// # Errors
    /// [`SearchError`] when it is too long or malformed.
    pub(crate) fn parse(text: &str) -> Result<Self, SearchError> {
        let found = text.chars().count();
        if found > QUERY_CHARS_MAX {
            return Err(SearchError::Long { found });
        }
        let mut conditions = Vec::new();
        let mut rest = text.trim();
        loop {
            let (condition, after) = condition(rest)?;
            conditions.push(condition);
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Self { conditions });
            }
            rest = rest.strip_prefix("AND").ok_or_else(|| syntax(rest, "AND or the end"))?.trim_start();
        }
    }

    /// The value of the first equality on a key.
    pub(crate) fn equal(&self, key: &str) -> Option<&str> {
        self.conditions
            .iter()
            .find(|condition| condition.key == key && condition.comparison == Comparison::Equal)
            .map(|condition| condition.value.as_str())
    }

    /// The numbers that every condition on a key leaves of a range.
    pub(crate) fn narrow(&self, key: &str, range: RangeInclusive<u64>) -> RangeInclusive<u64> {
        let (mut low, mut high) = range.into_inner();
        for condition in self.conditions.iter().filter(|condition| condition.key == key) {
            let Ok(value) = condition.value.parse::<u64>() else {
                if condition.comparison != Comparison::Exists {
                    return NOTHING;
                }
                continue;
            };
            match condition.comparison {
                Comparison::Equal => (low, high) = (low.max(value), high.min(value)),
                Comparison::Less => high = high.min(value.saturating_sub(1)),
                Comparison::LessOrEqual => high = high.min(value),
                Comparison::Greater => low = low.max(value.saturating_add(1)),
                Comparison::GreaterOrEqual => low = low.max(value),
                Comparison::Contains | Comparison::Exists => {}
            }
        }
        low..=high
    }

    /// Whether the conditions on event attributes hold. Conditions on one event type must hold
    /// within one event, as CometBFT's indexer has it. Keys in `known` were judged elsewhere.
    pub(crate) fn matches_events(&self, events: &[Event], known: &[&str]) -> bool {
        let mut open = self.conditions.iter().filter(|condition| !known.contains(&condition.key.as_str()));
        open.all(|condition| {
            let (kind, _) = split(&condition.key);
            events.iter().filter(|event| event.ty == kind).any(|event| {
                self.conditions
                    .iter()
                    .filter(|other| split(&other.key).0 == kind)
                    .all(|other| other.holds_in(event))
            })
        })
    }

    /// Whether every condition holds over all events at once, which is what `subscribe` does.
    pub(crate) fn matches_flat(&self, events: &[Event], known: &[&str]) -> bool {
        self.conditions
            .iter()
            .filter(|condition| !known.contains(&condition.key.as_str()))
            .all(|condition| events.iter().any(|event| condition.holds_in(event)))
    }
}

/// An event type may hold dots, an attribute key is what stands after the last one.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or((key, ""))
}

impl Condition {
    fn holds_in(&self, event: &Event) -> bool {
        let (kind, key) = split(&self.key);
        event.ty == kind
            && event.attributes.iter().any(|attribute| attribute.key == key && self.holds(&attribute.value))
    }

    fn holds(&self, found: &str) -> bool {
        let number = || Some((found.parse::<i128>().ok()?, self.value.parse::<i128>().ok()?));
        match self.comparison {
            Comparison::Exists => true,
            Comparison::Contains => found.contains(&self.value),
            Comparison::Equal => found == self.value,
            Comparison::Less => number().is_some_and(|(found, value)| found < value),
            Comparison::LessOrEqual => number().is_some_and(|(found, value)| found <= value),
            Comparison::Greater => number().is_some_and(|(found, value)| found > value),
            Comparison::GreaterOrEqual => number().is_some_and(|(found, value)| found >= value),
        }
    }
}

fn condition(text: &str) -> Result<(Condition, &str), SearchError> {
    let is_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    let end = text.find(|c| !is_tag(c)).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if key.is_empty() {
        return Err(syntax(text, "a tag such as tx.height"));
    }
    let rest = rest.trim_start();
    let (comparison, rest) = COMPARISONS
        .iter()
        .find_map(|(sign, comparison)| Some((*comparison, rest.strip_prefix(sign)?)))
        .ok_or_else(|| syntax(rest, "=, <, <=, >, >=, CONTAINS or EXISTS"))?;
    let (value, rest) = match comparison {
        Comparison::Exists => (String::new(), rest),
        _ => value(rest.trim_start())?,
    };
    let condition = Condition { key: key.to_owned(), comparison, value };
    Ok((condition, rest))
}

fn value(text: &str) -> Result<(String, &str), SearchError> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or_else(|| syntax(text, "a closing quote"))?;
        return Ok((value.to_owned(), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Err(syntax(text, "a number or a quoted text"));
    }
    Ok((digits.to_owned(), rest))
}

#[cfg(test)]
mod tests;
