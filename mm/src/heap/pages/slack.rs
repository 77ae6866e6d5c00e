//! Blocks that have more units than their owner asked for.
//!
//! A thread's cache may answer a request for a row of units with a released block that is up to an
//! eighth longer. The slack units stay taken, and count as cached. How many a block has stands
//! in a table of its VM page, where the block's first unit is.
//!
//! # Who may touch an entry
//!
//! Whoever owns the block: the thread that is handing it out, or releases it. And the holder of
//! the family's lock while no thread but itself has a cache of the family: all others must take
//! the lock before they do anything with a block. That is how a snapshot of a program with one
//! thread finds no slack. No step needs an atomic read-modify-write, which would wait for all
//! that the program wrote before.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::page::{Page, Spot};
use super::slot_map::Run;
use super::spot::{extent_of, released_twice};
use crate::heap::ground::{LONG_ROW, LONGEST_ROW};
use crate::sync::AtomicU8;

/// Slack units that a block of `units` units may have.
pub(in crate::heap) const fn most_slack(units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    units / 8
}

/// The number of slack units of one block.
#[derive(Debug)]
pub(in crate::heap) struct Slack(AtomicU8);

// SAFETY: the field of `Slack` is an atomic integer, and zero is a value of it.
unsafe impl bytemuck::Zeroable for Slack {}

// Every number fits.
const _: () = assert!(most_slack(LONGEST_ROW) <= u8::MAX as usize);

impl Slack {
    /// That of the block at `first`, of at least `LONG_ROW` units.
    #[inline]
    pub(in crate::heap) fn of(first: NonNull<u8>) -> &'static Self {
        let Some(extent) = extent_of(first) else {
            released_twice(first);
        };
        let geometry = extent.geometry();
        let (page, offset) = extent.page_at(geometry, first.addr().get());
        let place = geometry.index_of(offset) / LONG_ROW;
        &extent.slack[page.number * geometry.slack_places() + place]
    }

    /// Slack units of a block that has `units` units in the maps and starts at `spot`.
    pub(in crate::heap) fn at(spot: Spot, units: usize) -> usize {
        if units < LONG_ROW {
            return 0;
        }
        spot.page.slack()[spot.index / LONG_ROW].units()
    }

    fn units(&self) -> usize {
        self.0.load(Relaxed).into()
    }

    /// Notes the slack units of a block that the caller is about to hand out.
    #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
    #[inline]
    pub(in crate::heap) fn set(&self, units: usize) {
        debug_assert!(units <= most_slack(LONGEST_ROW));
        self.0.store(units as u8, Relaxed);
    }

    /// Takes over the slack units of a block that the caller releases; how many they are.
    #[inline]
    pub(in crate::heap) fn take(&self) -> usize {
        let units = self.units();
        self.set(0);
        units
    }
}

/// Takes over the slack units of the block at `first`, which was handed out for `units` units
/// and is released by the caller; how many they are.
pub(in crate::heap) fn take_slack_at(first: NonNull<u8>, units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    Slack::of(first).take()
}

impl Page {
    /// Calls `f` with the slack units of every block, which are the caller's from then on. The
    /// caller holds the family's lock, and no other thread has a cache.
    pub(in crate::heap) fn take_all_slack(self, mut f: impl FnMut(Run)) {
        for (slack, run) in self.slack_runs() {
            slack.set(0);
            f(run);
        }
    }

    /// The slack units of every block that has any, and where their number stands.
    pub(in crate::heap) fn slack_runs(self) -> impl Iterator<Item = (&'static Slack, Run)> {
        let places = self.slack().iter().enumerate();
        places.filter_map(move |(place, slack)| {
            let units = slack.units();
            (units > 0).then(|| (slack, self.slack_of_block_in(place, units)))
        })
    }

    /// Slack units of all blocks.
    pub(in crate::heap) fn slack_units(self) -> usize {
        self.slack().iter().map(Slack::units).sum()
    }

    /// Where the slack units are of the block that starts among the units of a place.
    fn slack_of_block_in(self, place: usize, units: usize) -> Run {
        let map = self.map();
        let from = place * LONG_ROW;
        // Of the blocks that start here, only the last can reach far enough to have any.
        let last = (from..from + LONG_ROW)
            .rev()
            .find(|index| map.is_taken(*index) && !map.continues(*index))
            .expect("a block with slack units starts here");
        let end = last + map.block_units(last);
        Run {
            first: end - units,
            units,
        }
    }

    /// The numbers of all blocks; none where all have one unit.
    fn slack(self) -> &'static [Slack] {
        // Even a look would make the kernel count the table as resident.
        if !self.has_continued() {
            return &[];
        }
        let places = self.extent().geometry().slack_places();
        &self.extent().slack[self.number * places..(self.number + 1) * places]
    }
}
