//! Words and lists of the grammar.

use std::fmt::{self, Display};

/// Writes `items` with `between` after each.
pub fn each<T: Display>(f: &mut fmt::Formatter<'_>, items: &[T], after: &str) -> fmt::Result {
    items.iter().try_for_each(|item| write!(f, "{item}{after}"))
}

/// One of a list of words.
pub fn one_of(words: &'static [&'static str], pick: u8) -> &'static str {
    words[usize::from(pick) % words.len()]
}
