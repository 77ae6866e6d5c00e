//! What a thread knows: how many bytes it may allocate until the next sample.

use core::cell::Cell;
use core::ptr::NonNull;

use super::draw::Random;
use super::estimate::EXACT;
use super::pace::Pace;
use super::settings::{self, OFF};
use super::walk::Bounds;
use crate::heap::hardening::{self, Contents};

/// A thread looks at the settings at least every so many bytes.
const STEP: u64 = 16 << 10;

/// The interval of a thread that has not drawn a distance yet.
const UNDRAWN: u32 = u32::MAX;

/// The state of one thread. It has no destructor, so it exists as long as the thread.
#[derive(Debug)]
pub(super) struct Thread {
    /// Bytes until the next step or sample; negative once a block was too long.
    left: Cell<i64>,
    /// Bytes between the next step and the next sample.
    beyond: Cell<u64>,
    /// The interval of the current distance.
    interval: Cell<u32>,
    random: Random,
    pace: Pace,
    /// Whether the thread walks its stack. Its allocations are not sampled meanwhile.
    is_busy: Cell<bool>,
    /// The address of the last sampled block, and `left` after it.
    last: Cell<(usize, i64)>,
    /// The thread's stack, once a walk asked for it.
    pub(super) bounds: Bounds,
}

std::thread_local! {
    static THREAD: Thread = const {
        Thread {
            left: Cell::new(0),
            beyond: Cell::new(0),
            interval: Cell::new(UNDRAWN),
            random: Random::new(),
            pace: Pace::new(),
            is_busy: Cell::new(false),
            last: Cell::new((0, 0)),
            bounds: Bounds::new(),
        }
    };
}

// A thread-local without a destructor exists until its thread ends.
const _: () = assert!(!core::mem::needs_drop::<Thread>());

/// Counts a new block of `size` bytes. Returns true if the caller must ask [`due`] about it.
#[allow(
    clippy::inline_always,
    reason = "a part of the hot path of every allocation of an untyped block"
)]
#[inline(always)]
pub(crate) fn is_at_step(size: usize) -> bool {
    THREAD.with(|thread| {
        let left = thread.left.get() - size.cast_signed() as i64;
        thread.left.set(left);
        left < 0
    })
}

/// Returns the interval at which the block that [`is_at_step`] just counted is sampled; `None` if it is not.
pub(crate) fn due(size: usize) -> Option<u32> {
    THREAD.with(|thread| thread.due(size as u64))
}

/// Calls `f` on the calling thread, whose allocations are not sampled meanwhile.
pub(super) fn busy<R>(f: impl FnOnce(&Bounds) -> R) -> R {
    THREAD.with(|thread| {
        thread.is_busy.set(true);
        let answer = f(&thread.bounds);
        thread.is_busy.set(false);
        answer
    })
}

/// Calls `f` on the calling thread, whose allocations are not sampled meanwhile, even if `f` panics.
pub(crate) fn unsampled<R>(f: impl FnOnce() -> R) -> R {
    /// Ends it.
    struct Busy(bool);

    impl Drop for Busy {
        fn drop(&mut self) {
            THREAD.with(|thread| thread.is_busy.set(self.0));
        }
    }
    let _busy = Busy(THREAD.with(|thread| thread.is_busy.replace(true)));
    f()
}

/// Notes that the calling thread just got this sampled block.
pub(super) fn account_begun(first: NonNull<u8>) {
    THREAD.with(|thread| thread.last.set((first.addr().get(), thread.left.get())));
}

/// Whether the calling thread allocated nothing since it got this sampled block.
pub(super) fn is_last(first: NonNull<u8>) -> bool {
    THREAD.with(|thread| thread.last.get() == (first.addr().get(), thread.left.get()))
}

/// Makes the calling thread look at the settings at its next allocation.
pub(crate) fn begin_again() {
    THREAD.with(|thread| {
        thread.left.set(0);
        thread.interval.set(UNDRAWN);
    });
}

impl Thread {
    fn due(&self, size: u64) -> Option<u32> {
        if self.is_busy.get() {
            self.left.set(self.left.get() + size.cast_signed());
            return None;
        }
        let wanted = settings::interval();
        let current = self.interval.get();
        if current == EXACT && wanted == EXACT {
            self.left.set(0);
            return Some(EXACT);
        }
        let is_switched =
            [UNDRAWN, OFF, EXACT].contains(&current) || [OFF, EXACT].contains(&wanted);
        if is_switched {
            return self.begin(wanted, size);
        }
        // What a step left of the distance, less the part of the block behind the step.
        let rest = self.beyond.get().cast_signed() + self.left.get();
        if rest >= 0 {
            self.set_distance(rest.cast_unsigned());
            return None;
        }
        let next = if settings::may_be_slower() {
            self.pace.next(wanted)
        } else {
            wanted
        };
        self.set_distance(self.random.distance(next));
        self.interval.set(next);
        Some(current)
    }

    /// Begins at an interval with a block of `size` bytes.
    fn begin(&self, interval: u32, size: u64) -> Option<u32> {
        if hardening::choice(Contents::Untyped).is_none() {
            // The options, and with them the interval, are not read yet.
            self.left.set(0);
            return None;
        }
        if self.interval.get() == UNDRAWN {
            self.random.begin();
        }
        self.interval.set(interval);
        match interval {
            OFF => {
                self.set_distance(STEP);
                None
            }
            EXACT => {
                self.set_distance(0);
                Some(EXACT)
            }
            // Also the first distance of a thread is random: otherwise short threads would have no samples.
            _ => match self.random.distance(interval).checked_sub(size) {
                Some(rest) => {
                    self.set_distance(rest);
                    None
                }
                None => {
                    self.set_distance(self.random.distance(interval));
                    Some(interval)
                }
            },
        }
    }

    fn set_distance(&self, bytes: u64) {
        let left = bytes.min(STEP);
        self.left.set(left.cast_signed());
        self.beyond.set(bytes - left);
    }
}
