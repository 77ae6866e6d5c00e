//! The list of all families: the derived ones, which the linker collects, and those registered at run time.

use core::alloc::Layout;

use crate::__private::Entry;
use crate::error::RegisterError;
use crate::family::by_name::{ByName, Named};
use crate::family::{self, PageFamily};
use crate::heap::{self, Link, Occupancy};
use crate::os::{Lock, Refused};
use crate::resident::Resident;
use crate::snapshot::{FamilySnapshot, FillClass, Label, Location, Snapshot};

/// The index of families by name. A thread holds the lock while it looks up a name and registers it.
pub(crate) static BY_NAME: Lock<NameIndex> = Lock::new(NameIndex {
    table: ByName::new(),
    newest: None,
});

/// An index of the list of all families, by name.
pub(crate) struct NameIndex {
    table: ByName<PageFamily>,
    /// The newest family in the table. All families that were listed before it are in the table, too.
    newest: Option<&'static PageFamily>,
}

/// The number of the next instance that a C program makes; the global instance is number 0. A thread holds
/// the lock while it makes an instance, and while it registers a family in one.
#[cfg(feature = "capi")]
pub(crate) static REGISTERING: Lock<usize> = Lock::new(1);

/// Adds a family without a type.
///
/// The caller starts mm first. Start-up under the lock of this function could deadlock: an unknown option ends the
/// process, which runs exit handlers, and one of them may register a family.
pub(crate) fn register(
    name: &str,
    layout: Layout,
    location: Location,
) -> Result<&'static PageFamily, RegisterError> {
    add(name, layout, |name, layout| {
        PageFamily::run_time(name, layout, location)
    })
}

/// Adds a family for a C program.
#[cfg(feature = "capi")]
pub(crate) fn register_of_c(
    name: &str,
    layout: Layout,
    location: Location,
) -> Result<&'static PageFamily, RegisterError> {
    add(name, layout, |name, layout| {
        PageFamily::of_c(name, name, layout, location)
    })
}

/// All families, sorted by their keys.
pub(crate) fn families() -> impl Iterator<Item = &'static PageFamily> {
    let mut all: Vec<_> = linked_and_listed().collect();
    all.sort_by_cached_key(|family| family.listed_key());
    all.into_iter()
}

/// Copies every figure of every family.
pub(crate) fn snapshot() -> Snapshot {
    heap::flush_thread();
    let families = families();
    let resident = Resident::measure();
    let families = families.map(|family| copy(family, resident.of(family)));
    Snapshot::new(resident.process_figures(), families.collect())
}

/// Copies every figure of one family, as [`snapshot`] does for all.
#[cfg(feature = "capi")]
pub(crate) fn snapshot_of(family: &'static PageFamily) -> FamilySnapshot {
    heap::flush_thread();
    // List it first: that gives it a number, and a fork takes only the locks of listed families.
    family.list();
    copy(family, Resident::measure().of(family))
}

/// All families, in no particular order.
pub(crate) fn linked_and_listed() -> impl Iterator<Item = &'static PageFamily> {
    list_linked();
    family::listed()
}

/// Lists the families that the linker put into the program.
pub(crate) fn list_linked() {
    // Every call does this, since a library that is loaded later adds families of its own.
    inventory::iter::<Entry>
        .into_iter()
        .for_each(|entry| entry.0.list());
}

/// Registers the family that `make` makes from a `'static` copy of the name and the padded layout.
fn add(
    name: &str,
    layout: Layout,
    make: impl FnOnce(&'static str, Layout) -> PageFamily,
) -> Result<&'static PageFamily, RegisterError> {
    let padded = layout.pad_to_align();
    if padded.size() == 0 {
        return Err(RegisterError::BadLayout {
            unit_size: layout.size(),
            unit_align: layout.align(),
        });
    }
    let mut by_name = BY_NAME.lock();
    by_name.update();
    if let Some(taken) = by_name.table.find(name.as_bytes()) {
        let family = taken.name();
        return Err(RegisterError::DuplicateName { family });
    }
    let place = |name| heap::RECORDS.place(make(name, padded));
    let family = heap::RECORDS.text(name).and_then(place);
    let family = family.map_err(|Refused| RegisterError::OutOfMemory)?;
    // Still under the lock: the next registration finds the family on the list, and adds it to the index.
    family.list();
    Ok(family)
}

impl NameIndex {
    /// Adds the families that were listed since the last update.
    fn update(&mut self) {
        let newest = linked_and_listed().next();
        let is_known = |family: &&'static PageFamily| {
            self.newest
                .is_some_and(|known| core::ptr::eq(known, *family))
        };
        let new = family::listed_from(newest).take_while(|family| !is_known(family));
        for family in new {
            self.table.add(family);
        }
        self.newest = newest;
    }
}

impl Named for PageFamily {
    fn name_bytes(&self) -> &[u8] {
        self.name().as_bytes()
    }

    fn next_of_bucket(&self) -> &Link<Self> {
        &self.next_of_bucket
    }
}

/// Copies the figures of one family; the caller measured its resident bytes.
fn copy(family: &'static PageFamily, resident_bytes: Option<u64>) -> FamilySnapshot {
    let figures = family.figures();
    let (unit, all) = (family.layout().size() as u64, figures.all());
    FamilySnapshot {
        name: family.name(),
        path: family.path(),
        location: family.location(),
        key: family.listed_key(),
        run_time: family.is_run_time(),
        untyped: family.is_untyped(),
        label: Label::default(),
        unit_size: unit,
        unit_align: family.layout().align() as u64,
        units_per_page: figures.units_per_page,
        first_page_units: figures.units_per_page,
        vm_pages: figures.vm_pages,
        mapped_bytes: figures.mapped,
        resident_bytes,
        live_blocks: figures.live_blocks,
        live_units: figures.live_units,
        live_bytes: figures.live_units * unit,
        requested_bytes: (figures.live_units * unit).saturating_sub(figures.padding),
        free_blocks: all.free_blocks,
        free_units: all.free_units,
        cached_units: figures.cached_units,
        peak_live_bytes: figures.peak,
        blocks_allocated: figures.blocks_allocated,
        blocks_released: figures.blocks_released,
        kernel_calls: figures.kernel_calls,
        largest_free_block: all.largest_free_block,
        occupied_page_bytes: figures.occupied_pages,
        occupied_page_free_bytes: figures.occupied_free_units * unit,
        reclaimable_bytes: figures.reclaimable,
        fill: figures.fill.map(fill_class),
    }
}

fn fill_class(fill: Occupancy) -> FillClass {
    FillClass {
        pages: fill.pages,
        occupied_blocks: fill.occupied_blocks,
        free_blocks: fill.free_blocks,
        free_units: fill.free_units,
        largest_free_block: fill.largest_free_block,
    }
}
