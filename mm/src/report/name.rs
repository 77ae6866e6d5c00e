//! Names and places for one row, uncut.

use core::fmt::{self, Display, Formatter};

use crate::shown::Shown;
use crate::snapshot::{FamilyDiff, FamilyKey, FamilySnapshot, Label, Location};

/// The place where a family was defined: `src/index.rs:17`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(pub(super) Location);

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A row has no room for columns.
        let line = Location {
            column: 0,
            ..self.0
        };
        line.fmt(f)
    }
}

/// The text that identifies one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct FamilyName {
    name: &'static str,
    path: &'static str,
    key: FamilyKey,
    label: Label,
}

impl From<&FamilySnapshot> for FamilyName {
    fn from(family: &FamilySnapshot) -> Self {
        Self {
            name: family.name,
            path: family.path,
            key: family.key,
            label: family.label,
        }
    }
}

impl From<&FamilyDiff> for FamilyName {
    fn from(family: &FamilyDiff) -> Self {
        Self {
            name: family.name,
            path: family.path,
            key: family.key,
            label: family.label,
        }
    }
}

impl Display for FamilyName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.label {
            Label::Name if self.name.is_empty() => f.write_str("\"\""),
            Label::Name => write!(f, "{}", Shown(self.name)),
            Label::Path => write!(f, "{}", Shown(self.path)),
            Label::Key => write!(f, "{}", self.key),
        }
    }
}
