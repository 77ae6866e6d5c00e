//! The newest few of many.

use core::array;

/// Keeps the newest `KEPT` of what was pushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring<T, const KEPT: usize> {
    items: [T; KEPT],
    pushed: usize,
}

impl<T: Copy, const KEPT: usize> Ring<T, KEPT> {
    /// Makes an empty one; `filler` is never shown.
    pub(super) fn new(filler: T) -> Self {
        Self {
            items: [filler; KEPT],
            pushed: 0,
        }
    }

    /// Adds an item, in the place of the oldest once there is no other.
    pub(super) fn push(&mut self, item: T) {
        self.items[self.pushed % KEPT] = item;
        self.pushed += 1;
    }

    /// Copies the newest `COUNT`, the oldest of them first, if there are so many.
    pub(super) fn newest<const COUNT: usize>(&self) -> Option<[T; COUNT]> {
        const { assert!(COUNT <= KEPT) };
        let first = self.pushed.checked_sub(COUNT)?;
        Some(array::from_fn(|nth| self.items[(first + nth) % KEPT]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_in_order() {
        let mut ring = Ring::<_, 3>::new(0);
        assert_eq!(ring.newest::<1>(), None);
        (1..=5).for_each(|item| ring.push(item));
        assert_eq!(ring.newest::<3>(), Some([3, 4, 5]));
        assert_eq!(ring.newest::<2>(), Some([4, 5]));
    }
}
