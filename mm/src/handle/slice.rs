//! Traits that only a row of values has its own way of: cloning, the empty row, collecting.

use super::MmBox;
use crate::managed::MmManaged;

impl<T: MmManaged + Clone> Clone for MmBox<[T]> {
    /// Clones the values one after the other; if one clone panics, those made are dropped.
    #[inline]
    #[track_caller]
    fn clone(&self) -> Self {
        Self::cloned_row(self)
    }

    /// Clones into the block there is if it is as long, and into a new one if not.
    #[track_caller]
    fn clone_from(&mut self, source: &Self) {
        if self.len() == source.len() {
            self.clone_from_slice(source);
        } else {
            *self = source.clone();
        }
    }
}

impl<T: MmManaged> Default for MmBox<[T]> {
    /// Makes a block of zero units, which takes no memory and counts for nothing.
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::from_fn(0, |_| unreachable!("zero units have no value"))
    }
}

impl<T: MmManaged> FromIterator<T> for MmBox<[T]> {
    /// Collects into a vector first, as nobody knows how many units it will be.
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<T>>().into()
    }
}
