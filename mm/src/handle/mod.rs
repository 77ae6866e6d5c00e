//! `MmBox`, the owner of a block, and `Block`, the two kinds of block.
//!
//! Bottom-up: `uninit_block` owns units without values, and is the only module that allocates from a
//! family and releases to it. This file owns units with values. `make` and `raw` are the ways into and
//! out of that state. The other modules forward traits of the value to its owner.

mod convert;
mod io;
mod iter;
mod kept;
mod make;
mod raw;
#[cfg(feature = "serde")]
mod serde;
mod slice;
mod traits;
mod uninit_block;

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::UnwindSafe;
use core::ptr::NonNull;

use self::uninit_block::UninitBlock;
use crate::managed::MmManaged;

pub use self::iter::IntoIter;
pub use self::kept::Kept;

mod sealed {
    use core::ptr::NonNull;

    use crate::managed::MmManaged;

    /// Keeps [`Block`](super::Block) to the two kinds of block there are.
    pub trait Sealed {
        /// Returns how many units a block has, without looking into it.
        fn __units(block: NonNull<Self>) -> usize;

        /// Allocates uninitialised memory for as many values, for a [`Box`].
        fn __room_of_box(units: usize) -> NonNull<Self>;
    }

    impl<T: MmManaged> Sealed for T {
        #[inline]
        fn __units(_: NonNull<Self>) -> usize {
            1
        }

        #[inline]
        fn __room_of_box(_: usize) -> NonNull<Self> {
            NonNull::from(Box::leak(Box::<T>::new_uninit())).cast()
        }
    }

    impl<T: MmManaged> Sealed for [T] {
        #[inline]
        fn __units(block: NonNull<Self>) -> usize {
            block.len()
        }

        #[inline]
        fn __room_of_box(units: usize) -> NonNull<Self> {
            let first = NonNull::from(Box::leak(Box::<[T]>::new_uninit_slice(units)));
            NonNull::slice_from_raw_parts(first.cast(), units)
        }
    }
}

/// What an [`MmBox`] can own: one managed value `T`, or a row of them, `[T]`.
///
/// The trait is sealed: there are no other implementations.
///
/// # Examples
///
/// ```
/// use mm::{Block, MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Point(i32, i32);
///
/// fn family_of<B: Block + ?Sized>(_: &MmBox<B>) -> &'static str {
///     B::Unit::page_family().name()
/// }
///
/// assert_eq!(family_of(&MmBox::new(Point(1, 2))), "Point");
/// assert_eq!(family_of(&MmBox::from_fn(2, |_| Point(1, 2))), "Point");
/// ```
pub trait Block: sealed::Sealed {
    /// The type from whose page family the block comes.
    type Unit: MmManaged;
}

impl<T: MmManaged> Block for T {
    type Unit = T;
}

impl<T: MmManaged> Block for [T] {
    type Unit = T;
}

/// The only owner of one block of a page family: of one value `T`, or of a row of values `[T]`.
///
/// It is to a managed type what [`Box`] is to any other. It is one pointer wide for `T`,
/// `Option<MmBox<T>>` has the same size, and the `MmBox` implements the traits of its value. Dropping it
/// drops the values and then releases the block, even if one of the destructors panics.
///
/// Its own functions are not methods, so none can hide a method of the value: write
/// `MmBox::into_inner(b)`.
///
/// What the value borrows must strictly outlive the `MmBox`. Unlike `Box`, it cannot tell the compiler
/// that it only drops the value, so two values that borrow from each other cannot both be in an `MmBox`.
///
/// # Invariants
///
/// 1. `ptr` is the start of a live block of exactly as many units as `B` has: one for `T`, the length for
///    `[T]`. The block is of `B::Unit`'s page family, or of that of another instance of the same generic
///    type. So `ptr` is not null, is aligned for `B::Unit`, and may be used for all of the block. A block of
///    zero units has an address that is never accessed.
/// 2. Every unit of the block holds a valid value of `B::Unit`.
/// 3. Nothing else owns the block or its values: they are reached only through this `MmBox` and
///    what is borrowed from it, and only it drops the values and releases the block, once.
/// 4. The block stays at its address for as long as the `MmBox` lives, wherever that moves.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged, Clone, Debug, PartialEq)]
/// struct Emp {
///     name: String,
///     boss: Option<MmBox<Emp>>,
/// }
///
/// let ada = MmBox::new(Emp { name: "Ada".to_owned(), boss: None });
/// let mut bob = MmBox::new(Emp { name: "Bob".to_owned(), boss: Some(ada) });
/// bob.name.push('!');
///
/// let copies: MmBox<[Emp]> = MmBox::from_fn(3, |_| Emp::clone(&bob));
/// assert_eq!(copies[2], *bob);
/// assert_eq!(size_of::<Option<MmBox<Emp>>>(), size_of::<usize>());
/// ```
#[repr(transparent)]
pub struct MmBox<B: Block + ?Sized> {
    ptr: NonNull<B>,
    owns: PhantomData<B>,
}

