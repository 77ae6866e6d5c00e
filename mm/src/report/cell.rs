//! The cells of a table.

use core::fmt::{self, Display, Formatter};

use anstyle::{AnsiColor, Style};

use super::name::{FamilyName, Place};
use crate::number::{Grouped, Measured, Signed, Size, Tenths};
use crate::shown::Shown;

/// Bold: headings and totals.
pub(super) const STRONG: Style = Style::new().bold();

/// Dim: explanations and details.
pub(super) const FAINT: Style = Style::new().dimmed();

/// The terminal's own style.
pub(super) const PLAIN: Style = Style::new();

/// A warning, for a family that uses less than half of its pages.
const WARNING: Style = AnsiColor::Yellow.on_default();

/// One cell of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    /// No text.
    Empty,
    /// A text from mm.
    Text(&'static str),
    /// A text from mm, indented.
    Indented(&'static str),
    /// A text from the program.
    Name(&'a str),
    /// A text that identifies a family uniquely.
    Family(FamilyName),
    /// A place in a source file.
    Place(Place),
    /// A count.
    Count(u128),
    /// A count of bytes, with its unit: `1,024 B`.
    Bytes(u64),
    /// A count of units, with its unit: `1 unit`.
    Units(u128),
    /// A number of bytes, in a suitable unit.
    Size(u128),
    /// A number of bytes, or a note that the system does not report it.
    Measured(Measured),
    /// A change.
    Change(i64),
    /// A percentage.
    Percent(Tenths),
    /// A percentage of live units that is too low.
    LowPercent(Tenths),
}

impl Cell<'_> {
    /// Returns the cell's own style, or the style of its row.
    pub(super) fn style(&self, row: Style) -> Style {
        match self {
            Self::LowPercent(_) => WARNING,
            _ => row,
        }
    }
}

impl Display for Cell<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Indented(text) => write!(f, "  {text}"),
            Self::Name(name) => write!(f, "{}", Shown(name)),
            Self::Family(family) => write!(f, "{family}"),
            Self::Place(place) => write!(f, "{place}"),
            Self::Count(count) => write!(f, "{}", Grouped(*count)),
            Self::Bytes(bytes) => write!(f, "{} B", Grouped((*bytes).into())),
            Self::Units(1) => f.write_str("1 unit"),
            Self::Units(units) => write!(f, "{} units", Grouped(*units)),
            Self::Size(bytes) => write!(f, "{}", Size(*bytes)),
            Self::Measured(bytes) => write!(f, "{bytes}"),
            Self::Change(change) => write!(f, "{}", Signed(*change)),
            Self::Percent(tenths) | Self::LowPercent(tenths) => write!(f, "{tenths}"),
        }
    }
}
