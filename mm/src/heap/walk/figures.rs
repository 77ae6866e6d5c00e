//! The figures of a family at one moment, read under its lock.

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::Placement;
use crate::heap::pages::large::Large;
use crate::heap::pages::{Extent, Page, Record, SPACE};
use crate::os::{Look, PageSource, ReentrancyGuard, System};
use core::ops::AddAssign;

/// Classes of fill: empty, 1-24, 25-49, 50-74, 75-99 and 100 %.
pub(crate) const FILL_CLASSES: usize = 6;

/// The figures of one family. They are bytes, unless the name says units, blocks or pages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) units_per_page: u64,
    pub(crate) vm_pages: u64,
    pub(crate) mapped: u64,
    pub(crate) live_blocks: u64,
    pub(crate) live_units: u64,
    pub(crate) cached_units: u64,
    pub(crate) peak: u64,
    pub(crate) blocks_allocated: u64,
    pub(crate) blocks_released: u64,
    pub(crate) kernel_calls: u64,
    /// By which live blocks are longer than was requested.
    pub(crate) padding: u64,
    /// Pages with a taken unit.
    pub(crate) occupied_pages: u64,
    /// Free units in occupied pages.
    pub(crate) occupied_free_units: u64,
    pub(crate) reclaimable: u64,
    pub(crate) fill: [Occupancy; FILL_CLASSES],
}

/// VM pages in use that are about equally full.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Occupancy {
    pub(crate) pages: u64,
    pub(crate) occupied_blocks: u64,
    pub(crate) free_blocks: u64,
    pub(crate) free_units: u64,
    pub(crate) largest_free_block: u64,
}

impl Heap {
    /// Copies all figures. Other threads that need this family's lock wait meanwhile.
    pub(crate) fn figures(&'static self) -> Figures {
        let _inside = ReentrancyGuard::enter();
        self.central().figures(self)
    }
}

/// Adds the resident bytes of all address space to the entries by the number of the family. If the kernel does
/// not report a part, its family gets no figure, since the rest would be wrong.
///
/// This is one walk over the address space in large steps. A call into the kernel for each family would take
/// longer than all other work of a snapshot.
pub(crate) fn add_resident(look: &Look, by_number: &mut [Option<u64>]) {
    SPACE.for_each_resident(look, Record::in_use_from, |record, bytes| {
        // A family that is newer than the caller's list has no entry.
        if let Some(resident) = by_number.get_mut(Heap::of(record.heap()).number()) {
            *resident = resident.and_then(|all| Some(all + bytes.ok()? as u64));
        }
    });
}

impl Central {
    fn figures(&mut self, heap: &'static Heap) -> Figures {
        self.free_slack();
        self.drain_inbox(heap);
        let live = self.live();
        // From the same count that is shown; otherwise the peak could be less than the live bytes.
        self.account
            .account_live(live.units * heap.geometry().unit() as u64);
        let mut figures = Figures {
            units_per_page: units_per_page(heap),
            live_blocks: live.blocks,
            live_units: live.units,
            blocks_allocated: live.allocated,
            blocks_released: live.released,
            peak: self.account.peak_bytes,
            kernel_calls: self.account.kernel_calls,
            padding: self.padding(),
            ..Figures::default()
        };
        for record in self.records() {
            match record {
                Record::Extent(extent) => figures.account_extent(heap, extent),
                Record::Large(large) => figures.account_run(heap, large),
            }
        }
        figures.account_live(live.paged);
        if !System::can_discard() {
            figures.reclaimable = 0;
        }
        figures
    }
}

impl Figures {
    fn account_extent(&mut self, heap: &'static Heap, extent: &'static Extent) {
        let used = extent.pages().filter(|page| page.is_in_use());
        used.for_each(|page| self.account_page(heap, page));
        self.reclaimable += extent.reclaimable(System::page_bytes()) as u64;
    }

