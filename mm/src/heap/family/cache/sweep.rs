//! Sweeps: a thread looks over its pages and gives empty ones back. It does so when it has released many more
//! units than it was handed out, so that a sweep is likely to find empty pages. It keeps a few empty pages, and
//! for some time also pages that it gave back and needed again.

use core::sync::atomic::Ordering::Relaxed;

use super::record::CacheRecord;
use crate::os::clock;

/// Empty pages that a thread always keeps.
const ALWAYS: u32 = 2;

/// If a thread did not use most of its kept pages for this many milliseconds, it keeps only [`ALWAYS`].
const MEMORY: u64 = 4_000;

/// Pages of units that must come free before a sweep, at least.
const WORTH_PAGES: usize = 4;

/// Units that must come free before a sweep, for a thread that owns many pages and uses few of their units.
const LEAST_WORTH: i64 = 16;

/// A thread owns many pages if it has more than this many beyond those that it keeps: 256 KiB.
const MANY_PAGES: usize = 4;

/// As [`WORTH_PAGES`], but bytes, for a family that lends no words.
const WORTH_BYTES: usize = 128 << 10;

/// After a second sweep without a refill, a stack with more slots than this stays unused until the next refill.
const SMALL_STACK: u32 = 16;

impl CacheRecord {
    /// Sets the first trigger of a new thread.
    pub(super) fn begin_to_count(&self) {
        let direct = self.direct.load(Relaxed);
        self.trigger
            .store(direct.wrapping_add(self.worth().cast_unsigned()), Relaxed);
    }

    /// Units that must come free before a sweep is worth it.
    fn worth(&self) -> i64 {
        let quarter = self.least_worth().max(self.owned_units() / 4);
        if !self.owns_many() || self.used_fell.load(Relaxed) == 0 {
            return quarter;
        }
        // The last units to come free are those that free the most pages. Those that wait to be handed out do not.
        let used = self.used.load(Relaxed).saturating_sub(self.left());
        let used = used.cast_signed();
        quarter.min((used / 2).max(LEAST_WORTH))
    }

    /// As [`worth`](Self::worth), for a thread that owns little.
    fn least_worth(&self) -> i64 {
        let Some(heap) = self.heap else {
            return i64::MAX / 2;
        };
        let least = if heap.lends_words() {
            WORTH_PAGES * heap.page_capacity()
        } else {
            (WORTH_BYTES / heap.geometry().unit().max(1)).max(1)
        };
        i64::try_from(least).unwrap_or(i64::MAX / 8)
    }

    /// Whether the thread owns many more pages than it keeps.
    fn owns_many(&self) -> bool {
        let words = self
            .heap
            .map_or(usize::MAX, |heap| heap.geometry().words().max(1));
        self.owned_words() / words > self.pages_kept() + MANY_PAGES
    }

    /// Units of all words that the thread owns.
    fn owned_units(&self) -> i64 {
        i64::from(self.owned_words.load(Relaxed)) * 64
    }

    /// Units that came free, less those that were handed out.
    fn came_free(&self) -> i64 {
        let direct = self.direct.load(Relaxed);
        direct
            .wrapping_sub(self.refilled.load(Relaxed))
            .cast_signed()
    }

    /// Sweeps if enough units came free since the last sweep. Sets the next trigger.
    #[cold]
    #[inline(never)]
    pub(super) fn sweep_if_worth_it(&self) {
        let free = self.came_free();
        let worth = self.worth();
        // Counts from the lowest point since the last sweep: units that were handed out again do not count.
        let lowest = self.lowest_freed.load(Relaxed).cast_signed().min(free);
        let since = free.wrapping_sub(lowest);
        let is_forgotten = self.has_forgotten(lowest);
        let wait = if since >= worth || is_forgotten {
            self.sweep();
            self.lowest_freed.store(free.cast_unsigned(), Relaxed);
            self.freed_at_sweep.store(free.cast_unsigned(), Relaxed);
            self.worth()
        } else {
            self.lowest_freed.store(lowest.cast_unsigned(), Relaxed);
            (worth - since).clamp(16.min(worth), worth)
        };
        // A thread that keeps pages for some time must notice when it no longer needs them.
        let keeps = self.extra_pages_kept.load(Relaxed) > 0;
        let wait = if keeps {
            wait.min(self.least_worth())
        } else {
            wait
        };
        let direct = self.direct.load(Relaxed);
        self.trigger
            .store(direct.wrapping_add(wait.cast_unsigned()), Relaxed);
    }

