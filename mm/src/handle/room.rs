//! Units without values, and units on their way to having them.
//!
//! The two guards here are why a panic leaks nothing: a [`Room`] releases its units, a
//! [`Filling`] drops the values made so far and then does the same.

use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

use super::MmBox;
use crate::error::AllocError;
use crate::managed::{MmManaged, alloc_units, release_units, try_alloc_units};

/// The units of one block, without any values; releases them when dropped.
///
/// # Invariants
///
/// 1. `first` is what `T`'s page family, or that of another instance of the same generic type, gave
///    for a block of exactly `units` units, and that block is live: `first` is aligned, and may be
///    used for all `units` of them.
/// 2. Only this room releases the block, and no reference into it is alive when it does.
pub(super) struct Room<T: MmManaged> {
    first: NonNull<T>,
    units: usize,
}

impl<T: MmManaged> Room<T> {
    /// Allocates one block of `units` units.
    #[inline]
    #[track_caller]
    pub(super) fn try_new(units: usize) -> Result<Self, AllocError> {
        let first = try_alloc_units::<T>(units)?;
        Ok(Self { first, units })
    }

    /// Allocates one block of `units` units, or ends as an allocation does that cannot fail.
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
    /// Both invariants of [`Room`] must hold.
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
    /// `index` must not be above [`units`](Self::units).
    #[inline]
    pub(super) unsafe fn unit(&self, index: usize) -> NonNull<T> {
        // SAFETY: by 1 the block reaches over `units` units, and the caller stays within it.
        unsafe { self.first.add(index) }
    }

    /// Moves `value` into the block, which is one of one unit.
    ///
    /// # Safety
    ///
    /// The block must have exactly one unit.
    #[inline]
    pub(super) unsafe fn write(self, value: T) -> MmBox<T> {
        // SAFETY: by 1 aligned and writable, and the caller says that there is a unit.
        unsafe { self.first.write(value) };
        // SAFETY: by 1 a live block, of one unit says the caller; the value was just written;
        // by 2 it is ours, and we give it up.
        unsafe { MmBox::own(self.give_up()) }
    }

    /// Hands the block over as a row of values.
    ///
    /// # Safety
    ///
    /// Every unit must hold a value that nobody else owns.
    #[inline]
    pub(super) unsafe fn assume_filled(self) -> MmBox<[T]> {
        let units = self.units;
        let row = NonNull::slice_from_raw_parts(self.give_up(), units);
        // SAFETY: by 1 a live block of that length; the caller speaks for the values; by 2 it
        // was ours, and we gave it up.
        unsafe { MmBox::own(row) }
    }

    /// Moves the values of a vector into the block.
    ///
    /// # Safety
    ///
    /// The block must have exactly as many units as the vector has values.
    pub(super) unsafe fn fill_from(self, mut values: Vec<T>) -> MmBox<[T]> {
        // SAFETY: 0 is no more than any capacity; the values are left behind as bytes.
        unsafe { values.set_len(0) };
        let from = values.as_ptr();
        // SAFETY: the vector keeps that many values at its start, says the caller; by 1 the block
        // has room for them; the two are allocations of their own.
        unsafe { ptr::copy_nonoverlapping(from, self.first.as_ptr(), self.units) };
        // SAFETY: every unit was just written, and the vector gave its values up.
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

    /// Returns the start of the block and does not release it.
    #[inline]
    fn give_up(self) -> NonNull<T> {
        ManuallyDrop::new(self).first
    }
}

impl<T: MmManaged> Room<T> {
    /// Releases the block, as dropping the room does: the optimizer need not decide here whether it pays
    /// to make that part of the caller.
    #[allow(
        clippy::inline_always,
        reason = "the hot path is to become part of the caller, whatever its size"
    )]
    #[inline(always)]
    pub(super) fn release(self) {
        let (first, units) = (self.first, self.units);
        core::mem::forget(self);
        // SAFETY: by 1 a live block of exactly that many units, by 2 used by nobody any more.
        unsafe { release_units(first, units) };
    }
}

impl<T: MmManaged> Drop for Room<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by 1 a live block of exactly that many units, by 2 used by nobody any more.
        unsafe { release_units(self.first, self.units) };
    }
}

// SAFETY: a room is units without values, and a family takes them back on any thread. Who keeps
// values in it owns them there (`IntoIter`), and may move when they may.
unsafe impl<T: MmManaged + Send> Send for Room<T> {}

// SAFETY: a shared room gives out addresses only; who keeps values in it may share them when
// they may be shared.
unsafe impl<T: MmManaged + Sync> Sync for Room<T> {}

/// A block whose values are being made; if that ends early, drops those there are.
///
/// # Invariants
///
/// 1. `made` is at most the units of `room`.
/// 2. The first `made` units hold values, and only this owns them.
struct Filling<T: MmManaged> {
    // Released after `drop` below is through or has panicked.
    room: Room<T>,
    made: usize,
}

impl<T: MmManaged> Filling<T> {
    /// Makes the values that are missing.
    #[inline]
    fn finish(mut self, mut make: impl FnMut(usize) -> T) -> MmBox<[T]> {
        let units = self.room.units();
        while self.made < units {
            let value = make(self.made);
            // SAFETY: `made` is below `units`.
            let unit = unsafe { self.room.unit(self.made) };
            // SAFETY: a unit of the room, aligned and writable by its 1, without a value by 2.
            unsafe { unit.write(value) };
            self.made += 1;
        }
        let room = self.into_room();
        // SAFETY: `made` is `units`, so by 2 all units have values, and this gave them up.
        unsafe { room.assume_filled() }
    }

    /// Gives the room back and does not drop the values in it.
    #[inline]
    fn into_room(self) -> Room<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: the two invariants of `this.room`, which goes without being dropped.
        unsafe { Room::own(this.room.first(), this.room.units()) }
    }
}

impl<T: MmManaged> Drop for Filling<T> {
    #[inline]
    fn drop(&mut self) {
        let made = self.room.row(self.made);
        // SAFETY: by 1 inside the room and thus aligned; by 2 all of them are values, and ours.
        unsafe { made.drop_in_place() };
    }
}
