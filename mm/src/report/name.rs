//! Names and places that are whole, and still leave a row a row.

use core::fmt::{self, Display, Formatter, Write};

use crate::snapshot::{FamilyDiff, FamilySnapshot, Label, Location};

/// Text in which what would break or turn around a line is escaped: `\n`, `\u{202e}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, control)) = rest.char_indices().find(|(_, c)| breaks_a_row(*c)) {
            f.write_str(&rest[..at])?;
            write!(f, "{}", control.escape_debug())?;
            rest = &rest[at + control.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Returns whether a terminal may act on a character instead of showing it: control characters,
/// line separators, and those that change the direction of writing.
fn breaks_a_row(c: char) -> bool {
    let separator = matches!(c, '\u{2028}' | '\u{2029}');
    let direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || separator || direction
}

/// Where a family was defined: `src/index.rs:17`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(pub(super) Location);

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.file.is_empty() {
            return f.write_str("-");
        }
        // A row has no room for columns.
        let line = Location {
            column: 0,
            ..self.0
        };
        write!(f, "{}{}", Escaped(self.0.file), line.numbers())
    }
}

/// The text that means one family and no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct FamilyName {
    name: &'static str,
    path: &'static str,
    location: Location,
    label: Label,
}

impl From<&FamilySnapshot> for FamilyName {
    fn from(family: &FamilySnapshot) -> Self {
        Self {
            name: family.name,
            path: family.path,
            location: family.location,
            label: family.label,
        }
    }
}

impl From<&FamilyDiff> for FamilyName {
    fn from(family: &FamilyDiff) -> Self {
        Self {
            name: family.name,
            path: family.path,
            location: family.location,
            label: family.label,
        }
    }
}

impl Display for FamilyName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.label {
            Label::Name if self.name.is_empty() => f.write_str("\"\""),
            Label::Name => write!(f, "{}", Escaped(self.name)),
            Label::Path => write!(f, "{}", Escaped(self.path)),
            Label::Place => self.fmt_with_place(f),
        }
    }
}

impl FamilyName {
    /// Writes path, place and version: two versions of a crate agree in all but the last.
    fn fmt_with_place(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Location {
            column,
            crate_version,
            ..
        } = self.location;
        let place = Place(self.location);
        write!(f, "{} ({place}:{column}", Escaped(self.path))?;
        if !crate_version.is_empty() {
            write!(f, ", {}", Escaped(crate_version))?;
        }
        f.write_char(')')
    }
}
