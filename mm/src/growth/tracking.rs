//! Which families the watcher tracks, so that their call sites are recorded.

use crate::family::PageFamily;
use crate::track::Track;

/// The most suspects that are tracked at the same time. While a program loads data, many families are
/// suspects, and an allocation of a tracked family costs more.
const MOST_SUSPECTS: usize = 8;

/// The families that the watcher tracks.
///
/// The watcher leaves a family as it is if the user tracks it, or changed its tracking since. It cannot see
/// a change to the setting that it made itself.
#[derive(Debug)]
pub(super) struct Tracking {
    is_wanted: bool,
    tracked: Vec<&'static PageFamily>,
}

impl Tracking {
    /// Makes an empty list. Unless `is_wanted`, it stays empty.
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            tracked: Vec::new(),
        }
    }

    /// Starts to track a suspect, unless too many families are tracked.
    pub(super) fn begin_suspect(&mut self, family: &'static PageFamily) {
        if self.tracked.len() < MOST_SUSPECTS {
            self.begin(family);
        }
    }

    /// Starts to track a family, unless it is tracked already. Untyped families have no call sites, and all of
    /// the program would wait for their locks.
    pub(super) fn begin(&mut self, family: &'static PageFamily) {
        if self.is_wanted
            && !family.is_untyped()
            && !self.is_ours(family)
            && family.profile().every == 0
        {
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
