//! Shows every live unit to code of the caller.
//!
//! What is live of one VM page is copied under the family's lock, into a map on the stack. The
//! lock is let go before the caller's code runs, so that code may allocate and release, also of
//! this family.
//!
//! The caches of other threads are at rest. What they hold is listed and sorted once, and each VM
//! page finds its part of the list by a binary search. A visit takes time in proportion to the
//! words of the maps, to the live units, and to c log c for c cached blocks; its memory is one
//! pointer for each of those. The calling thread's own cache changes while its code runs: it is
//! flushed before each page is copied, and so is never looked at.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, is_own};
use crate::heap::family::central::Central;
use crate::heap::ground::{GRANULE, Placement};
use crate::heap::pages::{Page, Run, SlotMap, for_each_word, ones_of};
use crate::os::ReentrancyGuard;

/// Words of the largest map of a VM page: that of units of one byte.
pub(in crate::heap) const MOST_WORDS: usize = GRANULE / 64;

/// Which units of one VM page are live: a copy.
pub(in crate::heap) struct LiveUnits {
    map: [u64; MOST_WORDS],
    /// How many of them are the page's.
    words: usize,
}

impl Heap {
    /// Calls `f` with every unit that is live, once, under no lock.
    ///
    /// Exact while no other thread allocates or releases, and `f` releases no block that is still
    /// to be shown. What `f` allocates may or may not be shown. It ends in any case: every place of
    /// a unit is looked at once, and address space that is added meanwhile is not.
    pub(crate) fn for_each_live(&'static self, f: &mut dyn FnMut(NonNull<u8>)) {
        if self.geometry.placement() == Placement::Counted {
            return self.for_each_counted(f);
        }
        let cached = self.cached_elsewhere();
        let mut live = LiveUnits::none();
        for record in self.records() {
            for page in record.pages() {
                self.copy_live(page, &cached, &mut live);
                live.show(page, f);
            }
            if let Some(block) = record.large().and_then(|large| self.block_of(large)) {
                let at = |unit| nth_unit(block.first, unit * self.geometry.unit());
                (0..block.units).filter_map(at).for_each(&mut *f);
            }
        }
    }

    /// Calls `f` once for each live unit of a family whose units have no size.
    fn for_each_counted(&'static self, f: &mut dyn FnMut(NonNull<u8>)) {
        if let Ok(place) = self.block_of_no_size() {
            (0..self.live_units()).for_each(|_| f(place.first));
        }
    }

    /// The starts of all blocks in other threads' caches, sorted.
    pub(in crate::heap) fn cached_elsewhere(&'static self) -> Vec<usize> {
        let known = {
            let _inside = ReentrancyGuard::enter();
            in_other_caches(&self.central()).count()
        };
        let mut starts = Vec::with_capacity(known);
        let _inside = ReentrancyGuard::enter();
        let central = self.central();
        // No more than there is room for: the lock is held, and nothing is allocated under it.
        starts.extend(in_other_caches(&central).take(known));
        drop(central);
        starts.sort_unstable();
        starts
    }

    fn copy_live(&'static self, page: Page, cached: &[usize], live: &mut LiveUnits) {
        let _inside = ReentrancyGuard::enter();
        self.flush_own();
        let _central = self.central();
        live.copy(page, cached);
    }

    /// Flushes the calling thread's cache, unless it is empty.
    pub(in crate::heap) fn flush_own(&'static self) {
        let own = self.central().caches.iter().find(|cache| is_own(cache));
        if let Some(cache) = own.filter(|cache| !cache.is_empty()) {
            cache.put_away();
            self.flush_rows(cache);
        }
    }
}

/// The pointer has the provenance of the whole reservation, so no step leaves it.
fn nth_unit(first: NonNull<u8>, bytes: usize) -> Option<NonNull<u8>> {
    NonNull::new(first.as_ptr().wrapping_add(bytes))
}

impl LiveUnits {
    pub(in crate::heap) fn none() -> Self {
        Self {
            map: [0; MOST_WORDS],
            words: 0,
        }
    }

    /// Copies those of `page`: what is taken, without what caches and the quarantine hold, and
    /// without the slack of blocks. The caller has the family's lock.
    pub(in crate::heap) fn copy(&mut self, page: Page, cached: &[usize]) {
        let map = page.whole_map();
        self.words = if page.taken() > 0 { map.words() } else { 0 };
        if self.words == 0 {
            return;
        }
        for (word, live) in self.map[..self.words].iter_mut().enumerate() {
            *live = map.taken_in(word) & !page.sent(word);
        }
        let blocks = cached_in(page, cached).chain(page.quarantined());
        blocks.for_each(|first| self.leave_out_block(&map, first));
        let slack = page.slack_runs().map(|(_, run)| run);
        slack.for_each(|run| self.leave_out(run));
    }

    /// Leaves out the block that starts at unit `first`. A cache that was flushed since it was
    /// looked at, at its thread's end, has none there any more.
    fn leave_out_block(&mut self, map: &SlotMap<'_>, first: usize) {
        if map.is_taken(first) && !map.continues(first) {
            let units = map.block_units(first);
            self.leave_out(Run { first, units });
        }
    }

    fn leave_out(&mut self, run: Run) {
        for_each_word(run, |word, mask| self.map[word] &= !mask);
    }

    /// Whether the unit is live.
    #[cfg(feature = "capi")]
    pub(in crate::heap) fn holds(&self, unit: usize) -> bool {
        unit / 64 < self.words && self.map[unit / 64] >> (unit % 64) & 1 != 0
    }

    /// Calls `f` with each.
    fn show(&self, page: Page, f: &mut dyn FnMut(NonNull<u8>)) {
        for (word, live) in self.map[..self.words].iter().enumerate() {
            ones_of(*live).for_each(|bit| f(page.unit(word * 64 + bit)));
        }
    }
}

/// The starts of all blocks in other threads' caches.
fn in_other_caches(central: &Central) -> impl Iterator<Item = usize> {
    let others = central.caches.iter().filter(|cache| !is_own(cache));
    others
        .flat_map(CacheRecord::blocks)
        .map(|row| row.first.addr().get())
}

/// The first units of those of `cached` that lie in `page`.
fn cached_in(page: Page, cached: &[usize]) -> impl Iterator<Item = usize> {
    let geometry = page.extent().geometry();
    let start = page.unit(0).addr().get();
    let end = start + page.capacity() * geometry.unit();
    let from = cached.partition_point(|first| *first < start);
    let until = cached.partition_point(|first| *first < end);
    cached[from..until]
        .iter()
        .map(move |first| geometry.index_of(first - start))
}
