//! Every block sampled.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;

use crate::{Class, HEAP, alone, usage_at};

/// Runs the test `name` of this file again, with `options`; true in the first process.
fn is_parent(name: &str, options: &str) -> bool {
    !mm_tests::is_child_with(&format!("exact::{name}"), options)
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.5
}

#[test]
fn exact_figures_are_the_truth() {
    let _alone = alone();
    if is_parent("exact_figures_are_the_truth", "sample=1") {
        return;
    }
    let sites = [
        Class::<40>::site(),
        Class::<9_000>::site(),
        Class::<100_000>::site(),
    ];
    let mut small = vec![std::ptr::null_mut(); 5_000];
    let mut middle = vec![std::ptr::null_mut(); 500];
    let mut large = vec![std::ptr::null_mut(); 50];
    Class::<40>::allocate(&mut small);
    Class::<9_000>::allocate(&mut middle);
    Class::<100_000>::allocate(&mut large);
    let profile = mm::heap_profile();
    let live = sites.map(|site| usage_at(&profile, site, &sites));
    let truths = [(40, 5_000), (9_000, 500), (100_000, 50)];
    for (usage, (size, count)) in live.iter().zip(truths) {
        assert!(
            close(usage.live_bytes.value(), f64::from(size * count)),
            "{usage:?}"
        );
        assert!(
            close(usage.live_blocks.value(), f64::from(count)),
            "{usage:?}"
        );
        assert!(usage.live_bytes.variance() == 0.0);
        assert!(
            close(usage.peak_bytes, f64::from(size * count)),
            "{usage:?}"
        );
    }
    mm::check().expect("what mm keeps is right");
    Class::<40>::release(&mut small);
    Class::<9_000>::release(&mut middle);
    Class::<100_000>::release(&mut large);
    let profile = mm::heap_profile();
    for (site, (size, count)) in sites.iter().zip(truths) {
        let usage = usage_at(&profile, *site, &sites);
        assert!(close(usage.live_bytes.value(), 0.0), "{usage:?}");
        assert!(
            close(usage.allocated_bytes, f64::from(size * count)),
            "{usage:?}"
        );
        // All three were live when the heap was largest.
        assert!(
            close(usage.peak_bytes, f64::from(size * count)),
            "{usage:?}"
        );
    }
    mm::check().expect("what mm keeps is right");
    println!(
        "{}",
        profile.group(|stack| Some(format!("{:#x}", stack.addresses.last()?).into()))
    );
}

#[inline(never)]
fn temporary(count: usize) {
    for _ in 0..count {
        drop(black_box(Box::new([7_u64; 100])));
    }
}

#[test]
fn what_is_released_at_once_is_temporary() {
    let _alone = alone();
    if is_parent("what_is_released_at_once_is_temporary", "sample=1") {
        return;
    }
    let before = mm::heap_profile();
    temporary(1_000);
    let profile = mm::heap_profile();
    let sum = |profile: &mm::HeapProfile| -> f64 {
        profile
            .stacks
            .iter()
            .map(|stack| stack.usage.temporary_bytes)
            .sum()
    };
    assert!(sum(&profile) - sum(&before) >= 800_000.0);
    // A block that lives for longer is not.
    let kept = black_box(vec![7_u64; 100_000]);
    std::thread::sleep(std::time::Duration::from_millis(3));
    let before = sum(&mm::heap_profile());
    let other = black_box(Box::new(1));
    drop(kept);
    drop(other);
    assert!(sum(&mm::heap_profile()) - before < 800_000.0);
}

