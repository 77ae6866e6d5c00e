//! The ways out of an [`MmBox`]: moving the value out, a raw pointer, and a leaked borrow.

use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::NonNull;

use super::uninit_block::UninitBlock;
use super::{Block, MmBox, sealed};
use crate::managed::MmManaged;

impl<T: MmManaged> MmBox<T> {
    /// Moves the value out and releases the block.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Job {
    ///     command: String,
    /// }
    ///
    /// let job = MmBox::new(Job { command: "sync".to_owned() });
    /// let Job { command } = MmBox::into_inner(job);
    /// assert_eq!(command, "sync");
    /// ```
    #[inline]
    #[must_use]
    pub fn into_inner(b: Self) -> T {
        let b = ManuallyDrop::new(b);
        // SAFETY: by invariant 1 this is a live block of one unit, and by invariant 3 only this owner
        // releases it, which `ManuallyDrop` keeps from doing so.
        let block = unsafe { UninitBlock::from_raw_parts(b.ptr, 1) };
        // SAFETY: by invariants 1 and 2 the unit is aligned and holds a value. The value moves out, as `block`
        // drops none.
        unsafe { block.first().read() }
    }

    /// Turns the owner of one value into the owner of a slice of one, at the same address.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let row: MmBox<[Point]> = MmBox::into_slice(MmBox::new(Point(1, 2)));
    /// assert_eq!(row.len(), 1);
    /// assert_eq!(row[0].1, 2);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_slice(b: Self) -> MmBox<[T]> {
        let row = NonNull::slice_from_raw_parts(ManuallyDrop::new(b).ptr, 1);
        // SAFETY: invariants 1 to 4 held for one value in one unit, and so they hold for a row of one
        // value. `ManuallyDrop` ended the former owner.
        unsafe { MmBox::own(row) }
    }
}

