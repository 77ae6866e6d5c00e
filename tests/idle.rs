//! A program under `mm::Global` that becomes idle gives its memory back: all but what the caches of sleeping threads
//! hold, and the OS pages around that.

#![cfg(not(mm_portable))]

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(not(feature = "global"))]
#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

const THREADS: usize = 3;
const BLOCKS: usize = 40_000;

/// Resident bytes of untyped blocks.
fn resident() -> u64 {
    let snapshot = mm::snapshot();
    snapshot
        .untyped()
        .filter_map(|class| class.resident_bytes)
        .sum()
}

/// Allocates blocks of many sizes, and releases them in another order; then waits as a thread of a pool does.
fn burst(steps: &Barrier) {
    let size = |number: usize| 16 + number * 37 % 700;
    let mut blocks: Vec<Vec<u8>> = (0..BLOCKS).map(|number| vec![1; size(number)]).collect();
    steps.wait();
    for number in 0..BLOCKS {
        // 7 and the number of blocks have no common divisor.
        drop(std::mem::take(&mut blocks[number * 7 % BLOCKS]));
    }
    steps.wait();
    steps.wait();
}

#[test]
fn most_memory_of_a_burst_goes_back_within_ten_seconds() {
    let steps = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        let before = resident();
        for _ in 0..THREADS {
            scope.spawn(|| burst(&steps));
        }
        steps.wait();
        let growth = resident() - before;
        assert!(growth > 30 << 20, "{growth}");
        steps.wait();
        let released = Instant::now();
        let mut left = u64::MAX;
        // The program does a little all the time, as an idle service does.
        while left > growth * 2 / 5 && released.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(100));
            black_box("request".repeat(2_000));
            left = resident().saturating_sub(before);
        }
        println!(
            "{left} bytes of {growth} are left after {:?}",
            released.elapsed()
        );
        steps.wait();
        assert!(left <= growth * 2 / 5, "{left} of {growth}");
    });
}
