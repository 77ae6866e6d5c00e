//! Zeroed blocks whose length is known only at run time. Short ones are cleared by a few stores.

use core::ptr::NonNull;

use crate::heap::ground::Block;

impl Block {
    /// As [`zeroed`](Self::zeroed), for blocks whose length is not a constant. It informs no memory tool.
    #[inline]
    pub(crate) fn zeroed_unwatched(self, bytes: usize) -> NonNull<u8> {
        if !self.zero && (HALF..=4 * HALF).contains(&bytes) {
            // SAFETY: `first` is the start of a block just made, of `bytes` bytes, which nothing else uses
            // yet; and `contains` checked their number.
            unsafe { clear_few(self.first, bytes) };
        } else if !self.zero {
            // SAFETY: `first` is the start of a block just made, of `bytes` bytes, which nothing else uses
            // yet.
            unsafe { self.first.write_bytes(0, bytes) };
        }
        self.first
    }
}

/// Bytes that one store clears. Two or four overlapping stores clear a short block in less time than a call of
/// `memset` takes.
const HALF: usize = size_of::<u128>();

/// Clears `bytes` bytes from `first` on.
///
/// # Safety
///
/// 1. They may be written.
/// 2. They are one to four times `HALF` bytes.
#[inline]
unsafe fn clear_few(first: NonNull<u8>, bytes: usize) {
    // SAFETY: by requirement 2 the first half lies within the bytes, which by requirement 1 may be written.
    unsafe { clear_half(first, 0) };
    // SAFETY: by requirement 2 there are at least `HALF` bytes, so that the last half lies within them; by
    // requirement 1 they may be written.
    unsafe { clear_half(first, bytes - HALF) };
    if bytes > 2 * HALF {
        // SAFETY: there are more than two halves, and by requirement 1 all may be written.
        unsafe { clear_half(first, HALF) };
        // SAFETY: there are more than two halves, and by requirement 1 all may be written.
        unsafe { clear_half(first, bytes - 2 * HALF) };
    }
}

/// Clears `HALF` bytes.
///
/// # Safety
///
/// 1. The bytes from `first` to `from + HALF` bytes behind it are in one piece of memory, and may be written.
#[inline]
unsafe fn clear_half(first: NonNull<u8>, from: usize) {
    // SAFETY: by requirement 1 the bytes from `first` to the end of the half are in one piece of memory.
    let half = unsafe { first.add(from) };
    // SAFETY: by requirement 1 the half may be written, and the store needs no alignment.
    unsafe { half.cast::<u128>().write_unaligned(0) };
}
