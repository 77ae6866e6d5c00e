//! The heap that address space belongs to, as far as what lies below heaps needs to know it.

use core::ptr::NonNull;

use super::geometry::Geometry;

/// A heap that does not tell what it is made of: its sizes, and which one it is.
///
/// # Invariants
///
/// 1. `heap` was made from a `&'static Heap`, and `geometry` is that heap's.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct HeapRef {
    geometry: &'static Geometry,
    heap: NonNull<()>,
}

// SAFETY: by invariant 1 it stands for a `&'static Heap`, and a heap is `Sync`.
unsafe impl Send for HeapRef {}

// SAFETY: by invariant 1 it stands for a `&'static Heap`, which threads may share.
unsafe impl Sync for HeapRef {}

impl HeapRef {
    /// Makes the reference.
    ///
    /// # Safety
    ///
    /// 1. `heap` was made from a `&'static Heap`, and `geometry` is that heap's.
    pub(in crate::heap) unsafe fn new(geometry: &'static Geometry, heap: NonNull<()>) -> Self {
        Self { geometry, heap }
    }

    /// The sizes of the heap's units and pages.
    #[inline]
    pub(in crate::heap) fn geometry(self) -> &'static Geometry {
        self.geometry
    }

    /// The heap, made from a `&'static Heap`.
    #[inline]
    pub(in crate::heap) fn heap(self) -> NonNull<()> {
        self.heap
    }

    /// Whether both are the same heap.
    pub(in crate::heap) fn is(self, other: Self) -> bool {
        self.heap == other.heap
    }
}
