//! A mutex that looks like the one of `std`, and lets `loom` choose the next thread.

use core::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError};

use super::execution::lock_at;

#[derive(Debug)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

/// The value comes before the turn, because fields are dropped in this order.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    value: sync::MutexGuard<'a, T>,
    _turn: Option<loom::sync::MutexGuard<'static, ()>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    #[allow(clippy::unnecessary_wraps, reason = "as the one of `std`")]
    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let turn = lock_at((&raw const self.0).addr());
        // This lock never waits, because this thread has the turn.
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(MutexGuard { value, _turn: turn })
    }

    pub(crate) fn try_lock(&self) -> sync::TryLockResult<sync::MutexGuard<'_, T>> {
        self.0.try_lock()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
