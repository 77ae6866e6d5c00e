//! A mutex that can be held across a fork.

use core::cell::UnsafeCell;
use std::sync::PoisonError;

#[cfg(mm_tsan)]
use super::seen as mutex;
#[cfg(not(mm_tsan))]
use crate::sync as mutex;

use mutex::Mutex;
pub(crate) use mutex::MutexGuard;

#[cfg(mm_tsan)]
pub(crate) use super::seen::OnceLock;
#[cfg(not(mm_tsan))]
pub(crate) use std::sync::OnceLock;

/// A mutex for what nothing panics half-way through a change of.
///
/// # Invariants
///
/// 1. Only who has the mutex touches `held`.
#[derive(Debug)]
pub(crate) struct Lock<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: as a mutex. Who can move the lock finds no guard: those are only in locks that are
// borrowed for ever.
unsafe impl<T: Send> Send for Lock<T> {}

// SAFETY: as a mutex. A guard stays with the thread that locked: see `hold`.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            mutex: Mutex::new(value),
            held: UnsafeCell::new(None),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        super::section::expect_none("a lock");
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks until [`let_go`](Self::let_go), so that the value is whole in a forked child.
    pub(crate) fn hold(&'static self) {
        let guard = self.lock();
        // SAFETY: invariant 1, and nobody has a reference.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// Ends what [`hold`](Self::hold) began.
    ///
    /// # Safety
    ///
    /// The calling thread called `hold` before, or is the copy in a child of the one that did.
    pub(crate) unsafe fn let_go(&'static self) {
        // SAFETY: invariant 1: the calling thread has the mutex.
        let held = unsafe { &mut *self.held.get() };
        // The place is empty again before the mutex is free.
        let guard = held.take();
        drop(guard);
    }

    /// Lends the value to `change` between [`hold`](Self::hold) and [`let_go`](Self::let_go).
    ///
    /// # Safety
    ///
    /// As for `let_go`, and `change` does not use this lock.
    pub(crate) unsafe fn with_held(&'static self, change: impl FnOnce(&mut T)) {
        // SAFETY: invariant 1: the calling thread has the mutex.
        let held = unsafe { &mut *self.held.get() };
        if let Some(value) = held {
            change(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_locks_keep_others_out() {
        static LOCK: Lock<u32> = Lock::new(1);
        LOCK.hold();
        assert!(LOCK.mutex.try_lock().is_err());
        // SAFETY: held above.
        unsafe { LOCK.with_held(|value| *value += 1) };
        // SAFETY: held above.
        unsafe { LOCK.let_go() };
        assert_eq!(*LOCK.lock(), 2);
    }
}
