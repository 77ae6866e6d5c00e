//! A library with a managed type. The gate counts it, too, because the way to a thread's cache is longer in a
//! library.

use core::arch::asm;
use core::ptr;

use mm::{MmBox, MmManaged};

/// A value of 36 bytes, the size of the targets.
#[derive(MmManaged, Clone, Copy, Debug)]
pub struct Value(pub [u32; 9]);

/// One pair of the library's own type.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "Rust" fn mm_gate_library_pair(value: &Value) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// Makes the compiler assume that other code reads the value and changes all memory that it can reach. Unlike
/// `black_box`, it adds no instruction.
#[allow(clippy::inline_always, reason = "a call would be counted")]
#[inline(always)]
pub fn look_at<T: ?Sized>(value: &T) {
    let first = ptr::from_ref(value).cast::<u8>();
    // SAFETY: the assembly is only a comment.
    unsafe { asm!("/* {0} */", in(reg) first, options(nostack, preserves_flags)) };
}
