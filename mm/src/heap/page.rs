//! One VM page of an extent.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering::Relaxed};

use super::extent::{Extent, count};
use super::geometry::Geometry;
use super::slot_map::{Run, SlotMap};

/// What is known of one VM page besides its maps.
#[derive(Debug)]
pub(super) struct PageState {
    taken: AtomicU32,
    pub(super) fresh: AtomicU32,
    /// Bytes of free memory that the kernel refused to take the last time it was asked.
    refused: AtomicU32,
    /// No free run is as long as this; 0 says nothing.
    too_long: AtomicU16,
    flags: AtomicU8,
}

// SAFETY: the fields are atomic integers and booleans, of which zero is a value.
unsafe impl bytemuck::Zeroable for PageState {}

/// The page may be backed by memory.
const IN_USE: u8 = 1;
/// Nothing changed since the last time the page's free memory was given back, or refused.
pub(super) const SETTLED: u8 = 2;
/// A block of many units was in the page since it came into use. Without this nobody looks into
/// the joined map: even a look would make the kernel count the map as resident.
const JOINED: u8 = 4;

/// The longest free run of the page or of its extent is known, and must be kept.
const LOOKED: u8 = 8;

/// Where a unit lies.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) page: Page,
    pub(super) index: usize,
}

impl PageState {
    /// That of no page.
    #[cfg(feature = "capi")]
    pub(super) fn unused() -> &'static Self {
        static UNUSED: PageState = PageState {
            taken: AtomicU32::new(0),
            fresh: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            too_long: AtomicU16::new(0),
            flags: AtomicU8::new(0),
        };
        &UNUSED
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.flags.load(Relaxed) & IN_USE != 0
    }

    /// Whether a block of many units was in the page since it came into use.
    #[inline]
    pub(super) fn has_joined(&self) -> bool {
        self.flags.load(Relaxed) & JOINED != 0
    }

    /// Bytes of free memory that the kernel refused to take the last time it was asked. They stay
    /// noted while the page is used: what is locked most often stays so.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Relaxed) as usize
    }

    pub(super) fn set_refused(&self, bytes: usize) {
        self.refused.store(count(bytes), Relaxed);
    }

    pub(super) fn retire(&self) {
        self.fresh.store(0, Relaxed);
        self.refused.store(0, Relaxed);
        self.too_long.store(0, Relaxed);
        self.flags.store(0, Relaxed);
    }
}

/// One VM page of an extent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) extent: &'static Extent,
    pub(super) number: usize,
}

