//! Sorts rows without allocation.

use core::cmp::Ordering;
use core::fmt;

/// The number of rows that one pass finds.
///
/// Each pass reads all items, so there are about `n * n / 256` comparisons. For 10,000 families they take 1
/// to 12 ms, less than writing the rows.
const BATCH: usize = 256;

/// Visits all items in the order of `order`. Equal items keep their order.
pub(super) fn ranked<'a, T>(
    items: &'a [T],
    order: impl Fn(&T, &T) -> Ordering,
    mut visit: impl FnMut(&'a T) -> fmt::Result,
) -> fmt::Result {
    let order = |a: usize, b: usize| order(&items[a], &items[b]).then(a.cmp(&b));
    let mut batch = Batch::new();
    let mut last = None;
    loop {
        batch.fill(items.len(), last, &order);
        for &index in batch.indexes() {
            visit(&items[index])?;
        }
        match batch.indexes().last() {
            None => return Ok(()),
            next => last = next.copied(),
        }
    }
}

/// The indexes of the next items, in order.
struct Batch {
    indexes: [usize; BATCH],
    filled: usize,
}

impl Batch {
    /// Makes an empty batch.
    fn new() -> Self {
        Self {
            indexes: [0; BATCH],
            filled: 0,
        }
    }

    /// Returns the indexes that were found.
    fn indexes(&self) -> &[usize] {
        &self.indexes[..self.filled]
    }

    /// Finds the first indexes below `count` that come after `last`.
    fn fill(
        &mut self,
        count: usize,
        last: Option<usize>,
        order: &impl Fn(usize, usize) -> Ordering,
    ) {
        self.filled = 0;
        let is_due = |index: &usize| last.is_none_or(|last| order(last, *index).is_lt());
        for index in (0..count).filter(is_due) {
            self.insert(index, order);
        }
    }

    /// Inserts an index in order. A full batch drops its last one.
    fn insert(&mut self, index: usize, order: &impl Fn(usize, usize) -> Ordering) {
        let is_full = self.filled == BATCH;
        if is_full && order(self.indexes[BATCH - 1], index).is_lt() {
            return;
        }
        let place = self
            .indexes()
            .partition_point(|&other| order(other, index).is_lt());
        let moved = self.filled.min(BATCH - 1);
        self.indexes.copy_within(place..moved, place + 1);
        self.indexes[place] = index;
        self.filled = moved + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_stable_sort() {
        for count in [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH + 7] {
            let items: Vec<(usize, usize)> = (0..count).map(|i| (i * 7_919 % 101, i)).collect();
            let mut visited = Vec::new();
            ranked(
                &items,
                |a, b| b.0.cmp(&a.0),
                |item| {
                    visited.push(*item);
                    Ok(())
                },
            )
            .unwrap();
            let mut sorted = items.clone();
            sorted.sort_by_key(|item| core::cmp::Reverse(item.0));
            assert_eq!(visited, sorted);
        }
    }

    #[test]
    fn stops_at_an_error() {
        let mut visits = 0;
        let refused = ranked(&[1, 2, 3], Ord::cmp, |_| {
            visits += 1;
            Err(fmt::Error)
        });
        assert_eq!((refused, visits), (Err(fmt::Error), 1));
    }
}
