//! Hardened families. Options are chosen once a process, so each test runs itself again, in a
//! process of its own.

use std::collections::{HashMap, HashSet};
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use mm::{FreeError, MmBox, MmManaged};
use mm_tests::{OwnedBlock, Random, again_with, counts, family, in_a_child, is_child_with, typed};

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
#[repr(C)]
struct Key([u64; 6]);

#[derive(MmManaged)]
struct Page([u8; 3_000]);

fn raw(key: MmBox<Key>) -> NonNull<u8> {
    NonNull::new(MmBox::into_raw(key)).expect("a box").cast()
}

#[test]
fn a_write_after_release_is_reported_with_family_and_address() {
    let name = "a_write_after_release_is_reported_with_family_and_address";
    if let Some(output) = again_with(name, "poison") {
        let out = String::from_utf8_lossy(&output.stdout);
        let text = String::from_utf8_lossy(&output.stderr);
        // On a machine with one core, the test's name stands before it.
        let mut lines = out.lines();
        let written = lines.find_map(|line| Some(line.split_once("written: ")?.1));
        let written = written.expect("the child got that far");
        let line = format!("mm: the byte at {written} of page family `Key` was written");
        assert!(text.contains(&line), "{text}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT));
        return;
    }
    let stale = raw(MmBox::new(Key([1; 6])));
    // SAFETY: the pointer came out of `into_raw`.
    unsafe { mm::xfree_raw(stale) }.expect("live");
    // SAFETY: the bug that is to be found. The memory is mapped, and no block's.
    let byte = unsafe { stale.add(17) };
    println!("written: {byte:p}");
    // SAFETY: as above.
    unsafe { byte.write_volatile(1) };
    drop(MmBox::new(Key([2; 6])));
    unreachable!("the write was not found");
}

#[test]
fn zeros_written_after_release_are_found_in_any_order() {
    let name = "zeros_written_after_release_are_found_in_any_order";
    for options in ["poison", "random,poison"] {
        let Some(output) = again_with(name, options) else {
            let stale = raw(MmBox::new(Key([1; 6])));
            // SAFETY: the pointer came out of `into_raw`.
            unsafe { mm::xfree_raw(stale) }.expect("live");
            // SAFETY: the bug that is to be found. The memory is mapped, and no block's.
            unsafe { stale.cast::<[u64; 6]>().write_volatile([0; 6]) };
            // More than a VM page has.
            let keys: Vec<_> = (0..2_000).map(|_| MmBox::new(Key([2; 6]))).collect();
            unreachable!("the write was not found by {} owners", keys.len());
        };
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("was written after"), "{options}: {text}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{options}");
    }
}

#[test]
fn memory_that_is_given_back_in_part_is_no_write_after_release() {
    let name = "memory_that_is_given_back_in_part_is_no_write_after_release";
    for options in ["poison", "random,poison"] {
        if !is_child_with(name, options) {
            continue;
        }
        let make = || (0..2_000).map(|_| MmBox::new(Page([1; 3_000])));
        let pages: Vec<_> = make().collect();
        let last = MmBox::as_ptr(&pages[1_500]);
        // The kernel does not take locked memory back, only what lies before it.
        // SAFETY: the page is mapped.
        let locked = unsafe { libc::mlock(last.cast(), size_of::<Page>()) };
        assert_eq!(locked, 0);
        drop(pages);
        mm::trim();
        assert_eq!(make().collect::<Vec<_>>().len(), 2_000);
        mm::check().expect("the walker finds the same");
        return;
    }
}

#[test]
fn released_memory_is_filled() {
    for (options, byte) in [("zero", 0), ("poison", 0xDF)] {
        if !is_child_with("released_memory_is_filled", options) {
            continue;
        }
        let expected = match env::var("MM_OPTIONS").as_deref() {
            Ok("zero") => 0,
            _ => 0xDF,
        };
        let stale = raw(MmBox::new(Key([u64::MAX; 6])));
        // SAFETY: the pointer came out of `into_raw`.
        unsafe { mm::xfree_raw(stale) }.expect("live");
        // SAFETY: the memory is mapped, and no thread writes to it.
        let bytes = unsafe { stale.cast::<[u8; 48]>().read_volatile() };
        assert_eq!(bytes, [expected; 48], "{byte}");
        let zeroed = Key::xcalloc(100);
        assert!(zeroed.iter().all(|key| key.0 == [0; 6]));
        return;
    }
}

