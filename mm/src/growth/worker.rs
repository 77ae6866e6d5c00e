//! The watcher's thread.

use core::fmt;
use core::time::Duration;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Growth;
use super::judge::Judge;
use super::named::Named;
use super::suspect::{Change, Rise};
use super::tracking::Tracking;
use crate::events;
use crate::family::{self, PageFamily};

/// What the user does with a family that is named.
pub(super) type OnGrowth = Box<dyn FnMut(&Growth) + Send>;

/// What the thread and the handle share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    named: Vec<Named>,
}

impl Shared {
    /// Makes one that goes on, with nobody named.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            stopped: Condvar::new(),
        }
    }

    /// Copies who is named.
    pub(super) fn named(&self) -> Vec<Named> {
        self.lock().named.clone()
    }

    /// Asks the thread to end.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.stopped.notify_all();
    }

    /// Waits until `then`; whether the thread is to go on.
    fn wait(&self, then: Instant) -> bool {
        let time = then.saturating_duration_since(Instant::now());
        let waits = |state: &mut State| !state.is_stopped;
        let waited = self.stopped.wait_timeout_while(self.lock(), time, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.is_stopped
    }

    /// Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread owns.
pub(super) struct Worker {
    shared: Arc<Shared>,
    judge: Judge,
    tracking: Tracking,
    on_growth: Option<OnGrowth>,
}

impl Worker {
    /// Gathers it.
    pub(super) fn new(
        shared: Arc<Shared>,
        settled: Duration,
        is_tracking: bool,
        on_growth: Option<OnGrowth>,
    ) -> Self {
        Self {
            shared,
            judge: Judge::new(settled),
            tracking: Tracking::new(is_tracking),
            on_growth,
        }
    }

    /// Takes a sample now and then, until it is asked to end.
    pub(super) fn run(mut self, started: Instant, every: Duration) {
        let mut next = started;
        while self.shared.wait(next) {
            self.look(started);
            // What was missed, as the machine was busy or asleep, is not made up for.
            next = (next + every).max(Instant::now());
        }
    }

    /// Takes a sample, and says what it changed.
    fn look(&mut self, started: Instant) {
        let now = started.elapsed();
        let sample = family::listed().map(|family| (family.number(), family.live_units()));
        for (number, change) in self.judge.observe(now, sample) {
            if let Some(family) = numbered(number) {
                self.change(family, change, now);
            }
        }
    }

    fn change(&mut self, family: &'static PageFamily, change: Change, now: Duration) {
        match change {
            Change::Suspected => self.tracking.suspect(family),
            Change::Named(rise) => {
                self.tracking.begin(family);
                self.name(Named { family, rise }, now);
            }
            Change::Measured(rise) => self.measure(family, rise),
            Change::Over => {
                self.tracking.end(family);
                self.shared.lock().named.retain(|named| !is(named, family));
            }
        }
    }

    /// Puts a family among the named, and says so. No lock is held while the user's code runs.
    fn name(&mut self, named: Named, now: Duration) {
        self.shared.lock().named.push(named);
        let growth = named.growth(now);
        events::growth(&growth);
        let Some(on_growth) = &mut self.on_growth else {
            return say(format_args!("{growth}"));
        };
        let told = panic::catch_unwind(AssertUnwindSafe(|| on_growth(&growth)));
        if told.is_err() {
            // Who knows in what state it left what it owns.
            self.on_growth = None;
            say(format_args!(
                "the callback of the watcher panicked, and is not called again: {growth}"
            ));
        }
    }

    fn measure(&self, family: &'static PageFamily, rise: Rise) {
        let mut state = self.shared.lock();
        let ours = state.named.iter_mut().find(|named| is(named, family));
        ours.into_iter().for_each(|named| named.rise = rise);
    }
}

/// The listed family of this number.
fn numbered(number: usize) -> Option<&'static PageFamily> {
    family::listed().find(|family| family.number() == number)
}

fn is(named: &Named, family: &PageFamily) -> bool {
    core::ptr::eq(named.family, family)
}

/// Writes a line to standard error. Nobody hears of it if that is closed.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "mm: {line}");
}
