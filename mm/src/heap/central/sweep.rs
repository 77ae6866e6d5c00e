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

/// Units that lie together in so many bytes, a power of two, are looked at together.
const NEAR: usize = 4 << 10;

/// Units of one map word, on their way back.
#[derive(Clone, Copy)]
struct Group {
    page: Page,
    word: usize,
    mask: u64,
    units: u32,
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
            if units.get(next).is_some_and(|unit| is_near(*first, *unit)) {
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
        Self {
            page,
            word: index / 64,
            mask: 1 << (index % 64),
            units: 1,
        }
    }

    /// The mask with the first of `units` added, for as long as they are of the same word.
    #[inline(never)]
    fn with_first_of(self, geometry: &Geometry, units: &[NonNull<u8>]) -> u64 {
        // In a small page the last word has fewer units, and another page may follow.
        let in_word = self.page.capacity().saturating_sub(self.word * 64).min(64);
        let start = self.page.unit(self.word * 64).addr().get();
        let end = start + in_word * geometry.unit();
        let (mut mask, mut rest) = (self.mask, units);
        while let Some(first) = rest.first() {
            let address = first.addr().get();
            if !(start..end).contains(&address) {
                break;
            }
            let index = geometry.index_of(address - start);
            // Most often one lies behind the other.
            let mut behind = address;
            let run = rest.iter().take_while(|unit| {
                let is_behind = unit.addr().get() == behind && behind < end;
                behind += geometry.unit();
                is_behind
            });
            let count = run.count();
            let bits = (u64::MAX >> (64 - count)) << index;
            if start + index * geometry.unit() != address || mask & bits != 0 {
                released_twice(*first);
            }
            mask |= bits;
            rest = &rest[count..];
        }
        mask
    }
}

/// Whether two units may be of the same word. May be wrong: only those that are near each other
/// are worth a closer look.
#[inline]
fn is_near(one: NonNull<u8>, other: NonNull<u8>) -> bool {
    one.addr().get() ^ other.addr().get() < NEAR
}
