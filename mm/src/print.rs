//! The print functions: snapshot, report, standard output.
//!
//! They take the snapshot before they lock standard output, and ignore errors: a closed pipe must not
//! stop the program.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::entry::snapshot;
use crate::heap_profile::{HeapGroups, heap_profile};
use crate::os::write_text;
use crate::user_code;

/// Prints every page family, its layout and where it was defined, to standard output.
///
/// The output has colours on a terminal, unless the variable `NO_COLOR` is set and not empty. Errors while
/// writing, such as a closed pipe, are ignored.
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

/// Prints to standard output how much memory each family holds.
///
/// The report shows all families, or those with the given name, path, or end of a path, such as `b::Node`
/// for `a::b::Node`.
///
/// For an unknown name it prints one line that suggests similar names. Colours and errors are handled as
/// in [`print_registered_page_families`].
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

/// Prints to standard output how full each family's pages are.
///
/// Colours and errors are handled as in [`print_registered_page_families`].
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

/// Prints to standard output who holds the untyped memory of [`Global`](crate::Global), by type and by call site.
///
/// See [`HeapProfile::by_type`](crate::HeapProfile::by_type) and [`by_site`](crate::HeapProfile::by_site). Colours and
/// errors are handled as in [`print_registered_page_families`].
///
/// # Examples
///
/// ```
/// mm::print_heap_profile();
/// ```
pub fn print_heap_profile() {
    let profile = heap_profile();
    let (types, sites) = (profile.by_type(), profile.by_site());
    print(|coloured| Profile {
        parts: [types, sites],
        coloured,
    });
}

/// Two tables with an empty line between them.
struct Profile {
    parts: [HeapGroups; 2],
    coloured: bool,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [types, sites] = &self.parts;
        if self.coloured {
            write!(f, "{types:#}\n\n{sites:#}")
        } else {
            write!(f, "{types}\n\n{sites}")
        }
    }
}

/// Writes a report to standard output, under one lock.
fn print<R: fmt::Display>(report: impl FnOnce(bool) -> R) {
    // Before the lock, as this allocates; the first use of standard output may allocate, too.
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

/// Writes a report and a line feed; an error ends it early and is ignored.
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
