//! Many threads, one family: nothing is lost, and no figure is ever negative.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

use mm::PageFamily;
use mm_tests::{OwnedBlock, Random, join_all, ones, records, release_all, snapshot_of};

fn family(name: &str, size: usize) -> &'static PageFamily {
    mm_tests::family(name, size, 8)
}

/// Allocates and releases at random, keeping at most `keep` blocks; every block carries a cookie.
fn churn(family: &'static PageFamily, seed: u64, steps: usize, keep: usize) {
    let mut random = Random::new(seed);
    let mut live: Vec<(OwnedBlock, u64)> = Vec::new();
    for step in 0..steps {
        if live.len() == keep || (!live.is_empty() && random.below(2) == 0) {
            let (block, cookie) = live.swap_remove(random.below(live.len()));
            // SAFETY: the block is live, ours, and starts with the cookie.
            assert_eq!(unsafe { block.start().cast::<u64>().read() }, cookie);
            block.release();
        } else {
            let units = if random.below(8) == 0 {
                random.below(40) + 1
            } else {
                1
            };
            let block = OwnedBlock::new(family, units);
            let cookie = seed.wrapping_mul(step as u64 + 1);
            // SAFETY: the block is ours and at least 8 bytes long.
            unsafe { block.start().cast::<u64>().write(cookie) };
            live.push((block, cookie));
        }
    }
    live.into_iter().for_each(|(block, _)| block.release());
}

#[test]
fn figures_are_exact_when_all_threads_are_done() {
    let family = family("threads:churn", 40);
    thread::scope(|scope| {
        let churning = |seed| scope.spawn(move || churn(family, seed, 20_000, 500));
        join_all((1..=8).map(churning));
    });
    let end = snapshot_of(family);
    family.check().expect("the walker finds the same");
    assert_eq!(
        (end.live_blocks, end.live_units, end.cached_units),
        (0, 0, 0)
    );
    assert_eq!(end.blocks_allocated, end.blocks_released);
}

#[test]
fn figures_are_sane_while_threads_run() {
    let family = family("threads:watched", 24);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (1..=4)
            .map(|seed| scope.spawn(move || churn(family, seed, 60_000, 300)))
            .collect();
        let watcher = scope.spawn(|| watch(family, &done));
        join_all(workers);
        done.store(true, Relaxed);
        assert!(watcher.join().expect("no panic") > 0);
    });
    family.check().expect("the walker finds the same");
    assert_eq!(snapshot_of(family).live_units, 0);
}

/// Takes snapshots until `done`; says how many.
fn watch(family: &'static PageFamily, done: &AtomicBool) -> usize {
    let mut taken = 0;
    let mut before = snapshot_of(family);
    while !done.load(Relaxed) {
        let now = snapshot_of(family);
        assert!(
            now.blocks_allocated >= before.blocks_allocated,
            "allocated fell"
        );
        assert!(
            now.blocks_released >= before.blocks_released,
            "released fell"
        );
        assert!(now.blocks_released <= now.blocks_allocated);
        assert!(now.peak_live_bytes >= now.live_bytes, "peak below live");
        assert_eq!(now.live_blocks, now.blocks_allocated - now.blocks_released);
        // Four threads hold at most 300 blocks of at most 40 units, and one in flight.
        assert!(
            now.live_units <= 4 * 301 * 40,
            "{} live units",
            now.live_units
        );
        before = now;
        taken += 1;
    }
    taken
}

#[test]
fn blocks_may_be_released_by_other_threads() {
    let family = family("threads:handover", 64);
    let (sender, receiver) = mpsc::sync_channel(256);
    thread::scope(|scope| {
        let sending = scope.spawn(move || {
            for _ in 0..50_000 {
                let block = OwnedBlock::new(family, 1);
                sender.send(block).expect("a receiver");
            }
        });
        let receiving = scope.spawn(move || release_all(receiver));
        join_all([sending, receiving]);
    });
    let end = snapshot_of(family);
    assert_eq!(
        (end.blocks_allocated, end.blocks_released),
        (50_000, 50_000)
    );
    family.check().expect("the walker finds the same");
}

#[test]
fn thousands_of_threads_leave_nothing_behind() {
    let family = family("threads:short-lived", 32);
    let run = || {
        for _ in 0..500 {
            thread::spawn(move || {
                release_all(ones(family, 20));
            })
            .join()
            .expect("no panic");
        }
    };
    run();
    let before = records(&mm::snapshot());
    run();
    let grown = records(&mm::snapshot()) - before;
    // Other tests run beside this one, so their records may show; a leak of a record of 256
    // bytes for each thread would be more.
    assert!(grown < 100 * 1_024, "{grown} bytes of records more");
    let end = snapshot_of(family);
    assert_eq!(
        (end.live_units, end.cached_units, end.blocks_allocated),
        (0, 0, 20_000)
    );
}

#[test]
fn other_threads_flush_when_trim_asks() {
    let family = family("threads:trim", 512);
    let (to_worker, asked) = mpsc::channel::<()>();
    let (to_main, answered) = mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        release_all(ones(family, 200));
        // What this thread does in the family next is what flushes.
        OwnedBlock::new(family, 1).release();
        to_main.send(()).expect("main waits");
        asked.recv().expect("main asks");
        let last = OwnedBlock::new(family, 1);
        to_main.send(()).expect("main waits");
        asked.recv().expect("main asks");
        last.release();
    });
    answered.recv().expect("the worker answers");
    let cached = snapshot_of(family).cached_units;
    mm::trim();
    to_worker.send(()).expect("the worker waits");
    answered.recv().expect("the worker answers");
    let after = snapshot_of(family);
    assert!(
        after.cached_units < cached.max(65),
        "{} of {cached} cached",
        after.cached_units
    );
    to_worker.send(()).expect("the worker waits");
    worker.join().expect("no panic");
    family.check().expect("the walker finds the same");
}

#[test]
fn the_walker_harms_nobody_while_threads_run() {
    #[derive(mm::MmManaged)]
    struct Cookie([u64; 8]);

    let done = &AtomicBool::new(false);
    // More at a time than a cache holds, so that units go back and come from the pages.
    let work = |mine: u64, done: &AtomicBool| {
        while !done.load(Relaxed) {
            let held: Vec<_> = (0..1_500)
                .map(|_| mm::MmBox::new(Cookie([mine; 8])))
                .collect();
            let whole = held.iter().all(|one| one.0 == [mine; 8]);
            assert!(whole, "another thread has a unit of this one, too");
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|mine| scope.spawn(move || work(mine, done)))
            .collect();
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 700 {
            // What it finds now may be off; that it looks must change nothing.
            let _ = <Cookie as mm::MmManaged>::page_family().check();
        }
        done.store(true, Relaxed);
        join_all(workers);
    });
    let family = <Cookie as mm::MmManaged>::page_family();
    family.check().expect("the walker finds the same");
    assert_eq!(snapshot_of(family).live_units, 0);
}
