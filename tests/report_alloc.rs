//! Writing a report allocates nothing, so it also comes out when there is no memory left.

// It has a global allocator of its own.
#![cfg(not(feature = "global"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::{self, Display, Write};

use mm::{PageFamily, Snapshot};

thread_local! {
    /// Calls of this thread that ask for memory; the harness has threads of its own.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the calls that ask for memory.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    CALLS.with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call goes to `System` unchanged, and counting neither allocates nor unwinds: the
// thread-local is `const` and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

/// Counts what is written to it, and keeps nothing.
struct Characters(usize);

impl Write for Characters {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.chars().count();
        Ok(())
    }
}

#[track_caller]
fn check(report: impl Display) {
    let mut characters = Characters(0);
    let before = CALLS.get();
    write!(characters, "{report}").unwrap();
    let calls = CALLS.get() - before;
    assert_eq!(calls, 0, "allocations for {} characters", characters.0);
    assert!(characters.0 > 0);
}

fn check_all(snapshot: &Snapshot) {
    for coloured in [false, true] {
        check(snapshot.page_families().coloured(coloured));
        check(snapshot.memory_usage(None).coloured(coloured));
        check(snapshot.memory_usage("alloc-17").coloured(coloured));
        check(snapshot.memory_usage("alloc-17x").coloured(coloured));
        check(snapshot.block_usage().coloured(coloured));
    }
    check(snapshot.openmetrics());
}

#[test]
fn reports_do_not_allocate() {
    let earlier = mm::snapshot();
    for number in 0..1_000_u16 {
        let name = format!("alloc-{number}");
        let family = PageFamily::register(&name, Layout::new::<u64>()).unwrap();
        family.alloc(usize::from(number) % 97).unwrap();
    }
    for name in ["", "two\nlines", "Größe", &"long".repeat(1_000)] {
        PageFamily::register(name, Layout::new::<u32>()).unwrap();
    }
    let later = mm::snapshot();
    check_all(&earlier);
    check_all(&later);
    check(later.diff(&earlier));
}

#[test]
fn the_count_works() {
    let before = CALLS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(CALLS.get(), before + 1);
}
