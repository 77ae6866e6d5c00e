//! Samples together with limits, hardening, counts of allocations, `trim` and `realloc`.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::ptr::NonNull;

use crate::{Class, HEAP, alone, usage_at};

const MIB: u64 = 1 << 20;

fn name_of(test: &str) -> String {
    format!("seams::{test}")
}

/// Runs the test `test` of this file again, with `options`; true in the first process.
fn is_parent(test: &str, options: &str) -> bool {
    !mm_tests::is_child_with(&name_of(test), options)
}

/// The live bytes and blocks of untyped memory.
fn live() -> (u64, u64) {
    let snapshot = mm::snapshot();
    let bytes = snapshot.untyped().map(|class| class.requested_bytes);
    let blocks = snapshot.untyped().map(|class| class.live_blocks);
    (bytes.sum(), blocks.sum())
}

#[test]
fn sampled_blocks_are_counted_as_others_are() {
    let _alone = alone();
    for options in [
        "sample=1",
        "sample=256",
        "sample=1,poison,quarantine=64KiB",
        "sample=1,track",
    ] {
        if is_parent("sampled_blocks_are_counted_as_others_are", options) {
            continue;
        }
        // The first sample prepares walks, with memory of mm's own.
        for size in [70_000, 10, 1_000, 65_536, 300_000] {
            let counted = mm::allocations(|| black_box(vec![1_u8; size]));
            let (vec, counted) = counted.expect("mm allocates");
            let size = size as u64;
            let both = (counted.blocks_allocated, counted.bytes_allocated);
            assert_eq!(both, (1, size));
            assert_eq!(counted.blocks_released, 0);
            let counted = mm::allocations(|| drop(vec)).expect("mm allocates").1;
            let both = (counted.blocks_released, counted.bytes_released);
            assert_eq!(both, (1, size));
            assert_eq!(counted.blocks_allocated, 0);
        }
        let mut text = Vec::<u8>::with_capacity(20);
        let counted = mm::allocations(|| text.reserve_exact(22)).expect("mm allocates");
        let counted = counted.1;
        assert_eq!(
            (counted.blocks_allocated, counted.bytes_allocated),
            (0, 2),
            "it stays in its class"
        );
        let counted = mm::allocations(|| text.reserve_exact(500)).expect("mm allocates");
        let counted = counted.1;
        let moved = [counted.blocks_allocated, counted.bytes_allocated];
        assert_eq!(moved, [1, 500]);
        let moved = [counted.blocks_released, counted.bytes_released];
        assert_eq!(moved, [1, 22]);
        return;
    }
}

