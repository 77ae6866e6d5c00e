//! mm under the global allocator.

// It has a global allocator of its own.
#![cfg(not(feature = "global"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use mm::{Limit, MmManaged, PageFamily, Track};

#[derive(MmManaged)]
#[repr(align(16))]
struct Piece(#[allow(dead_code, reason = "it takes room")] [u8; 4096]);

struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

static ON: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The thread's next allocation takes long, if it is the first such.
    static IS_SLOW: Cell<bool> = const { Cell::new(false) };
}

static IS_ASLEEP: AtomicBool = AtomicBool::new(false);

fn is_mine(layout: Layout) -> bool {
    layout.size() <= 4096 && layout.align() <= 16
}

// SAFETY: small layouts lie in units of mm, which are large and aligned enough; all others, and what
// was made before, are the system's.
unsafe impl GlobalAlloc for Global {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IS_SLOW.get() && !IS_ASLEEP.swap(true, Relaxed) {
            thread::sleep(Duration::from_millis(500));
        }
        if is_mine(layout) && ON.load(Relaxed) {
            let made = Piece::page_family().alloc(1);
            return made.map_or(std::ptr::null_mut(), NonNull::as_ptr);
        }
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if is_mine(layout) && ON.load(Relaxed) {
            // SAFETY: no code uses it any more; what is not mm's is refused.
            let done = NonNull::new(ptr).map(|ptr| unsafe { Piece::page_family().release(ptr) });
            if matches!(done, Some(Ok(()))) {
                return;
            }
        }
        // SAFETY: the caller keeps the same contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

fn child(name: &str) -> bool {
    mm_tests::is_child(name, |_| ())
}

fn begin() {
    mm_tests::OwnedBlock::new(Piece::page_family(), 1).release();
    ON.store(true, Relaxed);
}

/// Runs `f` on a thread that Rust did not start.
fn on_a_foreign_thread(f: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void) {
    let mut thread = 0;
    // SAFETY: the function takes nothing.
    let answer =
        unsafe { libc::pthread_create(&raw mut thread, std::ptr::null(), f, std::ptr::null_mut()) };
    assert_eq!(answer, 0);
    // SAFETY: just started.
    unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
}

extern "C" fn asks(_: *mut libc::c_void) -> *mut libc::c_void {
    let _ = thread::current().id();
    std::ptr::null_mut()
}

extern "C" fn allocates(_: *mut libc::c_void) -> *mut libc::c_void {
    drop(std::hint::black_box(Box::new(1_u64)));
    std::ptr::null_mut()
}

#[test]
fn a_foreign_thread_allocates() {
    if child("a_foreign_thread_allocates") {
        begin();
        mm::track(Track::All);
        on_a_foreign_thread(allocates);
        ON.store(false, Relaxed);
        std::process::exit(0);
    }
}

#[test]
fn a_foreign_thread_asks_who_it_is() {
    if child("a_foreign_thread_asks_who_it_is") {
        begin();
        mm::track(Track::All);
        on_a_foreign_thread(asks);
        ON.store(false, Relaxed);
        std::process::exit(0);
    }
}

/// A soft limit's closure may do what any code may.
#[test]
fn a_soft_limit_looks_who_holds_what() {
    if child("a_soft_limit_looks_who_holds_what") {
        begin();
        let family = Piece::page_family();
        family.track(Track::All);
        let _held: Vec<_> = (0..10_u64).map(Box::new).collect();
        let live = family.profile().live_units;
        family.set_soft_limit(Limit::units(live + 1), |family: &'static PageFamily| {
            drop(std::hint::black_box(family.profile()));
        });
        // SAFETY: no handler is asked for: a child that hangs is ended.
        unsafe { libc::alarm(5) };
        for _ in 0..20 {
            drop(std::hint::black_box(family.profile()));
        }
        family.clear_soft_limit();
        ON.store(false, Relaxed);
        std::process::exit(0);
    }
}

/// The sites of what boxes hold, with stacks.
fn site() -> mm::CallSite {
    mm::record_backtraces(16);
    Piece::page_family().track(Track::All);
    let held: Vec<_> = (0..10_u64).map(Box::new).collect();
    let mut profile = Piece::page_family().profile();
    drop(held);
    profile.sites.pop().expect("boxes were recorded")
}

/// A look-up of symbols holds a lock, and has a cache that is half changed.
#[test]
fn a_soft_limit_is_not_told_in_a_look_up_of_symbols() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if child("a_soft_limit_is_not_told_in_a_look_up_of_symbols") {
        begin();
        let (site, family) = (site(), Piece::page_family());
        family.track(Track::Off);
        let live = family.profile().live_units;
        family.set_soft_limit(Limit::units(live + 1), |_| {
            let stack = std::backtrace::Backtrace::force_capture().to_string();
            if stack.contains("backtrace::symbolize") {
                std::process::abort();
            }
            TOLD.store(true, Relaxed);
        });
        let frames = site.backtrace();
        drop(std::hint::black_box(Box::new(1_u64)));
        family.clear_soft_limit();
        assert!(TOLD.load(Relaxed) && !frames.is_empty());
        ON.store(false, Relaxed);
        std::process::exit(0);
    }
}

/// A child has no thread that would end the look-up.
#[test]
fn a_fork_waits_for_a_look_up_of_symbols() {
    if child("a_fork_waits_for_a_look_up_of_symbols") {
        begin();
        let site = site();
        ON.store(false, Relaxed);
        let of_thread = site.clone();
        let thread = thread::spawn(move || {
            IS_SLOW.set(true);
            of_thread.backtrace().len()
        });
        while !IS_ASLEEP.load(Relaxed) {
            thread::yield_now();
        }
        let forked = mm_tests::in_a_child(|| i32::from(site.backtrace().is_empty()));
        assert!(forked.success(), "{forked}");
        assert!(thread.join().expect("no panic") > 0);
        std::process::exit(0);
    }
}