    /// Whether the thread has not used most of its kept pages for a long time. Then it stops keeping them.
    /// `lowest` is the lowest count of free units since the last sweep.
    fn has_forgotten(&self, lowest: i64) -> bool {
        let kept = self.extra_pages_kept.load(Relaxed) as usize;
        if kept == 0 {
            return false;
        }
        let used = self.freed_at_sweep.load(Relaxed).cast_signed() - lowest;
        let most = kept * self.heap().page_capacity() / 2;
        if usize::try_from(used).is_ok_and(|used| used >= most) {
            self.needed_at.store(clock::milliseconds(), Relaxed);
            return false;
        }
        let since = clock::milliseconds().saturating_sub(self.needed_at.load(Relaxed));
        if since > MEMORY {
            self.forget_needs();
        }
        since > MEMORY
    }

    /// Gives back empty pages, except those that the thread keeps.
    fn sweep(&self) {
        let sweeps = self.sweeps.load(Relaxed);
        self.sweeps.store(sweeps + 1, Relaxed);
        if sweeps > 0 {
            // Units on the stack would keep their pages. A thread that releases this much works without a
            // stack.
            self.flush_stack();
            if self.stack_capacity.load(Relaxed) > SMALL_STACK {
                self.room.store(0, Relaxed);
                self.grows.store(0, Relaxed);
            }
        }
        let heap = self.heap();
        if self.has_empty_pages(self.pages_kept())
            || heap.has_remote_releases()
            || self.sends_much()
        {
            let mut central = heap.central();
            central.drain_inbox(heap);
            central.collect_for_idle();
            let given = central.take_empty_pages(self, self.pages_kept());
            central.shrink_if_far_below_peak(heap);
            if given > MANY_PAGES {
                central.purge_if_small(heap);
            }
        }
    }

    /// Whether most units that the thread releases belong to other threads.
    fn sends_much(&self) -> bool {
        self.came_free() > self.owned_units()
    }

    /// Empty pages that the thread keeps.
    pub(in crate::heap) fn pages_kept(&self) -> usize {
        self.extra_pages_kept.load(Relaxed).max(ALWAYS) as usize
    }

    /// Whether there are more than `kept` empty pages, so that taking the lock is worth it. Also counts the
    /// units of own pages that are not free.
    fn has_empty_pages(&self, kept: usize) -> bool {
        let (mut empty, mut used) = (0, 0);
        self.section(|| {
            for page in self.own_pages() {
                let units = page.capacity().saturating_sub(page.all_free());
                empty += usize::from(page.is_unused());
                used += units as u64;
            }
        });
        let before = self.used.swap(used, Relaxed);
        self.used_fell.store((used < before).into(), Relaxed);
        empty > kept
    }

    /// Notes that pages went back to the family, or to another thread.
    pub(in crate::heap) fn account_given(&self, pages: u32) {
        self.pages_given
            .store(self.pages_given.load(Relaxed) + pages, Relaxed);
    }

    /// Notes that the thread got a page. If it replaces one that was given back, the thread keeps one more from
    /// now on.
    pub(in crate::heap) fn account_needed(&self) {
        let given = self.pages_given.load(Relaxed);
        if given > 0 {
            self.pages_given.store(given - 1, Relaxed);
            self.extra_pages_kept
                .store(self.extra_pages_kept.load(Relaxed) + 1, Relaxed);
            self.needed_at.store(clock::milliseconds(), Relaxed);
        }
    }

    /// Keeps no more pages than at first.
    pub(in crate::heap) fn forget_needs(&self) {
        self.pages_given.store(0, Relaxed);
        self.extra_pages_kept.store(0, Relaxed);
    }
}
