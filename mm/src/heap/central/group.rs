//! From the address of a unit to its bit, and many bits of one word at a time.

use core::ptr::NonNull;
use std::io::Write;

use crate::heap::page::{Page, Spot};
use crate::heap::record::{Record, SPACE};
use crate::heap::slot_map::Run;

/// Units of one word of a map that are freed together.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) page: Page,
    pub(super) word: usize,
    pub(super) mask: u64,
    /// Address of the word's first unit.
    start: usize,
}

impl Group {
    /// Starts with one unit.
    pub(super) fn at(unit: NonNull<u8>) -> Self {
        let Spot { page, index } = spot_of(unit);
        let before = index % 64 * page.extent().geometry().unit();
        Self {
            page,
            word: index / 64,
            mask: 1 << (index % 64),
            start: unit.addr().get() - before,
        }
    }

    /// Takes the units of `mask` in the word whose first unit is `first`.
    pub(super) fn of_word(first: NonNull<u8>, mask: u64) -> Self {
        Self {
            mask,
            ..Self::at(first)
        }
    }

    /// Adds a unit if it is of the same word, and not there yet.
    pub(super) fn takes(&mut self, unit: NonNull<u8>) -> bool {
        let geometry = self.page.extent().geometry();
        let offset = unit.addr().get().wrapping_sub(self.start);
        if offset >= 64 * geometry.unit() {
            return false;
        }
        let index = geometry.index_of(offset);
        let bit = 1 << index;
        let fits = index * geometry.unit() == offset && self.mask & bit == 0;
        if fits {
            self.mask |= bit;
        }
        fits
    }
}

/// Where a unit lies that a cache or a caller holds.
pub(in crate::heap) fn spot_of(unit: NonNull<u8>) -> Spot {
    let record = SPACE.record_at(unit.addr().get());
    let spot = match record {
        Some(Record::Extent(extent)) => extent.spot_at(unit.addr().get()),
        _ => None,
    };
    spot.unwrap_or_else(|| released_twice(unit))
}

/// Whether the page holds a block that is exactly `run`.
pub(in crate::heap) fn is_block(page: Page, run: Run) -> bool {
    let map = page.map();
    map.is_taken(run.first) && !map.is_joined(run.first) && map.block_units(run.first) == run.units
}

/// Ends the process: the maps say that a unit that was released is not taken.
#[cold]
pub(super) fn released_twice(unit: NonNull<u8>) -> ! {
    // Going on would hand the same memory out to two owners.
    let why = "was released twice, or is no unit; aborting";
    // A closed stderr is no reason to panic instead.
    let _ = writeln!(std::io::stderr(), "mm: the unit at {unit:p} {why}");
    std::process::abort();
}