#[test]
fn nothing_is_left_of_large_blocks() {
    for options in ["zero", "poison"] {
        if !is_child_with("nothing_is_left_of_large_blocks", options) {
            continue;
        }
        for locked in [false, true] {
            // A little more than a VM page, which any user may lock.
            let row = MmBox::from_fn(1_400, |_| Key([u64::MAX; 6]));
            let bytes = size_of_val(&*row);
            let first = MmBox::into_raw(row).cast::<u8>();
            if locked {
                // SAFETY: the block is mapped. The kernel does not take locked memory back.
                unsafe { libc::mlock(first.cast(), bytes) };
            }
            let block = NonNull::new(first).expect("a box");
            // SAFETY: the pointer came out of `into_raw`.
            unsafe { mm::xfree_raw(block) }.expect("live");
            let left = NonNull::slice_from_raw_parts(block, bytes);
            // SAFETY: the memory is mapped, and no thread writes to it.
            let left = unsafe { left.as_ref() };
            assert!(left.iter().all(|byte| *byte == 0), "locked: {locked}");
            assert!(Key::xcalloc(1_400).iter().all(|key| key.0 == [0; 6]));
            mm::check().expect("the walker finds the same");
        }
        return;
    }
}

#[test]
fn quarantined_blocks_are_not_handed_out_and_count_as_cached() {
    let name = "quarantined_blocks_are_not_handed_out_and_count_as_cached";
    if !is_child_with(name, "quarantine=48KiB") {
        return;
    }
    let first = raw(MmBox::new(Key([1; 6])));
    // SAFETY: the pointer came out of `into_raw`.
    unsafe { mm::xfree_raw(first) }.expect("live");
    // SAFETY: no block is live there, which is what the call answers.
    let again = unsafe { mm::xfree_raw(first) };
    assert!(matches!(again, Err(FreeError::NotLive { .. })));
    assert_eq!(counts(Key::page_family()), (0, 0, 1));
    let others: HashSet<_> = (0..1_023).map(|_| raw(MmBox::new(Key([2; 6])))).collect();
    assert!(!others.contains(&first));
    for other in others {
        // SAFETY: the pointer came out of `into_raw`.
        unsafe { mm::xfree_raw(other) }.expect("live");
    }
    assert_eq!(counts(Key::page_family()), (0, 0, 1_024));
    // One more pushes the oldest out, and then it is free.
    drop(Key::xcalloc(1));
    assert_eq!(counts(Key::page_family()), (0, 0, 1_024));
    assert_eq!(raw(MmBox::new(Key([3; 6]))), first);
    mm::check().expect("the walker finds the same");
}

#[test]
fn units_of_any_size_are_hardened() {
    #[derive(MmManaged)]
    struct Nothing;
    let name = "units_of_any_size_are_hardened";
    if !is_child_with(name, "random,poison,guard,quarantine=1MiB") {
        return;
    }
    let nothing = MmBox::from_fn(1_000, |_| Nothing);
    let two = OwnedBlock::zeroed(family("huge", 3 << 20, 1 << 20), 2);
    // SAFETY: the block is live, ours, and has two units.
    unsafe { two.start().write_bytes(7, 6 << 20) };
    mm::check().expect("the walker finds the same");
    two.release();
    drop(nothing);
    let snapshot = mm::snapshot();
    let live: u64 = typed(&snapshot).map(|family| family.live_bytes).sum();
    assert_eq!(live, 0);
    mm::check().expect("the walker finds the same");
}

#[test]
fn a_second_release_of_a_quarantined_block_ends_the_process() {
    let name = "a_second_release_of_a_quarantined_block_ends_the_process";
    if let Some(output) = again_with(name, "quarantine=1KiB") {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("was released twice"), "{text}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT));
        return;
    }
    let key = MmBox::into_raw(MmBox::new(Key([1; 6])));
    for _ in 0..2 {
        // SAFETY: the first time. The second is the bug that is to be found.
        drop(unsafe { MmBox::from_raw(key) });
    }
    unreachable!("the second release was not found");
}

#[test]
fn releases_by_address_do_not_look_through_the_quarantine() {
    let name = "releases_by_address_do_not_look_through_the_quarantine";
    if !is_child_with(name, "quarantine=64MiB") {
        return;
    }
    // Each looks at one bit. At the quarantine's hundred thousands, it would be minutes.
    let start = Instant::now();
    for _ in 0..300_000 {
        let key = raw(MmBox::new(Key([1; 6])));
        // SAFETY: the pointer came out of `into_raw`.
        unsafe { mm::xfree_raw(key) }.expect("live");
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(counts(Key::page_family()), (0, 0, 300_000));
    mm::check().expect("the walker finds the same");
}

#[test]
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn a_quarantine_is_no_reason_to_be_without_memory() {
    let name = "a_quarantine_is_no_reason_to_be_without_memory";
    if !is_child_with(name, "quarantine=1GiB") {
        return;
    }
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a value of the type that the call fills.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_DATA, &raw mut limit) };
    assert_eq!(answer, 0);
    let before = limit;
    limit.rlim_cur = 64 << 20;
    // SAFETY: `limit` is a value of the type that the call reads.
    let answer = unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) };
    assert_eq!(answer, 0);
    let refused = (0..50_000).find(|_| MmBox::try_new(Page([1; 3_000])).is_err());
    // A panic needs memory too.
    // SAFETY: as above.
    let answer = unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const before) };
    assert_eq!(answer, 0);
    assert_eq!(refused, None, "nothing is live");
    mm::check().expect("the walker finds the same");
}

