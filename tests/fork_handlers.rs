//! A program whose own fork handlers use mm: those that it asks for in `main`, and those that it asked
//! for before that. Alone in its process: it has to be the first to ask for handlers.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mm::{MmBox, MmManaged};
use mm_tests::in_a_child;

#[derive(MmManaged)]
struct Entry([u64; 8]);

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// More than a cache holds, so that locks are taken.
extern "C" fn use_mm() {
    let entries: Vec<_> = (0..3_000).map(|_| MmBox::new(Entry([7; 8]))).collect();
    assert!(entries.iter().all(|entry| entry.0 == [7; 8]));
    CALLS.fetch_add(1, Relaxed);
}

fn ask_for_handlers() {
    // SAFETY: the handlers do nothing that a forked child may not do: see the module's head.
    let asked = unsafe { libc::pthread_atfork(Some(use_mm), Some(use_mm), Some(use_mm)) };
    assert_eq!(asked, 0);
}

/// Linkers put what runs at a program's start in the order of their arguments, where a program comes
/// before its libraries.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: the section is an array of functions of this type, which are called once each.
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = {
    extern "C" fn at_start() {
        ask_for_handlers();
    }
    at_start
};

#[test]
fn handlers_may_allocate_before_and_after_a_fork() {
    ask_for_handlers();
    let asked = if cfg!(target_os = "linux") { 2 } else { 1 };
    // By this test, then before and after the fork by each of the two.
    let calls = 1 + 2 * asked;
    // Ends the test if it hangs.
    // SAFETY: no handler is asked for.
    unsafe { libc::alarm(20) };
    use_mm();
    let status = in_a_child(|| i32::from(mm::check().is_err() || CALLS.load(Relaxed) != calls));
    assert!(status.success(), "{status}");
    // SAFETY: nothing to be careful about.
    unsafe { libc::alarm(0) };
    assert_eq!(CALLS.load(Relaxed), calls);
    mm::check().expect("the walker finds the same");
}
