//! Global allocators, called directly, so that one process can measure several.

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::contract::values::Plain;
use crate::contract::{Forest, Rival, Row, Store, Value};
use crate::workloads::OneFamily;

/// A global allocator that exists as a constant.
pub(crate) trait Source: GlobalAlloc + 'static {
    /// The allocator. It has no state of its own, so all copies are the same.
    const IT: Self;
}

impl Source for System {
    const IT: Self = System;
}

#[cfg(feature = "c-rivals")]
impl Source for mimalloc::MiMalloc {
    const IT: Self = Self;
}

#[cfg(feature = "c-rivals")]
impl Source for tikv_jemallocator::Jemalloc {
    const IT: Self = Self;
}

#[cfg(feature = "c-rivals")]
impl Source for rpmalloc::RpMalloc {
    const IT: Self = Self;
}

impl Source for rallocator::Rallocator {
    const IT: Self = Self;
}

/// The rival that allocates everything from `A`.
pub(crate) struct Global<A>(PhantomData<A>);

impl<A: Source> Rival for Global<A> {
    type Store<T: Value> = Boxes<A>;
    type Sent = Boxes<A>;
    type Row = HeldRow<A>;
    type Forest = Boxes<A>;
    type Families = OneFamily<Boxes<A>>;
}

/// A block of `A` with a value in it.
///
/// # Invariants
///
/// `at` is a block of `A` with the layout of `T`. It holds a value, and no other code owns the block or the
/// value.
pub(crate) struct Held<A: Source, T> {
    at: NonNull<T>,
    source: PhantomData<A>,
}

impl<A: Source, T> Held<A, T> {
    #[inline]
    fn new(value: T) -> Self {
        const { assert!(size_of::<T>() > 0, "allocators have no blocks of no size") };
        let layout = Layout::new::<T>();
        // SAFETY: the size is not zero, as asserted above.
        let at = unsafe { A::IT.alloc(layout) }.cast::<T>();
        let Some(at) = NonNull::new(at) else {
            handle_alloc_error(layout);
        };
        // SAFETY: the block is new and has the layout of `T`.
        unsafe { at.write(value) };
        let source = PhantomData;
        Self { at, source }
    }
}

impl<A: Source, T> Drop for Held<A, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the invariant the block holds a value that only this owns.
        unsafe { self.at.drop_in_place() };
        // SAFETY: by the invariant the block is of `A` and of this layout, and only this owns it.
        unsafe { A::IT.dealloc(self.at.as_ptr().cast(), Layout::new::<T>()) };
    }
}

// SAFETY: it owns the value, and a global allocator can release blocks on any thread.
unsafe impl<A: Source, T: Send> Send for Held<A, T> {}

/// Keeps each value in a block of `A`.
pub(crate) struct Boxes<A>(PhantomData<fn() -> A>);

impl<A> Default for Boxes<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: Source, T: Value> Store<T> for Boxes<A> {
    type Held = Held<A, T>;

    #[inline]
    fn keep(&mut self, value: T) -> Held<A, T> {
        Held::new(value)
    }

    #[inline]
    fn release(&mut self, held: Held<A, T>) {
        drop(held);
    }
}

/// A tree of blocks.
#[expect(dead_code, reason = "the children are there to be released")]
pub(crate) struct Tree<A: Source>([Option<Held<A, Tree<A>>>; 2]);

impl<A: Source> Forest for Boxes<A> {
    type Tree = Held<A, Tree<A>>;

    #[inline]
    fn join(&mut self, left: Option<Self::Tree>, right: Option<Self::Tree>) -> Self::Tree {
        Held::new(Tree([left, right]))
    }

    #[inline]
    fn fell(&mut self, tree: Self::Tree) {
        drop(tree);
    }
}

/// A zeroed block of `A` with a row of values.
///
/// # Invariants
///
/// The row is a block of `A` with the layout of its length. It holds values, and no other code owns the block
/// or the values.
pub(crate) struct HeldRow<A: Source> {
    row: NonNull<[Plain]>,
    source: PhantomData<A>,
}

impl<A: Source> Row for HeldRow<A> {
    #[inline]
    fn zeroed(units: usize) -> Option<Self> {
        assert!(units > 0, "allocators have no blocks of no size");
        let layout = Layout::array::<Plain>(units).ok()?;
        // SAFETY: the layout has a size: there is at least one unit, and a unit has a size.
        let first = NonNull::new(unsafe { A::IT.alloc_zeroed(layout) })?;
        let row = NonNull::slice_from_raw_parts(first.cast(), units);
        let source = PhantomData;
        Some(Self { row, source })
    }

    #[inline]
    fn touch_ends(&mut self, number: u32) {
        // SAFETY: by the invariant the row holds values, and only this owns them.
        let row = unsafe { self.row.as_mut() };
        row[0].0[0] = number;
        row[row.len() - 1].0[8] = number;
    }
}

impl<A: Source> Drop for HeldRow<A> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the invariant the row holds values that only this owns.
        let layout = Layout::for_value(unsafe { self.row.as_ref() });
        // SAFETY: by the invariant the row is a block of `A` of this layout. The values need no drop.
        unsafe { A::IT.dealloc(self.row.as_ptr().cast(), layout) };
    }
}
