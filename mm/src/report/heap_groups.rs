//! The table of untyped memory by type or by call site.

use core::fmt::{self, Display, Formatter};

use super::cell::{Cell, FAINT, PLAIN, STRONG};
use super::table::{Column, Lines, Table};
use crate::heap_profile::{HeapGroups, HeapUsage};
use crate::number::whole;

/// Groups that are shown; the others are one row.
const MOST: usize = 20;

const COLUMNS: [Column; 8] = [
    Column::Right("LIVE"),
    Column::Right("FROM"),
    Column::Right("TO"),
    Column::Right("BLOCKS"),
    Column::Right("AT PEAK"),
    Column::Right("ALLOCATED"),
    Column::Right("TEMPORARY"),
    Column::Left("NAME"),
];

impl Display for HeapGroups {
    /// Writes a row for each of the largest groups, one for the others, and one for what no group stands for. The
    /// bounds of the live bytes are those of their 95 % interval.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(COLUMNS);
        let others = self.others();
        let shown = || self.groups.iter().take(MOST);
        let name = |name| Cell::Name(name);
        shown().for_each(|group| table.measure(&row(&group.usage, name(&group.name))));
        let others = others.map(|usage| row(&usage, Cell::Text("(others)")));
        let (rest, total) = (self.rest(), self.total());
        let ends = others.iter().chain([&rest, &total]);
        ends.for_each(|row| table.measure(row));
        let mut lines = Lines::new(f, f.alternate());
        table.write_headings(&mut lines)?;
        for group in shown() {
            table.write_row(&mut lines, PLAIN, &row(&group.usage, name(&group.name)))?;
        }
        if let Some(others) = &others {
            table.write_row(&mut lines, PLAIN, others)?;
        }
        table.write_row(&mut lines, FAINT, &rest)?;
        table.write_row(&mut lines, STRONG, &total)
    }
}

impl HeapGroups {
    /// The groups that have no row of their own, together.
    fn others(&self) -> Option<HeapUsage> {
        let mut others = None;
        for group in self.groups.iter().skip(MOST) {
            *others.get_or_insert_with(HeapUsage::default) += group.usage;
        }
        others
    }

    /// What no group stands for, so that the sum is exact.
    fn rest(&self) -> [Cell<'static>; 8] {
        let mut cells = row(&self.unnamed, Cell::Text("(unattributed)"));
        cells[0] = size(self.unattributed_bytes());
        (cells[1], cells[2], cells[3]) = (Cell::Empty, Cell::Empty, Cell::Empty);
        cells
    }

    fn total(&self) -> [Cell<'static>; 8] {
        let mut cells = [Cell::Empty; 8];
        cells[0] = Cell::Size(self.live_bytes.into());
        cells[7] = Cell::Text("(untyped)");
        cells
    }
}

fn row<'a>(usage: &HeapUsage, name: Cell<'a>) -> [Cell<'a>; 8] {
    let (from, to) = usage.live_bytes.interval();
    [
        size(usage.live_bytes.value()),
        size(from),
        size(to),
        Cell::Count(whole(usage.live_blocks.value())),
        size(usage.peak_bytes),
        size(usage.allocated_bytes),
        size(usage.temporary_bytes),
        name,
    ]
}

/// A number of bytes; one below zero, which chance can make, is zero.
fn size(bytes: f64) -> Cell<'static> {
    Cell::Size(whole(bytes))
}
