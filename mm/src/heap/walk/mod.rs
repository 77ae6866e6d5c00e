//! The walk over a family: its address space, the VM pages there, and the blocks in a page.
//!
//! All code that reads the maps of a whole family is here: for snapshots, reports, visits, leaks, and the
//! check. The caller holds the family's lock, so no page comes or goes and no word changes its owner. But a
//! thread that owns words may change them meanwhile, since it needs no lock.
//!
//! # What a reader sees
//!
//! | reader | what it sees |
//! | --- | --- |
//! | figures | the live units, from the caches' counts: exact while no call is running, never below zero. The free units are read word by word, so they may not match those counts: then fewer free and cached units are reported, so that live, cached and free units together fit the pages |
//! | check, visit | exact while no other thread is in a call; a visit copies each word once |
//! | tags, leaks | exact: tags change only under the lock, since calls for a tracked family bypass the caches |
//! | release by a bare pointer | the unit's bit, the units on their way to the owner, and every cache. It reads all of this again if the `version` of a cache changed meanwhile |
//! | fork | nothing that the child reads changes: the owners are kept out first (see `cache::biased`) |
//! | another process | each aligned 8 bytes as they were at one moment. For more, it must read a cache's `version` before and after, as the release by a bare pointer does |
//!
//! The number of free units of each page is also stored beside the table from addresses to records
//! (`Page::counted_free`), so a reader of a million pages need not read their words. The number is exact while
//! no call is running.

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

    /// The live block in the address space of a large block, if there is one.
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

    /// The block that contains `address`; if none does, the unit that contains it, which then is not live.
    /// `record` is the record of the address.
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

    /// The block without its slack, and whether it is live. If `block` is `None`, the unit at `spot`, which is
    /// not live.
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

    /// Whether the taken unit is in a cache or on its way to the owner of its word. Threads move units without
    /// the lock, so this looks again if a cache changed meanwhile. If a cache never comes to rest, since its
    /// thread is stopped in the middle of a move, the answer is yes. If that is wrong, a live block stays
    /// unreleased: a leak. A wrong no would be worse: a second release would free another block's memory.
    fn is_cached(&self, spot: Spot) -> bool {
        /// With the pauses between them, the tries take a tenth of a second.
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

    /// A number that grows whenever a cache changes; `None` while one is changing.
    fn versions(&self) -> Option<u64> {
        let mut versions = self.caches.iter().map(CacheRecord::version);
        versions.try_fold(0_u64, |sum, version| Some(sum.wrapping_add(version?)))
    }

    /// Whether one look finds the unit in a cache, on its way to its owner, or free.
    fn seems_cached(&self, Spot { page, index }: Spot) -> bool {
        let (word, bit) = (index / 64, 1 << (index % 64));
        let is_sent = page.sent_units(word) & bit != 0;
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
    /// The block here; if none is live, a block of 0 units. `None` if this has no address space.
    fn view(&self) -> Option<BlockView> {
        let live = self.live_units();
        Some(BlockView {
            first: self.place()?.at(0),
            units: live.unwrap_or(0),
            is_live: live.is_some(),
        })
    }
}