#[test]
fn random_order_is_no_order() {
    if !is_child_with("random_order_is_no_order", "random") {
        return;
    }
    let keys: Vec<_> = (0..1_000).map(|_| MmBox::new(Key([1; 6]))).collect();
    let addresses: Vec<_> = keys.iter().map(|key| MmBox::as_ptr(key).addr()).collect();
    let distinct: HashSet<_> = addresses.iter().collect();
    assert_eq!(distinct.len(), 1_000);
    let steps = addresses.windows(2);
    let neighbours = steps.filter(|pair| pair[0].abs_diff(pair[1]) == size_of::<Key>());
    // Of 1,365 places, two that follow each other are neighbours about once in 700 times.
    assert!(neighbours.count() < 50);
    assert_eq!(counts(Key::page_family()), (1_000, 1_000, 0));
}

#[test]
#[cfg_attr(feature = "global", ignore = "the report itself takes memory")]
fn after_a_trim_reports_promise_nothing_more() {
    for options in ["poison", "zero", "random"] {
        if !is_child_with("after_a_trim_reports_promise_nothing_more", options) {
            continue;
        }
        let mut pages: Vec<_> = (0..2_000).map(|_| MmBox::new(Page([1; 3_000]))).collect();
        pages.truncate(1);
        mm::trim();
        let report = mm::snapshot().block_usage().to_string();
        assert!(report.contains("trim() would return 0 B"), "{report}");
        return;
    }
}

/// Where the units are that a forked child is given, as its exit code.
fn order_in_a_child() -> i32 {
    in_a_child(|| {
        let keys: Vec<_> = (0..8).map(|_| raw(MmBox::new(Key([1; 6])))).collect();
        let mixed = keys.iter().fold(0, |mixed, key| {
            (mixed ^ (key.addr().get() / size_of::<Key>())).wrapping_mul(31)
        });
        i32::try_from(mixed % 251).expect("small")
    })
    .code()
    .expect("no signal ends it")
}

#[test]
fn random_order_is_another_in_each_forked_child() {
    if !is_child_with("random_order_is_another_in_each_forked_child", "random") {
        return;
    }
    drop(MmBox::new(Key([1; 6])));
    let orders: HashSet<_> = (0..6).map(|_| order_in_a_child()).collect();
    assert!(orders.len() > 1);
}

#[test]
fn everything_on_changes_nothing_for_who_does_nothing_wrong() {
    let name = "everything_on_changes_nothing_for_who_does_nothing_wrong";
    if !is_child_with(name, "random,poison,guard,quarantine=64KiB") {
        return;
    }
    let mut random = Random::new(7);
    let mut keys: HashMap<usize, MmBox<[Key]>> = HashMap::new();
    let mut pages: HashMap<usize, MmBox<[Page]>> = HashMap::new();
    for step in 0..50_000_u64 {
        let (place, units) = (random.below(500), random.below(60));
        keys.remove(&place);
        let mut row = Key::xcalloc(units);
        assert!(row.iter().all(|key| key.0 == [0; 6]));
        row.iter_mut().for_each(|key| key.0 = [step; 6]);
        keys.insert(place, row);
        if step % 16 == 0 {
            let (place, units) = (random.below(50), random.below(40));
            let page = |_| Page([step.to_le_bytes()[0]; 3_000]);
            pages.insert(place, MmBox::from_fn(units, page));
        }
        if step % 5_000 == 0 {
            mm::trim();
            mm::check().expect("the walker finds the same");
            let units: usize = keys.values().map(|row| row.len()).sum();
            assert_eq!(counts(Key::page_family()).1, units as u64);
        }
    }
    assert!(
        keys.values()
            .all(|row| row.windows(2).all(|two| two[0].0 == two[1].0))
    );
    assert!(
        pages
            .values()
            .all(|row| row.iter().all(|page| page.0 == [page.0[0]; 3_000]))
    );
    drop((keys, pages));
    assert_eq!(counts(Key::page_family()).1, 0);
    mm::check().expect("the walker finds the same");
}
