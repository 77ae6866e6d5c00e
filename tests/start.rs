//! mm starts at the first public call, and takes no memory of the global allocator for that: a global allocator
//! that is made of mm may be what starts it.

// It has a global allocator of its own.
#![cfg(not(feature = "global"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use mm::{Limit, MmBox, MmManaged, PageFamily, Track};
use mm_tests::again;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Counts what the calling thread takes.
struct Counted;

// SAFETY: every call is passed on to `System`, which keeps the contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `alloc` took the block from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTED: Counted = Counted;

#[derive(MmManaged)]
struct First([u32; 9]);

#[test]
fn the_first_allocation_takes_nothing_of_the_global_allocator() {
    let before = TAKEN.get();
    drop(black_box(Box::new(7)));
    assert_eq!(TAKEN.get() - before, 1, "the counting works");
    let before = TAKEN.get();
    let first = MmBox::new(First([7; 9]));
    let row = First::xcalloc(100);
    let large = First::xcalloc(1_000_000);
    assert_eq!((first.0[8], row[99].0[0], large.len()), (7, 0, 1_000_000));
    drop((first, row, large));
    assert_eq!(TAKEN.get() - before, 0);
}

/// Public calls that may be a program's first.
const CALLS: [fn(); 17] = [
    || drop(MmBox::new(First([1; 9]))),
    || drop(First::xcalloc(3)),
    || drop(mm::families()),
    || drop(mm::snapshot()),
    || _ = mm::trim(),
    || mm::check().expect("nothing is wrong"),
    || mm::track(Track::All),
    || drop(mm::profile()),
    || drop(mm::leaks()),
    || _ = PageFamily::register("first", Layout::new::<u64>()),
    || First::page_family().set_limit(Limit::units(1)),
    || First::page_family().track(Track::Off),
    || _ = First::page_family().key(),
    || mm::print_registered_page_families(),
    || mm::print_memory_usage("First"),
    || mm::print_block_usage(),
    || mm::no_leaks(|_| ()),
];

/// What is wrong about the options ends the process at the start.
#[test]
fn every_call_that_may_be_the_first_starts_mm() {
    const CALL: &str = "MM_TEST_CALL";
    for number in 0..CALLS.len() {
        let child = again("every_call_that_may_be_the_first_starts_mm", |child| {
            child
                .env("MM_OPTIONS", "nonsense")
                .env(CALL, number.to_string());
        });
        let Some(ended) = child else {
            let number = std::env::var(CALL).expect("the parent says which");
            return CALLS[number.parse::<usize>().expect("a number")]();
        };
        assert_eq!(ended.status.code(), Some(2), "call {number}");
    }
}
