//! How often blocks are sampled.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use super::estimate::EXACT;

/// The interval that stands for no sampling.
pub(crate) const OFF: u32 = 0;

/// Bytes between two samples on average, unless the program or its user chooses.
pub(crate) const DEFAULT: u32 = 64 << 10;

/// The least interval that samples at random; and the largest. Up to it, the sums of the variances of 100,000 blocks of 8
/// bytes fit 64 bits.
const LEAST: u32 = 256;
pub(super) const LARGEST: u32 = 4 << 20;

/// Sampled live blocks from which the interval doubles.
pub(super) const MOST_LIVE: usize = 100_000;

static INTERVAL: AtomicU32 = AtomicU32::new(DEFAULT);

/// The interval that was chosen, when exact sampling ends.
static CHOSEN: AtomicU32 = AtomicU32::new(DEFAULT);

/// Whether the program or its user chose an interval.
static IS_CHOSEN: AtomicBool = AtomicBool::new(false);

/// Sampled blocks that are live, and how many have to be for the interval to double.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static DOUBLES_AT: AtomicUsize = AtomicUsize::new(MOST_LIVE);

/// Returns the mean interval in bytes, [`EXACT`] or [`OFF`].
pub(crate) fn interval() -> u32 {
    INTERVAL.load(Relaxed)
}

/// Whether threads that allocate very fast may sample less often.
pub(super) fn may_be_slower() -> bool {
    !IS_CHOSEN.load(Relaxed)
}

/// Sets the mean interval in bytes: 0 for none, 1 for every block.
pub(crate) fn set_interval(bytes: usize) {
    let bytes = u32::try_from(bytes).unwrap_or(LARGEST);
    let interval = match bytes {
        OFF | EXACT => bytes,
        _ => bytes.clamp(LEAST, LARGEST),
    };
    CHOSEN.store(interval, Relaxed);
    IS_CHOSEN.store(true, Relaxed);
    INTERVAL.store(interval, Relaxed);
    DOUBLES_AT.store(MOST_LIVE, Relaxed);
}

/// Samples every block from now on, or ends that.
pub(crate) fn set_exact(is_exact: bool) {
    if is_exact {
        INTERVAL.store(EXACT, Relaxed);
    } else if interval() == EXACT {
        INTERVAL.store(CHOSEN.load(Relaxed), Relaxed);
    }
}

/// Counts a sampled block; doubles the interval if there are too many.
pub(crate) fn account_begun() {
    let live = LIVE.fetch_add(1, Relaxed) + 1;
    if live > DOUBLES_AT.load(Relaxed) {
        double(live);
    }
}

/// Counts the release of a sampled block.
pub(crate) fn account_ended() {
    LIVE.fetch_sub(1, Relaxed);
}

#[cold]
fn double(live: usize) {
    let before = interval();
    if matches!(before, OFF | EXACT) {
        return;
    }
    let after = (before * 2).min(LARGEST);
    if INTERVAL
        .compare_exchange(before, after, Relaxed, Relaxed)
        .is_ok()
    {
        // The blocks that were sampled at the old interval stay: wait for as many as a quarter of them.
        DOUBLES_AT.store(live + live / 4, Relaxed);
    }
}
