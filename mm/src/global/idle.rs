//! Memory of families that became idle goes back to the kernel.
//!
//! No thread of mm waits for that. Calls that do not take the shortest way look at the clock now and then, and every
//! two seconds one of them looks at the families. A program that makes no call at all keeps what it has.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU64, AtomicUsize};

use super::families;
use crate::os::clock;

/// Milliseconds between two looks at a family.
const PERIOD: u64 = 2_000;

/// Milliseconds that one call may take, but for its last family; and how long it is until the next call goes on.
const MOST: u64 = 1;
const PAUSE: u64 = 20;

/// When the next call looks, in milliseconds, and at which family it begins.
static NEXT: AtomicU64 = AtomicU64::new(0);
static BEGIN: AtomicUsize = AtomicUsize::new(0);

/// Looks at the families if it is time. The caller is in no call of mm.
#[inline]
pub(crate) fn look_if_due() {
    let now = clock::coarse_milliseconds();
    let next = NEXT.load(Relaxed);
    if now >= next {
        look(now, next);
    }
}

#[cold]
#[inline(never)]
fn look(now: u64, next: u64) {
    // Of several threads one looks.
    let after = now + PERIOD;
    if NEXT
        .compare_exchange(next, after, Relaxed, Relaxed)
        .is_err()
        || next == 0
    {
        return;
    }
    let begun = clock::milliseconds();
    let begin = BEGIN.swap(0, Relaxed);
    for (number, family) in families::all().enumerate().skip(begin) {
        if family.heap.give_back_if_idle() && clock::milliseconds() > begun + MOST {
            BEGIN.store(number + 1, Relaxed);
            NEXT.store(now + PAUSE, Relaxed);
            return;
        }
    }
}