/// Drops the values of a block and releases it, as dropping the block does.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Point(i32, i32);
///
/// let points = Point::xcalloc(3);
/// let one = MmBox::new(Point(1, 2));
/// mm::xfree(points);
/// mm::xfree(one);
/// # let path = Point::page_family().path();
/// # assert_eq!(mm::snapshot().family(path).unwrap().live_blocks, 0);
/// ```
#[inline]
pub fn xfree<B: Block + ?Sized>(block: MmBox<B>) {
    drop(block);
}

impl<B: Block + ?Sized> MmBox<B> {
    /// Takes ownership of a block.
    ///
    /// # Safety
    ///
    /// 1. Invariants 1 to 4 of [`MmBox`] hold for `ptr` from now on.
    #[inline]
    unsafe fn own(ptr: NonNull<B>) -> Self {
        Self {
            ptr,
            owns: PhantomData,
        }
    }
}

impl<B: Block + ?Sized> Drop for MmBox<B> {
    #[inline]
    fn drop(&mut self) {
        let units = <B as sealed::Sealed>::__units(self.ptr);
        // SAFETY: by invariants 1 and 3 this is a live block of `units` units that only this releases. `block`
        // is dropped last, on unwinding too, and nothing uses the units after this function.
        let block = unsafe { UninitBlock::<B::Unit>::from_raw_parts(self.ptr.cast(), units) };
        // SAFETY: by invariant 1 the block is aligned and may be read and written, by invariant 2 it holds
        // values, and by invariant 3 nothing else uses them or drops them again.
        unsafe { self.ptr.drop_in_place() };
        block.release();
    }
}

impl<B: Block + ?Sized> Deref for MmBox<B> {
    type Target = B;

    #[inline]
    fn deref(&self) -> &B {
        // SAFETY: by invariants 1 and 2 `ptr` is aligned and leads to valid values. By invariant 3 nothing
        // writes to them while `self` is borrowed: that takes a mutable borrow.
        unsafe { self.ptr.as_ref() }
    }
}

impl<B: Block + ?Sized> DerefMut for MmBox<B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut B {
        // SAFETY: by invariants 1 and 2 `ptr` is aligned and leads to valid values. By invariant 3 nothing
        // else reaches them while `self` is borrowed mutably.
        unsafe { self.ptr.as_mut() }
    }
}

impl<B: Block + ?Sized + fmt::Debug> fmt::Debug for MmBox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// SAFETY: by invariant 3 the values move with their owner, and they are `Send`; a family takes a block back
// on any thread.
unsafe impl<B: Block + ?Sized + Send> Send for MmBox<B> {}

// SAFETY: by invariant 3 a shared `MmBox` gives shared values and nothing else, and they are `Sync`.
unsafe impl<B: Block + ?Sized + Sync> Sync for MmBox<B> {}

// By invariant 4 moving the owner moves no value.
impl<B: Block + ?Sized> Unpin for MmBox<B> {}

// A `NonNull` counts as shared; this one is owned.
impl<B: Block + ?Sized + UnwindSafe> UnwindSafe for MmBox<B> {}
