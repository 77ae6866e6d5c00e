//! The report of all page families.

use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, PLAIN, STRONG};
use super::name::{FamilyName, Place};
use super::table::{Column, Lines, Table};
use crate::number::Grouped;
use crate::snapshot::{FamilySnapshot, Snapshot};

/// The columns of the report.
const COLUMNS: [Column; 6] = [
    Column::Left("FAMILY"),
    Column::Right("UNIT"),
    Column::Right("ALIGN"),
    Column::Right("UNITS/PAGE"),
    Column::Left("DEFINED AT"),
    Column::Left("PATH"),
];

/// The report of all page families: their layouts and where they were defined.
///
/// | column | meaning |
/// | --- | --- |
/// | FAMILY | the shortest text that tells the family from all others |
/// | UNIT, ALIGN | size and alignment of one unit, in bytes |
/// | UNITS/PAGE | units that fit into a VM page: [`units_per_page`](FamilySnapshot::units_per_page) |
/// | DEFINED AT | file and line |
/// | PATH | path of the type; `(run-time)` if the family was registered while the program ran |
///
/// Displaying it does not allocate. [`Snapshot::page_families`] returns it.
///
/// # Examples
///
/// ```
/// let snapshot = mm::snapshot();
/// println!("{}", snapshot.page_families());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PageFamilies<'a> {
    snapshot: &'a Snapshot,
    coloured: bool,
}

impl Snapshot {
    /// Returns the report of all page families, sorted by path.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("page-families-doc:rows", Layout::new::<[u64; 4]>())?;
    /// let report = mm::snapshot().page_families().to_string();
    /// let row = report.lines().find(|line| line.starts_with("page-families-doc:rows"));
    /// assert!(row.is_some_and(|row| row.contains("32 B")));
    /// # Ok::<(), mm::RegisterError>(())
    /// ```
    #[must_use]
    pub fn page_families(&self) -> PageFamilies<'_> {
        PageFamilies {
            snapshot: self,
            coloured: false,
        }
    }
}

impl PageFamilies<'_> {
    /// Turns ANSI colours on or off. They are off by default.
    #[must_use]
    pub fn coloured(self, coloured: bool) -> Self {
        Self { coloured, ..self }
    }
}

impl Display for PageFamilies<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::new(f, self.coloured);
        lines.line(STRONG, Summary(self.snapshot))?;
        let mut table = Table::new(COLUMNS);
        for family in typed(self.snapshot) {
            table.measure(&row(family));
        }
        table.write_headings(&mut lines)?;
        typed(self.snapshot).try_for_each(|family| table.write_row(&mut lines, PLAIN, &row(family)))
    }
}

/// The families that are no size class of untyped blocks.
fn typed(snapshot: &Snapshot) -> impl Iterator<Item = &FamilySnapshot> {
    snapshot.families.iter().filter(|family| !family.untyped)
}

/// Describes one family.
fn row(family: &FamilySnapshot) -> [Cell<'_>; 6] {
    [
        Cell::Family(FamilyName::from(family)),
        Cell::Bytes(family.unit_size),
        Cell::Count(family.unit_align.into()),
        Cell::Count(family.units_per_page.into()),
        Cell::Place(Place(family.location)),
        // Families of C programs have a path that differs from the name.
        if family.run_time && family.path == family.name {
            Cell::Text("(run-time)")
        } else {
            Cell::Name(family.path)
        },
    ]
}

/// The number of families: `5 page families (4 derived, 1 run-time), 4 with live units`.
struct Summary<'a>(&'a Snapshot);

impl Summary<'_> {
    /// Counts the families for which a predicate holds.
    fn count(&self, is_counted: impl Fn(&FamilySnapshot) -> bool) -> Grouped {
        Grouped(typed(self.0).filter(|family| is_counted(family)).count() as u128)
    }
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({} derived, {} run-time), {} with live units",
            FamilyCount(typed(self.0).count()),
            self.count(|family| !family.run_time),
            self.count(|family| family.run_time),
            self.count(|family| family.live_units > 0),
        )?;
        match self.0.untyped().count() {
            0 => Ok(()),
            classes => write!(f, "; {classes} size classes of untyped blocks"),
        }
    }
}

/// A number of families: `1 page family`.
pub(super) struct FamilyCount(pub(super) usize);

impl Display for FamilyCount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 page family"),
            count => write!(f, "{} page families", Grouped(count as u128)),
        }
    }
}
