//! Pages: how many, and where the next one begins.

use concord_schema::query::{PAGE_DEFAULT, PAGE_MAX};

use crate::error::ContractError;

/// A page of records, and the key to go on from.
pub(super) fn of<T, K, E>(
    records: impl Iterator<Item = Result<T, E>>,
    limit: Option<u32>,
    key: impl Fn(&T) -> K,
) -> Result<(Vec<T>, Option<K>), ContractError>
where
    ContractError: From<E>,
{
    let page = records.take(size(limit)).collect::<Result<Vec<_>, _>>()?;
    let next = scanned_to(&page, limit, key);
    Ok((page, next))
}

/// How many records a page holds.
fn size(limit: Option<u32>) -> usize {
    let size = limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    usize::try_from(size).unwrap_or(1)
}

/// The key to go on from: the last one of a full page; none of one that ended before.
fn scanned_to<T, K>(page: &[T], limit: Option<u32>, key: impl Fn(&T) -> K) -> Option<K> {
    if page.len() < size(limit) { None } else { page.last().map(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_empty_by_wish_and_never_above_the_cap() {
        for (asked, size_) in [(None, 10), (Some(0), 1), (Some(1), 1), (Some(30), 30), (Some(31), 30)] {
            assert_eq!(size(asked), size_, "{asked:?}");
        }
        let key = |record: &u8| *record;
        assert_eq!(scanned_to(&[1, 2], Some(2), key), Some(2));
        assert_eq!(scanned_to(&[1], Some(2), key), None);
        assert_eq!(scanned_to(&[], Some(2), key), None);
    }
}
