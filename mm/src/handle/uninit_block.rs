//! Blocks that are uninitialised, and blocks that are being initialised.
//!
//! Each has an owner, so that a panic leaks nothing. An [`UninitBlock`] releases its block when dropped. A
//! [`Filling`] drops the values made so far, and then its `UninitBlock`.

use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

use super::MmBox;
use crate::error::AllocError;
use crate::managed::MmManaged;
use crate::units::{alloc_units, release_units, try_alloc_units};

/// The owner of an uninitialised block; releases it when dropped.
///
/// # Invariants
///
/// 1. `first` is the start of a live block of exactly `units` units. The block is of `T`'s page family, or of
///    that of another instance of the same generic type: `first` is aligned, and all `units` units may be
///    used.
/// 2. Only this owner releases the block, and no reference into the block is alive then.
pub(super) struct UninitBlock<T: MmManaged> {
    first: NonNull<T>,
    units: usize,
}

impl<T: MmManaged> UninitBlock<T> {
    /// Allocates one block of `units` units.
    #[inline]
    #[track_caller]
    pub(super) fn try_new(units: usize) -> Result<Self, AllocError> {
        let first = try_alloc_units::<T>(units)?;
        Ok(Self { first, units })
    }

    /// Allocates one block of `units` units, and panics or calls `handle_alloc_error` on failure.
    #[inline]
    #[track_caller]
    pub(super) fn new(units: usize) -> Self {
        let first = alloc_units::<T>(units);
        Self { first, units }
    }

    /// Takes ownership of a block.
    ///
    /// # Safety
    ///
    /// 1. Both invariants of [`UninitBlock`] hold for the block from now on.
    #[inline]
    pub(super) unsafe fn from_raw_parts(first: NonNull<T>, units: usize) -> Self {
        Self { first, units }
    }

    /// Returns a pointer to the first unit.
    #[inline]
    pub(super) fn first(&self) -> NonNull<T> {
        self.first
    }

    /// Returns the number of units.
    #[inline]
    pub(super) fn units(&self) -> usize {
        self.units
    }

    /// Returns a pointer to the first `count` units.
    #[inline]
    pub(super) fn prefix(&self, count: usize) -> NonNull<[T]> {
        NonNull::slice_from_raw_parts(self.first, count)
    }

    /// Returns a pointer to the unit `index`, or to the end of the block.
    ///
    /// # Safety
    ///
    /// 1. `index` is not above [`units`](Self::units).
    #[inline]
    pub(super) unsafe fn unit(&self, index: usize) -> NonNull<T> {
        // SAFETY: by invariant 1 the block has `units` units, and by requirement 1 the pointer leads to one of
        // them or to the end.
        unsafe { self.first.add(index) }
    }

    /// Moves `value` into the block's only unit.
    ///
    /// # Safety
    ///
    /// 1. The block has exactly one unit.
    #[inline]
    pub(super) unsafe fn write(self, value: T) -> MmBox<T> {
        // SAFETY: by invariant 1 `first` is aligned and may be written, and by requirement 1 there is a unit.
        unsafe { self.first.write(value) };
        // SAFETY: by invariant 1 and requirement 1 this is a live block of one unit. It holds the value
        // just written. By invariant 2 only `self` owned the block, and `into_raw` ends that.
        unsafe { MmBox::own(self.into_raw()) }
    }

    /// Returns the block as the owner of its values.
    ///
    /// # Safety
    ///
    /// 1. Every unit holds a valid value.
    /// 2. Nothing else owns the values, or drops them.
    #[inline]
    pub(super) unsafe fn assume_init(self) -> MmBox<[T]> {
        let units = self.units;
        let values = NonNull::slice_from_raw_parts(self.into_raw(), units);
        // SAFETY: by invariant 1 this is a live block of that length, and by requirements 1 and 2 it holds
        // values that only the new owner has. By invariant 2 only `self` owned the block, and `into_raw` ends
        // that.
        unsafe { MmBox::own(values) }
    }

