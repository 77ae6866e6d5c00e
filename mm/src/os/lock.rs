//! A mutex that can be held across a fork.

use core::cell::UnsafeCell;
use std::sync::PoisonError;

#[cfg(mm_tsan)]
use super::tsan as mutex;
#[cfg(not(mm_tsan))]
use crate::sync as mutex;

use mutex::Mutex;
pub(crate) use mutex::MutexGuard;

#[cfg(mm_tsan)]
pub(crate) use super::tsan::OnceLock;
#[cfg(not(mm_tsan))]
pub(crate) use std::sync::OnceLock;

/// A mutex for a value that no panic can leave half-changed.
///
/// # Invariants
///
/// 1. Only the thread that has the mutex touches `held`.
/// 2. `held` is `None`, unless the lock is borrowed for ever: `lock_for_fork` borrows it so.
#[derive(Debug)]
pub(crate) struct Lock<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: the mutex sends its value, which is `Send`. A lock that can be moved is not borrowed, and so by
// invariant 2 has no guard, which would have to stay on its thread.
unsafe impl<T: Send> Send for Lock<T> {}

// SAFETY: the mutex lends its value, which is `Send`, to one thread at a time. By invariant 1 only the
// thread that has the mutex touches `held`, so that a guard stays with the thread that locked.
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

    /// Locks until [`unlock_after_fork`](Self::unlock_after_fork), so that the value is whole in a forked child.
    pub(crate) fn lock_for_fork(&'static self) {
        let guard = self.lock();
        // SAFETY: this thread has the mutex, so that by invariant 1 no other one touches `held`; and it has
        // no reference there, as it waited for the mutex.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// Ends what [`lock_for_fork`](Self::lock_for_fork) began.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called `lock_for_fork` before, or is the copy in a child of the one that did.
    pub(crate) unsafe fn unlock_after_fork(&'static self) {
        // SAFETY: by requirement 1 this thread has the mutex, so that by invariant 1 no other one touches
        // `held`. It has no other reference there either: what `with_held` calls does not use the lock.
        let held = unsafe { &mut *self.held.get() };
        // The place is empty again before the mutex is free.
        let guard = held.take();
        drop(guard);
    }

    /// Lends the value to `change` between [`lock_for_fork`](Self::lock_for_fork) and [`unlock_after_fork`](Self::unlock_after_fork).
    ///
    /// # Safety
    ///
    /// 1. The calling thread called `lock_for_fork` before, or is the copy in a child of the one that did.
    /// 2. `change` does not use this lock.
    pub(crate) unsafe fn with_held(&'static self, change: impl FnOnce(&mut T)) {
        // SAFETY: by requirement 1 this thread has the mutex, so that by invariant 1 no other one touches
        // `held`; by requirement 2 it makes no other reference there.
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
        LOCK.lock_for_fork();
        assert!(LOCK.mutex.try_lock().is_err());
        // SAFETY: `lock_for_fork` was called above, and the closure does not use the lock.
        unsafe { LOCK.with_held(|value| *value += 1) };
        // SAFETY: `lock_for_fork` was called above, and `with_held` has returned.
        unsafe { LOCK.unlock_after_fork() };
        assert_eq!(*LOCK.lock(), 2);
    }
}
