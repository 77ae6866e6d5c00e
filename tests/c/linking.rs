//! Objects that know nothing of mm's headers, and names that others have too.

use std::process::Command;

use crate::compile::Sources;
use crate::expected::{is_right, program_is_right};
use crate::library;
use crate::tools::{GXX, leave_out};

#[test]
fn names_of_old_are_found() {
    // `char *` parameters and empty parentheses were good style then.
    is_right(&Sources::of(&["old_prototypes.c"]).with(&["-Wno-discarded-qualifiers"]));
}

#[test]
fn a_program_may_have_the_names_of_old() {
    // The object that has the library's names is linked anyway.
    let sources = Sources::of(&["own_functions.c", "own_functions_other.c"]);
    is_right(&sources.with(&["-Wl,-u,mm_init"]));
}

#[test]
fn cpp_finds_the_start_that_it_declares_itself() {
    if GXX.is_there() {
        program_is_right("old_init.cpp");
    }
}

#[test]
fn static_objects_allocate() {
    if GXX.is_there() {
        is_right(&Sources::of(&["objects.cpp"]).with(&["-std=c++11"]));
    }
}

#[test]
fn cpp_allocates_outside_of_functions() {
    if GXX.is_there() {
        is_right(&Sources::of(&["initializers.cpp"]).with(&["-std=c++17"]));
    }
}

/// Names that begin with neither `mm_` nor an underscore would be in the way of a program's own.
#[test]
fn the_shared_library_gives_away_no_other_names() {
    let mut nm = Command::new("nm");
    nm.args(["--dynamic", "--defined-only", "--format=posix"]);
    nm.arg(library::folder().join("libmm.so"));
    let Ok(output) = nm.output() else {
        return leave_out("nm");
    };
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbols: Vec<_> = listed.lines().map(words).collect();
    let of_old = symbols.iter().filter(|(_, kind)| *kind == "W").count();
    assert_eq!(of_old, 12, "{listed}");
    let strong = symbols.iter().filter(|(_, kind)| *kind != "W");
    for (name, _) in strong {
        assert!(name.starts_with("mm_") || name.contains('['), "{name}");
    }
}

fn words(line: &str) -> (&str, &str) {
    let mut words = line.split(' ');
    let mut next = || words.next().unwrap_or_default();
    (next(), next())
}
