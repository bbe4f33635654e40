//! A store over another that keeps its writes to itself: to ask what would happen, or to do all of it or nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::iter::Peekable;

use cosmwasm_std::{Order, Record, Storage};

/// Writes here are seen here and nowhere else.
pub(crate) struct Overlay<'a> {
    below: &'a dyn Storage,
    /// What was read below: a second look costs no gas.
    seen: RefCell<Written>,
    written: Written,
}

/// Values by key; `None` where one was removed.
pub(crate) type Written = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Takes over what was written above.
pub(crate) fn write(storage: &mut dyn Storage, written: Written) {
    for (key, value) in written {
        match value {
            Some(value) => storage.set(&key, &value),
            None => storage.remove(&key),
        }
    }
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(below: &'a dyn Storage) -> Self {
        Self { below, seen: RefCell::default(), written: BTreeMap::new() }
    }

    /// What was written, for [`write`].
    pub(crate) fn written(self) -> Written {
        self.written
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
        if let Some(value) = self.written.get(key) {
            return value.clone();
        }
        let mut seen = self.seen.borrow_mut();
        if let Some(value) = seen.get(key) {
            return value.clone();
        }
        let value = self.below.get(key);
        seen.insert(key.to_vec(), value.clone());
        value
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
        let written = above.written();
        write(&mut below, written);
        let after: Vec<_> = below.range(None, None, Order::Ascending).collect();
        let pair = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
        assert_eq!(after, [pair(b"a", b"below"), pair(b"b", b"above"), pair(b"d", b"above")]);
    }
}
