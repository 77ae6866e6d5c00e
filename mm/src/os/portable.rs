//! The backend for other systems, on the system's allocator. Every count stays exact; resident equals mapped.

use core::alloc::Layout;
use core::ptr::NonNull;
use std::alloc::{GlobalAlloc, System};

use super::{Guard, PageSource, Refused, Unmoved};

/// The system's allocator, used as a source of pages: the global one may be mm's own.
#[derive(Debug)]
pub(crate) struct Kernel;

/// What stands in for the OS page.
const PAGE: usize = 4 << 10;

// SAFETY: `reserve` gives a new allocation of the system's allocator, which nothing else uses and which is
// zero. `discard` writes zeros.
unsafe impl PageSource for Kernel {
    type Look = NoAnswer;

    const FIRST_ARENA: usize = 32 << 20;
    // The system may take memory for what is allocated and not yet used.
    const LARGEST_ARENA: usize = 256 << 20;

    fn page_bytes() -> usize {
        PAGE
    }

    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused> {
        let layout = layout(bytes, align)?;
        if layout.size() == 0 {
            return Err(Refused);
        }
        // SAFETY: `layout` is not empty.
        let start = unsafe { System.alloc_zeroed(layout) };
        NonNull::new(start).ok_or(Refused)
    }

    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, align: usize) {
        let Ok(layout) = layout(bytes, align) else {
            return;
        };
        // SAFETY: by requirement 1 `alloc_zeroed` gave the reservation for this layout, and by requirement
        // 2 nothing uses it any more.
        unsafe { System.dealloc(start.as_ptr(), layout) };
    }

    unsafe fn commit(_start: NonNull<u8>, _bytes: usize) -> Result<(), Refused> {
        Ok(())
    }

    fn can_discard() -> bool {
        true
    }

    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        // SAFETY: by requirement 1 the range is mm's, and by requirement 2 nothing needs its contents.
        unsafe { start.write_bytes(0, bytes) };
        Ok(())
    }

    unsafe fn can_relocate(_start: NonNull<u8>, _bytes: usize) -> bool {
        false
    }

    /// There is no way to do it.
    unsafe fn relocate(_from: NonNull<u8>, _bytes: usize, _to: NonNull<u8>) -> Result<(), Unmoved> {
        Err(Unmoved::Unchanged)
    }

    unsafe fn renew(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        // SAFETY: requirements 1 and 2 are those of `discard`.
        unsafe { Self::discard(start, bytes) }
    }

    /// There is no way to do it.
    unsafe fn guard(_start: NonNull<u8>, _bytes: usize) -> Result<Guard, Refused> {
        Err(Refused)
    }

    unsafe fn unguard(_start: NonNull<u8>, _bytes: usize, _how: Guard) -> Result<(), Refused> {
        Ok(())
    }

    unsafe fn prefer_huge(_start: NonNull<u8>, _bytes: usize, _wanted: bool) {}

    unsafe fn begin_small(_start: NonNull<u8>, _bytes: usize) -> Result<(), Refused> {
        Ok(())
    }

    fn look() -> NoAnswer {
        NoAnswer
    }

    fn tells_zeros(_: &NoAnswer) -> bool {
        false
    }

    /// Nobody says it.
    unsafe fn resident(
        _: &NoAnswer,
        _start: NonNull<u8>,
        _pages: &mut [u8],
    ) -> Result<(), Refused> {
        Err(Refused)
    }
}

/// There is nothing to ask with.
#[derive(Debug)]
pub(crate) struct NoAnswer;

fn layout(bytes: usize, align: usize) -> Result<Layout, Refused> {
    Layout::from_size_align(bytes, align).map_err(|_| Refused)
}
