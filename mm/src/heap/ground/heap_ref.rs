//! A reference to a heap, for modules below heaps.

use core::ptr::NonNull;

use super::geometry::Geometry;

/// An opaque heap: it gives the heap's geometry and its identity.
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

    /// The geometry of the heap's units and pages.
    #[inline]
    pub(in crate::heap) fn geometry(self) -> &'static Geometry {
        self.geometry
    }

    /// The pointer, which was made from a `&'static Heap`.
    #[inline]
    pub(in crate::heap) fn heap(self) -> NonNull<()> {
        self.heap
    }

    /// Whether both refer to the same heap.
    pub(in crate::heap) fn is(self, other: Self) -> bool {
        self.heap == other.heap
    }
}