#[test]
fn sampled_blocks_change_their_length() {
    let _alone = alone();
    if is_parent("sampled_blocks_change_their_length", "sample=1") {
        return;
    }
    let live = || -> f64 { mm::heap_profile().attributed_bytes().value() };
    // A profile holds memory itself, more so with more stacks.
    live();
    let before = live();
    // A block of 1.5 million bytes moves without a copy when it grows.
    let sizes: [u32; 17] = [
        1, 8, 9, 10, 100, 1_000, 1_030, 60_000, 65_536, 70_000, 200_000, 1_500_000, 4_000_000,
        9_000_000, 90_000, 500, 7,
    ];
    let mut layout = Layout::from_size_align(1, 1).expect("a layout");
    // SAFETY: the layout has a size.
    let mut block = unsafe { HEAP.alloc_zeroed(layout) };
    for (round, size) in sizes.iter().enumerate() {
        let bytes = *size as usize;
        // SAFETY: the block is live, of this layout.
        block = unsafe { HEAP.realloc(block, layout, bytes) };
        let kept = layout.size().min(bytes);
        // SAFETY: the block has as many bytes, which were all written.
        let contents = unsafe { std::slice::from_raw_parts(block, kept) };
        let was = u8::try_from(round).expect("few");
        assert!(contents.iter().all(|byte| *byte == was), "{size}");
        layout = Layout::from_size_align(bytes, 1).expect("a layout");
        // SAFETY: the block has so many bytes.
        unsafe { block.write_bytes(was + 1, bytes) };
        let difference = live() - before;
        assert!(
            (difference - f64::from(*size)).abs() < 90_000.0,
            "{size}: {difference}"
        );
        mm::check().expect("what mm keeps is right");
    }
    // SAFETY: the block is live, of this layout, and is not used any more.
    unsafe { HEAP.dealloc(block, layout) };
}

#[test]
fn zeroed_blocks_are_zero() {
    let _alone = alone();
    if is_parent("zeroed_blocks_are_zero", "sample=1") {
        return;
    }
    for size in [1, 30, 5_000, 65_536, 100_000] {
        for _ in 0..20 {
            let mut block = vec![0_u8; size];
            assert!(block.iter().all(|byte| *byte == 0));
            block.fill(7);
        }
    }
}

#[test]
fn hardened_blocks_are_sampled() {
    let _alone = alone();
    let options = "sample=1,random,poison,guard,quarantine=64KiB";
    if is_parent("hardened_blocks_are_sampled", options) {
        return;
    }
    let mut texts: Vec<String> = Vec::new();
    for number in 0..20_000_usize {
        texts.push(number.to_string().repeat(1 + number % 50));
        if number % 3 == 0 {
            texts.swap_remove(number % texts.len());
        }
    }
    assert!(mm::heap_profile().attributed_bytes().value() > 100_000.0);
    mm::check().expect("what mm keeps is right");
}

/// Allocates at the end of a path that the bits of `path` choose.
#[inline(never)]
fn left(path: u32, depth: u32, kept: &mut Vec<String>) {
    descend(path, depth, kept);
    black_box(());
}

#[inline(never)]
fn right(path: u32, depth: u32, kept: &mut Vec<String>) {
    descend(path, depth, kept);
    black_box(());
}

#[inline(never)]
fn descend(path: u32, depth: u32, kept: &mut Vec<String>) {
    match depth {
        0 => kept.push(path.to_string()),
        _ if path & 1 == 0 => left(path >> 1, depth - 1, kept),
        _ => right(path >> 1, depth - 1, kept),
    }
    black_box(());
}

const PATHS: u32 = 1 << 17;

#[test]
fn stacks_take_bounded_memory() {
    let _alone = alone();
    if is_parent("stacks_take_bounded_memory", "sample=1") {
        return;
    }
    let before = mm::snapshot().records_resident_bytes;
    let mut kept = Vec::with_capacity(PATHS as usize);
    (0..PATHS).for_each(|path| left(path, 17, &mut kept));
    let profile = mm::heap_profile();
    let after = mm::snapshot().records_resident_bytes;
    let stacks = profile.stacks.len();
    assert!((10_000..1 << 16).contains(&stacks), "{stacks}");
    assert!(
        profile.unknown.live_blocks.value() > 50_000.0,
        "{:?}",
        profile.unknown
    );
    println!("{stacks} stacks, records {before:?} {after:?}");
    mm::check().expect("what mm keeps is right");
}

#[test]
fn tracking_samples_every_block() {
    let _alone = alone();
    let sites = [Class::<136>::site()];
    mm::track(mm::Track::All);
    let mut blocks = vec![std::ptr::null_mut(); 3_000];
    Class::<136>::allocate(&mut blocks);
    let usage = usage_at(&mm::heap_profile(), sites[0], &sites);
    mm::track(mm::Track::Off);
    assert!(close(usage.live_blocks.value(), 3_000.0), "{usage:?}");
    Class::<136>::release(&mut blocks);
    let usage = usage_at(&mm::heap_profile(), sites[0], &sites);
    assert!(close(usage.live_blocks.value(), 0.0), "{usage:?}");
}