#[test]
fn a_write_after_release_of_a_sampled_block_is_found() {
    let _alone = alone();
    let name = name_of("a_write_after_release_of_a_sampled_block_is_found");
    let Some(child) = mm_tests::again_with(&name, "sample=1,poison") else {
        let mut blocks = [std::ptr::null_mut()];
        Class::<5_000>::allocate(&mut blocks);
        Class::<5_000>::release(&mut blocks);
        // SAFETY: the bug that is to be found. The memory stays mapped.
        unsafe { blocks[0].wrapping_add(100).write_volatile(7) };
        Class::<5_000>::allocate(&mut blocks);
        unreachable!("the write was not found");
    };
    let said = String::from_utf8_lossy(&child.stderr);
    let line = "page family `(untyped 5120)` was written after its block was released";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_second_release_of_a_sampled_block_is_found() {
    let _alone = alone();
    for options in ["sample=1", "sample=1,quarantine=64KiB"] {
        let name = name_of("a_second_release_of_a_sampled_block_is_found");
        let Some(child) = mm_tests::again_with(&name, options) else {
            let mut blocks = [std::ptr::null_mut()];
            Class::<5_000>::allocate(&mut blocks);
            Class::<5_000>::release(&mut blocks);
            Class::<5_000>::release(&mut blocks);
            unreachable!("the release was not found");
        };
        let said = String::from_utf8_lossy(&child.stderr);
        assert!(!child.status.success(), "{said}");
        assert!(said.contains("released twice"), "{said}");
    }
}

#[test]
fn sampled_blocks_wait_in_quarantine() {
    let _alone = alone();
    let options = "sample=1,poison,quarantine=1MiB";
    if is_parent("sampled_blocks_wait_in_quarantine", options) {
        return;
    }
    let mut blocks = [std::ptr::null_mut(); 50];
    Class::<3_000>::allocate(&mut blocks);
    let before = blocks;
    Class::<3_000>::release(&mut blocks);
    assert!(Class::<3_000>::layout().size() * 50 < 1 << 20);
    // SAFETY: nothing uses the memory, which stays mapped and holds the poison.
    assert!(before.iter().all(|block| unsafe { block.read() } == 0xDF));
    let sites = [Class::<3_000>::site()];
    let profile = mm::heap_profile();
    let usage = usage_at(&profile, sites[0], &sites);
    assert_eq!((usage.samples, usage.live_bytes.value()), (0, 0.0));
    Class::<3_000>::allocate(&mut blocks);
    assert!(before.iter().all(|block| !blocks.contains(block)));
    Class::<3_000>::release(&mut blocks);
    mm::check().expect("what mm keeps is right");
}

/// Fills `blocks`, which has room, until the limit refuses one.
fn fill(blocks: &mut Vec<NonNull<u8>>, layout: Layout) {
    loop {
        // SAFETY: the layout has a size.
        let Some(block) = NonNull::new(unsafe { HEAP.alloc(layout) }) else {
            return;
        };
        blocks.push(block);
    }
}

fn release(blocks: impl Iterator<Item = NonNull<u8>>, layout: Layout) {
    for block in blocks {
        // SAFETY: the block is live, of this layout, and used no more.
        unsafe { HEAP.dealloc(block.as_ptr(), layout) };
    }
}

#[test]
fn sampled_blocks_are_refused_with_figures_unchanged() {
    let _alone = alone();
    for size in [100_usize, 5_000, 100_000] {
        if is_parent(
            "sampled_blocks_are_refused_with_figures_unchanged",
            "sample=1",
        ) {
            continue;
        }
        let layout = Layout::from_size_align(size, 8).expect("small");
        let mut blocks = Vec::with_capacity(1_000_000);
        let limit = mm::held_bytes() + 32 * MIB;
        mm::set_limit(limit);
        // The first time, classes are used that were not, and the snapshots below become longer.
        fill(&mut blocks, layout);
        release(blocks.drain(..), layout);
        mm::set_limit(None);
        while live() != live() {}
        let before = live();
        mm::set_limit(limit);
        fill(&mut blocks, layout);
        let held = mm::held_bytes();
        let is_below = Some(held) <= mm::limit_bytes();
        // SAFETY: the layout has a size.
        let refused = (0..1_000).all(|_| unsafe { HEAP.alloc(layout) }.is_null());
        let is_same = mm::held_bytes() == held;
        mm::set_limit(None);
        assert!(is_below && refused && is_same, "{size}");
        assert!(blocks.len() * size > 20 << 20, "{size}: {}", blocks.len());
        let (bytes, count) = live();
        let more = (blocks.len() as u64, (blocks.len() * size) as u64);
        assert_eq!((count - before.1, bytes - before.0), more, "{size}");
        release(blocks.into_iter(), layout);
        mm::check().expect("what mm keeps is right");
        return;
    }
}

/// A program that begins to sample without memory goes on; its stacks are not known.
#[test]
fn walks_begin_without_memory() {
    let _alone = alone();
    if is_parent("walks_begin_without_memory", "sample=off") {
        return;
    }
    let layout = Layout::from_size_align(1_000, 8).expect("small");
    let mut blocks = Vec::with_capacity(1_000_000);
    let mut few = vec![std::ptr::null_mut(); 100];
    mm::set_limit(mm::held_bytes() + 32 * MIB);
    fill(&mut blocks, layout);
    release(blocks.drain(blocks.len() - 1_000..), layout);
    mm::track(mm::Track::All);
    Class::<1_000>::allocate(&mut few);
    let is_below = Some(mm::held_bytes()) <= mm::limit_bytes();
    mm::set_limit(None);
    assert!(is_below, "{}", mm::held_bytes());
    // Once there is memory, stacks are known.
    let mut more = vec![std::ptr::null_mut(); 100];
    Class::<40>::allocate(&mut more);
    let sites = [Class::<40>::site()];
    let usage = usage_at(&mm::heap_profile(), sites[0], &sites);
    assert_eq!(usage.samples, 100);
    Class::<40>::release(&mut more);
    Class::<1_000>::release(&mut few);
    mm::check().expect("what mm keeps is right");
}

#[test]
fn trim_gives_back_the_memory_of_sampled_blocks() {
    let _alone = alone();
    if is_parent("trim_gives_back_the_memory_of_sampled_blocks", "sample=1") {
        return;
    }
    let mut blocks = vec![std::ptr::null_mut(); 20_000];
    let before = mm::held_bytes();
    for round in 0..3 {
        Class::<4_000>::allocate(&mut blocks);
        for block in &blocks {
            // SAFETY: the block has so many bytes.
            unsafe { block.write_bytes(1, 4_000) };
        }
        let resident = |snapshot: mm::Snapshot| snapshot.process_resident_bytes.expect("measured");
        let full = resident(mm::snapshot());
        Class::<4_000>::release(&mut blocks);
        mm::trim();
        let rest = resident(mm::snapshot());
        let (given, held) = (full.saturating_sub(rest), mm::held_bytes());
        assert!(given > 70 * MIB, "{round}: {given}");
        assert!(held < before + 8 * MIB, "{round}: {held} of {before}");
    }
    mm::check().expect("what mm keeps is right");
}

/// Forks copy blocks that other threads are about to sample; the child goes on with them.
#[test]
fn a_child_releases_what_threads_sampled() {
    let _alone = alone();
    for options in ["sample=256", "sample=1,poison,quarantine=64KiB"] {
        if is_parent("a_child_releases_what_threads_sampled", options) {
            continue;
        }
        let mut kept: Vec<String> = (0..2_000_usize).map(|n| "k".repeat(n % 700)).collect();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 1..3_usize {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        black_box("t".repeat(thread * 333));
                    }
                });
            }
            for _ in 0..30 {
                let status = mm_tests::in_a_child(|| {
                    let counted = mm::allocations(|| kept.clear());
                    let counted = counted.map_or(0, |((), counted)| counted.blocks_released);
                    mm::trim();
                    // Every 700th text is empty, and has no block.
                    let texts = 2_000 - 2_000_u64.div_ceil(700);
                    i32::from(counted != texts || mm::check().is_err())
                });
                if !status.success() {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                    panic!("{status:?}");
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        return;
    }
}
