//! The state that the watcher's thread and its handle share.

use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::growing::GrowingFamily;
use super::site_growth::GrowingSite;

/// How long the handle waits for user code, such as the callback. User code may itself wait for the thread
/// that drops the handle.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shared state behind a lock.
///
/// Neither side allocates while it holds the lock. The global allocator may be built on mm, so that an
/// allocation may call user code, and that may read the watch.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    activity: Activity,
    /// User code ran on the thread, and may have left thread-locals with destructors.
    ran_user_code: bool,
    /// The named families, in the order in which they were named.
    growing: Vec<GrowingFamily>,
    /// The named call sites of untyped memory, in the order in which they were named.
    sites: Vec<GrowingSite>,
}

/// What the thread does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    /// It runs the watcher's own code, or sleeps between samples.
    #[default]
    Working,
    /// It runs user code, or writes to standard error. Either may block for an unknown time.
    MayBlock,
    /// It has finished its work.
    Finished,
}

impl Shared {
    /// Makes the state of a thread that works and has named no family.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Copies the list of named families.
    pub(super) fn growing(&self) -> Vec<GrowingFamily> {
        self.copy_of(|state| &state.growing)
    }

    /// Copies the list of named call sites.
    pub(super) fn growing_sites(&self) -> Vec<GrowingSite> {
        self.copy_of(|state| &state.sites)
    }

    fn copy_of<T: Copy>(&self, list: impl Fn(&State) -> &Vec<T>) -> Vec<T> {
        let mut copy = Vec::new();
        loop {
            let needed = {
                let state = self.lock();
                let list = list(&state);
                if list.len() <= copy.capacity() {
                    copy.extend_from_slice(list);
                    return copy;
                }
                list.len()
            };
            copy.reserve(needed);
        }
    }

    /// Changes the list of named families. Only the thread may call it: a change by another thread
    /// meanwhile would be lost.
    pub(super) fn update(&self, change: impl FnOnce(&mut Vec<GrowingFamily>)) {
        let mut growing = self.growing();
        change(&mut growing);
        let before = core::mem::replace(&mut self.lock().growing, growing);
        drop(before);
    }

    /// Changes the list of named call sites, as [`update`](Self::update) does.
    pub(super) fn update_sites(&self, change: impl FnOnce(&mut Vec<GrowingSite>)) {
        let mut sites = self.growing_sites();
        change(&mut sites);
        let before = core::mem::replace(&mut self.lock().sites, sites);
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

    /// Sleeps until `then`, or until the thread is asked to end. Returns whether it should go on.
    pub(super) fn sleep_until(&self, then: Instant) -> bool {
        let time = then.saturating_duration_since(Instant::now());
        let sleeps = |state: &mut State| !state.is_stopped;
        let slept = self.changed.wait_timeout_while(self.lock(), time, sleeps);
        let (state, _) = slept.unwrap_or_else(PoisonError::into_inner);
        !state.is_stopped
    }

    /// Calls `f`, which is user code.
    pub(super) fn run_user_code<R>(&self, f: impl FnOnce() -> R) -> R {
        self.change(|state| state.ran_user_code = true);
        self.run_blocking(f)
    }

    /// Calls `f`, which may block for an unknown time.
    pub(super) fn run_blocking<R>(&self, f: impl FnOnce() -> R) -> R {
        self.change(|state| state.activity = Activity::MayBlock);
        let answer = f();
        self.change(|state| state.activity = Activity::Working);
        answer
    }

    /// Notes that the thread has finished its work.
    pub(super) fn finish(&self) {
        self.change(|state| state.activity = Activity::Finished);
    }

    /// Waits until the thread has finished its work, or has run code that may block for too long.
    ///
    /// Returns whether joining the thread cannot block. If the answer is no, the thread ends by itself: it
    /// may still have user code to run, if only the destructors of thread-locals.
    pub(super) fn wait_until_joinable(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            state = match state.activity {
                Activity::Finished => return !state.ran_user_code,
                Activity::MayBlock if left.is_zero() => return false,
                Activity::MayBlock => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Activity::Working => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Takes the lock. No code panics while it holds it, so that a poisoned state is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
