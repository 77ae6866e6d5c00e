//! The walker: derives every figure again, from the maps and the caches alone.

use core::ptr::NonNull;

use super::Heap;
use super::cache::CacheRecord;
use super::central::{Central, is_block, spot_of};
use super::extent::Extent;
use super::geometry::Placement;
use super::page::{Page, Spot};
use super::record::Record;
use super::shelves::shelf_of;
use super::slot_map::Run;

/// Two ways to derive one figure that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inconsistency {
    pub(crate) what: &'static str,
    pub(crate) kept: u64,
    pub(crate) found: u64,
}

/// What the walk over the pages finds.
#[derive(Default)]
struct Found {
    taken_units: u64,
    joined_units: u64,
    other_blocks: u64,
    other_units: u64,
}

impl Heap {
    /// Compares all that the family keeps with what its pages and caches say.
    ///
    /// Exact only while no thread is inside a call for this family.
    pub(crate) fn check(&'static self) -> Result<(), Inconsistency> {
        let cached: u64 = self.central().caches.iter().map(CacheRecord::cached).sum();
        // Other threads may fill their caches meanwhile, up to a point.
        let mut scratch = Vec::with_capacity(usize::try_from(cached).unwrap_or(0) + 4_096);
        let mut central = self.central();
        let mut found = Found::default();
        for record in central.records() {
            found.add(record)?;
        }
        let account = &central.account;
        same("taken units", account.taken_units, found.taken_units)?;
        same(
            "units of joined blocks",
            account.joined_units,
            found.joined_units,
        )?;
        if self.geometry.placement() != Placement::Counted {
            let live = account.other_allocated - account.other_released;
            same("blocks of many units", live, found.other_blocks)?;
            same(
                "units of such blocks",
                account.other_units,
                found.other_units,
            )?;
        }
        check_live(&mut central, &mut scratch)
    }
}

impl Found {
    fn add(&mut self, record: &'static Record) -> Result<(), Inconsistency> {
        match record {
            Record::Extent(extent) => return self.add_extent(extent),
            Record::Large(large) => {
                if let Some(units) = large.live_units() {
                    self.other_blocks += 1;
                    self.other_units += units as u64;
                }
            }
        }
        Ok(())
    }

    fn add_extent(&mut self, extent: &'static Extent) -> Result<(), Inconsistency> {
        let before = self.taken_units;
        for page in extent.pages() {
            self.add_page(page)?;
        }
        let in_pages = self.taken_units - before;
        same(
            "taken units of an extent",
            extent.taken_units() as u64,
            in_pages,
        )?;
        let shelf = extent.shelf.load(core::sync::atomic::Ordering::Relaxed);
        same("shelf of an extent", shelf.into(), shelf_of(extent).into())
    }

    fn add_page(&mut self, page: Page) -> Result<(), Inconsistency> {
        let map = page.map();
        let free: usize = map.free_runs().map(|run| run.units).sum();
        let found = (page.capacity() - free) as u64;
        same("taken units of a page", page.taken() as u64, found)?;
        same("bits of a page's map", map.taken_units() as u64, found)?;
        same(
            "in use",
            u64::from(page.is_in_use()),
            u64::from(page.is_in_use() || found > 0),
        )?;
        self.taken_units += found;
        let mut index = 0;
        while index < page.capacity() {
            let units = map.block_units(index);
            if units > 1 {
                let taken = (index..index + units)
                    .filter(|unit| map.is_taken(*unit))
                    .count();
                same("taken units of a block", units as u64, taken as u64)?;
                self.joined_units += units as u64;
                self.other_units += units as u64;
                self.other_blocks += 1;
            }
            index += units;
        }
        Ok(())
    }
}

/// Compares what caches hold with the maps, and what is live with what was handed out.
fn check_live(central: &mut Central, scratch: &mut Vec<usize>) -> Result<(), Inconsistency> {
    let cached: u64 = central.caches.iter().map(CacheRecord::cached).sum();
    same("distinct cached units", cached, distinct(central, scratch))?;
    let single = central.account.taken_units - central.account.joined_units;
    let single = single.saturating_sub(cached);
    let live = central.live();
    same(
        "live units",
        live.units,
        single + central.account.other_units,
    )?;
    same(
        "allocated less released",
        live.blocks,
        live.allocated - live.released,
    )
}

/// Counts the cached units that are taken in the maps as blocks of their own, each once.
fn distinct(central: &Central, scratch: &mut Vec<usize>) -> u64 {
    let units = central.caches.iter().flat_map(cached_units);
    let taken = units.filter(|unit| is_single(*unit));
    // No more than there is room for: the lock is held, and nothing is allocated under it.
    scratch.extend(taken.take(scratch.capacity()).map(|unit| unit.addr().get()));
    scratch.sort_unstable();
    scratch.dedup();
    scratch.len() as u64
}

fn cached_units(cache: &'static CacheRecord) -> impl Iterator<Item = NonNull<u8>> {
    cache.single_units().chain(cache.claimed_units())
}

/// Whether the unit is taken, and no part of a larger block.
fn is_single(unit: NonNull<u8>) -> bool {
    let Spot { page, index } = spot_of(unit);
    let run = Run {
        first: index,
        units: 1,
    };
    is_block(page, run)
}

fn same(what: &'static str, kept: u64, found: u64) -> Result<(), Inconsistency> {
    if kept == found {
        return Ok(());
    }
    Err(Inconsistency { what, kept, found })
}
