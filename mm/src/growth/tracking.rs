//! Which families the watcher tracks.

use crate::family::PageFamily;
use crate::track::Track;

/// Suspects that are tracked at the same time, at most: when a program loads there are many, and
/// each allocation of a tracked family costs more.
const MOST: usize = 8;

/// The families that are tracked because the watcher asked.
///
/// A family that the user tracks is left unchanged. So is one whose tracking the user changed since; the
/// watcher cannot see a change to the same setting.
#[derive(Debug)]
pub(super) struct Tracking {
    is_wanted: bool,
    tracked: Vec<&'static PageFamily>,
}

impl Tracking {
    /// Tracks no family yet, and never does unless `is_wanted`.
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            tracked: Vec::new(),
        }
    }

    /// Tracks a family that may grow, if there is room for one more.
    pub(super) fn suspect(&mut self, family: &'static PageFamily) {
        if self.tracked.len() < MOST {
            self.begin(family);
        }
    }

    /// Tracks a family, unless it is tracked already.
    pub(super) fn begin(&mut self, family: &'static PageFamily) {
        if self.is_wanted && !self.is_ours(family) && family.profile().every == 0 {
            family.track(Track::All);
            self.tracked.push(family);
        }
    }

    /// Stops tracking a family, if the watcher started it.
    pub(super) fn end(&mut self, family: &'static PageFamily) {
        if self.is_ours(family) {
            self.tracked.retain(|ours| !core::ptr::eq(*ours, family));
            stop(family);
        }
    }

    fn is_ours(&self, family: &PageFamily) -> bool {
        self.tracked.iter().any(|ours| core::ptr::eq(*ours, family))
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        self.tracked.drain(..).for_each(stop);
    }
}

/// Stops tracking a family, unless the user changed its setting since.
fn stop(family: &'static PageFamily) {
    if family.profile().every == 1 {
        family.track(Track::Off);
    }
}
