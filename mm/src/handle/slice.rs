//! Traits with a special implementation for rows: `Clone`, `Default`, `FromIterator`.

use super::MmBox;
use crate::managed::MmManaged;

impl<T: MmManaged + Clone> Clone for MmBox<[T]> {
    /// Clones the values one after the other; if one clone panics, those made are dropped.
    #[inline]
    #[track_caller]
    fn clone(&self) -> Self {
        Self::cloned_row(self)
    }

    /// Clones into the existing block if the lengths are equal, and into a new one otherwise.
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
    /// Makes a block of zero units, which takes no memory and changes no figure.
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::from_fn(0, |_| unreachable!("zero units have no value"))
    }
}

impl<T: MmManaged> FromIterator<T> for MmBox<[T]> {
    /// Collects into a vector first, as the number of units is not known before.
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<T>>().into()
    }
}
