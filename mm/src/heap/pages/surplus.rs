//! Blocks that have more units than their owner asked for.
//!
//! A thread's cache may answer a request for a row of units with a released block that is up to an
//! eighth longer. The surplus units stay taken, and count as cached. How many a block has stands
//! in a table of its VM page, where the block's first unit is.
//!
//! # Who may touch an entry
//!
//! Whoever owns the block: the thread that is handing it out, or releases it. And the holder of
//! the family's lock while no thread but itself has a cache of the family: all others must take
//! the lock before they do anything with a block. That is how a snapshot of a program with one
//! thread finds no surplus. No step needs an atomic read-modify-write, which would wait for all
//! that the program wrote before.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::page::{Page, Spot};
use super::slot_map::Run;
use super::spot::{extent_of, released_twice};
use crate::heap::ground::{LONG_ROW, LONGEST_ROW};
use crate::sync::AtomicU8;

/// Surplus units that a block of `units` units may have.
pub(in crate::heap) const fn most_surplus(units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    units / 8
}

/// The number of surplus units of one block.
#[derive(Debug)]
pub(in crate::heap) struct Surplus(AtomicU8);

// SAFETY: the field is an atomic integer, of which zero is a value.
unsafe impl bytemuck::Zeroable for Surplus {}

// Every number fits.
const _: () = assert!(most_surplus(LONGEST_ROW) <= u8::MAX as usize);

impl Surplus {
    /// That of the block at `first`, of at least `LONG_ROW` units.
    #[inline]
    pub(in crate::heap) fn of(first: NonNull<u8>) -> &'static Self {
        let Some(extent) = extent_of(first) else {
            released_twice(first);
        };
        let geometry = extent.geometry();
        let (page, offset) = extent.page_at(geometry, first.addr().get());
        let place = geometry.index_of(offset) / LONG_ROW;
        &extent.surplus[page.number * geometry.surplus_places() + place]
    }

    /// Surplus units of a block that has `units` units in the maps and starts at `spot`.
    pub(in crate::heap) fn at(spot: Spot, units: usize) -> usize {
        if units < LONG_ROW {
            return 0;
        }
        spot.page.surplus()[spot.index / LONG_ROW].units()
    }

    fn units(&self) -> usize {
        self.0.load(Relaxed).into()
    }

    /// Notes the surplus units of a block that the caller is about to hand out.
    #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
    #[inline]
    pub(in crate::heap) fn set(&self, units: usize) {
        debug_assert!(units <= most_surplus(LONGEST_ROW));
        self.0.store(units as u8, Relaxed);
    }

    /// Takes over the surplus units of a block that the caller releases; how many they are.
    #[inline]
    pub(in crate::heap) fn take(&self) -> usize {
        let units = self.units();
        self.set(0);
        units
    }
}

/// Takes over the surplus units of the block at `first`, which was handed out for `units` units
/// and is released by the caller; how many they are.
pub(in crate::heap) fn take_surplus_at(first: NonNull<u8>, units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    Surplus::of(first).take()
}

impl Page {
    /// Calls `f` with the surplus units of every block, which are the caller's from then on. The
    /// caller holds the family's lock, and no other thread has a cache.
    pub(in crate::heap) fn take_all_surplus(self, mut f: impl FnMut(Run)) {
        for (surplus, run) in self.surplus_runs() {
            surplus.set(0);
            f(run);
        }
    }

    /// The surplus units of every block that has any, and where their number stands.
    pub(in crate::heap) fn surplus_runs(self) -> impl Iterator<Item = (&'static Surplus, Run)> {
        let places = self.surplus().iter().enumerate();
        places.filter_map(move |(place, surplus)| {
            let units = surplus.units();
            (units > 0).then(|| (surplus, self.surplus_of_block_in(place, units)))
        })
    }

    /// Surplus units of all blocks.
    pub(in crate::heap) fn surplus_units(self) -> usize {
        self.surplus().iter().map(Surplus::units).sum()
    }

    /// Where the surplus units are of the block that starts among the units of a place.
    fn surplus_of_block_in(self, place: usize, units: usize) -> Run {
        let map = self.map();
        let from = place * LONG_ROW;
        // Of the blocks that start here, only the last can reach far enough to have any.
        let last = (from..from + LONG_ROW)
            .rev()
            .find(|index| map.is_taken(*index) && !map.is_joined(*index))
            .expect("a block with surplus units starts here");
        let end = last + map.block_units(last);
        Run {
            first: end - units,
            units,
        }
    }

    /// The numbers of all blocks; none where all have one unit.
    fn surplus(self) -> &'static [Surplus] {
        // Even a look would make the kernel count the table as resident.
        if !self.has_joined() {
            return &[];
        }
        let places = self.extent().geometry().surplus_places();
        &self.extent().surplus[self.number * places..(self.number + 1) * places]
    }
}
