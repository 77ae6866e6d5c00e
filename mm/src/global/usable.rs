//! How long a block may become without a move.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::class::{Class, LARGEST};
use super::families::LARGE;
use crate::os::annotate;

impl super::Global {
    /// Returns the size up to which [`realloc`](core::alloc::GlobalAlloc::realloc) leaves a block where it is, in
    /// bytes: at least `layout.size()`.
    ///
    /// A collection that grows can ask for so much at once. The bytes beyond `layout.size()` belong to the block, but
    /// they hold nothing and are not copied until the block was resized; that does not move it. Only a limit on
    /// untyped memory, or its tracking, if it begins in between, makes a large block move all the same.
    ///
    /// With the features `asan` and `valgrind` the answer is `layout.size()`, since those tools know a block by its
    /// length. jemalloc (`malloc_usable_size`) and mimalloc (`mi_usable_size`) have such a call, too.
    ///
    /// # Safety
    ///
    /// 1. `block` is a live block that `self` allocated for `layout`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::{GlobalAlloc, Layout};
    /// use std::ptr::NonNull;
    ///
    /// static HEAP: mm::Global = mm::Global::new();
    ///
    /// let layout = Layout::from_size_align(1_000, 8)?;
    /// // SAFETY: `from_size_align` made the layout, whose size is not 0.
    /// let block = NonNull::new(unsafe { HEAP.alloc(layout) }).unwrap();
    /// // SAFETY: `alloc` gave the block for this layout.
    /// let usable = unsafe { HEAP.usable_size(block, layout) };
    /// assert_eq!(usable, 1_024);
    /// // SAFETY: `alloc` gave the block for this layout, and `usable` is not 0.
    /// let longer = unsafe { HEAP.realloc(block.as_ptr(), layout, usable) };
    /// assert_eq!(longer, block.as_ptr());
    /// # // SAFETY: `realloc` gave the block for a layout of `usable` bytes, and nothing uses it any more.
    /// # unsafe { HEAP.dealloc(longer, Layout::from_size_align(usable, 8)?) };
    /// # Ok::<(), std::alloc::LayoutError>(())
    /// ```
    #[must_use]
    pub unsafe fn usable_size(&self, block: NonNull<u8>, layout: Layout) -> usize {
        let _ = block;
        if annotate::is_on() {
            return layout.size();
        }
        match Class::of(layout) {
            Some(class) => class.unit(),
            // The address space of a large block ends at a multiple of `LARGEST`.
            None if LARGE.heap.resizes_in_place() => layout.size().next_multiple_of(LARGEST),
            None => layout.size(),
        }
    }
}
