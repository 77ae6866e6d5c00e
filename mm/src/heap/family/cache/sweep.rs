//! When a thread gives pages back: once it has released so much more than it was handed out that a look
//! over its pages is worth it. It keeps a few empty pages, and for a while those that it missed before.

use core::sync::atomic::Ordering::Relaxed;

use super::record::CacheRecord;
use crate::os::clock;

/// Empty pages that a thread keeps in any case.
const ALWAYS: u32 = 2;

/// A thread that did not use most of what it keeps for so many milliseconds keeps no more than
/// [`ALWAYS`].
const MEMORY: u64 = 4_000;

/// Pages of units that have to come free before a look, at least.
const WORTH_PAGES: usize = 4;

/// Units that have to come free before a look, of a thread that owns many pages and uses few of their units.
const LEAST_WORTH: i64 = 16;

/// So many pages more than a thread keeps are many: 256 KiB.
const MANY_PAGES: usize = 4;

/// The same as [`WORTH_PAGES`], in bytes, of a family that lends no words.
const WORTH_BYTES: usize = 128 << 10;

/// A stack of more places is not used again before the next refill, once it was emptied for a second sweep.
const SMALL_STACK: u32 = 256;

impl CacheRecord {
    /// Begins to count for a new thread.
    pub(super) fn begin_to_count(&self) {
        let direct = self.direct.load(Relaxed);
        self.trigger
            .store(direct.wrapping_add(self.worth().cast_unsigned()), Relaxed);
    }

    /// Units that have to come free before a look over the pages is worth it.
    fn worth(&self) -> i64 {
        let quarter = self.least_worth().max(self.owned_units() / 4);
        if !self.owns_many() || self.used_fell.load(Relaxed) == 0 {
            return quarter;
        }
        // The last units to come free are those that free the most pages.
        let used = self.used.load(Relaxed).cast_signed();
        quarter.min((used / 2).max(LEAST_WORTH))
    }

    /// The same for a thread that owns little.
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

    /// Whether the thread owns much more than it keeps in any case.
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

    /// Sweeps if enough units came free since the last sweep; says when to look again.
    #[cold]
    #[inline(never)]
    pub(super) fn look(&self) {
        let free = self.came_free();
        let worth = self.worth();
        // What was handed out since the last sweep counts the other way.
        let lowest = self.looked_at.load(Relaxed).cast_signed().min(free);
        let since = free.wrapping_sub(lowest);
        let is_forgotten = self.has_forgotten(lowest);
        let wait = if since >= worth || is_forgotten {
            self.sweep();
            self.looked_at.store(free.cast_unsigned(), Relaxed);
            self.swept_at.store(free.cast_unsigned(), Relaxed);
            self.worth()
        } else {
            self.looked_at.store(lowest.cast_unsigned(), Relaxed);
            (worth - since).clamp(16.min(worth), worth)
        };
        // Who keeps pages for a while has to see when it no longer needs them.
        let keeps = self.kept.load(Relaxed) > 0;
        let wait = if keeps {
            wait.min(self.least_worth())
        } else {
            wait
        };
        let direct = self.direct.load(Relaxed);
        self.trigger
            .store(direct.wrapping_add(wait.cast_unsigned()), Relaxed);
    }

    /// Whether it is long ago that the thread used most of the pages that it keeps because it missed them
    /// before: then it keeps them no longer. `lowest` is the least of free units since the last sweep.
    fn has_forgotten(&self, lowest: i64) -> bool {
        let kept = self.kept.load(Relaxed) as usize;
        if kept == 0 {
            return false;
        }
        let used = self.swept_at.load(Relaxed).cast_signed() - lowest;
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

    /// Gives back empty pages, but for those that the thread keeps.
    fn sweep(&self) {
        let sweeps = self.sweeps.load(Relaxed);
        self.sweeps.store(sweeps + 1, Relaxed);
        if sweeps > 0 {
            // What waits on the stack would keep pages. A thread that releases so much does without it.
            self.put_away_stack();
            if self.places.load(Relaxed) > SMALL_STACK {
                self.room.store(0, Relaxed);
                self.grows.store(0, Relaxed);
            }
        }
        let heap = self.heap();
        if self.has_empty_pages(self.pages_kept()) || heap.has_mail() || self.sends_much() {
            let mut central = heap.central();
            central.drain(heap);
            central.collect_for_idle();
            let given = central.take_empty_pages(self, self.pages_kept());
            central.shrink_if_fallen(heap);
            if given > MANY_PAGES {
                central.purge_if_little(heap);
            }
        }
    }

    /// Whether most of what the thread releases belongs to others.
    fn sends_much(&self) -> bool {
        self.came_free() > self.owned_units()
    }

    /// Empty pages that the thread keeps.
    pub(in crate::heap) fn pages_kept(&self) -> usize {
        self.kept.load(Relaxed).max(ALWAYS) as usize
    }

    /// Whether there are more empty pages than so many: only then it is worth to take the lock. Counts the
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

    /// Notes that pages went back, or to another thread.
    pub(in crate::heap) fn account_given(&self, pages: u32) {
        self.given.store(self.given.load(Relaxed) + pages, Relaxed);
    }

    /// Notes that a page came. If it replaces one that was given back, one more is kept from now on.
    pub(in crate::heap) fn account_needed(&self) {
        let given = self.given.load(Relaxed);
        if given > 0 {
            self.given.store(given - 1, Relaxed);
            self.kept.store(self.kept.load(Relaxed) + 1, Relaxed);
            self.needed_at.store(clock::milliseconds(), Relaxed);
        }
    }

    /// Keeps no more than at first.
    pub(in crate::heap) fn forget_needs(&self) {
        self.given.store(0, Relaxed);
        self.kept.store(0, Relaxed);
    }
}
