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
use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

use super::central::spot_of;
use super::geometry::LONG_ROW;
use super::page::{Page, Spot};
use super::slot_map::Run;

/// Surplus units that a block of `units` units may have.
pub(super) const fn most_surplus(units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    units / 8
}

/// Takes over the surplus units of the block at `first`, which was handed out for `units` units
/// and is released by the caller; how many they are.
#[inline]
pub(super) fn take_surplus_at(first: NonNull<u8>, units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    spot_of(first).take_surplus()
}

impl Spot {
    /// Notes that the block here, which the caller is about to hand out, has surplus units.
    pub(super) fn set_surplus(self, units: usize) {
        let units = u16::try_from(units).expect("an eighth of a cached row");
        self.surplus_place().store(units, Relaxed);
        self.page.state().may_have_surplus.store(true, Relaxed);
        self.page.extent().heap.mark_surplus();
    }

    /// Takes over the surplus units of the block here, which the caller releases; how many they
    /// are.
    pub(super) fn take_surplus(self) -> usize {
        let units = self.surplus_place().load(Relaxed);
        if units > 0 {
            self.surplus_place().store(0, Relaxed);
        }
        units.into()
    }

    /// Surplus units of the block here, which has `units` units in the maps.
    pub(super) fn surplus(self, units: usize) -> usize {
        if units < LONG_ROW {
            return 0;
        }
        self.surplus_place().load(Relaxed).into()
    }

    fn surplus_place(self) -> &'static AtomicU16 {
        &self.page.surplus_places()[self.index / LONG_ROW]
    }
}

impl Page {
    /// Calls `f` with the surplus units of every block, which are the caller's from then on. The
    /// caller holds the family's lock, and no other thread has a cache.
    pub(super) fn take_all_surplus(self, mut f: impl FnMut(Run)) {
        if !self.state().may_have_surplus.load(Relaxed) {
            return;
        }
        self.state().may_have_surplus.store(false, Relaxed);
        for (place, entry) in self.surplus_places().iter().enumerate() {
            let units = usize::from(entry.load(Relaxed));
            if units > 0 {
                entry.store(0, Relaxed);
                f(self.surplus_of_block_in(place, units));
            }
        }
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

    fn surplus_places(self) -> &'static [AtomicU16] {
        let places = self.extent().geometry().surplus_places();
        &self.extent().surplus[self.number * places..(self.number + 1) * places]
    }
}
