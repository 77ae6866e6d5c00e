//! Frees many units that are blocks of their own.
//!
//! This is half of what a release costs that no cache can keep. So whatever can wait until a
//! bound is crossed waits, and units of one map word that come one after the other are freed
//! together.

use core::ptr::NonNull;

use super::Central;
use super::spot::{released_twice, spot_of};
use crate::heap::Heap;
use crate::heap::geometry::Geometry;
use crate::heap::page::{Page, Spot};

/// Units of one map word, on their way back.
struct Group {
    page: Page,
    word: usize,
    mask: u64,
    units: u32,
    /// Address of the word's first unit, and bytes of all its units.
    start: usize,
    bytes: usize,
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
            while let Some(unit) = units.next_if(|unit| group.has(*unit)) {
                group.add(geometry, unit);
            }
            freed += self.free_group(&group);
        }
        self.account.account_freed(freed, freed);
    }

    /// Takes back the units of map words: of each its first unit, and the mask of those to free.
    pub(in crate::heap) fn free_words(
        &mut self,
        heap: &'static Heap,
        words: impl Iterator<Item = (NonNull<u8>, u64)>,
    ) {
        let mut freed = 0;
        for (first, mask) in words {
            freed += self.free_group(&Group {
                mask,
                units: mask.count_ones(),
                ..Group::of(heap.geometry(), first)
            });
        }
        self.account.account_freed(freed, freed);
    }

    /// Frees the units of a group; how many they are.
    #[inline]
    fn free_group(&mut self, group: &Group) -> usize {
        if !group.page.free(group.word, group.mask, group.units) {
            released_twice(group.page.unit(group.word * 64));
        }
        if group.page.needs_look() {
            self.account_freed(group.page);
        }
        group.units as usize
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
    #[inline]
    fn of(geometry: &Geometry, first: NonNull<u8>) -> Self {
        let Spot { page, index } = spot_of(first);
        let (word, bit) = (index / 64, index % 64);
        Self {
            page,
            word,
            mask: 1 << bit,
            units: 1,
            start: first.addr().get() - bit * geometry.unit(),
            // In a small page the word has fewer units, and another page may follow.
            bytes: geometry.unit() * (page.capacity() - word * 64).min(64),
        }
    }

    /// Whether the unit is of the same word.
    #[inline]
    fn has(&self, unit: NonNull<u8>) -> bool {
        unit.addr().get().wrapping_sub(self.start) < self.bytes
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
