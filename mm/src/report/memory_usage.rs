//! The report on memory: how much each family holds.

use core::cmp::Ordering;
use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, FAINT, PLAIN, STRONG};
use super::name::FamilyName;
use super::page_families::FamilyCount;
use super::process_line::ProcessLine;
use super::rank::ranked;
use super::suggestions::Unknown;
use super::table::{Column, Lines, Table};
use crate::number::{Measured, percent, percents};
use crate::snapshot::{FamilySnapshot, PageShares, Snapshot};

/// The name of all size classes together.
const UNTYPED: &str = "(untyped)";

/// The number of columns.
const WIDTH: usize = 11;

/// The columns of the report.
const COLUMNS: [Column; WIDTH] = [
    Column::Left("FAMILY"),
    Column::Right("LIVE UNITS"),
    Column::Right("LIVE"),
    Column::Right("BYTES"),
    Column::Right("SHARE"),
    Column::Right("PEAK"),
    Column::Right("RESIDENT"),
    Column::Right("USED"),
    Column::Right("HOLES"),
    Column::Right("OTHER"),
    Column::Right("ALIVE"),
];

/// The last line of the report.
const LEGEND: &str =
    "USED, HOLES, OTHER: % of pages that are not empty. ALIVE: live % of all ever allocated.";

/// The note that is added if a figure is missing.
const NOT_MEASURED: &str = "RESIDENT: not measured where the system does not report it.";

/// The report of memory by family, the one with the most live bytes first.
///
/// | column | meaning |
/// | --- | --- |
/// | LIVE UNITS | units that are handed out and not released |
/// | LIVE, BYTES | their bytes, rounded and exactly |
/// | SHARE | percent of all families' live bytes |
/// | PEAK | the highest LIVE that was seen, within one cache per thread of the true peak |
/// | RESIDENT | bytes that are backed by memory, as reported by the kernel, or `not measured`; see [`resident_bytes`](FamilySnapshot::resident_bytes) |
/// | USED, HOLES, OTHER | percent of the bytes of pages that are not empty: live units, free units, and the rest, which is cached units and space too small for a unit |
/// | ALIVE | live blocks in percent of all that were ever allocated |
///
/// A line below the table splits the resident bytes of the process into families, mm's records, and the rest,
/// as far as each is known.
///
/// Displaying it does not allocate. [`Snapshot::memory_usage`] returns it.
///
/// # Examples
///
/// ```
/// let snapshot = mm::snapshot();
/// println!("{}", snapshot.memory_usage(None));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MemoryUsage<'a> {
    snapshot: &'a Snapshot,
    name: Option<&'a str>,
    coloured: bool,
}

impl Snapshot {
    /// Returns the report of memory by family, for all families, or for those that
    /// [`families_named`](Self::families_named) finds by name, path, or the end of a path.
    ///
    /// `SHARE` is percent of all families' live bytes in either case. The report has totals only if it
    /// shows all families. For an unknown name it is one line that suggests similar names.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("memory-usage-doc:rows", Layout::new::<u32>())?.alloc(300)?;
    /// let snapshot = mm::snapshot();
    /// let one = snapshot.memory_usage("memory-usage-doc:rows").to_string();
    /// assert!(one.contains("1.2 KiB"));
    /// let unknown = snapshot.memory_usage("memory-usage-doc:row").to_string();
    /// assert!(unknown.contains("similar names: `memory-usage-doc:rows`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn memory_usage<'a>(&'a self, name: impl Into<Option<&'a str>>) -> MemoryUsage<'a> {
        MemoryUsage {
            snapshot: self,
            name: name.into(),
            coloured: false,
        }
    }
}

impl MemoryUsage<'_> {
    /// Turns ANSI colours on or off. They are off by default.
    #[must_use]
    pub fn coloured(self, coloured: bool) -> Self {
        Self { coloured, ..self }
    }
}

impl Display for MemoryUsage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot;
        let mut lines = Lines::new(f, self.coloured);
        match self.name {
            None => write_all(&mut lines, snapshot)?,
            Some(UNTYPED) => write_table(&mut lines, snapshot, |family| family.untyped, None)?,
            Some(name) if snapshot.families_named(name).next().is_none() => {
                return lines.line(PLAIN, Unknown { snapshot, name });
            }
            Some(name) => {
                let wanted = snapshot.wanted(name);
                let is_shown = |family: &FamilySnapshot| {
                    wanted.includes((family.name, family.path, family.key))
                };
                write_table(&mut lines, snapshot, is_shown, None)?;
            }
        }
        write_legend(&mut lines, snapshot)
    }
}

/// Writes all families, their total and the memory of the rest of the process.
fn write_all(lines: &mut Lines<'_, '_>, snapshot: &Snapshot) -> fmt::Result {
    if snapshot.families.is_empty() {
        lines.line(PLAIN, FamilyCount(0))?;
    }
    write_table(
        lines,
        snapshot,
        |family| !family.untyped,
        Some(&total(snapshot)),
    )?;
    lines.line(FAINT, ProcessLine::of(snapshot))
}

