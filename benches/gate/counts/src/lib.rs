//! What a library does that has a managed type: the one thing that the gate counts outside the
//! program, as the way to a thread's cache is longer there.

use core::arch::asm;
use core::ptr;

use mm::{MmBox, MmManaged};

/// A value of 36 bytes, the size that the targets are given for.
#[derive(MmManaged, Clone, Copy, Debug)]
pub struct Value(pub [u32; 9]);

/// One pair of the library's own type.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "Rust" fn mm_gate_library_pair(value: &Value) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// Lets the compiler believe that somebody reads the value, and may have changed all memory it
/// can reach. Unlike `black_box`, it adds no instruction.
#[allow(clippy::inline_always, reason = "a call would be counted")]
#[inline(always)]
pub fn look_at<T: ?Sized>(value: &T) {
    let first = ptr::from_ref(value).cast::<u8>();
    // SAFETY: a comment does nothing.
    unsafe { asm!("/* {0} */", in(reg) first, options(nostack, preserves_flags)) };
}
