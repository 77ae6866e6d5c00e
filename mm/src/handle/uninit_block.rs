//! Units without values, and units on their way to having them.
//!
//! The two guards here are why a panic leaks nothing: an [`UninitBlock`] releases its units, a
//! [`Filling`] drops the values made so far and then does the same.

use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

use super::MmBox;
use crate::error::AllocError;
use crate::managed::MmManaged;
use crate::units::{alloc_units, release_units, try_alloc_units};

/// The units of one block, without any values; releases them when dropped.
///
/// # Invariants
///
/// 1. `first` is what `T`'s page family, or that of another instance of the same generic type, gave
///    for a block of exactly `units` units, and that block is live: `first` is aligned, and may be
///    used for all `units` of them.
/// 2. Only this room releases the block, and no reference into it is alive when it does.
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

    /// Becomes the owner of a block.
    ///
    /// # Safety
    ///
    /// 1. Both invariants of [`UninitBlock`] hold for the block from now on.
    #[inline]
    pub(super) unsafe fn own(first: NonNull<T>, units: usize) -> Self {
        Self { first, units }
    }

    /// Returns where the block starts.
    #[inline]
    pub(super) fn first(&self) -> NonNull<T> {
        self.first
    }

    /// Returns how many units the block has.
    #[inline]
    pub(super) fn units(&self) -> usize {
        self.units
    }

    /// Returns where the first `count` units are.
    #[inline]
    pub(super) fn row(&self, count: usize) -> NonNull<[T]> {
        NonNull::slice_from_raw_parts(self.first, count)
    }

    /// Returns where the unit `index` is.
    ///
    /// # Safety
    ///
    /// 1. `index` is not above [`units`](Self::units).
    #[inline]
    pub(super) unsafe fn unit(&self, index: usize) -> NonNull<T> {
        // SAFETY: by invariant 1 the block reaches over `units` units, and by requirement 1 the place is
        // one of them or the end.
        unsafe { self.first.add(index) }
    }

    /// Moves `value` into the block, which is one of one unit.
    ///
    /// # Safety
    ///
    /// 1. The block has exactly one unit.
    #[inline]
    pub(super) unsafe fn write(self, value: T) -> MmBox<T> {
        // SAFETY: by invariant 1 the place is aligned and may be written, and by requirement 1 there is a
        // unit.
        unsafe { self.first.write(value) };
        // SAFETY: by invariant 1 and requirement 1 this is a live block of one unit. It holds the value
        // just written. By invariant 2 only the room owned it, and `give_up` ends that.
        unsafe { MmBox::own(self.give_up()) }
    }

    /// Hands the block over as a row of values.
    ///
    /// # Safety
    ///
    /// 1. Every unit holds a valid value.
    /// 2. Nothing else owns the values, or drops them.
    #[inline]
    pub(super) unsafe fn assume_filled(self) -> MmBox<[T]> {
        let units = self.units;
        let row = NonNull::slice_from_raw_parts(self.give_up(), units);
        // SAFETY: by invariant 1 this is a live block of that length, and by requirements 1 and 2 it holds
        // values which only the new owner has. By invariant 2 only the room owned it, and `give_up` ends
        // that.
        unsafe { MmBox::own(row) }
    }

    /// Moves the values of a vector into the block.
    ///
    /// # Safety
    ///
    /// 1. The block has exactly as many units as the vector has values.
    pub(super) unsafe fn fill_from(self, mut values: Vec<T>) -> MmBox<[T]> {
        // SAFETY: 0 is not above any capacity. `set_len` leaves the values behind as bytes, which the
        // vector no longer drops.
        unsafe { values.set_len(0) };
        let from = values.as_ptr();
        // SAFETY: by requirement 1 the vector has as many values at its start as the block has units, and
        // by invariant 1 those may be written. The two are allocations of their own.
        unsafe { ptr::copy_nonoverlapping(from, self.first.as_ptr(), self.units) };
        // SAFETY: `copy_nonoverlapping` just wrote every unit, and the vector no longer owns the values.
        unsafe { self.assume_filled() }
    }

    /// Makes the values one after the other, each in its place.
    #[inline]
    pub(super) fn fill(self, make: impl FnMut(usize) -> T) -> MmBox<[T]> {
        Filling {
            room: self,
            made: 0,
        }
        .finish(make)
    }

    /// Gives up the ownership, and returns the start of the block.
    #[inline]
    fn give_up(self) -> NonNull<T> {
        ManuallyDrop::new(self).first
    }
}

impl<T: MmManaged> UninitBlock<T> {
    /// Releases the block, as dropping does; unlike `drop` it is always inlined.
    #[allow(
        clippy::inline_always,
        reason = "the hot path must be inlined into the caller, whatever its size"
    )]
    #[inline(always)]
    pub(super) fn release(self) {
        let units = self.units;
        // SAFETY: by invariant 1 this is a live block of exactly so many units, and by invariant 2 nothing
        // uses it any more: `give_up` ended the room's own use.
        unsafe { release_units(self.give_up(), units) };
    }
}

impl<T: MmManaged> Drop for UninitBlock<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by invariant 1 this is a live block of exactly so many units, and by invariant 2 nothing
        // uses it any more.
        unsafe { release_units(self.first, self.units) };
    }
}

// SAFETY: by invariants 1 and 2 of `UninitBlock` it is a live block that only the room releases, and a family
// takes blocks back on any thread. What owns values in it, `Filling` or `IntoIter`, moves only where they
// are `Send`, as the bound says.
unsafe impl<T: MmManaged + Send> Send for UninitBlock<T> {}

// SAFETY: a shared `UninitBlock` gives out addresses alone. What owns values in it, `Filling` or `IntoIter`, is
// shared only where they are `Sync`, as the bound says.
unsafe impl<T: MmManaged + Sync> Sync for UninitBlock<T> {}

/// A block whose values are being made; if making them ends early, it drops those that exist.
///
/// # Invariants
///
/// 1. `made` is at most the units of `room`.
/// 2. The first `made` units hold values, and only this owns them; the others hold none.
struct Filling<T: MmManaged> {
    // Released after `drop` below is through or has panicked.
    room: UninitBlock<T>,
    made: usize,
}

impl<T: MmManaged> Filling<T> {
    /// Makes the values that are missing.
    #[inline]
    fn finish(mut self, mut make: impl FnMut(usize) -> T) -> MmBox<[T]> {
        let units = self.room.units();
        while self.made < units {
            let value = make(self.made);
            // SAFETY: `made` is below `units` here.
            let unit = unsafe { self.room.unit(self.made) };
            // SAFETY: by invariant 1 of `UninitBlock` the unit is aligned and may be written, and by invariant 2
            // it has no value that this would leave behind undropped.
            unsafe { unit.write(value) };
            self.made += 1;
        }
        let room = self.into_room();
        // SAFETY: `made` is `units` here, so by invariant 2 all units hold values, and `into_room` gave
        // them up.
        unsafe { room.assume_filled() }
    }

    /// Returns the block without dropping the values in it.
    #[inline]
    fn into_room(self) -> UninitBlock<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: invariants 1 and 2 of `UninitBlock` hold for the room in `this`, which `ManuallyDrop` does not
        // drop.
        unsafe { UninitBlock::own(this.room.first(), this.room.units()) }
    }
}

impl<T: MmManaged> Drop for Filling<T> {
    #[inline]
    fn drop(&mut self) {
        let made = self.room.row(self.made);
        // SAFETY: by invariant 1 the units are inside of the room and thus aligned; by invariant 2 all of
        // them hold values, which only this drops.
        unsafe { made.drop_in_place() };
    }
}
