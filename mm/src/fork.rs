//! What a fork does to mm: the child has all families, whole, and goes on as the parent does.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(target_os = "linux")]
use crate::os::environment;
use crate::os::{Inside, clock, forks, process};
use crate::{family, heap, profile, registry};

/// Looks at the environment before anybody can change it, and watches from the start of the program
/// on, or of the library that has this copy of mm. Handlers that a program asks for later run before
/// [`hold`] and after [`let_go`], and so may use mm.
///
/// Before what else runs at the start, and may ask for handlers: linkers put first what has a
/// number, the lowest first, of which those up to 100 are the compiler's (`ld`, `init_array`).
#[cfg(target_os = "linux")]
#[used]
// SAFETY: `init_array` is an array of functions of the type of `AT_START`, each of which the loader calls
// once.
#[unsafe(link_section = ".init_array.00101")]
static AT_START: extern "C" fn() = {
    extern "C" fn at_start() {
        // SAFETY: of the program itself no thread runs yet. Those that constructors of its libraries began
        // may not change the environment: `setenv` is not thread-safe (setenv(3)). In a library, where
        // other threads may, `note` does not look.
        unsafe { environment::at_start::note() };
        watch();
    }
    at_start
};

/// Has the process tell mm of its forks, once. Again at a family's first use, for linkers that
/// left the above out.
pub(crate) fn watch() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    // Not a `Once`: a child forked from the middle of one would wait for ever.
    if !WATCHED.load(Relaxed) && !WATCHED.swap(true, Relaxed) {
        // SAFETY: all that `let_go` and `take_over` require is that `hold` was called.
        unsafe { process::at_fork(hold, let_go, take_over) };
    }
}

/// Before a fork. In the order in which calls nest: symbols, names, the list, heaps, what heaps share.
extern "C" fn hold() {
    let _inside = Inside::enter();
    #[cfg(feature = "backtrace")]
    profile::LOOKING_UP.hold();
    #[cfg(feature = "capi")]
    registry::REGISTERING.hold();
    registry::BY_NAME.hold();
    family::LISTING.hold();
    family::listed().for_each(|family| family.heap.hold());
    heap::keep_out_owners(|| family::listed().map(|family| &family.heap));
    heap::hold_shared();
}

/// After a fork, in the parent.
///
/// # Safety
///
/// 1. The calling thread called [`hold`] before.
unsafe extern "C" fn let_go() {
    // SAFETY: by requirement 1 this thread called `hold`, which called `hold_shared`.
    unsafe { heap::let_go_shared() };
    // SAFETY: requirement 1 is that of `let_go_families`.
    unsafe { let_go_families() };
}

/// # Safety
///
/// 1. The calling thread called [`hold`], or is the copy in a child of the one that did.
unsafe fn let_go_families() {
    for family in family::listed() {
        // SAFETY: by requirement 1 `hold` held each family on the list, on this thread or on the one that
        // this is the copy of; the list did not grow, since its lock is held.
        unsafe { family.heap.let_go() };
    }
    // SAFETY: by requirement 1 `hold` locked it, on this thread or on the one that this is the copy of.
    unsafe { family::LISTING.let_go() };
    // SAFETY: by requirement 1 `hold` locked it, on this thread or on the one that this is the copy of.
    unsafe { registry::BY_NAME.let_go() };
    #[cfg(feature = "capi")]
    // SAFETY: by requirement 1 `hold` locked it, on this thread or on the one that this is the copy of.
    unsafe {
        registry::REGISTERING.let_go();
    }
    #[cfg(feature = "backtrace")]
    // SAFETY: by requirement 1 `hold` locked it, on this thread or on the one that this is the copy of.
    unsafe {
        profile::LOOKING_UP.let_go();
    }
}

/// After a fork, in the child.
///
/// # Safety
///
/// 1. The calling thread is the copy of the one that called [`hold`].
unsafe extern "C" fn take_over() {
    // Before: what is live now is the parent's.
    clock::take_over();
    profile::take_over();
    // SAFETY: by requirement 1 this is the copy of the thread that called `hold`, which called
    // `hold_shared`.
    unsafe { heap::let_go_shared() };
    forks::account();
    heap::from_start::take_over();
    for family in family::listed() {
        // SAFETY: by requirement 1 this is the copy of the thread that called `hold`, which held each
        // family on the list; the list did not grow, since its lock is held.
        unsafe { family.heap.take_over() };
    }
    // SAFETY: requirement 1 is that of `let_go_families`.
    unsafe { let_go_families() };
}
