//! A store over another that forgets its writes: to ask what would happen.

use std::collections::BTreeMap;
use std::iter::Peekable;

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

/// What is below and not overwritten, and what is above and not removed, in one order; read no further than asked.
struct Merged<B: Iterator<Item = Record>, A: Iterator> {
    below: Peekable<B>,
    above: Peekable<A>,
    order: Order,
}

impl<'a, B, A> Iterator for Merged<B, A>
where
    B: Iterator<Item = Record>,
    A: Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)>,
{
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            let above_is_first = match (self.below.peek(), self.above.peek()) {
                (None, None) => return None,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some((below, _)), Some((above, _))) => (*above < below) == (self.order == Order::Ascending),
            };
            if !above_is_first {
                return self.below.next();
            }
            if let Some((key, Some(value))) = self.above.next() {
                return Some((key.clone(), value.clone()));
            }
        }
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
        let inside =
            move |key: &[u8]| start.is_none_or(|start| key >= start) && end.is_none_or(|end| key < end);
        let mut written: Vec<(&Vec<u8>, &Option<Vec<u8>>)> =
            self.written.iter().filter(|(key, _)| inside(key)).collect();
        if order == Order::Descending {
            written.reverse();
        }
        let below = self.below.range(start, end, order).filter(|(key, _)| !self.written.contains_key(key));
        Box::new(Merged { below: below.peekable(), above: written.into_iter().peekable(), order })
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
        assert_eq!(
            above.range(None, None, Order::Ascending).map(|(key, _)| key).collect::<Vec<_>>(),
            [b"a".to_vec(), b"b".to_vec(), b"d".to_vec()]
        );
        assert_eq!(above.get(b"b"), Some(b"above".to_vec()));
        assert_eq!(above.get(b"c"), None);
        assert_eq!(below.get(b"c"), Some(b"below".to_vec()));
        assert_eq!(below.get(b"d"), None);
    }
}
