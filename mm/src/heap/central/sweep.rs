//! Frees many units that are blocks of their own.
//!
//! This is half of what a release costs that no cache can keep. So whatever can wait until a
//! bound is crossed waits, and units of one map word that come one after the other are freed
//! together.

use core::ptr::NonNull;

use super::Central;
use super::spot::{extent_of, released_twice};
use crate::heap::Heap;
use crate::heap::geometry::Geometry;
use crate::heap::page::Page;

/// Units of one map word, on their way back.
#[derive(Clone, Copy)]
struct Group {
    page: Page,
    word: usize,
    mask: u64,
    units: u32,
    /// Address of the word's first unit.
    start: usize,
}

impl Central {
    /// Takes back units that are blocks of their own.
    ///
    /// # Panics
    ///
    /// Never: a unit that is not taken was released twice, which aborts the process.
    pub(in crate::heap) fn free_units(
        &mut self,
        heap: &'static Heap,
        units: impl Iterator<Item = NonNull<u8>>,
    ) {
        let geometry = heap.geometry();
        let mut units = units.peekable();
        let mut freed = 0;
        while let Some(first) = units.next() {
            let mut group = Group::of(geometry, first);
            // What was allocated together is often released together.
            while let Some(unit) = units.next_if(|unit| group.has(geometry, *unit)) {
                group.add(geometry, unit);
            }
            self.free_group(geometry, group);
            freed += group.units as usize;
        }
        self.account.account_freed(freed, freed);
    }

    /// Takes back the units of map words: of each its first unit, and the mask of those to free.
    pub(in crate::heap) fn free_words(
        &mut self,
        heap: &'static Heap,
        words: impl Iterator<Item = (NonNull<u8>, u64)>,
    ) {
        let geometry = heap.geometry();
        let mut freed = 0;
        for (first, mask) in words {
            let units = mask.count_ones();
            let word = Group::of(geometry, first);
            let group = Group {
                mask,
                units,
                ..word
            };
            self.free_group(geometry, group);
            freed += units as usize;
        }
        self.account.account_freed(freed, freed);
    }

    /// Frees the units of a group.
    #[allow(clippy::inline_always, reason = "so that the group lies in registers")]
    #[inline(always)]
    fn free_group(&mut self, geometry: &Geometry, group: Group) {
        let Group {
            page,
            word,
            mask,
            units,
            ..
        } = group;
        let Some(is_plain) = page.free(geometry, word, mask, units) else {
            released_twice(page.unit(word * 64));
        };
        if !is_plain || !page.extent().fits_shelf() {
            self.account_freed(page);
        }
    }

    /// Puts an extent of which units were freed where it belongs, and gives its memory back if it
    /// is empty and the family keeps enough.
    #[inline(never)]
    pub(super) fn account_freed(&mut self, page: Page) {
        let extent = page.extent();
        if extent.taken_units() == 0 {
            self.account_emptied(extent);
        }
        self.shelves.account_changed(extent);
        self.runs.account_changed(extent);
    }
}

impl Group {
    #[allow(clippy::inline_always, reason = "so that the group lies in registers")]
    #[inline(always)]
    fn of(geometry: &Geometry, first: NonNull<u8>) -> Self {
        let address = first.addr().get();
        let extent = extent_of(first).unwrap_or_else(|| released_twice(first));
        let (page, offset) = extent.page_at(geometry, address);
        let index = geometry.index_of(offset);
        if index * geometry.unit() != offset {
            released_twice(first);
        }
        let (word, bit) = (index / 64, index % 64);
        Self {
            page,
            word,
            mask: 1 << bit,
            units: 1,
            start: address - bit * geometry.unit(),
        }
    }

    /// Whether the unit is of the same word.
    #[inline]
    fn has(&self, geometry: &Geometry, unit: NonNull<u8>) -> bool {
        let offset = unit.addr().get().wrapping_sub(self.start);
        if offset >= 64 * geometry.unit() {
            return false;
        }
        // In a small page the word has fewer units, and another page may follow.
        offset < (self.page.capacity() - self.word * 64) * geometry.unit()
    }

    /// Adds a unit of the same word.
    #[inline]
    fn add(&mut self, geometry: &Geometry, unit: NonNull<u8>) {
        let offset = unit.addr().get() - self.start;
        let index = geometry.index_of(offset);
        let bit = 1 << index;
        if index * geometry.unit() != offset || self.mask & bit != 0 {
            released_twice(unit);
        }
        self.mask |= bit;
        self.units += 1;
    }
}
