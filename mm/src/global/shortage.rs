//! The line that says who holds the memory when there is none for an untyped block.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use crate::error::AllocError;
use crate::holders::Holders;
use crate::number::Size;
use crate::os::{clock, process};

/// Milliseconds between two lines. A program that goes on without the memory must not drown in them.
const PAUSE: u64 = 10_000;

/// Writes to standard error that there is no memory for `bytes` bytes, and who holds the most. Most programs end
/// next, and the standard library does not say why. Allocates nothing.
#[cold]
pub(super) fn report(error: &AllocError, bytes: usize) {
    // More than the machine has is a mistake of the caller, and no shortage.
    if bytes > process::memory_bytes() || !is_due() {
        return;
    }
    let bytes = Size(bytes as u128);
    let holders = Holders::now();
    if let AllocError::QuotaExceeded { limit_bytes, .. } = error {
        let limit = Size((*limit_bytes).into());
        process::write_last_line(format_args!(
            "no memory for {bytes}: the limit is {limit}; most is held by:{holders}"
        ));
    } else {
        process::write_last_line(format_args!(
            "no memory for {bytes}; most is held by:{holders}"
        ));
    }
}

fn is_due() -> bool {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let (now, last) = (clock::milliseconds(), LAST.load(Relaxed));
    let is_due = last == 0 || now >= last.saturating_add(PAUSE);
    is_due && LAST.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
}
