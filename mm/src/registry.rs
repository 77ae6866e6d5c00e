//! All families: those of the derive, found at link time, and those registered later.

use core::alloc::Layout;
use core::panic;

use crate::__private::Entry;
use crate::by_name::{ByName, Named};
use crate::error::{CheckError, RegisterError};
use crate::family::{self, PageFamily};
use crate::heap::{self, Fill, Link};
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

impl PageFamily {
    /// Registers a family that has no type, for units of `layout`, padded to its alignment.
    ///
    /// # Errors
    ///
    /// [`RegisterError::DuplicateName`] when a family of this name exists, derived ones included;
    /// [`RegisterError::BadLayout`] when units would have no size;
    /// [`RegisterError::OutOfMemory`].
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// let gzip = PageFamily::register("plugin:gzip", Layout::from_size_align(1_000, 16)?)?;
    /// assert_eq!(gzip.layout().size(), 1_008);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn register(name: &str, layout: Layout) -> Result<&'static Self, RegisterError> {
        let caller = panic::Location::caller();
        let location = Location::new(caller.file(), caller.line(), caller.column(), "");
        add(name, layout, |name, layout| {
            Self::run_time(name, layout, location)
        })
    }
}

/// As [`PageFamily::register`], for a C program.
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

/// Returns every family, sorted by key: by path, then by location.
///
/// # Examples
///
/// ```
/// #[derive(mm::MmManaged)]
/// struct Emp(u32);
///
/// assert!(mm::families().any(|family| family.name() == "Emp"));
/// ```
pub fn families() -> impl Iterator<Item = &'static PageFamily> {
    let mut all: Vec<_> = linked_and_listed().collect();
    all.sort_by_cached_key(|family| family.key());
    all.into_iter()
}

/// Copies every figure of every family.
///
/// It first flushes the calling thread's caches, so a program with one thread sees exact figures
/// of blocks. Families are copied one after the other, each under its own lock alone; nothing is
/// allocated meanwhile.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// let one = MmBox::new(Emp(1));
/// let snapshot = mm::snapshot();
/// let emps = snapshot.family(Emp::page_family().path()).unwrap();
/// assert_eq!((emps.live_blocks, emps.live_bytes), (1, 4));
/// # drop(one);
/// ```
#[must_use]
pub fn snapshot() -> Snapshot {
    heap::flush_thread();
    let families = families();
    let resident = Resident::measure();
    let families = families.map(|family| copy(family, resident.of(family)));
    Snapshot::new(resident.process_figures(), families.collect())
}

/// Copies every figure of one family, as [`snapshot`] does of all.
#[cfg(feature = "capi")]
pub(crate) fn snapshot_of(family: &'static PageFamily) -> FamilySnapshot {
    heap::flush_thread();
    // Before: it has a number, and a fork holds the locks of families on the list alone.
    family.list();
    copy(family, Resident::measure().of(family))
}

/// Gives back to the kernel all memory that can be given; returns how many bytes that were,
/// counted in whole OS pages, touched or not: what
/// [`reclaimable_bytes`](Snapshot::reclaimable_bytes) says before.
///
/// The calling thread's caches are flushed first; other threads flush theirs at their next call,
/// so what those hold is given back by a later `trim`. Memory that held records of call sites, which
/// [`Track::Off`](crate::Track::Off) left behind, is given back too, but not counted.
///
/// # Examples
///
/// ```
/// use mm::MmManaged;
///
/// #[derive(MmManaged)]
/// struct Row([u64; 512]);
///
/// drop(Row::xcalloc(100));
/// mm::trim();
/// let snapshot = mm::snapshot();
/// # let rows = snapshot.family(Row::page_family().path()).unwrap();
/// assert_eq!(rows.vm_pages, 0);
/// ```
pub fn trim() -> usize {
    heap::flush_thread();
    heap::trim_recorded();
    linked_and_listed().map(PageFamily::trim).sum()
}

/// Walks all pages and caches, derives every figure again, and compares.
///
/// For tests, and for the moment when something seems wrong. It takes time in proportion to the
/// heap, and is exact only while no other thread allocates or releases.
///
/// # Errors
///
/// The first difference it meets.
///
/// # Examples
///
/// ```
/// let numbers = mm::PageFamily::register("check-doc", std::alloc::Layout::new::<u64>())?;
/// let number = numbers.alloc(1)?;
/// mm::check()?;
/// # // SAFETY: the block is live and used by nobody else.
/// # unsafe { numbers.release(number)? };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check() -> Result<(), CheckError> {
    linked_and_listed().try_for_each(PageFamily::check)
}

/// All families, in no order.
pub(crate) fn linked_and_listed() -> impl Iterator<Item = &'static PageFamily> {
    list_linked();
    family::listed()
}

/// Lists the families that the linker put into the program.
pub(crate) fn list_linked() {
    // Each time, not once: a library that is loaded later brings families of its own.
    inventory::iter::<Entry>
        .into_iter()
        .for_each(|entry| entry.0.list());
}

/// Registers the family that `make` makes for a name that stays, and a layout that is padded.
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
    // Before the lock: what runs at exit, if an option is unknown, may register families too.
    family::begin();
    let mut by_name = BY_NAME.lock();
    by_name.file_new();
    if let Some(taken) = by_name.by_name.find(name.as_bytes()) {
        let family = taken.name();
        return Err(RegisterError::DuplicateName { family });
    }
    let place = |name| heap::RECORDS.place(make(name, padded));
    let family = heap::RECORDS.text(name).and_then(place);
    let family = family.map_err(|Refused| RegisterError::OutOfMemory)?;
    // Under the lock, so that the next caller files it.
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

/// Copies the figures of one family, besides its resident bytes.
fn copy(family: &'static PageFamily, resident_bytes: Option<u64>) -> FamilySnapshot {
    let figures = family.figures();
    let (unit, all) = (family.layout().size() as u64, figures.all());
    FamilySnapshot {
        name: family.name(),
        path: family.path(),
        location: family.location(),
        key: family.key(),
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

fn fill_class(fill: Fill) -> FillClass {
    FillClass {
        pages: fill.pages,
        occupied_blocks: fill.occupied_blocks,
        free_blocks: fill.free_blocks,
        free_units: fill.free_units,
        largest_free_block: fill.largest_free_block,
    }
}
