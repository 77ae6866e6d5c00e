//! The first difference between expected and found figures.

use std::fmt;

/// Two values that should agree and do not.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The name of the family, or of what else it is about.
    pub family: String,
    /// What the values are.
    pub figure: String,
    /// What it should be, or the bound that it should keep.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            figure,
            expected,
            found,
        } = self;
        write!(to, "{family}: {figure}: expected {expected}, found {found}")
    }
}

impl std::error::Error for Difference {}

/// Compares the figures of one family.
pub(crate) struct Comparison<'a> {
    pub(crate) family: &'a str,
}

impl Comparison<'_> {
    /// Requires that two figures are the same.
    pub(crate) fn same(&self, figure: &str, found: u64, expected: u64) -> Result<(), Difference> {
        self.holds(found == expected, figure, found, format_args!("{expected}"))
    }

    /// Requires that a figure keeps an upper bound.
    pub(crate) fn at_most(&self, figure: &str, found: u64, most: u64) -> Result<(), Difference> {
        self.holds(found <= most, figure, found, format_args!("at most {most}"))
    }

    /// Requires that a figure keeps a lower bound.
    pub(crate) fn at_least(&self, figure: &str, found: u64, least: u64) -> Result<(), Difference> {
        self.holds(
            found >= least,
            figure,
            found,
            format_args!("at least {least}"),
        )
    }

    fn holds(
        &self,
        is_true: bool,
        figure: &str,
        found: u64,
        expected: fmt::Arguments<'_>,
    ) -> Result<(), Difference> {
        if is_true {
            return Ok(());
        }
        Err(Difference {
            family: self.family.to_owned(),
            figure: figure.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        })
    }
}
