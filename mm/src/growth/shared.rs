//! What the watcher's thread and its handle share.

use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::named::Named;

/// How long the handle waits for user code, such as the callback, which may itself wait for the thread
/// that drops the handle.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the two share. Nothing is allocated under its lock: the global allocator may be built on mm, and
/// call user code that reads the watch.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    at: At,
    /// The thread ran user code, whose thread-locals may have destructors.
    was_outside: bool,
    named: Vec<Named>,
}

/// Where the thread is.
#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    ReentrancyGuard,
    /// In user code, or writing to standard error, which may block as long as nothing reads it.
    Outside,
    /// It has finished its work.
    End,
}

/// How the thread ended when the handle waited for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has ended, and no user code runs on it.
    Over,
    /// It ends by itself.
    Later,
}

impl Shared {
    /// Makes the state of a running thread that has named no family.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Copies the list of named families.
    pub(super) fn named(&self) -> Vec<Named> {
        let mut copy = Vec::new();
        loop {
            let needed = {
                let state = self.lock();
                if state.named.len() <= copy.capacity() {
                    copy.extend_from_slice(&state.named);
                    return copy;
                }
                state.named.len()
            };
            copy.reserve(needed);
        }
    }

    /// Changes the list of named families; only the thread calls it.
    pub(super) fn rename(&self, change: impl FnOnce(&mut Vec<Named>)) {
        let mut named = self.named();
        change(&mut named);
        let before = core::mem::replace(&mut self.lock().named, named);
        drop(before);
    }

    /// Asks the thread to end.
    pub(super) fn stop(&self) {
        self.change(|state| state.is_stopped = true);
    }

    /// Whether the thread was asked to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Waits until `then`; returns whether the thread should go on.
    pub(super) fn wait(&self, then: Instant) -> bool {
        let time = then.saturating_duration_since(Instant::now());
        let waits = |state: &mut State| !state.is_stopped;
        let waited = self.changed.wait_timeout_while(self.lock(), time, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.is_stopped
    }

    /// Calls `f`, which is user code.
    pub(super) fn outside<R>(&self, f: impl FnOnce() -> R) -> R {
        self.change(|state| state.was_outside = true);
        self.unhurried(f)
    }

    /// Calls `f`, which may block for an unknown time.
    pub(super) fn unhurried<R>(&self, f: impl FnOnce() -> R) -> R {
        self.change(|state| state.at = At::Outside);
        let answer = f();
        self.change(|state| state.at = At::ReentrancyGuard);
        answer
    }

    /// Records that the thread has finished its work.
    pub(super) fn end(&self) {
        self.change(|state| state.at = At::End);
    }

    /// Waits until the thread has finished its work, or has been in user code for too long.
    pub(super) fn wait_for_end(&self) -> End {
        let until = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while state.at != At::End {
            let left = until.saturating_duration_since(Instant::now());
            let is_outside = state.at == At::Outside;
            if is_outside && left.is_zero() {
                return End::Later;
            }
            state = if is_outside {
                let waited = self.changed.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = self.changed.wait(state);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
        }
        if state.was_outside {
            End::Later
        } else {
            End::Over
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
