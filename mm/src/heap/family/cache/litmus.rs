//! Tests whether the lock of `biased` keeps two threads apart. No other test finds a fault there soon: the
//! stress program ran for hours without the barrier.

use core::alloc::Layout;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use super::biased::{barrier, barrier_at_any_cost};
use super::record::CacheRecord;
use crate::heap::family::Heap;
use crate::os::membarrier;

/// The data under the lock: a number that both threads load, raise, and store.
struct Counted {
    number: AtomicU64,
    owner_is_done: AtomicU64,
}

impl Counted {
    fn raise(&self) {
        self.number.store(self.number.load(Relaxed) + 1, Relaxed);
    }
}

/// Makes an owner and a thief raise one number, the thief `thefts` times. Returns how many raises were lost.
fn lost(thefts: u64, barrier: fn()) -> u64 {
    let layout = Layout::new::<[u64; 4]>();
    let heap: &'static Heap = Box::leak(Box::new(Heap::new(layout)));
    let record = CacheRecord::make(heap).expect("memory for a record");
    record.end_wanted();
    let counted = Counted {
        number: AtomicU64::new(0),
        owner_is_done: AtomicU64::new(0),
    };
    let raised = thread::scope(|scope| {
        let owner = scope.spawn(|| {
            let mut raised = 0;
            while counted.owner_is_done.load(Relaxed) == 0 {
                record.enter();
                counted.raise();
                record.leave();
                raised += 1;
            }
            raised
        });
        // Wait until the owner runs: there must be a thread to keep out.
        while counted.number.load(Relaxed) == 0 {
            thread::yield_now();
        }
        for _ in 0..thefts {
            let central = heap.central();
            record.want();
            barrier();
            record.wait_until_at_rest();
            counted.raise();
            record.end_wanted();
            drop(central);
        }
        counted.owner_is_done.store(1, Relaxed);
        owner.join().expect("the owner ended")
    });
    raised + thefts - counted.number.load(Relaxed)
}

#[test]
fn owner_and_thief_are_kept_apart() {
    assert_eq!(lost(20_000, barrier_at_any_cost), 0);
}

/// Shows that the test above can fail.
#[test]
fn without_the_barrier_they_are_not_kept_apart() {
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    if cpus < 2 || !membarrier::is_there() || cfg!(target_arch = "aarch64") {
        return;
    }
    // On a busy machine the two threads may share one CPU for a while.
    let start = Instant::now();
    let mut is_found = false;
    while !is_found && start.elapsed() < Duration::from_mins(1) {
        is_found = lost(100_000, || {}) > 0;
    }
    assert!(is_found, "nothing was lost without a barrier");
}

#[test]
fn a_thief_that_only_tries_needs_the_barrier_too() {
    let tried = || assert!(barrier());
    assert_eq!(lost(20_000, tried), 0);
}
