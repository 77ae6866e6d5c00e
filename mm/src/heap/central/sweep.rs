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
    pub(in crate::heap) fn free_units(&mut self, heap: &'static Heap, units: &[NonNull<u8>]) {
        let geometry = heap.geometry();
        let mut next = 0;
        while let Some(first) = units.get(next) {
            let mut group = Group::of(geometry, *first);
            next += 1;
            // What was allocated together is often released together.
            if units.get(next).is_some_and(|unit| group.has(*unit)) {
                group.mask = group.with_first_of(geometry, &units[next..]);
                let added = group.mask.count_ones() - 1;
                group.units += added;
                next += added as usize;
            }
            self.free_group(geometry, group);
        }
        self.account.account_freed(units.len(), units.len());
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
            // In a small page the last word has fewer units, and another page may follow.
            bytes: (page.capacity() - word * 64).min(64) * geometry.unit(),
        }
    }

    /// Whether the unit is of the same word.
    #[inline]
    fn has(&self, unit: NonNull<u8>) -> bool {
        unit.addr().get().wrapping_sub(self.start) < self.bytes
    }

    /// The mask with the first of `units` added, for as long as they are of the same word.
    #[inline(never)]
    fn with_first_of(self, geometry: &Geometry, units: &[NonNull<u8>]) -> u64 {
        let end = self.start + self.bytes;
        let (mut mask, mut rest) = (self.mask, units);
        while let Some(&first) = rest.first().filter(|unit| self.has(**unit)) {
            let offset = first.addr().get() - self.start;
            let index = geometry.index_of(offset);
            // Most often one lies behind the other.
            let mut behind = first.addr().get();
            let run = rest.iter().take_while(|unit| {
                let is_behind = unit.addr().get() == behind && behind < end;
                behind += geometry.unit();
                is_behind
            });
            let count = run.count();
            let bits = (u64::MAX >> (64 - count)) << index;
            if index * geometry.unit() != offset || mask & bits != 0 {
                released_twice(first);
            }
            mask |= bits;
            rest = &rest[count..];
        }
        mask
    }
}