    /// Moves the values of a vector into the block.
    ///
    /// # Safety
    ///
    /// 1. The block has exactly as many units as the vector has values.
    pub(super) unsafe fn fill_from(self, mut values: Vec<T>) -> MmBox<[T]> {
        // SAFETY: every capacity is at least 0. After `set_len` the vector no longer drops the values, whose
        // bytes stay in its buffer.
        unsafe { values.set_len(0) };
        let from = values.as_ptr();
        // SAFETY: by requirement 1 the vector's buffer begins with as many values as the block has units, and
        // by invariant 1 the units may be written. The buffer and the block do not overlap.
        unsafe { ptr::copy_nonoverlapping(from, self.first.as_ptr(), self.units) };
        // SAFETY: `copy_nonoverlapping` just wrote every unit, and the vector no longer owns the values.
        unsafe { self.assume_init() }
    }

    /// Makes the values in place, in the order of their indices.
    #[inline]
    pub(super) fn fill_with(self, make: impl FnMut(usize) -> T) -> MmBox<[T]> {
        Filling {
            block: self,
            made: 0,
        }
        .finish(make)
    }

    /// Gives up ownership, and returns the start of the block.
    #[inline]
    fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).first
    }

    /// Releases the block, as dropping does; unlike `drop` it is always inlined.
    #[allow(
        clippy::inline_always,
        reason = "the hot path must be inlined into the caller, whatever its size"
    )]
    #[inline(always)]
    pub(super) fn release(self) {
        let units = self.units;
        // SAFETY: by invariant 1 this is a live block of exactly `units` units. By invariant 2 nothing else
        // uses it, and `into_raw` ended the use by `self`.
        unsafe { release_units(self.into_raw(), units) };
    }
}

impl<T: MmManaged> Drop for UninitBlock<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by invariant 1 this is a live block of exactly `units` units, and by invariant 2 nothing
        // uses it any more.
        unsafe { release_units(self.first, self.units) };
    }
}

// SAFETY: by invariants 1 and 2 of `UninitBlock` only this owner releases the live block, and a family takes
// blocks back on any thread. `T` is `Send`, as the bound says, for `Filling` and `IntoIter`: they own the values in
// the block, too.
unsafe impl<T: MmManaged + Send> Send for UninitBlock<T> {}

// SAFETY: a shared `UninitBlock` gives out addresses alone. `T` is `Sync`, as the bound says, for `Filling` and
// `IntoIter`: they own the values in the block, too.
unsafe impl<T: MmManaged + Sync> Sync for UninitBlock<T> {}

/// A block that is being initialised. If making a value panics, the values made so far are dropped.
///
/// # Invariants
///
/// 1. `made` is at most the number of units of `block`.
/// 2. The first `made` units hold values, which only this owns; the other units hold none.
struct Filling<T: MmManaged> {
    // Dropped, and so released, after `drop` below returns or panics.
    block: UninitBlock<T>,
    made: usize,
}

impl<T: MmManaged> Filling<T> {
    /// Makes the values of the remaining units.
    #[inline]
    fn finish(mut self, mut make: impl FnMut(usize) -> T) -> MmBox<[T]> {
        let units = self.block.units();
        while self.made < units {
            let value = make(self.made);
            // SAFETY: `made` is below `units` here.
            let unit = unsafe { self.block.unit(self.made) };
            // SAFETY: by invariant 1 of `UninitBlock` the unit is aligned and may be written, and by invariant 2
            // it has no value that this would leave behind undropped.
            unsafe { unit.write(value) };
            self.made += 1;
        }
        let block = self.into_block();
        // SAFETY: `made` is `units` here, so by invariant 2 all units hold values, and `into_block` gave up
        // their ownership.
        unsafe { block.assume_init() }
    }

    /// Returns the block without dropping the values in it.
    #[inline]
    fn into_block(self) -> UninitBlock<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: invariants 1 and 2 of `UninitBlock` hold for the block in `this`, which `ManuallyDrop` does
        // not drop.
        unsafe { UninitBlock::from_raw_parts(this.block.first(), this.block.units()) }
    }
}

impl<T: MmManaged> Drop for Filling<T> {
    #[inline]
    fn drop(&mut self) {
        let made = self.block.prefix(self.made);
        // SAFETY: by invariant 1 the units are in the block and thus aligned; by invariant 2 all of them hold
        // values, which only this drops.
        unsafe { made.drop_in_place() };
    }
}
