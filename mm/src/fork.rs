//! Fork handlers: the child gets all families in a consistent state, and can use mm as the parent does.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(target_os = "linux")]
use crate::os::environment;
use crate::os::{ReentrancyGuard, clock, forks, process};
use crate::{family, heap, profile, registry, sampling};

/// Reads the environment before the program can change it, and installs the fork handlers, at the start
/// of the program or of the library that contains this copy of mm. Handlers that a program installs later
/// run before [`lock_for_fork`] and after [`unlock_after_fork`], so they may use mm.
///
/// It runs before other initialisers, which may install handlers: linkers put numbered sections first,
/// the lowest number first; those up to 100 are reserved for the compiler (`ld`, `init_array`).
#[cfg(target_os = "linux")]
#[used]
// SAFETY: `init_array` is an array of functions of the type of `AT_START`. The loader calls each of them
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

/// Installs the fork handlers, once. It is called again at a family's first use, in case the linker
/// left the initialiser above out.
pub(crate) fn watch() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    // Not a `Once`: a child forked from the middle of one would wait for ever.
    if !WATCHED.load(Relaxed) && !WATCHED.swap(true, Relaxed) {
        // SAFETY: all that `unlock_after_fork` and `adopt_in_child` require is that `lock_for_fork` was
        // called.
        unsafe { process::at_fork(lock_for_fork, unlock_after_fork, adopt_in_child) };
    }
}

/// Takes all locks before a fork, in the order in which calls nest: symbols, names, the list, heaps,
/// state that heaps share.
extern "C" fn lock_for_fork() {
    // First: a thread that prepares for a walk may wait for any of the locks.
    sampling::keep_out_walks();
    let _inside = ReentrancyGuard::enter();
    #[cfg(feature = "backtrace")]
    profile::LOOKING_UP.lock_for_fork();
    #[cfg(feature = "capi")]
    registry::REGISTERING.lock_for_fork();
    registry::BY_NAME.lock_for_fork();
    family::LISTING.lock_for_fork();
    sampling::lock_for_fork();
    family::listed().for_each(|family| family.heap.lock_for_fork());
    // SAFETY: the line above called `lock_for_fork` of each family that is `listed`, and the lock `LISTING`
    // keeps the list as it is.
    unsafe { heap::keep_out_owners(|| family::listed().map(|family| &family.heap)) };
    heap::lock_shared_for_fork();
}

/// Releases the locks after a fork, in the parent.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before.
unsafe extern "C" fn unlock_after_fork() {
    // SAFETY: by requirement 1 this thread called `lock_for_fork`, which called `lock_shared_for_fork`.
    unsafe { heap::unlock_shared_after_fork() };
    // SAFETY: requirement 1 is that of `unlock_families_after_fork`.
    unsafe { unlock_families_after_fork() };
}

/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`], or is the copy in a child of the one that did.
unsafe fn unlock_families_after_fork() {
    for family in family::listed() {
        // SAFETY: by requirement 1 `lock_for_fork` held each family on the list, on this thread or on the one
        // that this is the copy of; the list did not grow, since its lock is held.
        unsafe { family.heap.unlock_after_fork() };
    }
    // SAFETY: by requirement 1 this thread, or the one that this is the copy of, called `lock_for_fork`, which called
    // that of `sampling`.
    unsafe { sampling::unlock_after_fork() };
    // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
    // of.
    unsafe { family::LISTING.unlock_after_fork() };
    // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
    // of.
    unsafe { registry::BY_NAME.unlock_after_fork() };
    #[cfg(feature = "capi")]
    // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
    // of.
    unsafe {
        registry::REGISTERING.unlock_after_fork();
    }
    #[cfg(feature = "backtrace")]
    // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
    // of.
    unsafe {
        profile::LOOKING_UP.unlock_after_fork();
    }
}

/// Releases the locks after a fork, in the child, and adopts the parent's memory.
///
/// # Safety
///
/// 1. The calling thread is the copy of the one that called [`lock_for_fork`].
unsafe extern "C" fn adopt_in_child() {
    // First: all blocks that are live now were allocated by the parent.
    clock::adopt_in_child();
    profile::adopt_in_child();
    // SAFETY: by requirement 1 this is the copy of the thread that called `lock_for_fork`, which called
    // `lock_shared_for_fork`.
    unsafe { heap::unlock_shared_after_fork() };
    forks::account();
    heap::from_start::adopt_in_child();
    sampling::adopt_in_child();
    for family in family::listed() {
        // SAFETY: by requirement 1 this is the copy of the thread that called `lock_for_fork`, which held
        // each family on the list; the list did not grow, since its lock is held.
        unsafe { family.heap.adopt_in_child() };
    }
    // SAFETY: requirement 1 is that of `unlock_families_after_fork`.
    unsafe { unlock_families_after_fork() };
}
