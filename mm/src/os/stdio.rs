//! C's `stdout`, whose buffer a C program's own output goes through.

use core::ffi::{c_char, c_int};

/// Prints bytes, none of them 0.
pub(crate) fn print(bytes: &[u8]) {
    // In pieces whose length fits the argument.
    for piece in bytes.chunks(1 << 20) {
        let length = c_int::try_from(piece.len()).unwrap_or(0);
        let start = piece.as_ptr().cast::<c_char>();
        // SAFETY: `%.*s` takes the `length` and as many bytes from `start`, which are those of `piece`.
        unsafe { libc::printf(c"%.*s".as_ptr(), length, start) };
    }
}
