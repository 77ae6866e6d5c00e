//! The walk over what one family has: its address space, the VM pages there, and the blocks in a page.
//!
//! Everything that reads maps goes through here: snapshots, reports, visits, leaks, the check. The caller
//! holds the family's lock, so no page comes or goes and no word gets another owner; but threads work in
//! words that they own meanwhile, without the lock.
//!
//! # What a reader sees
//!
//! | reader | sees |
//! | --- | --- |
//! | figures | what is live, from the caches' counts: exact without calls in flight, never below zero. How full pages are, word by word; free and cached units are cut so that with the live ones they are no more than the pages have |
//! | check, visit | exact while no other thread is inside of a call; a visit copies each word once |
//! | tags, leaks | what is recorded changes under the lock alone: calls of a family that records go past the caches |
//! | release of any pointer | the unit's bit, what is on its way to the owner, and every cache, again and again until no cache changed meanwhile (`version` stood still) |
//! | fork | the owners are kept out first (see `cache::biased`): all that the child reads stands still |
//! | another process | the words by themselves: each is 8 bytes that change at once. It must read a cache's `version` before and after, as the release of any pointer does |
//!
//! How many units of a page are free stands beside the table of addresses too (`Page::counted_free`):
//! whoever draws a million pages need not read their words. It is exact while no thread is inside of a call.

#[cfg(feature = "capi")]
mod blocks;
mod check;
mod figures;
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
    /// All records of the family's address space, the newest first: what is added meanwhile is left out.
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

    /// The extents among them.
    pub(in crate::heap) fn extents(&self) -> impl Iterator<Item = &'static Extent> + use<> {
        self.records().filter_map(Record::extent)
    }

    /// The VM pages of all extents.
    pub(in crate::heap) fn pages(&self) -> impl Iterator<Item = Page> + use<> {
        self.extents().flat_map(Extent::pages)
    }

    /// The block that `address` lies in; where no block is, the unit that it lies in. `record` is that of the
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

    /// The block as its user sees it; without one, the unit at `spot`.
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

    /// Whether the unit, which is taken, is in a cache or on its way to its owner. Threads move units without
    /// the lock, so the places are looked at again while one of their records changes. Where one does not end
    /// to, as its thread is stopped half way, the answer is yes: a unit that is not released is lost, and one
    /// that is released twice is somebody else's.
    fn is_cached(&self, spot: Spot) -> bool {
        /// The last of them after a tenth of a second.
        const TRIES: u32 = 2_000;
        for look in 0..TRIES {
            let before = self.versions();
            let is_there = self.is_at_hand(spot);
            // What is read before must not be read after the versions are compared.
            fence(Acquire);
            if is_there || (before.is_some() && self.versions() == before) {
                return is_there;
            }
            pause(look);
        }
        true
    }

    /// A number that grows with each change of a cache; none while one changes.
    fn versions(&self) -> Option<u64> {
        let mut versions = self.caches.iter().map(CacheRecord::version);
        versions.try_fold(0_u64, |sum, version| Some(sum.wrapping_add(version?)))
    }

    fn is_at_hand(&self, Spot { page, index }: Spot) -> bool {
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
    /// The block of the run; one of no units where it holds none.
    fn view(&self) -> Option<BlockView> {
        let live = self.live_units();
        Some(BlockView {
            first: self.place()?.at(0),
            units: live.unwrap_or(0),
            is_live: live.is_some(),
        })
    }
}
