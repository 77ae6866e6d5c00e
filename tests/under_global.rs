//! mm under the global allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use mm::{Limit, MmManaged, PageFamily, Track};

#[derive(MmManaged)]
#[repr(align(16))]
struct Piece(#[allow(dead_code, reason = "it takes room")] [u8; 4096]);

struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

static ON: AtomicBool = AtomicBool::new(false);

fn is_mine(layout: Layout) -> bool {
    layout.size() <= 4096 && layout.align() <= 16
}

// SAFETY: small layouts lie in units of mm, which are large and aligned enough; all others, and what
// was made before, are the system's.
unsafe impl GlobalAlloc for Global {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mine(layout) && ON.load(Relaxed) {
            let made = Piece::page_family().alloc(1);
            return made.map_or(std::ptr::null_mut(), NonNull::as_ptr);
        }
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if is_mine(layout) && ON.load(Relaxed) {
            // SAFETY: nobody uses it any more; what is not mm's is refused.
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
    let first = Piece::page_family().alloc(1).expect("memory");
    // SAFETY: live and ours.
    unsafe { Piece::page_family().release(first) }.expect("live");
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
