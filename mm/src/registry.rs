//! The list of all families: those of the derive, found at link time, and those registered later.

use core::alloc::Layout;

use crate::__private::Entry;
use crate::error::RegisterError;
use crate::family::by_name::{ByName, Named};
use crate::family::{self, PageFamily};
use crate::heap::{self, Link, Occupancy};
use crate::os::{Lock, Refused};
use crate::resident::Resident;
use crate::snapshot::{FamilySnapshot, FillClass, Label, Location, Snapshot};

/// Families by hash of the name. The lock is held while a name is looked up and added.
pub(crate) static BY_NAME: Lock<Filed> = Lock::new(Filed {
    by_name: ByName::new(),
    filed: None,
});

/// The families on the list, by name.
pub(crate) struct Filed {
    by_name: ByName<PageFamily>,
    /// The newest family that is in its bucket; those listed before it are, too.
    filed: Option<&'static PageFamily>,
}

/// The number of the next instance of a C program. The lock is held while an instance is made, and while a
/// family is registered in one.
#[cfg(feature = "capi")]
pub(crate) static REGISTERING: Lock<usize> = Lock::new(1);

/// Adds a family without a type. The caller has started mm already: start-up ends the process if an
/// option is unknown, and exit handlers may register families too.
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

/// All families, in no order.
pub(crate) fn linked_and_listed() -> impl Iterator<Item = &'static PageFamily> {
    list_linked();
    family::listed()
}

/// Lists the families that the linker put into the program.
pub(crate) fn list_linked() {
    // On each call, not once: a library that is loaded later adds families of its own.
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
    by_name.file_new();
    if let Some(taken) = by_name.by_name.find(name.as_bytes()) {
        let family = taken.name();
        return Err(RegisterError::DuplicateName { family });
    }
    let place = |name| heap::RECORDS.place(make(name, padded));
    let family = heap::RECORDS.text(name).and_then(place);
    let family = family.map_err(|Refused| RegisterError::OutOfMemory)?;
    // Under the lock, so that the next caller sees it on the list and files it.
    family.list();
    Ok(family)
}

impl Filed {
    /// Files the families that were listed since the last time.
    fn file_new(&mut self) {
        let newest = linked_and_listed().next();
        let is_filed = |family: &&'static PageFamily| {
            self.filed
                .is_some_and(|filed| core::ptr::eq(filed, *family))
        };
        let new = family::listed_from(newest).take_while(|family| !is_filed(family));
        for family in new {
            self.by_name.add(family);
        }
        self.filed = newest;
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
