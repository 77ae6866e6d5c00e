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
}

impl Group {
    pub(super) fn of(spot: Spot) -> Self {
        Self {
            page: spot.page,
            word: spot.index / 64,
            mask: 1 << (spot.index % 64),
        }
    }

    /// Adds a unit if it is of the same word, and not there yet.
    pub(super) fn takes(&mut self, spot: Spot) -> bool {
        let bit = 1 << (spot.index % 64);
        let fits = self.page.is_same(spot.page) && self.word == spot.index / 64;
        let is_new = self.mask & bit == 0;
        if fits && is_new {
            self.mask |= bit;
        }
        fits && is_new
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
