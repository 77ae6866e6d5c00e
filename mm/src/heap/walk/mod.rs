//! The walk over a family: its address space, the VM pages there, and the blocks in a page.
//!
//! All code that reads the maps of a whole family is here: snapshots, reports, visits, leaks, the check. The
//! caller holds the family's lock, so no page comes or goes and no word changes its owner. But threads work in
//! words that they own, without the lock.
//!
//! # What a reader sees
//!
//! | reader | what it sees |
//! | --- | --- |
//! | figures | the live units, from the caches' counts: exact while no call is running, never below zero. The fill of pages, word by word: free and cached units are cut so that together with the live ones they fit the pages |
//! | check, visit | exact while no other thread is in a call; a visit copies each word once |
//! | tags, leaks | records change only under the lock, since calls for a tracked family bypass the caches |
//! | release of any pointer | the unit's bit, the units on their way to the owner, and every cache; repeated until no cache changed meanwhile (its `version` is the same) |
//! | fork | the owners are kept out first (see `cache::biased`), so nothing that the child reads changes |
//! | another process | single words: each has 8 bytes that change at once. It must read a cache's `version` before and after, as the release of any pointer does |
//!
//! The number of free units of a page is also beside the table of addresses (`Page::counted_free`), so a reader
//! of a million pages need not read their words. It is exact while no call is running.

#[cfg(feature = "capi")]
mod blocks;
mod check;
mod figures;
mod live;
mod visit;

#[cfg(feature = "capi")]
pub(crate) use blocks::{PageView, Walk};
pub(crate) use figures::{Figures, Occupancy, add_resident};

use core::sync::atomic::Ordering::Acquire;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, pause};
use crate::heap::family::central::Central;
use crate::heap::ground::BlockView;
use crate::heap::pages::large::Large;
use crate::heap::pages::{Extent, Page, Record, Slack, Spot, TakenBlock};
use crate::os::ReentrancyGuard;
use crate::sync::fence;

impl Heap {
    /// All records of the family's address space, the newest first. Records that are added meanwhile are left
    /// out.
    pub(in crate::heap) fn records(&'static self) -> impl Iterator<Item = &'static Record> {
        let _inside = ReentrancyGuard::enter();
        self.central().records()
    }

    /// The live block of a run.
    pub(in crate::heap) fn block_of(&'static self, large: &Large) -> Option<BlockView> {
        let _inside = ReentrancyGuard::enter();
        let _central = self.central();
        large.view().filter(|block| block.is_live)
    }
}

impl Central {
    /// All records of the family's address space, the newest first.
    pub(in crate::heap) fn records(&self) -> impl Iterator<Item = &'static Record> + use<> {
        core::iter::successors(self.newest, |record| record.older().get())
    }

    /// The extents of the family.
    pub(in crate::heap) fn extents(&self) -> impl Iterator<Item = &'static Extent> + use<> {
        self.records().filter_map(Record::extent)
    }

    /// The VM pages of all extents.
    pub(in crate::heap) fn pages(&self) -> impl Iterator<Item = Page> + use<> {
        self.extents().flat_map(Extent::pages)
    }

    /// The block that contains `address`; if there is none, the unit that contains it. `record` is that of the
    /// address.
    pub(in crate::heap) fn block_containing(
        &self,
        record: &'static Record,
        address: usize,
    ) -> Option<BlockView> {
        match record {
            Record::Large(large) => large.view(),
            Record::Extent(extent) => {
                let spot = extent.spot_containing(address)?;
                Some(self.view(spot.page.block_around(spot.index), spot))
            }
        }
    }

    /// The block as its user sees it; if there is none, the unit at `spot`.
    fn view(&self, block: Option<TakenBlock>, spot: Spot) -> BlockView {
        let Some(TakenBlock { spot, units }) = block else {
            return BlockView {
                first: spot.page.unit(spot.index),
                units: 1,
                is_live: false,
            };
        };
        let first = spot.page.unit(spot.index);
        let is_cached = if units == 1 {
            self.is_cached(spot)
        } else {
            self.caches.iter().any(|cache| cache.holds_row(first))
        };
        BlockView {
            first,
            units: units - Slack::at(spot, units),
            is_live: !is_cached && !spot.is_quarantined(),
        }
    }

    /// Whether the taken unit is in a cache or on its way to its owner. Threads move units without the lock, so
    /// this looks again if a record changed meanwhile. If a record keeps changing, since its thread is stopped
    /// in the middle of a move, the answer is yes: an unreleased unit is only lost, but a second release would
    /// free memory of another block.
    fn is_cached(&self, spot: Spot) -> bool {
        /// The last try comes after a tenth of a second.
        const TRIES: u32 = 2_000;
        for look in 0..TRIES {
            let before = self.versions();
            let is_there = self.seems_cached(spot);
            // The reads above must not move below the comparison of the versions.
            fence(Acquire);
            if is_there || (before.is_some() && self.versions() == before) {
                return is_there;
            }
            pause(look);
        }
        true
    }

    /// A number that grows with each change of a cache; `None` while a cache changes.
    fn versions(&self) -> Option<u64> {
        let mut versions = self.caches.iter().map(CacheRecord::version);
        versions.try_fold(0_u64, |sum, version| Some(sum.wrapping_add(version?)))
    }

    fn seems_cached(&self, Spot { page, index }: Spot) -> bool {
        let (word, bit) = (index / 64, 1 << (index % 64));
        let is_sent = page.sent(word) & bit != 0;
        let is_free = page.words()[word].taken() & bit == 0;
        let unit = page.unit(index);
        is_sent
            || is_free
            || self
                .caches
                .iter()
                .any(|cache| cache.holds(unit, page, index))
    }
}

impl Large {
    /// The block of the run; without a live block, one of no units.
    fn view(&self) -> Option<BlockView> {
        let live = self.live_units();
        Some(BlockView {
            first: self.place()?.at(0),
            units: live.unwrap_or(0),
            is_live: live.is_some(),
        })
    }
}
