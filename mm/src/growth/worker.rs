//! The watcher's thread: takes samples, asks the detector, and reports.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use super::Growth;
use super::detector::{Change, Detector, Rise};
use super::growing::GrowingFamily;
use super::shared::Shared;
use super::site_growth::{GrowingSite, SiteGrowth};
use super::sites::Sites;
use super::staying;
use super::tracking::Tracking;
use crate::events;
use crate::family::{self, PageFamily};
use crate::os::process;
use crate::user_code::{self, Unfinished};

/// A callback of the user.
pub(super) type Callback<T> = Box<dyn FnMut(&T) + Send>;

/// What the user wants to be called, if anything.
#[derive(Default)]
pub(super) struct Callbacks {
    pub(super) on_growth: Option<Callback<Growth>>,
    pub(super) on_site_growth: Option<Callback<SiteGrowth>>,
}

/// The state of the thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    detector: Detector,
    sites: Sites,
    tracking: Tracking,
    callbacks: Callbacks,
}

impl Worker {
    /// Makes the state for [`run`](Self::run). No family is named before `settled`.
    pub(super) fn new(
        shared: Arc<Shared>,
        settled: Duration,
        is_tracking: bool,
        callbacks: Callbacks,
    ) -> Self {
        Self {
            shared,
            detector: Detector::new(settled),
            sites: Sites::new(settled),
            tracking: Tracking::new(is_tracking),
            callbacks,
        }
    }

    /// Takes a sample at each interval, until the handle asks the thread to end.
    pub(super) fn run(self, started: Instant, interval: Duration) {
        // Declared first, so that it is dropped after the worker.
        let _ending = Ending(Arc::clone(&self.shared));
        let mut worker = self;
        let mut next = started;
        while worker.shared.sleep_until(next) {
            worker.sample(started);
            // Samples that were missed while the machine was busy or asleep are not made up for.
            next = (next + interval).max(Instant::now());
        }
    }

    /// Takes a sample, and handles what it changed.
    fn sample(&mut self, started: Instant) {
        let now = started.elapsed();
        let sample = family::listed().map(|family| (family.number(), family.live_units()));
        for (number, change) in self.detector.observe(now, sample) {
            // Once the watch has ended, no more families are reported.
            if self.shared.is_stopped() {
                return;
            }
            if let Some(family) = with_number(number) {
                self.handle(family, change, now);
            }
        }
        for (site, change) in self.sites.observe(now) {
            if self.shared.is_stopped() {
                return;
            }
            self.handle_site(site, change, now);
        }
    }

    fn handle_site(&mut self, mut site: GrowingSite, change: staying::Change, now: Duration) {
        let is = |other: &GrowingSite| other.number == site.number;
        match change {
            staying::Change::Named(growing) => {
                site.growing = Some(growing);
                self.name_site(site, now);
            }
            staying::Change::Measured(growing) => {
                site.growing = Some(growing);
                self.shared.update_sites(|all| {
                    all.iter_mut()
                        .filter(|other| is(other))
                        .for_each(|other| *other = site);
                });
            }
            staying::Change::Over => self
                .shared
                .update_sites(|all| all.retain(|other| !is(other))),
        }
    }

    /// Adds a call site to the list of named ones, and reports it, as [`name`](Self::name) does.
    fn name_site(&mut self, site: GrowingSite, now: Duration) {
        self.shared.update_sites(|all| all.push(site));
        let growth = site.growth(now);
        if self.callbacks.on_site_growth.is_none() {
            self.write_line(format_args!("{growth}"));
        }
        if cfg!(feature = "tracing") {
            self.shared.run_user_code(|| {
                events::site_growth(&growth.site, growth.bytes_per_second, &growth);
            });
        }
        call_back(&self.shared, &mut self.callbacks.on_site_growth, &growth);
    }

    fn handle(&mut self, family: &'static PageFamily, change: Change, now: Duration) {
        match change {
            Change::Suspected => self.tracking.begin_suspect(family),
            Change::Named(rise) => {
                self.tracking.begin(family);
                self.name(GrowingFamily { family, rise }, now);
            }
            Change::Measured(rise) => self.set_rise(family, rise),
            Change::Over => {
                self.tracking.end(family);
                self.shared
                    .update(|all| all.retain(|growing| !is(growing, family)));
            }
        }
    }

    /// Adds a family to the list of named ones, and reports it: by the callback or a line on standard error,
    /// and to subscribers of `tracing`.
    fn name(&mut self, growing: GrowingFamily, now: Duration) {
        self.shared.update(|all| all.push(growing));
        let growth = growing.growth(now);
        if self.callbacks.on_growth.is_none() {
            self.write_line(format_args!("{growth}"));
        }
        if cfg!(feature = "tracing") {
            let (rate, units) = (growth.units_per_second, growth.live_units);
            self.shared
                .run_user_code(|| events::growth(growth.name, rate, units, &growth));
        }
        call_back(&self.shared, &mut self.callbacks.on_growth, &growth);
    }

    fn write_line(&self, line: fmt::Arguments<'_>) {
        write_line(&self.shared, line);
    }

    /// Sets the rise of a named family.
    fn set_rise(&self, family: &'static PageFamily, rise: Rise) {
        self.shared.update(|all| {
            let ours = all.iter_mut().find(|growing| is(growing, family));
            ours.into_iter().for_each(|growing| growing.rise = rise);
        });
    }
}

impl Drop for Worker {
    /// Ends the tracking, and drops the user's callback last. Its destructor is user code, so the handle has
    /// to know about it.
    fn drop(&mut self) {
        self.tracking = Tracking::new(false);
        let callbacks = core::mem::take(&mut self.callbacks);
        if callbacks.on_growth.is_some() || callbacks.on_site_growth.is_some() {
            self.shared.run_user_code(|| {
                user_code::discard(callbacks.on_growth);
                user_code::discard(callbacks.on_site_growth);
            });
        }
    }
}

/// Calls a callback of the user, if there is one. Drops it if it panics: it may have left the variables that it
/// captured in any state.
fn call_back<T: fmt::Display>(shared: &Shared, callback: &mut Option<Callback<T>>, growth: &T) {
    let Some(on_growth) = callback else {
        return;
    };
    let call = || user_code::notify(|| on_growth(growth));
    if let Err(Unfinished::Panicked(panic)) = shared.run_user_code(call) {
        write_line(
            shared,
            format_args!("the callback of the watcher panicked, and is not called again: {growth}"),
        );
        let broken = callback.take();
        shared.run_user_code(|| {
            user_code::discard(panic);
            user_code::discard(broken);
        });
    }
}

/// Writes a line to standard error, or drops it if that is closed.
fn write_line(shared: &Shared, line: fmt::Arguments<'_>) {
    shared.run_blocking(|| process::write_last_line(line));
}

/// Notes the end of the thread's work when dropped, also after a panic.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Returns the listed family with this number.
fn with_number(number: usize) -> Option<&'static PageFamily> {
    family::listed().find(|family| family.number() == number)
}

fn is(growing: &GrowingFamily, family: &PageFamily) -> bool {
    core::ptr::eq(growing.family, family)
}
