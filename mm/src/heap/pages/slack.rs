//! Slack: units of a block beyond those that were asked for.
//!
//! A thread's cache may answer a request for a row with a released block that is up to an eighth longer. The
//! slack units stay taken and count as cached. Their number is in a table of the VM page, at the block's first
//! unit.
//!
//! # Who may use an entry
//!
//! - The thread that hands out or releases the block.
//! - The holder of the family's lock, while no other thread has a cache of the family: all other threads then
//!   need the lock before they use a block. So a snapshot of a program with one thread finds no slack.
//!
//! No step needs an atomic read-modify-write, which would wait for all earlier stores of the program.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::page::{Page, Spot};
use super::slot_map::Run;
use super::spot::{extent_of, released_twice};
use crate::heap::ground::{LONG_ROW, LONGEST_ROW};
use crate::sync::AtomicU8;

/// Slack units that a block of `units` units may have, at most.
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
    /// The entry of the block at `first`, which has at least `LONG_ROW` units.
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

    /// Slack units of the block at `spot`, which has `units` units in the maps.
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

    /// Returns the slack units of a block that the caller releases, and sets them to 0.
    #[inline]
    pub(in crate::heap) fn take(&self) -> usize {
        let units = self.units();
        self.set(0);
        units
    }
}

/// Returns the slack units of the block at `first`, and sets them to 0. The block was handed out for `units`
/// units, and the caller releases it.
pub(in crate::heap) fn take_slack_at(first: NonNull<u8>, units: usize) -> usize {
    if units < LONG_ROW {
        return 0;
    }
    Slack::of(first).take()
}

impl Page {
    /// Calls `f` with the slack units of every block, which belong to the caller from then on. The caller holds
    /// the family's lock, and no other thread has a cache.
    pub(in crate::heap) fn take_all_slack(self, mut f: impl FnMut(Run)) {
        for (slack, run) in self.slack_runs() {
            slack.set(0);
            f(run);
        }
    }

    /// The slack units of every block that has any, with the entry of their number.
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

    /// The slack units of the block whose entry is number `place` and which has `units` of them.
    fn slack_of_block_in(self, place: usize, units: usize) -> Run {
        let map = self.map();
        let from = place * LONG_ROW;
        // Of the blocks that start here, only the last is long enough to have slack.
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

    /// The entries of the page; none if all its blocks have one unit.
    fn slack(self) -> &'static [Slack] {
        // Even a load would make the kernel count the table as resident.
        if !self.has_rows() {
            return &[];
        }
        let places = self.extent().geometry().slack_places();
        &self.extent().slack[self.number * places..(self.number + 1) * places]
    }
}
