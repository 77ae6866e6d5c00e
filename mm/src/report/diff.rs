//! The differences of two snapshots as a table.

use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, PLAIN};
use super::name::FamilyName;
use super::page_families::FamilyCount;
use super::rank::ranked;
use super::table::{Column, Lines, Table};
use crate::number::Grouped;
use crate::snapshot::{FamilyDiff, SnapshotDiff};

/// The columns of the table.
const COLUMNS: [Column; 5] = [
    Column::Left("FAMILY"),
    Column::Right("LIVE UNITS +/-"),
    Column::Right("LIVE BYTES +/-"),
    Column::Right("BLOCKS ALLOCATED"),
    Column::Right("RELEASED"),
];

impl Display for SnapshotDiff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::new(f, false);
        let mut table = Table::new(COLUMNS);
        self.changed()
            .for_each(|family| table.measure(&row(family)));
        table.write_headings(&mut lines)?;
        ranked(
            &self.families,
            |a, b| b.live_bytes.cmp(&a.live_bytes),
            |family| {
                if family.is_changed() {
                    table.write_row(&mut lines, PLAIN, &row(family))?;
                }
                Ok(())
            },
        )?;
        lines.line(PLAIN, Footer(self))
    }
}

/// Describes one family.
fn row(family: &FamilyDiff) -> [Cell<'_>; 5] {
    [
        Cell::Family(FamilyName::from(family)),
        Cell::Change(family.live_units),
        Cell::Change(family.live_bytes),
        Cell::Change(family.blocks_allocated),
        Cell::Change(family.blocks_released),
    ]
}

/// Writes the number of families that the table shows.
struct Footer<'a>(&'a SnapshotDiff);

impl Display for Footer<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let changed = Grouped(self.0.changed().count() as u128);
        let all = FamilyCount(self.0.families.len());
        write!(f, "{changed} of {all} changed")
    }
}
