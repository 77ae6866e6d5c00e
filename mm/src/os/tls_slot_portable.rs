//! One word of the calling thread, in a `thread_local!`: for systems that `tls_slot.rs` has no assembler for.

use core::cell::Cell;
use core::ptr;

std::thread_local! {
    static WORD: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

/// Returns the word that the calling thread stored last; null at first.
#[inline]
pub(crate) fn get() -> *const () {
    WORD.get()
}

/// Stores `word`.
pub(crate) fn set(word: *const ()) {
    WORD.set(word);
}
