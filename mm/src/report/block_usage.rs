//! The report on blocks: how full each family's pages are.

use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, FAINT, PLAIN};
use super::name::FamilyName;
use super::page_families::FamilyCount;
use super::table::{Column, Lines, Table};
use crate::number::Size;
use crate::snapshot::{FILL_CLASSES, FamilySnapshot, FillClass, Snapshot};

/// The columns of the report.
const COLUMNS: [Column; 7] = [
    Column::Left("FAMILY / FILL"),
    Column::Right("PAGES"),
    Column::Right("BLOCKS"),
    Column::Right("OCCUPIED"),
    Column::Right("FREE"),
    Column::Right("FREE UNITS"),
    Column::Right("LARGEST FREE"),
];

/// The labels of the classes.
const FILLS: [&str; FILL_CLASSES] = ["empty", "1-24 %", "25-49 %", "50-74 %", "75-99 %", "100 %"];

/// The report of blocks by family, and by how full the VM pages are.
///
/// | column | meaning |
/// | --- | --- |
/// | PAGES | VM pages in use: memory may back them |
/// | BLOCKS | occupied and free ones |
/// | OCCUPIED | live blocks of a family; the rows of classes also count blocks in threads' caches, and a row of its own shows their number |
/// | FREE | longest runs of free units inside a page |
/// | FREE UNITS, LARGEST FREE | units of all of these, and of the longest |
///
/// The last line shows the free bytes of partly used pages, the bytes in threads' caches, and the bytes
/// that [`trim()` would return now](Snapshot::reclaimable_bytes).
///
/// Displaying it does not allocate. [`Snapshot::block_usage`] returns it.
///
/// # Examples
///
/// ```
/// let snapshot = mm::snapshot();
/// println!("{}", snapshot.block_usage());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BlockUsage<'a> {
    snapshot: &'a Snapshot,
    coloured: bool,
}

impl Snapshot {
    /// Returns the report of blocks of all families, sorted by path.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("block-usage-doc:rows", Layout::new::<u64>())?.alloc(1)?;
    /// let report = mm::snapshot().block_usage().to_string();
    /// assert!(report.contains("block-usage-doc:rows"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn block_usage(&self) -> BlockUsage<'_> {
        BlockUsage {
            snapshot: self,
            coloured: false,
        }
    }
}

impl BlockUsage<'_> {
    /// Turns ANSI colours on or off. They are off by default.
    #[must_use]
    pub fn coloured(self, coloured: bool) -> Self {
        Self { coloured, ..self }
    }
}

impl Display for BlockUsage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::new(f, self.coloured);
        if self.snapshot.families.is_empty() {
            lines.line(PLAIN, FamilyCount(0))?;
        }
        let mut table = Table::new(COLUMNS);
        let typed = || {
            self.snapshot
                .families
                .iter()
                .filter(|family| !family.untyped)
        };
        let untyped = untyped_row(self.snapshot);
        for family in typed() {
            table.measure(&family_row(family));
            detail_rows(family).for_each(|row| table.measure(&row));
        }
        untyped.iter().for_each(|row| table.measure(row));
        table.write_headings(&mut lines)?;
        for family in typed() {
            table.write_row(&mut lines, PLAIN, &family_row(family))?;
            detail_rows(family).try_for_each(|row| table.write_row(&mut lines, FAINT, &row))?;
        }
        untyped
            .iter()
            .try_for_each(|row| table.write_row(&mut lines, PLAIN, row))?;
        lines.line(FAINT, Footer(self.snapshot))
    }
}

/// Describes one family.
fn family_row(family: &FamilySnapshot) -> [Cell<'_>; 7] {
    [
        Cell::Family(FamilyName::from(family)),
        Cell::Count(family.vm_pages.into()),
        Cell::Count(u128::from(family.live_blocks) + u128::from(family.free_blocks)),
        Cell::Count(family.live_blocks.into()),
        Cell::Count(family.free_blocks.into()),
        Cell::Count(family.free_units.into()),
        Cell::Units(family.largest_free_block.into()),
    ]
}

/// Describes all size classes of the global allocator together; `None` if that is not mm's. There is no largest free
/// block, as units of classes differ in size.
fn untyped_row(snapshot: &Snapshot) -> Option<[Cell<'static>; 7]> {
    snapshot.untyped().next()?;
    let sum = |figure: fn(&FamilySnapshot) -> u64| {
        snapshot
            .untyped()
            .map(|class| u128::from(figure(class)))
            .sum::<u128>()
    };
    let (live, free) = (
        sum(|class| class.live_blocks),
        sum(|class| class.free_blocks),
    );
    Some([
        Cell::Text("(untyped)"),
        Cell::Count(sum(|class| class.vm_pages)),
        Cell::Count(live + free),
        Cell::Count(live),
        Cell::Count(free),
        Cell::Empty,
        Cell::Empty,
    ])
}

/// Describes the classes of one family, and the blocks in threads' caches.
fn detail_rows(family: &FamilySnapshot) -> impl Iterator<Item = [Cell<'static>; 7]> {
    class_rows(family).chain(cached_row(family))
}

/// Describes the blocks in threads' caches. The classes count them as occupied, the family does not.
fn cached_row(family: &FamilySnapshot) -> Option<[Cell<'static>; 7]> {
    let taken: u128 = family
        .fill
        .iter()
        .map(|class| u128::from(class.occupied_blocks))
        .sum();
    let cached = taken.checked_sub(family.live_blocks.into());
    cached.filter(|cached| *cached > 0).map(|cached| {
        [
            Cell::Indented("in caches"),
            Cell::Empty,
            Cell::Count(cached),
            Cell::Count(cached),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
        ]
    })
}

/// Describes the classes of one family that have pages, the fullest first.
fn class_rows(family: &FamilySnapshot) -> impl Iterator<Item = [Cell<'static>; 7]> {
    let classes = FILLS.into_iter().zip(family.fill).rev();
    classes
        .filter(|(_, class)| class.pages > 0)
        .map(|(fill, class)| class_row(fill, class))
}

/// Describes the pages of one class.
fn class_row(fill: &'static str, class: FillClass) -> [Cell<'static>; 7] {
    [
        Cell::Indented(fill),
        Cell::Count(class.pages.into()),
        Cell::Count(u128::from(class.occupied_blocks) + u128::from(class.free_blocks)),
        Cell::Count(class.occupied_blocks.into()),
        Cell::Count(class.free_blocks.into()),
        Cell::Count(class.free_units.into()),
        Cell::Units(class.largest_free_block.into()),
    ]
}

/// Writes the free bytes of partly used pages, the cached bytes, and the bytes that `trim()` would return.
struct Footer<'a>(&'a Snapshot);

impl Display for Footer<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let snapshot = self.0;
        write!(
            f,
            "{} free in partly used pages; {} ({}) in thread caches; trim() would return {}",
            Size(snapshot.sum(|family| family.occupied_page_free_bytes)),
            Cell::Units(snapshot.sum(|family| family.cached_units)),
            Size(snapshot.cached_bytes_sum()),
            Size(snapshot.sum(|family| family.reclaimable_bytes)),
        )
    }
}
