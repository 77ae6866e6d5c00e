//! Std's mutex and its cell for one value, as ThreadSanitizer can follow them: with `--cfg mm_tsan`.
//!
//! The tool derives the order of threads from atomic operations in code that was compiled for it. The
//! precompiled std was not, so the tool cannot see what its mutex does when threads compete, and would
//! report all data under a lock as a race. So each unlock here stores to an atomic that the next lock
//! loads. (With a std built for the tool this is not needed.)

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::sync::{LockResult, PoisonError};

/// As std's.
#[derive(Debug)]
pub(crate) struct Mutex<T> {
    inner: std::sync::Mutex<T>,
    unlocked: AtomicBool,
}

/// As std's.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    // Dropped after the store that announces the unlock.
    inner: std::sync::MutexGuard<'a, T>,
    unlocked: &'a AtomicBool,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            inner: std::sync::Mutex::new(value),
            unlocked: AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let locked = self.inner.lock();
        self.unlocked.load(Acquire);
        let unlocked = &self.unlocked;
        match locked {
            Ok(inner) => Ok(MutexGuard { inner, unlocked }),
            Err(poisoned) => {
                let inner = poisoned.into_inner();
                Err(PoisonError::new(MutexGuard { inner, unlocked }))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn try_lock(&self) -> std::sync::TryLockResult<std::sync::MutexGuard<'_, T>> {
        self.inner.try_lock()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.unlocked.store(true, Release);
    }
}

/// As std's.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    inner: std::sync::OnceLock<T>,
    is_there: AtomicBool,
    making: Mutex<()>,
}

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self {
            inner: std::sync::OnceLock::new(),
            is_there: AtomicBool::new(false),
            making: Mutex::new(()),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        let is_there = self.is_there.load(Acquire);
        is_there.then(|| self.inner.get()).flatten()
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let _making = self.making.lock();
        let value = self.inner.get_or_init(make);
        self.is_there.store(true, Release);
        value
    }
}
