//! Text output into a buffer of a C program, with the rules of `snprintf`.

use core::ffi::c_char;
use core::fmt::{self, Write};

/// A buffer of a C program for a text.
///
/// # Invariants
///
/// 1. `bytes` bytes can be written at `text`.
pub(super) struct OutBuffer {
    text: *mut c_char,
    bytes: usize,
    /// Bytes of the text so far, including those that were cut.
    length: usize,
}

impl OutBuffer {
    /// # Safety
    ///
    /// 1. `text` is null, or `room` bytes can be written there for as long as the buffer is used.
    pub(super) unsafe fn new(text: *mut c_char, room: usize) -> Self {
        Self {
            text,
            bytes: if text.is_null() { 0 } else { room },
            length: 0,
        }
    }

    /// Ends the text with a zero byte, and returns the length of the whole text.
    pub(super) fn end(self) -> usize {
        if let Some(last) = self.bytes.checked_sub(1) {
            self.put(self.length.min(last), 0);
        }
        self.length
    }

    fn put(&self, index: usize, byte: u8) {
        if index < self.bytes {
            // SAFETY: `index` is below `bytes`, so by invariant 1 the byte there can be written.
            unsafe { self.text.wrapping_add(index).cast::<u8>().write(byte) };
        }
    }
}

impl Write for OutBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.put(self.length, byte);
            self.length += 1;
        }
        Ok(())
    }
}
