//! How much memory each family holds.

use core::cmp::Ordering;
use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, FAINT, PLAIN, STRONG};
use super::name::FamilyName;
use super::near::Unknown;
use super::number::{Scale, Size, percent, percents};
use super::page_families::FamilyCount;
use super::rank::ranked;
use super::table::{Column, Lines, Table};
use crate::snapshot::{FamilySnapshot, PageShares, Snapshot};

/// How many columns the report has.
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
    Column::Right("KEPT"),
];

/// The last line of the report.
const LEGEND: &str = "USED, HOLES, OTHER: % of mapped pages. KEPT: live % of all ever allocated.";

/// The report of memory by family, the one with most live bytes first.
///
/// Displaying it does not allocate. [`Snapshot::memory_usage`] makes it.
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
    /// Returns the report of memory by family, of all or of those that
    /// [`families_named`](Self::families_named) finds: by name, path, or the end of a path.
    ///
    /// `SHARE` is percent of all families' live bytes in either case; the totals are there only
    /// when all families are. Of an unknown name the report is one line, with names near it.
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
    /// assert!(unknown.contains("near names: `memory-usage-doc:rows`"));
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
    /// Turns ANSI colours on or off; they are off at first.
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
            Some(name) if snapshot.families_named(name).next().is_none() => {
                return lines.line(PLAIN, Unknown { snapshot, name });
            }
            Some(name) => {
                let wanted = snapshot.wanted(name);
                let is_shown =
                    |family: &FamilySnapshot| wanted.includes((family.name, family.path));
                write_table(&mut lines, snapshot, is_shown, None)?;
            }
        }
        write_legend(&mut lines, snapshot)
    }
}

/// Writes all families, their total and what the process has beside them.
fn write_all(lines: &mut Lines<'_, '_>, snapshot: &Snapshot) -> fmt::Result {
    if snapshot.families.is_empty() {
        lines.line(PLAIN, FamilyCount(0))?;
    }
    write_table(lines, snapshot, |_| true, Some(&total(snapshot)))?;
    lines.line(FAINT, ProcessLine::of(snapshot))
}

/// Writes some families and perhaps a last row.
fn write_table(
    lines: &mut Lines<'_, '_>,
    snapshot: &Snapshot,
    is_shown: impl Fn(&FamilySnapshot) -> bool,
    last: Option<&[Cell<'_>; WIDTH]>,
) -> fmt::Result {
    let all_live = snapshot.sum(|family| family.live_bytes);
    let mut table = Table::new(COLUMNS);
    for family in snapshot.families.iter().filter(|family| is_shown(family)) {
        table.measure(&row(family, all_live));
    }
    if let Some(row) = last {
        table.measure(row);
    }
    table.write_headings(lines)?;
    ranked(&snapshot.families, most_live_first, |family| {
        if is_shown(family) {
            table.write_row(lines, PLAIN, &row(family, all_live))?;
        }
        Ok(())
    })?;
    last.map_or(Ok(()), |row| table.write_row(lines, STRONG, row))
}

/// Orders families; those with as many live bytes stay in the order of paths.
fn most_live_first(a: &FamilySnapshot, b: &FamilySnapshot) -> Ordering {
    b.live_bytes.cmp(&a.live_bytes)
}

/// Describes one family.
fn row(family: &FamilySnapshot, all_live: u128) -> [Cell<'_>; WIDTH] {
    let live = u128::from(family.live_bytes);
    let kept = percent(family.live_blocks.into(), family.blocks_allocated.into());
    let [used, holes, other] = page_cells(family.page_shares());
    [
        Cell::Family(FamilyName::from(family)),
        Cell::Count(family.live_units.into()),
        Cell::Size(live),
        Cell::Count(live),
        Cell::Percent(percent(live, all_live)),
        Cell::Size(family.peak_live_bytes.into()),
        Cell::Size(family.resident_bytes.into()),
        used,
        holes,
        other,
        Cell::Percent(kept),
    ]
}

/// Describes all families together; peaks do not add up, and neither do blocks of all sizes.
fn total(snapshot: &Snapshot) -> [Cell<'static>; WIDTH] {
    let live = snapshot.sum(|family| family.live_bytes);
    let [used, holes, other] = page_cells(snapshot.page_shares());
    [
        Cell::Text("TOTAL"),
        Cell::Count(snapshot.sum(|family| family.live_units)),
        Cell::Size(live),
        Cell::Count(live),
        Cell::Percent(percent(live, live)),
        Cell::Empty,
        Cell::Size(snapshot.sum(|family| family.resident_bytes)),
        used,
        holes,
        other,
        Cell::Empty,
    ]
}

/// Describes pages: live, holes, the rest.
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

/// Says what the columns mean, and what they are worth.
fn write_legend(lines: &mut Lines<'_, '_>, snapshot: &Snapshot) -> fmt::Result {
    lines.line(FAINT, LEGEND)?;
    if snapshot.resident_is_measured {
        return Ok(());
    }
    lines.line(
        FAINT,
        "RESIDENT: not measured on this system; taken to be all that is mapped.",
    )
}

/// What of the process's memory is in families, in mm's records, and elsewhere.
struct ProcessLine {
    process: u128,
    families: u128,
    records: u128,
    resident_is_measured: bool,
}

impl ProcessLine {
    /// Reads the sums.
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            process: snapshot.process_resident_bytes.into(),
            families: snapshot.sum(|family| family.resident_bytes),
            records: snapshot.records_resident_bytes.into(),
            resident_is_measured: snapshot.resident_is_measured,
        }
    }

    /// Returns whether the parts can be what the whole is made of.
    fn adds_up(&self) -> bool {
        let is_known = self.process > 0 && self.resident_is_measured;
        is_known && self.families + self.records <= self.process
    }

    /// Writes an equation that also holds for the rounded figures: where parts end is rounded.
    fn fmt_equation(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let scale = Scale::of(self.process);
        let families = scale.tenths(self.families);
        let both = scale.tenths(self.families + self.records);
        write!(
            f,
            "process resident {} = {families} families + {} mm's records + {} elsewhere (String, Vec, ...)",
            Size(self.process),
            both.less(families),
            scale.tenths(self.process).less(both),
        )
    }

    /// Writes figures that do not add up: the system does not say all of them, or they were read
    /// at different moments.
    fn fmt_list(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.process == 0 {
            f.write_str("process resident unknown")?;
        } else {
            write!(f, "process resident {}", Size(self.process))?;
        }
        let (families, records) = (Size(self.families), Size(self.records));
        write!(f, "; {families} families, {records} mm's records")
    }
}

impl Display for ProcessLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.adds_up() {
            self.fmt_equation(f)
        } else {
            self.fmt_list(f)
        }
    }
}