impl Page {
    pub(super) fn extent(self) -> &'static Extent {
        self.extent
    }

    pub(super) fn state(self) -> &'static PageState {
        &self.extent.states[self.number]
    }

    pub(super) fn colour(self) -> usize {
        if self.number == 0 {
            self.extent.colour as usize
        } else {
            0
        }
    }

    /// Units that fit the page.
    pub(super) fn capacity(self) -> usize {
        if self.number == 0 {
            self.extent.first_capacity as usize
        } else {
            self.extent.capacity as usize
        }
    }

    /// Units that are live or in a cache.
    pub(super) fn taken(self) -> usize {
        self.state().taken.load(Relaxed) as usize
    }

    pub(super) fn is_full(self) -> bool {
        self.free_units() == 0
    }

    /// Units that are free.
    pub(super) fn free_units(self) -> usize {
        self.capacity() - self.taken()
    }

    pub(super) fn is_in_use(self) -> bool {
        self.state().is_in_use()
    }

    pub(super) fn is_settled(self) -> bool {
        self.state().flags.load(Relaxed) & SETTLED != 0
    }

    /// Units below this index may have been written to since the page's memory was zero.
    pub(super) fn fresh(self) -> usize {
        self.state().fresh.load(Relaxed) as usize
    }

    pub(super) fn map(self) -> SlotMap<'static> {
        let words = self.extent.geometry().words();
        let range = self.number * words..(self.number + 1) * words;
        let has_joined = self.has_joined();
        SlotMap {
            taken: &self.extent.taken[range.clone()],
            joined: if has_joined {
                &self.extent.joined[range]
            } else {
                &[]
            },
            capacity: self.capacity(),
        }
    }

    /// Bytes from the extent's start to unit `index`.
    pub(super) fn offset_of(self, index: usize) -> usize {
        let geometry = self.extent.geometry();
        self.number * geometry.page_bytes() + self.colour() + index * geometry.unit()
    }

    /// Pointer to unit `index`.
    pub(super) fn unit(self, index: usize) -> NonNull<u8> {
        self.extent.place.at(self.offset_of(index))
    }

    /// Takes up to `most` free units, whole words of the map while they last, and hands each
    /// word to `take`: the word's first unit, the mask of those taken there, and whether all are
    /// known to be zero. Ends when `take` has no room. Returns how many units it took.
    pub(super) fn claim(
        self,
        most: usize,
        mut take: impl FnMut(NonNull<u8>, u64, bool) -> bool,
    ) -> usize {
        let (map, fresh) = (self.map(), self.fresh());
        let (mut taken, mut end) = (0, 0);
        for word in 0..map.words() {
            let mask = lowest(map.free_in(word), most - taken);
            if mask == 0 {
                continue;
            }
            map.take(word, mask);
            taken += mask.count_ones() as usize;
            end = (word + 1) * 64 - mask.leading_zeros() as usize;
            let is_zero = word * 64 + mask.trailing_zeros() as usize >= fresh;
            if !take(self.unit(word * 64), mask, is_zero) || taken == most {
                break;
            }
        }
        self.touch(0, end);
        self.account_taken(taken);
        taken
    }

    /// Frees the `units` units of `mask` in word `word`; `geometry` is the family's. Returns
    /// whether there is nothing else about the page. Nothing, and nothing changed, unless each
    /// unit is a taken block of its own.
    #[inline]
    pub(super) fn free(
        self,
        geometry: &Geometry,
        word: usize,
        mask: u64,
        units: u32,
    ) -> Option<bool> {
        let state = self.extent.states.get(self.number)?;
        let index = self.number * geometry.words() + word;
        let taken = self.extent.taken.get(index)?;
        let before = taken.load(Relaxed);
        if before & mask != mask {
            return None;
        }
        if state.flags.load(Relaxed) != IN_USE {
            return self.free_slow(word, mask, units).then_some(false);
        }
        taken.store(before & !mask, Relaxed);
        self.account_freed_in(state, units);
        Some(true)
    }

    /// Counts units of a page in use that were freed in its map.
    #[inline]
    fn account_freed_in(self, state: &PageState, units: u32) {
        let taken = state.taken.load(Relaxed) - units;
        state.taken.store(taken, Relaxed);
        self.extent.account_freed(units);
    }

    /// Frees the units of `mask` in word `word`, which are taken; false, and nothing changed,
    /// unless each is a block of one unit.
    #[inline(never)]
    fn free_slow(self, word: usize, mask: u64, units: u32) -> bool {
        if self.has_joined() && self.is_in_rows(word, mask) {
            return false;
        }
        let map = self.map();
        map.free(word, mask);
        if self.knows_longest() {
            self.raise_longest(longest_run_near(&map, word, mask));
        }
        self.account_freed_in(self.state(), units);
        self.account_changed();
        true
    }

    /// Whether any of the units of `mask` in word `word` is part of a larger block.
    fn is_in_rows(self, word: usize, mask: u64) -> bool {
        self.map().in_larger_blocks(word) & mask != 0
    }

    pub(super) fn has_joined(self) -> bool {
        self.state().has_joined()
    }

    /// Takes `units` units in a row as one block, if the page has them: the first's index, and
    /// whether all are known to be zero.
    pub(super) fn claim_run(self, units: usize) -> Option<(usize, bool)> {
        let first = self.find_run(units)?;
        Some((first, self.claim_at(Run { first, units })))
    }

    /// Takes the free units of `run` as one block; whether all are known to be zero.
    pub(super) fn claim_at(self, run: Run) -> bool {
        if run.units > 1 {
            self.add_flags(JOINED);
        }
        self.map().take_run(run);
        let zero = self.touch(run.first, run.first + run.units);
        self.account_taken(run.units);
        zero
    }

    /// Frees the block that is `run`.
    pub(super) fn unclaim_run(self, run: Run) {
        self.map().free_run(run);
        self.account_run_freed(run);
    }

    /// Frees the units of `run`, which are the last of a block of more.
    pub(super) fn unclaim_run_end(self, run: Run) {
        self.map().free_end(run);
        self.account_run_freed(run);
    }

    /// Splits the block at `first` into `blocks` of `units` units each.
    pub(super) fn split(self, first: usize, units: usize, blocks: usize) {
        let map = self.map();
        (1..blocks).for_each(|block| map.split_at(first + block * units));
    }

    /// Whether anybody looked for a run in vain, so that a longer one must be noted.
    fn knows_longest(self) -> bool {
        self.state().flags.load(Relaxed) & LOOKED != 0
    }

    /// Notes that somebody looked for a run in vain, here or in the extent.
    pub(super) fn account_looked(self) {
        self.add_flags(LOOKED);
    }

    /// No free run is longer than so many units.
    pub(super) fn longest_run(self) -> usize {
        match usize::from(self.state().too_long.load(Relaxed)) {
            0 => self.free_units(),
            units => (units - 1).min(self.free_units()),
        }
    }

    /// Finds the first run of `units` free units; remembers the longest when there is none.
    pub(super) fn find_run(self, units: usize) -> Option<usize> {
        let found = self.map().find_run(units);
        found.map_err(|longest| self.set_longest(longest)).ok()
    }

    /// Notes that no free run is longer than `units`.
    pub(super) fn set_longest(self, units: usize) {
        let too_long = u16::try_from(units + 1).unwrap_or(0);
        self.state().too_long.store(too_long, Relaxed);
        self.account_looked();
    }

    /// Notes that there may be a free run of `units` units now.
    fn raise_longest(self, units: usize) {
        let too_long = usize::from(self.state().too_long.load(Relaxed));
        if too_long != 0 && units >= too_long {
            self.set_longest(units);
        }
        let of_all = self.extent.too_long.load(Relaxed);
        if of_all != 0 && units >= of_all as usize {
            self.extent.too_long.store(count(units + 1), Relaxed);
        }
    }

    /// Notes that units `first..end` are handed out; whether they are known to be zero.
    fn touch(self, first: usize, end: usize) -> bool {
        let fresh = self.fresh();
        self.state().fresh.store(count(fresh.max(end)), Relaxed);
        self.account_changed();
        first >= fresh
    }

    pub(super) fn add_flags(self, flags: u8) {
        let before = self.state().flags.load(Relaxed);
        self.state().flags.store(before | flags, Relaxed);
    }

    /// Notes that the page is in use and may have something to give back again.
    fn account_changed(self) {
        let flags = &self.state().flags;
        let before = flags.load(Relaxed);
        if before & (SETTLED | IN_USE) != IN_USE {
            flags.store(before & !SETTLED | IN_USE, Relaxed);
        }
    }

    fn account_taken(self, units: usize) {
        self.state()
            .taken
            .store(count(self.taken() + units), Relaxed);
        self.extent.account_taken(units);
    }

    /// Counts the units of `run`, which were freed in the map.
    fn account_run_freed(self, run: Run) {
        if self.knows_longest() {
            self.raise_longest(self.map().free_run_around(run.first).units);
        }
        self.account_freed_in(self.state(), count(run.units));
        self.account_changed();
    }
}

/// A bound for the free runs that the units of `mask` in word `word` are part of.
fn longest_run_near(map: &SlotMap<'_>, word: usize, mask: u64) -> usize {
    // A run either reaches out of the word, around the first or last unit, or fits it.
    let around = |bit: u32| map.free_run_around(word * 64 + bit as usize).units;
    let (first, last) = (mask.trailing_zeros(), mask.ilog2());
    around(first).max(around(last)).max(64)
}

/// The `most` lowest bits that are set in `mask`.
fn lowest(mask: u64, most: usize) -> u64 {
    if mask.count_ones() as usize <= most {
        return mask;
    }
    let (mut left, mut kept) = (mask, 0);
    for _ in 0..most {
        kept |= left & left.wrapping_neg();
        left &= left - 1;
    }
    kept
}
