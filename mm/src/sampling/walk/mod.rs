//! Return addresses on the calling thread's stack, found in the process itself and without an allocation.
//!
//! A stack that cannot be walked is not known: no address is guessed, and nothing outside of the thread's stack is
//! read.

#[cfg(all(
    feature = "sampling",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(mm_portable),
    not(all(test, loom))
))]
mod dwarf;
#[cfg(not(all(
    feature = "sampling",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(mm_portable),
    not(all(test, loom))
)))]
#[path = "none.rs"]
mod dwarf;

pub(super) use dwarf::{Bounds, IS_POSSIBLE, keep_out, let_in, with_stack};
