//! Lines and columns.

use core::fmt::{self, Display, Formatter, Write};

use anstyle::Style;

use super::cell::{Cell, STRONG};

/// The largest width, in characters, of a column that is aligned to the left.
///
/// A longer cell is written whole, and moves the rest of its row to the right. So one name of a thousand
/// characters does not add a thousand blanks to all other rows.
const WIDEST: usize = 64;

/// Blanks between columns.
const GAP: usize = 2;

/// Writes lines with a line feed between any two.
pub(super) struct Lines<'w, 'f> {
    out: &'w mut Formatter<'f>,
    coloured: bool,
    begun: bool,
}

impl<'w, 'f> Lines<'w, 'f> {
    /// Starts a text.
    pub(super) fn new(out: &'w mut Formatter<'f>, coloured: bool) -> Self {
        Self {
            out,
            coloured,
            begun: false,
        }
    }

    /// Writes a line.
    pub(super) fn line(&mut self, style: Style, text: impl Display) -> fmt::Result {
        self.begin()?;
        self.painted(style, text)
    }

    /// Ends the line before this one, if there is one.
    fn begin(&mut self) -> fmt::Result {
        if core::mem::replace(&mut self.begun, true) {
            self.out.write_char('\n')?;
        }
        Ok(())
    }

    /// Writes text in a style if styles are on.
    fn painted(&mut self, style: Style, text: impl Display) -> fmt::Result {
        if self.coloured {
            write!(self.out, "{style}{text}{style:#}")
        } else {
            write!(self.out, "{text}")
        }
    }

    /// Writes blanks.
    fn blanks(&mut self, count: usize) -> fmt::Result {
        write!(self.out, "{:count$}", "")
    }
}

/// A column's heading, and the alignment of its cells.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// Text, aligned to the left.
    Left(&'static str),
    /// Figures, aligned to the right.
    Right(&'static str),
}

impl Column {
    /// Returns the heading.
    fn heading(self) -> &'static str {
        match self {
            Self::Left(heading) | Self::Right(heading) => heading,
        }
    }
}

/// Columns and their widths.
///
/// All rows are measured before the first one is written.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    columns: [Column; N],
    widths: [usize; N],
}

impl<const N: usize> Table<N> {
    /// Makes columns as wide as their headings.
    pub(super) fn new(columns: [Column; N]) -> Self {
        Self {
            columns,
            widths: columns.map(|column| width(column.heading())),
        }
    }

    /// Widens the columns for a row.
    pub(super) fn measure(&mut self, row: &[Cell<'_>; N]) {
        for ((column, widest), cell) in self.columns.iter().zip(&mut self.widths).zip(row) {
            let wanted = match column {
                Column::Left(_) => width(cell).min(WIDEST),
                Column::Right(_) => width(cell),
            };
            *widest = wanted.max(*widest);
        }
    }

    /// Writes the headings.
    pub(super) fn write_headings(&self, lines: &mut Lines<'_, '_>) -> fmt::Result {
        let headings = self.columns.map(|column| Cell::Text(column.heading()));
        self.write_row(lines, STRONG, &headings)
    }

    /// Writes a row.
    pub(super) fn write_row(
        &self,
        lines: &mut Lines<'_, '_>,
        style: Style,
        row: &[Cell<'_>; N],
    ) -> fmt::Result {
        lines.begin()?;
        // Blanks are written only before a cell, so no line ends with them.
        let mut blanks = 0;
        for ((column, widest), cell) in self.columns.iter().zip(self.widths).zip(row) {
            let taken = width(cell);
            let padding = widest.saturating_sub(taken);
            let (before, after) = match column {
                Column::Left(_) => (0, padding),
                Column::Right(_) => (padding, 0),
            };
            blanks += before;
            if taken > 0 {
                lines.blanks(blanks)?;
                lines.painted(cell.style(style), cell)?;
                blanks = 0;
            }
            blanks += after + GAP;
        }
        Ok(())
    }
}

/// Returns the number of characters that a value displays.
fn width(text: impl Display) -> usize {
    let mut characters = Characters(0);
    // Counting cannot fail, and no `Display` of a cell does.
    let _ = write!(characters, "{text}");
    characters.0
}

/// Counts the characters written to it.
struct Characters(usize);

impl Write for Characters {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.chars().count();
        Ok(())
    }
}
