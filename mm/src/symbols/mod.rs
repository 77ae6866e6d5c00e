//! Types and call sites of stacks, from debug information and symbols.
//!
//! Nothing is guessed: what the files of the program do not say is not known. Addresses are looked up in reports only,
//! never while a program allocates.

#[cfg(all(
    feature = "sampling",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(mm_portable),
    not(all(test, loom))
))]
mod lookup;
#[cfg(not(all(
    feature = "sampling",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(mm_portable),
    not(all(test, loom))
)))]
#[path = "none.rs"]
mod lookup;

use std::sync::Arc;

use crate::sampling;

/// What a stack allocated, and where; each part if it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attribution {
    /// The type: `Vec<app::Message>`.
    pub(crate) type_name: Option<Arc<str>>,
    /// The innermost call in the program's own crates: `src/cache.rs:51 insert`.
    pub(crate) site: Option<Arc<str>>,
}

/// Returns what each stack allocated, and where. What this allocates is not sampled.
pub(crate) fn attribute(stacks: &[&'static [usize]]) -> Vec<Attribution> {
    sampling::unsampled(|| lookup::attribute(stacks))
}
