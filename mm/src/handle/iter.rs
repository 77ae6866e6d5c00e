//! Iterator traits for [`MmBox`]: one of an iterator is an iterator, one of a row is iterable.

use core::fmt;
use core::iter::FusedIterator;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::panic::UnwindSafe;
use core::ptr::NonNull;
use core::slice;

use super::MmBox;
use super::uninit_block::UninitBlock;
use crate::managed::MmManaged;

impl<I: MmManaged + Iterator> Iterator for MmBox<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        (**self).next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<I::Item> {
        (**self).nth(n)
    }

    #[inline]
    fn last(self) -> Option<I::Item> {
        MmBox::into_inner(self).last()
    }
}

impl<I: MmManaged + DoubleEndedIterator> DoubleEndedIterator for MmBox<I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        (**self).next_back()
    }

    #[inline]
    fn nth_back(&mut self, n: usize) -> Option<I::Item> {
        (**self).nth_back(n)
    }
}

impl<I: MmManaged + ExactSizeIterator> ExactSizeIterator for MmBox<I> {
    #[inline]
    fn len(&self) -> usize {
        (**self).len()
    }
}

impl<I: MmManaged + FusedIterator> FusedIterator for MmBox<I> {}

/// Moves the values of an `MmBox<[T]>` out, one by one.
///
/// The block is released when the iterator is dropped, together with the values that are left.
///
/// # Invariants
///
/// 1. `alive` lies within the units of `block`.
/// 2. The units of `alive` hold valid values, and only this iterator reaches, drops or gives them
///    away; the others hold none.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged, Debug, PartialEq)]
/// struct Step(usize);
///
/// let mut steps = MmBox::from_fn(4, Step).into_iter();
/// assert_eq!(steps.next(), Some(Step(0)));
/// assert_eq!(steps.next_back(), Some(Step(3)));
/// assert_eq!(steps.as_slice(), [Step(1), Step(2)]);
/// ```
pub struct IntoIter<T: MmManaged> {
    // Dropped, and so released, after `drop` below returns or panics.
    block: UninitBlock<T>,
    alive: Range<usize>,
}

impl<T: MmManaged> IntoIter<T> {
    /// Returns the values that are left.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged, Debug, PartialEq)]
    /// struct Step(usize);
    ///
    /// let mut steps = MmBox::from_fn(3, Step).into_iter();
    /// steps.next();
    /// assert_eq!(steps.as_slice(), [Step(1), Step(2)]);
    /// ```
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: by invariant 1 the units are in the block and thus aligned; by invariant 2 they hold
        // values, which are lent for as long as `self` is.
        unsafe { self.left().as_ref() }
    }

    /// Returns the values that are left, mutably.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged, Debug, PartialEq)]
    /// struct Step(usize);
    ///
    /// let mut steps = MmBox::from_fn(2, Step).into_iter();
    /// steps.as_mut_slice()[0] = Step(7);
    /// assert_eq!(steps.next(), Some(Step(7)));
    /// ```
    #[inline]
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: by invariant 1 the units are in the block and thus aligned; by invariant 2 they hold
        // values, which only this reaches while `self` is borrowed mutably.
        unsafe { self.left().as_mut() }
    }

    /// Returns a pointer to the values that are left.
    #[inline]
    fn left(&self) -> NonNull<[T]> {
        // SAFETY: by invariant 1 the start of `alive` is not above the block's units.
        let first = unsafe { self.block.unit(self.alive.start) };
        NonNull::slice_from_raw_parts(first, self.alive.len())
    }

    /// Moves the value of one unit out.
    ///
    /// # Safety
    ///
    /// 1. `index` was in `alive` and has just left it.
    #[inline]
    unsafe fn take(&mut self, index: usize) -> T {
        // SAFETY: by requirement 1 `index` was in `alive`, and by invariant 1 below the block's units.
        let unit = unsafe { self.block.unit(index) };
        // SAFETY: by invariant 2 the unit held a value, and by requirement 1 nothing reaches it here any
        // more.
        unsafe { unit.read() }
    }
}

impl<T: MmManaged> Iterator for IntoIter<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let index = self.alive.next()?;
        // SAFETY: `alive` had the index, which has just left it.
        Some(unsafe { self.take(index) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.alive.size_hint()
    }
}

impl<T: MmManaged> DoubleEndedIterator for IntoIter<T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        let index = self.alive.next_back()?;
        // SAFETY: `alive` had the index, which has just left it.
        Some(unsafe { self.take(index) })
    }
}

impl<T: MmManaged> ExactSizeIterator for IntoIter<T> {}

impl<T: MmManaged> FusedIterator for IntoIter<T> {}

impl<T: MmManaged> Drop for IntoIter<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by invariant 1 the units are in the block and thus aligned; by invariant 2 they hold
        // values, which only this drops.
        unsafe { self.left().drop_in_place() };
    }
}

impl<T: MmManaged + Clone> Clone for IntoIter<T> {
    /// Clones the values that are left into a block of their own.
    #[track_caller]
    fn clone(&self) -> Self {
        MmBox::from(self.as_slice()).into_iter()
    }
}

impl<T: MmManaged + fmt::Debug> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.as_slice()).finish()
    }
}

// The values are owned, though a `NonNull` counts as shared.
impl<T: MmManaged + UnwindSafe> UnwindSafe for IntoIter<T> {}

// `[T]` is no iterator, so this does not overlap with the blanket implementation for iterators.
impl<T: MmManaged> IntoIterator for MmBox<[T]> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[inline]
    fn into_iter(self) -> IntoIter<T> {
        let values = ManuallyDrop::new(self).ptr;
        let units = values.len();
        // SAFETY: by invariants 1 and 3 of `MmBox` this is a live block of `units` units that only its
        // owner releases, which `ManuallyDrop` keeps from doing so. The iterator gets the values, too.
        let block = unsafe { UninitBlock::from_raw_parts(values.cast(), units) };
        IntoIter {
            block,
            alive: 0..units,
        }
    }
}

impl<'a, T: MmManaged> IntoIterator for &'a MmBox<[T]> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: MmManaged> IntoIterator for &'a mut MmBox<[T]> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