/// Writes a table of the families that `is_shown` selects, and of `total` if there is one.
fn write_table(
    lines: &mut Lines<'_, '_>,
    snapshot: &Snapshot,
    is_shown: impl Fn(&FamilySnapshot) -> bool,
    total: Option<&[Cell<'_>; WIDTH]>,
) -> fmt::Result {
    let all_live = snapshot.sum(|family| family.live_bytes);
    let mut table = Table::new(COLUMNS);
    // The size classes have one row among the families, and rows of their own if the report is about them.
    let mut untyped = total.and_then(|_| Untyped::of(snapshot));
    if let Some(untyped) = &untyped {
        table.measure(&untyped.row(all_live));
    }
    for family in snapshot.families.iter().filter(|family| is_shown(family)) {
        table.measure(&row(family, all_live));
    }
    if let Some(row) = total {
        table.measure(row);
    }
    table.write_headings(lines)?;
    ranked(&snapshot.families, most_live_first, |family| {
        if !is_shown(family) {
            return Ok(());
        }
        if let Some(all) = untyped.take_if(|all| all.live_bytes > family.live_bytes.into()) {
            table.write_row(lines, PLAIN, &all.row(all_live))?;
        }
        table.write_row(lines, PLAIN, &row(family, all_live))
    })?;
    if let Some(all) = untyped {
        table.write_row(lines, PLAIN, &all.row(all_live))?;
    }
    total.map_or(Ok(()), |row| table.write_row(lines, STRONG, row))
}

/// All blocks of [`Global`](crate::Global) together.
struct Untyped<'a> {
    snapshot: &'a Snapshot,
    live_bytes: u128,
}

impl<'a> Untyped<'a> {
    /// Reads the sums; `None` if the program has another allocator.
    fn of(snapshot: &'a Snapshot) -> Option<Self> {
        snapshot.untyped().next()?;
        let live_bytes = sum(snapshot, |class| class.live_bytes);
        Some(Self {
            snapshot,
            live_bytes,
        })
    }

    /// Makes the row. LIVE UNITS counts blocks, as a unit of large blocks is a byte. PEAK is empty: classes peak
    /// at different times.
    fn row(&self, all_live: u128) -> [Cell<'static>; WIDTH] {
        let of = |figure: fn(&FamilySnapshot) -> u64| sum(self.snapshot, figure);
        let resident = self
            .snapshot
            .untyped()
            .map(|class| class.resident_bytes.map(u128::from));
        let shares = self.snapshot.untyped().map(FamilySnapshot::page_shares);
        let [used, holes, other] = page_cells(shares.sum());
        [
            Cell::Text(UNTYPED),
            Cell::Count(of(|class| class.live_blocks)),
            Cell::Size(self.live_bytes),
            Cell::Count(self.live_bytes),
            Cell::Percent(percent(self.live_bytes, all_live)),
            Cell::Empty,
            Cell::Measured(Measured(resident.sum())),
            used,
            holes,
            other,
            Cell::Percent(percent(
                of(|class| class.live_blocks),
                of(|class| class.blocks_allocated),
            )),
        ]
    }
}

/// Adds up a figure of all size classes.
fn sum(snapshot: &Snapshot, figure: impl Fn(&FamilySnapshot) -> u64) -> u128 {
    snapshot
        .untyped()
        .map(|class| u128::from(figure(class)))
        .sum()
}

/// Orders families by live bytes, the most first. The sort is stable: equal ones stay in the order of paths.
fn most_live_first(a: &FamilySnapshot, b: &FamilySnapshot) -> Ordering {
    b.live_bytes.cmp(&a.live_bytes)
}

/// Makes the row of one family.
fn row(family: &FamilySnapshot, all_live: u128) -> [Cell<'_>; WIDTH] {
    let live = u128::from(family.live_bytes);
    let alive = percent(family.live_blocks.into(), family.blocks_allocated.into());
    let [used, holes, other] = page_cells(family.page_shares());
    [
        Cell::Family(FamilyName::from(family)),
        Cell::Count(shown_units(family).into()),
        Cell::Size(live),
        Cell::Count(live),
        Cell::Percent(percent(live, all_live)),
        Cell::Size(family.peak_live_bytes.into()),
        Cell::Measured(Measured(family.resident_bytes.map(u128::from))),
        used,
        holes,
        other,
        Cell::Percent(alive),
    ]
}

/// Makes the row of all families together. PEAK and ALIVE are empty: families peak at different times, and
/// blocks differ in size.
fn total(snapshot: &Snapshot) -> [Cell<'static>; WIDTH] {
    let live = snapshot.sum(|family| family.live_bytes);
    let [used, holes, other] = page_cells(snapshot.page_shares());
    [
        Cell::Text("TOTAL"),
        Cell::Count(snapshot.sum(shown_units)),
        Cell::Size(live),
        Cell::Count(live),
        Cell::Percent(percent(live, live)),
        Cell::Empty,
        Cell::Measured(Measured(snapshot.resident_bytes_sum())),
        used,
        holes,
        other,
        Cell::Empty,
    ]
}

/// Live units as the table shows them: of untyped memory it counts blocks, as a unit of a large block is a byte.
fn shown_units(family: &FamilySnapshot) -> u64 {
    if family.untyped {
        family.live_blocks
    } else {
        family.live_units
    }
}

/// Makes the cells USED, HOLES and OTHER.
fn page_cells(pages: PageShares) -> [Cell<'static>; 3] {
    let [used, holes, other] = percents(pages.live, pages.free, pages.mapped);
    let is_low = pages.live < pages.mapped / 2;
    [
        if is_low {
            Cell::LowPercent(used)
        } else {
            Cell::Percent(used)
        },
        Cell::Percent(holes),
        Cell::Percent(other),
    ]
}

/// Explains the columns, and notes missing figures.
fn write_legend(lines: &mut Lines<'_, '_>, snapshot: &Snapshot) -> fmt::Result {
    lines.line(FAINT, LEGEND)?;
    if snapshot.resident_is_measured {
        return Ok(());
    }
    lines.line(FAINT, NOT_MEASURED)
}
