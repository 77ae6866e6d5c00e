//! Where a family was defined.

/// Where a family was defined: a place in a source file, and the version of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Location {
    /// File as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
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
}
