//! Where workers wait while figures are compared.

use parking_lot::{Condvar, Mutex};

/// A barrier that can be opened for good, with workers still on their way to it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    /// How often it was opened.
    openings: u64,
    is_open_for_good: bool,
}

impl Gate {
    /// Waits until a thread opens the gate.
    pub(crate) fn wait(&self) {
        let mut state = self.state.lock();
        let openings = state.openings;
        state.waiting += 1;
        self.changed.notify_all();
        let is_shut = |state: &mut State| !state.is_open_for_good && state.openings == openings;
        self.changed.wait_while(&mut state, is_shut);
    }

    /// Waits until `workers` of them wait; false if the gate was opened for good instead.
    pub(crate) fn wait_for(&self, workers: usize) -> bool {
        let are_missing = |state: &mut State| !state.is_open_for_good && state.waiting < workers;
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, are_missing);
        !state.is_open_for_good
    }

    /// Lets all go on that wait.
    pub(crate) fn open(&self) {
        let mut state = self.state.lock();
        state.waiting = 0;
        state.openings += 1;
        self.changed.notify_all();
    }

    /// Lets all go on, now and later.
    pub(crate) fn open_for_good(&self) {
        self.state.lock().is_open_for_good = true;
        self.changed.notify_all();
    }

    /// Whether it is open for good.
    pub(crate) fn is_open_for_good(&self) -> bool {
        self.state.lock().is_open_for_good
    }
}
