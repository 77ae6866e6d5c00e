//! The three print functions: registry, snapshot, report, standard output.
//!
//! They take the snapshot before they lock standard output, and never fail: a reader that has
//! gone away is no reason to stop the program.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::os::write_text;
use crate::registry::snapshot;
use crate::user_code;

/// Prints every page family, its layout and where it was defined, to standard output.
///
/// In colour on a terminal, unless the variable `NO_COLOR` is set and not empty. A closed pipe is
/// ignored, as is any other failure to write.
///
/// # Examples
///
/// ```
/// mm::print_registered_page_families();
/// ```
pub fn print_registered_page_families() {
    let snapshot = snapshot();
    print(|coloured| snapshot.page_families().coloured(coloured));
}

/// Prints how much memory each family holds to standard output, of all families or of those with
/// this name, path, or end of a path, such as `b::Node` of `a::b::Node`.
///
/// Of an unknown name it prints one line, with names near it. Colour and failures are as with
/// [`print_registered_page_families`].
///
/// # Examples
///
/// ```
/// mm::print_memory_usage("Emp");
/// mm::print_memory_usage(None);
/// ```
pub fn print_memory_usage<'a>(name: impl Into<Option<&'a str>>) {
    let (snapshot, name) = (snapshot(), name.into());
    print(|coloured| snapshot.memory_usage(name).coloured(coloured));
}

/// Prints how each family's pages are filled to standard output.
///
/// Colour and failures are as with [`print_registered_page_families`].
///
/// # Examples
///
/// ```
/// mm::print_block_usage();
/// ```
pub fn print_block_usage() {
    let snapshot = snapshot();
    print(|coloured| snapshot.block_usage().coloured(coloured));
}

/// Writes a report to standard output, under one lock.
fn print<R: fmt::Display>(report: impl FnOnce(bool) -> R) {
    // Before the lock, as this allocates; and so may who is first to use standard output.
    let report = report(is_output_coloured());
    user_code::undisturbed(|| write_to(io::stdout().lock(), report));
}

/// Returns whether a report on standard output is to be in colour.
pub(crate) fn is_output_coloured() -> bool {
    is_colour_wanted(
        io::stdout().is_terminal(),
        env::var_os("NO_COLOR").as_deref(),
    )
}

/// Returns whether a report is to be in colour, given the value of `NO_COLOR`.
fn is_colour_wanted(is_terminal: bool, no_color: Option<&std::ffi::OsStr>) -> bool {
    is_terminal && no_color.is_none_or(std::ffi::OsStr::is_empty)
}

/// Writes a report and a line feed; an error ends it early, and nobody hears of it.
pub(crate) fn write_to(out: impl Write, report: impl fmt::Display) {
    write_text(out, format_args!("{report}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let no_color = |value: &'static str| Some(std::ffi::OsStr::new(value));
        assert!(is_colour_wanted(true, None));
        assert!(is_colour_wanted(true, no_color("")));
        assert!(!is_colour_wanted(true, no_color("1")));
        assert!(!is_colour_wanted(false, None));
    }
}
