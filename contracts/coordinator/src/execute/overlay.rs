//! A store over another that forgets its writes: to ask what would happen.

use std::collections::BTreeMap;

use cosmwasm_std::{Order, Record, Storage};

/// Writes here are seen here and nowhere else.
pub(crate) struct Overlay<'a> {
    below: &'a dyn Storage,
    written: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(below: &'a dyn Storage) -> Self {
        Self { below, written: BTreeMap::new() }
    }
}

impl Storage for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.written.get(key) {
            Some(value) => value.clone(),
            None => self.below.get(key),
        }
    }

    fn range<'a>(
        &'a self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Record> + 'a> {
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = self.below.range(start, end, Order::Ascending).collect();
        for (key, value) in &self.written {
            let inside = start.is_none_or(|start| key.as_slice() >= start)
                && end.is_none_or(|end| key.as_slice() < end);
            match value {
                Some(value) if inside => merged.insert(key.clone(), value.clone()),
                _ => merged.remove(key),
            };
        }
        match order {
            Order::Ascending => Box::new(merged.into_iter()),
            Order::Descending => Box::new(merged.into_iter().rev()),
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.written.insert(key.to_vec(), Some(value.to_vec()));
    }

    fn remove(&mut self, key: &[u8]) {
        self.written.insert(key.to_vec(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cosmwasm_std::testing::MockStorage;

    #[test]
    fn writes_are_seen_above_and_never_below() {
        let mut below = MockStorage::new();
        for key in [b"a", b"b", b"c"] {
            below.set(key, b"below");
        }
        let mut above = Overlay::new(&below);
        above.set(b"b", b"above");
        above.remove(b"c");
        above.set(b"d", b"above");
        let seen =
            |order| -> Vec<Vec<u8>> { above.range(Some(b"b"), None, order).map(|(key, _)| key).collect() };
        assert_eq!(seen(Order::Ascending), [b"b".to_vec(), b"d".to_vec()]);
        assert_eq!(seen(Order::Descending), [b"d".to_vec(), b"b".to_vec()]);
        assert_eq!(above.get(b"b"), Some(b"above".to_vec()));
        assert_eq!(above.get(b"c"), None);
        assert_eq!(below.get(b"c"), Some(b"below".to_vec()));
        assert_eq!(below.get(b"d"), None);
    }
}
