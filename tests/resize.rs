//! Blocks that get another length, and those that are released by their length.

use std::cell::Cell;
use std::ptr::NonNull;
use std::thread;

use mm::{AllocError, Limit, PageFamily};
use mm_tests::{counts, family, snapshot_of};

/// Resizes a block that only the test has.
fn resize(family: &'static PageFamily, block: NonNull<u8>, from: usize, to: usize) -> NonNull<u8> {
    // SAFETY: the callers pass a live block of `from` units that they alone have.
    unsafe { family.resize(block, from, to) }.expect("memory")
}

fn release(family: &'static PageFamily, block: NonNull<u8>, units: usize) {
    // SAFETY: the callers pass a live block of so many units that they alone have.
    unsafe { family.release_sized(block, units) };
    family.check().expect("what the family keeps is right");
}

#[test]
fn a_row_becomes_shorter_in_place() {
    let rows = family("resize:rows", 36, 4);
    let block = rows.alloc(400).expect("memory");
    for (from, to) in [(400, 399_usize), (399, 70), (70, 20), (20, 2)] {
        assert_eq!(resize(rows, block, from, to), block);
        rows.check().expect("what the family keeps is right");
        let figures = snapshot_of(rows);
        assert_eq!((figures.live_blocks, figures.live_units), (1, to as u64));
        assert_eq!(figures.cached_units, 0);
    }
    // Another block takes the units that came free.
    let page = snapshot_of(rows).vm_pages;
    let next = rows.alloc(390).expect("memory");
    assert_eq!(snapshot_of(rows).vm_pages, page);
    release(rows, next, 390);
    release(rows, block, 2);
    assert_eq!(snapshot_of(rows).live_units, 0);
}

#[test]
fn slack_goes_with_the_end_of_a_row() {
    let rows = family("resize:slack", 36, 4);
    let long = rows.alloc(90).expect("memory");
    release(rows, long, 90);
    // The cached block of 90 units serves for 85.
    let row = rows.alloc(85).expect("memory");
    assert_eq!(row, long);
    assert_eq!(resize(rows, row, 85, 40), row);
    rows.check().expect("what the family keeps is right");
    release(rows, row, 40);
    let again = rows.alloc(40).expect("memory");
    assert_eq!(again, row);
    release(rows, again, 40);
}

#[test]
fn a_row_that_grows_or_becomes_one_unit_moves() {
    let rows = family("resize:moves", 36, 4);
    let block = rows.alloc_zeroed(10).expect("memory");
    // SAFETY: the block is live, ours, and has ten units.
    unsafe { block.write_bytes(7, 360) };
    let longer = resize(rows, block, 10, 11);
    assert_ne!(longer, block);
    let one = resize(rows, longer, 11, 1);
    assert_ne!(one, longer);
    // SAFETY: the block is live, ours, and has one unit, which was copied.
    assert_eq!(unsafe { one.cast::<[u8; 36]>().read() }, [7; 36]);
    let none = resize(rows, one, 1, 0);
    assert_eq!(snapshot_of(rows).live_blocks, 0);
    let some = resize(rows, none, 0, 3);
    release(rows, some, 3);
    let figures = snapshot_of(rows);
    assert_eq!((figures.live_units, figures.live_bytes), (0, 0));
}

#[test]
fn a_large_block_stays_while_its_address_space_suits() {
    let pages = family("resize:large", 4_096, 8);
    let block = pages.alloc(255).expect("memory");
    for (from, to) in [(255, 250_usize), (250, 256), (256, 240), (240, 256)] {
        assert_eq!(resize(pages, block, from, to), block);
        assert_eq!(snapshot_of(pages).live_units, to as u64);
        pages.check().expect("what the family keeps is right");
    }
    // An eighth of the address space would lie idle.
    let less = resize(pages, block, 256, 200);
    assert_ne!(less, block);
    let in_page = resize(pages, less, 200, 3);
    release(pages, in_page, 3);
    assert_eq!(snapshot_of(pages).live_units, 0);
}

#[test]
fn a_large_block_grows_into_free_address_space_behind_it() {
    let pages = family("resize:grows", 4_096, 8);
    let whole = pages.alloc(112).expect("memory");
    release(pages, whole, 112);
    // The first part of what was released. The rest is kept at first, and has no memory after `trim`.
    let block = pages.alloc(32).expect("memory");
    assert_eq!(block, whole);
    // SAFETY: the block is live, ours, and has 32 units.
    unsafe { block.write_bytes(7, 32 * 4_096) };
    assert_eq!(resize(pages, block, 32, 50), block);
    pages.check().expect("what the family keeps is right");
    mm::trim();
    assert_eq!(resize(pages, block, 50, 70), block);
    pages.check().expect("what the family keeps is right");
    let figures = snapshot_of(pages);
    assert_eq!((figures.live_blocks, figures.live_units), (1, 70));
    assert_eq!(figures.peak_live_bytes, 112 * 4_096);
    // Another block takes the rest, so there is no more room.
    let next = pages.alloc(32).expect("memory");
    let moved = resize(pages, block, 70, 96);
    assert_ne!(moved, block);
    // SAFETY: the block is live, ours, and has 96 units.
    let bytes = unsafe { std::slice::from_raw_parts(moved.as_ptr(), 32 * 4_096) };
    assert!(bytes.iter().all(|byte| *byte == 7));
    release(pages, next, 32);
    release(pages, moved, 96);
    assert_eq!(snapshot_of(pages).live_units, 0);
}

#[test]
fn a_limit_holds_for_both_blocks() {
    let limited = family("resize:limited", 64, 8);
    limited.set_limit(Limit::units(10));
    let block = limited.alloc(6).expect("below the limit");
    // SAFETY: the block is live, ours, and has six units.
    let refused = unsafe { limited.resize(block, 6, 8) };
    assert!(
        matches!(refused, Err(AllocError::QuotaExceeded { .. })),
        "{refused:?}"
    );
    assert_eq!(snapshot_of(limited).live_units, 6);
    let shorter = resize(limited, block, 6, 4);
    assert_eq!(snapshot_of(limited).live_units, 4);
    release(limited, shorter, 4);
}

#[test]
fn no_units_have_no_memory() {
    let words = family("resize:none", 8, 8);
    let none = words.alloc(0).expect("no memory is needed");
    release(words, none, 0);
    assert_eq!(counts(words), (0, 0, 0));
}

#[test]
fn no_units_are_released_at_the_end_of_a_thread() {
    struct AtTheEnd(&'static PageFamily, NonNull<u8>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let some = resize(self.0, self.1, 0, 3);
            let none = resize(self.0, some, 3, 0);
            release(self.0, none, 0);
        }
    }
    std::thread_local! {
        static LAST: Cell<Option<AtTheEnd>> = const { Cell::new(None) };
    }
    let words = family("resize:end", 8, 8);
    let ended = thread::spawn(move || {
        // Its destructor is registered first, and so runs after that of the thread's caches.
        LAST.set(None);
        let none = words.alloc(0).expect("no memory is needed");
        let one = words.alloc(1).expect("memory");
        release(words, one, 1);
        LAST.set(Some(AtTheEnd(words, none)));
    });
    ended.join().expect("the thread ended well");
    assert_eq!(counts(words), (0, 0, 0));
}
