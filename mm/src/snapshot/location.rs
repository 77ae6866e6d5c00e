//! Where a family was defined.

use core::fmt::{self, Display, Formatter, Write};

use crate::shown::Shown;

/// Where a family was defined: a place in a source file, and the version of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Location {
    /// File as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1; 0 if only a function of a C program is known, whose name is in place of the file.
    pub line: u32,
    /// Column, from 1; 0 in C programs, where it is unknown.
    pub column: u32,
    /// Version of the crate that defines the type.
    pub crate_version: &'static str,
}

impl Location {
    /// Makes a location; the derive calls it.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        file: &'static str,
        line: u32,
        column: u32,
        crate_version: &'static str,
    ) -> Self {
        Self {
            file,
            line,
            column,
            crate_version,
        }
    }

    /// Returns what compilers write after the file: `:17:5`. It has no column if that is 0, as in C
    /// programs, and no line if only a function's name is known.
    pub(crate) fn numbers(self) -> impl Display {
        Numbers([self.line, self.column])
    }
}

impl Display for Location {
    /// Writes the place as compilers do, as in `src/index.rs:17:10`, without unknown parts, or `-` if all
    /// are unknown. The version is not part of it.
    ///
    /// ```
    /// #[derive(mm::MmManaged)]
    /// struct Emp(u32);
    /// # use mm::MmManaged;
    ///
    /// let text = Emp::page_family().location().to_string();
    /// assert!(text.contains(".rs:"), "{text}");
    /// ```
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.file {
            "" => f.write_char('-'),
            file => write!(f, "{}{}", Shown(file), self.numbers()),
        }
    }
}

struct Numbers([u32; 2]);

impl Display for Numbers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut known = self.0.iter().take_while(|number| **number > 0);
        known.try_for_each(|number| write!(f, ":{number}"))
    }
}
