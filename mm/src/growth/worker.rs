//! The watcher's thread.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use super::Growth;
use super::judge::Judge;
use super::named::Named;
use super::shared::Shared;
use super::suspect::{Change, Rise};
use super::tracking::Tracking;
use crate::events;
use crate::family::{self, PageFamily};
use crate::os::process;
use crate::user_code::{self, Unfinished};

/// What the user does with a family that is named.
pub(super) type OnGrowth = Box<dyn FnMut(&Growth) + Send>;

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
    pub(super) fn run(self, started: Instant, every: Duration) {
        // Dropped last.
        let _ending = Ending(Arc::clone(&self.shared));
        let mut worker = self;
        let mut next = started;
        while worker.shared.wait(next) {
            worker.look(started);
            // Samples that were missed while the machine was busy or asleep are not made up for.
            next = (next + every).max(Instant::now());
        }
    }

    /// Takes a sample, and reports what it changed.
    fn look(&mut self, started: Instant) {
        let now = started.elapsed();
        let sample = family::listed().map(|family| (family.number(), family.live_units()));
        for (number, change) in self.judge.observe(now, sample) {
            // After the watch was ended, nothing more is reported.
            if self.shared.is_stopped() {
                return;
            }
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
                self.shared
                    .rename(|all| all.retain(|named| !is(named, family)));
            }
        }
    }

    /// Adds a family to the named ones, and reports it.
    fn name(&mut self, named: Named, now: Duration) {
        self.shared.rename(|all| all.push(named));
        let growth = named.growth(now);
        if self.on_growth.is_none() {
            self.say(format_args!("{growth}"));
        }
        if cfg!(feature = "tracing") {
            let (rate, units) = (growth.units_per_second, growth.live_units);
            self.shared
                .outside(|| events::growth(growth.name, rate, units, &growth));
        }
        self.call_back(&growth);
    }

    /// Calls the user's closure, if there is one.
    fn call_back(&mut self, growth: &Growth) {
        let Some(on_growth) = &mut self.on_growth else {
            return;
        };
        let call = || user_code::notify(|| on_growth(growth));
        if let Err(Unfinished::Panicked(panic)) = self.shared.outside(call) {
            self.say(format_args!(
                "the callback of the watcher panicked, and is not called again: {growth}"
            ));
            // The panic may have left its captures in any state.
            let broken = self.on_growth.take();
            self.shared.outside(|| {
                user_code::discard(panic);
                user_code::discard(broken);
            });
        }
    }

    /// Writes a line to standard error, or drops it if that is closed.
    fn say(&self, line: fmt::Arguments<'_>) {
        self.shared.unhurried(|| process::write_last_line(line));
    }

    fn measure(&self, family: &'static PageFamily, rise: Rise) {
        self.shared.rename(|all| {
            let ours = all.iter_mut().find(|named| is(named, family));
            ours.into_iter().for_each(|named| named.rise = rise);
        });
    }
}

impl Drop for Worker {
    /// Drops the user's closure last, while the handle knows that this may take long.
    fn drop(&mut self) {
        self.tracking = Tracking::new(false);
        if let Some(on_growth) = self.on_growth.take() {
            self.shared.outside(|| user_code::discard(on_growth));
        }
    }
}

/// Records the end of the thread's work, also after a panic.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The listed family of this number.
fn numbered(number: usize) -> Option<&'static PageFamily> {
    family::listed().find(|family| family.number() == number)
}

fn is(named: &Named, family: &PageFamily) -> bool {
    core::ptr::eq(named.family, family)
}
