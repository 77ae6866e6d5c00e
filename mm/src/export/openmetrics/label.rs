//! The labels by which a family is told from every other.

use core::fmt::{self, Display, Formatter};

use crate::snapshot::FamilySnapshot;

/// Name, path, location and version of a family, as labels.
pub(super) struct Labels<'a>(pub(super) &'a FamilySnapshot);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let location = self.0.location;
        write!(
            f,
            "family=\"{}\",path=\"{}\",location=\"{}{}\",version=\"{}\"",
            Escaped(self.0.name),
            Escaped(self.0.path),
            Escaped(location.file),
            location.numbers(),
            Escaped(location.crate_version),
        )
    }
}

/// Text in which backslashes, quotes and line feeds are escaped; any other character is itself.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['\\', '"', '\n']) {
            let (plain, special) = rest.split_at(at);
            f.write_str(plain)?;
            f.write_str(match special.as_bytes()[0] {
                b'\n' => "\\n",
                b'"' => "\\\"",
                _ => "\\\\",
            })?;
            rest = &special[1..];
        }
        f.write_str(rest)
    }
}
