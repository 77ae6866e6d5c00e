//! The labels that identify a family uniquely.

use core::fmt::{self, Display, Formatter, Write};

use crate::shown::Shown;
use crate::snapshot::FamilySnapshot;

/// Name, path, location and version of a family, as labels. If families share path, location and version, all
/// but the first have their number, too.
pub(super) struct Labels<'a>(pub(super) &'a FamilySnapshot);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let location = self.0.location;
        write!(
            f,
            "family=\"{}\",path=\"{}\",location=\"{}{}\",version=\"{}\"",
            Value(self.0.name),
            Value(self.0.path),
            Value(location.file),
            location.numbers(),
            Value(location.crate_version),
        )?;
        match self.0.key.nth() {
            0 | 1 => Ok(()),
            nth => write!(f, ",nth=\"{nth}\""),
        }
    }
}

/// A text that is safe to show, with the format's special characters escaped.
struct Value<'a>(&'a str);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", Shown(self.0))
    }
}

/// Escapes backslashes and quotes. `Shown` has escaped line feeds already.
struct Escaping<'w, 'f>(&'w mut Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['\\', '"']) {
            self.0.write_str(&rest[..at])?;
            self.0.write_char('\\')?;
            self.0.write_str(&rest[at..=at])?;
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}
