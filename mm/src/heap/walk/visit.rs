//! Visits: calls a function of the user with every live unit.
//!
//! The live units of one VM page are copied under the family's lock, into a map on the stack. The lock is
//! released before the user's function runs, so it may allocate and release, also in this family.
//!
//! The caches of other threads do not change during a visit. Their contents are listed and sorted once, and
//! each VM page finds its part of the list by a binary search. A visit takes time in proportion to the words of
//! the maps, to the live units, and to c log c for c cached blocks. Its memory is one pointer for each cached
//! block. The calling thread's own cache changes while the user's function runs, so it is flushed before each
//! page is copied, and never searched.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, is_own};
use crate::heap::family::central::Central;
use crate::heap::ground::{GRANULE, Placement};
use crate::heap::pages::{Page, Run, SlotMap, for_each_word, ones_of};
use crate::os::ReentrancyGuard;

/// Words of the largest map of a VM page: that of units of one byte.
pub(in crate::heap) const MOST_WORDS: usize = GRANULE / 64;

/// A copy of the live units of one VM page.
pub(in crate::heap) struct LiveUnits {
    map: [u64; MOST_WORDS],
    /// Words of the map that belong to the page.
    words: usize,
}

impl Heap {
    /// Calls `f` with every live unit once, under no lock.
    ///
    /// This is exact while no other thread allocates or releases, and `f` releases no block that is still to
    /// come. Blocks that `f` allocates may be visited or not. The visit always ends: it looks at every place of
    /// a unit once, and leaves out address space that is added meanwhile.
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
        // No more than the vector has room for: nothing may allocate under the lock.
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
            cache.flush_units();
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

    /// Copies the live units of `page`: the taken ones, without those in caches and in quarantine, and without
    /// slack. The caller has the family's lock.
    pub(in crate::heap) fn copy(&mut self, page: Page, cached: &[usize]) {
        let map = page.whole_map();
        self.words = if page.taken() > 0 { map.words() } else { 0 };
        if self.words == 0 {
            return;
        }
        for (word, live) in self.map[..self.words].iter_mut().enumerate() {
            *live = map.taken_in(word) & !page.sent_units(word);
        }
        let blocks = cached_in(page, cached).chain(page.quarantined());
        blocks.for_each(|first| self.leave_out_block(&map, first));
        let slack = page.slack_runs().map(|(_, run)| run);
        slack.for_each(|run| self.leave_out(run));
    }

    /// Removes the block that starts at unit `first`. The block may be gone, if its cache was flushed at its
    /// thread's end after it was listed.
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

    /// Calls `f` with each live unit.
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

/// The indices of the blocks of `cached` that start in `page`.
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