    fn account_run(&mut self, heap: &'static Heap, large: &Large) {
        if large.live_units().is_some() {
            self.account_large(large.bytes(), Occupancy::full());
        } else if large.is_kept() {
            let units = large.bytes() / heap.geometry().unit();
            self.reclaimable += large.reclaimable() as u64;
            self.account_large(large.bytes(), Occupancy::free(units as u64));
        }
    }

    fn account_page(&mut self, heap: &'static Heap, page: Page) {
        let map = page.whole_map();
        let mut fill = Occupancy {
            pages: 1,
            occupied_blocks: map.blocks() as u64,
            ..Occupancy::default()
        };
        for run in map.free_runs() {
            fill += Occupancy::free_block(run.units as u64);
        }
        let capacity = page.capacity();
        // The page's own count may not match: its owner may have changed one and not yet the other.
        let taken = capacity.saturating_sub(usize::try_from(fill.free_units).unwrap_or(capacity));
        // Includes live units, which `account_live` subtracts in the end.
        self.cached_units += taken as u64;
        let bytes = heap.geometry().page_bytes() as u64;
        self.vm_pages += 1;
        self.mapped += bytes;
        if taken > 0 {
            self.occupied_pages += bytes;
            self.occupied_free_units += fill.free_units;
        }
        self.fill[class(taken, capacity)] += fill;
    }

    /// Subtracts the live units from the taken ones; the rest is in caches. Owners work while the maps are
    /// read, after the live units were counted. Units that came free since then count as live, so they must not
    /// count as free.
    fn account_live(&mut self, live: u64) {
        let taken = self.cached_units;
        self.cached_units = taken.saturating_sub(live);
        let mut excess = live.saturating_sub(taken);
        for class in self.fill.iter_mut().rev() {
            excess -= class.take_free(excess);
        }
        self.occupied_free_units = self.occupied_free_units.min(self.all().free_units);
    }

    fn account_large(&mut self, bytes: usize, fill: Occupancy) {
        let full = fill.free_blocks == 0;
        self.vm_pages += 1;
        self.mapped += bytes as u64;
        self.occupied_pages += if full { bytes as u64 } else { 0 };
        self.fill[if full { FILL_CLASSES - 1 } else { 0 }] += fill;
    }

    /// All classes together.
    pub(crate) fn all(&self) -> Occupancy {
        let mut all = Occupancy::default();
        self.fill.iter().for_each(|class| all += *class);
        all
    }
}

impl Occupancy {
    fn free_block(units: u64) -> Self {
        Self {
            free_blocks: 1,
            free_units: units,
            largest_free_block: units,
            ..Self::default()
        }
    }

    /// Removes `units` free units, or all if there are fewer; returns how many.
    fn take_free(&mut self, units: u64) -> u64 {
        let left_out = units.min(self.free_units);
        self.free_units -= left_out;
        self.free_blocks = self.free_blocks.min(self.free_units);
        self.largest_free_block = self.largest_free_block.min(self.free_units);
        left_out
    }

    /// A page without a block.
    fn free(units: u64) -> Self {
        Self {
            pages: 1,
            ..Self::free_block(units)
        }
    }

    /// A page that is one block.
    fn full() -> Self {
        Self {
            pages: 1,
            occupied_blocks: 1,
            ..Self::default()
        }
    }
}

impl AddAssign for Occupancy {
    fn add_assign(&mut self, other: Self) {
        self.pages += other.pages;
        self.occupied_blocks += other.occupied_blocks;
        self.free_blocks += other.free_blocks;
        self.free_units += other.free_units;
        self.largest_free_block = self.largest_free_block.max(other.largest_free_block);
    }
}

fn class(taken: usize, capacity: usize) -> usize {
    match taken {
        0 => 0,
        _ if taken == capacity => FILL_CLASSES - 1,
        _ => 1 + taken * 4 / capacity,
    }
}

/// Units of a VM page.
fn units_per_page(heap: &Heap) -> u64 {
    match heap.geometry().placement() {
        Placement::Counted => 0,
        Placement::Paged => heap.page_capacity() as u64,
        Placement::Large => 1,
    }
}
