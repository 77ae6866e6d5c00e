//! A mutex with the interface of `std`'s. `loom` chooses the thread that gets it next.

use core::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError};

use super::execution::lock_at;

#[derive(Debug)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

/// The fields are dropped in order: the value's lock before `loom`'s.
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
        // This does not wait: only the thread that has the turn locks the value.
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
