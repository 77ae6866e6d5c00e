//! What a fork does to heaps.
//!
//! The forking thread holds all locks meanwhile, so no other thread is in the middle of a change under a lock.
//! The child has only that thread. The units in the caches of the other threads go back to the maps there. The
//! kernel copies the memory of each cache as of one moment, and a cache is consistent after every store of its
//! thread: at worst it lacks units that were on their way in or out. Those stay live in the child, as part of a
//! call that never ends.

use crate::heap::family::cache::{CacheRecord, thread};
use crate::heap::family::central::Central;
use crate::heap::family::{Heap, cache, retire};
use crate::heap::ground::hardening::Contents;
use crate::heap::ground::{RECORDS, Random, SPARSE};
use crate::heap::pages::{SPACE, huge};
use crate::heap::tracking::{names, recording, request};
use crate::os::annotate;

/// Takes the locks that all heaps share, after those of the heaps.
pub(crate) fn lock_shared_for_fork() {
    thread::lock_for_fork();
    names::lock_for_fork();
    recording::lock_for_fork();
    cache::lock_for_fork();
    SPACE.lock_for_fork();
    RECORDS.lock_for_fork();
    SPARSE.lock_for_fork();
    huge::lock_for_fork();
    annotate::lock_for_fork();
}

/// Waits until no other thread works in its own words of any of the heaps.
///
/// # Safety
///
/// 1. This thread called [`lock_for_fork`](Heap::lock_for_fork) of each heap that `heaps` gives, and has not
///    unlocked it since.
pub(crate) unsafe fn keep_out_owners<I: Iterator<Item = &'static Heap>>(heaps: impl Fn() -> I) {
    // SAFETY: by requirement 1 this thread holds the locks of all `heaps`.
    if heaps().any(|heap| unsafe { heap.has_others() }) {
        cache::barrier_at_any_cost();
        // SAFETY: by requirement 1 this thread holds the locks of all `heaps`.
        heaps().for_each(|heap| unsafe { heap.wait_for_owners() });
    }
}

/// Releases the locks that [`lock_shared_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called it, or is the copy in a child of the one that did.
pub(crate) unsafe fn unlock_shared_after_fork() {
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `annotate`,
    // too.
    unsafe { annotate::unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `huge`, too.
    unsafe { huge::unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked `SPARSE`, too.
    unsafe { SPARSE.unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked `RECORDS`, too.
    unsafe { RECORDS.unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked `SPACE`, too.
    unsafe { SPACE.unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `cache`,
    // too.
    unsafe { cache::unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `recording`,
    // too.
    unsafe { recording::unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `names`,
    // too.
    unsafe { names::unlock_after_fork() };
    // SAFETY: by requirement 1 this thread called `lock_shared_for_fork`, which locked those of `thread`,
    // too.
    unsafe { thread::unlock_after_fork() };
}

impl Heap {
    /// Takes the heap's lock before a fork. [`wait_for_owners`](Self::wait_for_owners) then keeps out threads
    /// that work in their own words.
    pub(crate) fn lock_for_fork(&'static self) {
        self.central.lock_for_fork();
        let want = |central: &mut Central| central.caches.iter().for_each(CacheRecord::want);
        // SAFETY: this thread called `lock_for_fork` of the same lock two lines above. `want` uses no lock
        // of a heap.
        unsafe { self.central.with_held(want) };
    }

    /// Whether other threads have caches.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called [`lock_for_fork`](Self::lock_for_fork), and has not unlocked since.
    unsafe fn has_others(&'static self) -> bool {
        let mut any = false;
        let look = |central: &mut Central| {
            any = central.caches.iter().any(|cache| !thread::is_own(cache));
        };
        // SAFETY: by requirement 1 this thread holds the lock. `look` does not use it.
        unsafe { self.central.with_held(look) };
        any
    }

    /// Waits until no other thread works in its own words.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called [`lock_for_fork`](Self::lock_for_fork), and has not unlocked since.
    unsafe fn wait_for_owners(&'static self) {
        let wait = |central: &mut Central| {
            let others = central.caches.iter().filter(|cache| !thread::is_own(cache));
            others.for_each(CacheRecord::wait_until_at_rest);
        };
        // SAFETY: by requirement 1 this thread holds the lock. `wait` does not use it.
        unsafe { self.central.with_held(wait) };
    }

    /// Releases the lock that [`lock_for_fork`](Self::lock_for_fork) took.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called it, or is the copy in a child of the one that did.
    pub(crate) unsafe fn unlock_after_fork(&'static self) {
        let end = |central: &mut Central| central.caches.iter().for_each(CacheRecord::end_wanted);
        // SAFETY: by requirement 1 this thread holds the lock. `end` does not use it.
        unsafe { self.central.with_held(end) };
        // SAFETY: by requirement 1 this thread holds the lock, which `lock_for_fork` locked.
        unsafe { self.central.unlock_after_fork() };
    }

    /// Takes back the caches of threads that a child does not have, and makes the rest the child's.
    ///
    /// # Safety
    ///
    /// 1. The calling thread is the copy, in a child, of the one that called
    ///    [`lock_for_fork`](Self::lock_for_fork).
    pub(crate) unsafe fn adopt_in_child(&'static self) {
        let adopt = |central: &mut Central| {
            central.adopt_in_child(self.contents());
            self.account_uncached(central);
        };
        // SAFETY: by requirement 1 this thread holds the lock. `adopt` does not use it: it gets what the
        // lock holds.
        unsafe { self.central.with_held(adopt) };
    }
}

impl Central {
    fn adopt_in_child(&mut self, contents: Contents) {
        self.take_back_caches();
        self.random = Random::new();
        // The scopes of other threads never end here.
        self.uncached_for.tracking.scopes = request::scopes_begun(contents);
        self.account_inherited();
        self.forget_unwanted();
    }

    fn take_back_caches(&mut self) {
        let mut had_rows = false;
        self.caches.iter().for_each(CacheRecord::forget_sections);
        while let Some(cache) = self.caches.iter().find(|cache| !thread::is_own(cache)) {
            had_rows |= cache.rows().is_some();
            cache.flush_units();
            retire(self, cache);
            cache.abandon();
        }
        if had_rows {
            self.count_slack();
        }
        self.account_unfinished();
    }
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;
    use std::sync::mpsc;
    use std::thread::{park, spawn};

    use super::*;
    use crate::heap::CacheCell;

    #[test]
    fn a_unit_that_a_vanished_thread_was_taking_stays_live() {
        static HEAP: Heap = Heap::new(Layout::new::<[u64; 4]>());
        let (taken, wait) = mpsc::channel();
        // This thread stands for one that a child does not have: it never runs again.
        spawn(move || {
            let cell: &CacheCell = Box::leak(Box::default());
            let here = core::panic::Location::caller();
            let live: Vec<_> = (0..100).map(|_| HEAP.alloc(cell, 1, &here)).collect();
            let cache = cell.cache().expect("opened");
            cache.take_without_count();
            taken.send(live.len()).expect("the test waits");
            loop {
                park();
            }
        });
        assert_eq!(wait.recv(), Ok(100));
        HEAP.central().take_back_caches();
        HEAP.check().expect("the walker finds the same");
        let figures = HEAP.figures();
        assert_eq!((figures.live_blocks, figures.blocks_allocated), (101, 101));
    }
}
