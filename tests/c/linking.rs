//! Objects that were compiled without mm's headers, and names that other libraries use too.

use std::process::Command;

use crate::compile::{Form, Sources};
use crate::expected::{is_right, is_right_as};
use crate::library;
use crate::tools::{GXX, leave_out};

#[test]
fn names_of_old_are_found() {
    // The old prototypes have `char *` parameters and empty parentheses.
    let sources = Sources::of(&["old_prototypes.c"]).with(&["-Wno-discarded-qualifiers"]);
    is_right_as(&sources, &Form::archived());
}

#[test]
fn a_program_may_have_the_names_of_old() {
    // The object that has the library's names is linked anyway.
    let sources = Sources::of(&["own_functions.c", "own_functions_other.c"]);
    is_right_as(&sources.with(&["-Wl,-u,mm_init"]), &Form::archived());
}

#[test]
fn cpp_finds_the_start_that_it_declares_itself() {
    if GXX.is_there() {
        is_right_as(&Sources::of(&["old_init.cpp"]), &Form::archived());
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

/// Other names could replace those of the program and its libraries, because the loader ignores weakness.
#[test]
fn the_shared_library_gives_away_no_other_names() {
    let mut nm = Command::new("nm");
    nm.args(["--dynamic", "--defined-only", "--format=posix"]);
    nm.arg(library::folder().join("libmm.so"));
    let Ok(output) = nm.output() else {
        return leave_out("nm");
    };
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbols: Vec<_> = listed.lines().map(first_word).collect();
    assert!(symbols.contains(&"mm_uapi_xcalloc"), "{listed}");
    let others = symbols.iter().filter(|name| !name.starts_with("mm_"));
    assert_eq!(others.count(), 0, "{listed}");
    let of_old = ["mm_init", "mm_print_memory_usage"];
    assert!(
        !symbols.iter().any(|name| of_old.contains(name)),
        "{listed}"
    );
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}