impl<B: Block + ?Sized> MmBox<B> {
    /// Moves the value, or the values of a row, into a [`Box`] of the global allocator, and releases the
    /// block.
    ///
    /// It is meant for code that needs a `Box`; `MmBox::from(boxed)` is the way back. Values are copied
    /// once, and not through the stack. Out of memory for the `Box`, it calls
    /// [`handle_alloc_error`](std::alloc::handle_alloc_error) while the values are still in their block.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let boxed: Box<Point> = MmBox::into_box(MmBox::new(Point(1, 2)));
    /// let row: Box<[Point]> = MmBox::into_box(MmBox::from_fn(3, |x| Point(x as i32, 0)));
    /// assert_eq!((boxed.1, row[2].0), (2, 2));
    /// # assert_eq!(Point::page_family().profile().live_blocks, 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_box(b: Self) -> Box<B> {
        let units = <B as sealed::Sealed>::__units(b.ptr);
        let boxed = <B as sealed::Sealed>::__room_of_box(units);
        let b = ManuallyDrop::new(b);
        // SAFETY: by invariant 1 this is a live block of `units` units, and by invariant 3 only `b`
        // releases it, which `ManuallyDrop` keeps from doing so. `_block` is dropped when the values have
        // left.
        let _block = unsafe { UninitBlock::<B::Unit>::from_raw_parts(b.ptr.cast(), units) };
        let (from, to) = (b.ptr.cast::<B::Unit>(), boxed.cast());
        // SAFETY: by invariants 1 and 2 the block holds `units` values. `__room_of_box` allocated
        // separate memory for as many. The values move, as nothing drops them in the block.
        unsafe { from.copy_to_nonoverlapping(to, units) };
        // SAFETY: `__room_of_box` returned the memory of a leaked box, and all its values were just moved
        // there.
        unsafe { Box::from_raw(boxed.as_ptr()) }
    }

    /// Gives up ownership, and returns the raw pointer.
    ///
    /// The block stays live until [`from_raw`](Self::from_raw) takes it back, or until
    /// [`xfree_raw`](crate::xfree_raw) releases it without running destructors.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let raw: *mut Point = MmBox::into_raw(MmBox::new(Point(1, 2)));
    /// // SAFETY: `into_raw` gave the pointer, and only this takes it back.
    /// let point = unsafe { MmBox::from_raw(raw) };
    /// assert_eq!(point.0, 1);
    /// ```
    #[inline]
    #[must_use = "nothing else releases the block"]
    pub fn into_raw(b: Self) -> *mut B {
        ManuallyDrop::new(b).ptr.as_ptr()
    }

    /// Takes ownership of a block back from a raw pointer.
    ///
    /// # Safety
    ///
    /// 1. `raw` is the start of a live block of `B::Unit`'s page family. It was returned by
    ///    [`into_raw`](Self::into_raw), by [`leak`](Self::leak), or by [`alloc`](crate::PageFamily::alloc) or
    ///    [`alloc_zeroed`](crate::PageFamily::alloc_zeroed) on `B::Unit::page_family()`. If `into_raw` or
    ///    `leak` returned it, and the type is generic, the block may be of another instance's family.
    /// 2. The block has exactly as many units as `B` says: one for `T`, the slice's length for `[T]`.
    /// 3. Each unit holds a valid value of `B::Unit`.
    /// 4. Nothing else owns the block, releases it, or uses a reference into it from now on; in particular
    ///    the same block is not taken back twice.
    ///
    /// # Examples
    ///
    /// A block from the family itself, initialised by the caller:
    ///
    /// ```
    /// use mm::{AllocError, MmBox, MmManaged};
    /// use std::ptr;
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let first: *mut Point = Point::page_family().alloc(2)?.cast().as_ptr();
    /// // SAFETY: `alloc` gave a block of two units.
    /// unsafe { first.write(Point(1, 2)) };
    /// // SAFETY: `alloc` gave a block of two units, of which this is the second.
    /// unsafe { first.add(1).write(Point(3, 4)) };
    ///
    /// let both = ptr::slice_from_raw_parts_mut(first, 2);
    /// // SAFETY: `alloc` of the type's own family gave the live block of two units. Both hold values, and
    /// // nothing else owns it.
    /// let points: MmBox<[Point]> = unsafe { MmBox::from_raw(both) };
    /// assert_eq!(points[1].0, 3);
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[must_use = "dropping it at once is `drop(unsafe { MmBox::from_raw(raw) })`"]
    pub unsafe fn from_raw(raw: *mut B) -> Self {
        // SAFETY: by requirement 1 a family gave the pointer, and none gives null.
        let ptr = unsafe { NonNull::new_unchecked(raw) };
        // SAFETY: requirements 1 and 2 are invariant 1, requirement 3 is invariant 2, and requirement 4 is
        // invariant 3. Invariant 4 holds as no family moves a block.
        unsafe { Self::own(ptr) }
    }

    /// Gives up ownership, and returns a borrow of the values that lasts as long as they can live.
    ///
    /// The block stays live, and is counted as live. [`from_raw`](Self::from_raw) can take the ownership
    /// back.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Config {
    ///     workers: usize,
    /// }
    ///
    /// let config: &'static mut Config = MmBox::leak(MmBox::new(Config { workers: 4 }));
    /// config.workers += 1;
    /// assert_eq!(config.workers, 5);
    /// ```
    #[inline]
    #[must_use = "nothing else reaches the values, or releases the block"]
    pub fn leak<'a>(b: Self) -> &'a mut B
    where
        B: 'a,
    {
        let mut ptr = ManuallyDrop::new(b).ptr;
        // SAFETY: by invariants 1 and 2 `ptr` is aligned and leads to valid values, and by invariant 3
        // nothing else reaches them. `ManuallyDrop` ended the owner undropped, so that nothing releases the
        // block, and the borrow may last as long as `B` does.
        unsafe { ptr.as_mut() }
    }

    /// Pins the values in place.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let mut pinned = MmBox::into_pin(MmBox::new(Point(1, 2)));
    /// pinned.as_mut().set(Point(3, 4));
    /// assert_eq!(pinned.0, 3);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_pin(b: Self) -> Pin<Self> {
        // SAFETY: by invariant 4 the values stay where they are until they are dropped, which `drop` does
        // before it releases the block; by invariant 3 only what has the pinned owner reaches them.
        unsafe { Pin::new_unchecked(b) }
    }

    /// Returns the raw pointer for reading, without a reference to the values in between.
    ///
    /// It is valid while the `MmBox` exists and is not borrowed mutably.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let point = MmBox::new(Point(1, 2));
    /// assert!(std::ptr::eq(MmBox::as_ptr(&point), &raw const *point));
    /// ```
    #[inline]
    #[must_use]
    pub fn as_ptr(b: &Self) -> *const B {
        b.ptr.as_ptr()
    }

    /// Returns the raw pointer for writing, without a reference to the values in between.
    ///
    /// It is valid while the `MmBox` exists and is not otherwise borrowed.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let mut point = MmBox::new(Point(1, 2));
    /// // SAFETY: `as_mut_ptr` gave the pointer just now, and nothing else uses the value.
    /// unsafe { MmBox::as_mut_ptr(&mut point).write(Point(3, 4)) };
    /// assert_eq!(point.0, 3);
    /// ```
    #[inline]
    #[must_use]
    pub fn as_mut_ptr(b: &mut Self) -> *mut B {
        b.ptr.as_ptr()
    }
}
