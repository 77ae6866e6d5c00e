//! The headers compile in all dialects of C and C++ without a warning.

use std::fs;
use std::path::Path;

use crate::compile::{Form, PROGRAMS, Sources, WARNINGS, compiler, said};
use crate::expected::program_is_right;
use crate::library::{SCRATCH, WORKSPACE};
use crate::tools::{CLANG, CLANGXX, GXX};

const OF_C: [&str; 6] = ["gnu89", "c99", "gnu99", "c11", "c17", "gnu2x"];
const OF_CPP: [&str; 3] = ["c++11", "c++17", "c++20"];

/// Sources that use all of an original interface.
const ORIGINAL_INTERFACES: [&str; 2] = ["dialect.c", "dialect_instance.c"];

/// The same for the interface for new programs, as C and as C++.
const NEW_INTERFACE: &str = "dialect_families.c";
const NEW_INTERFACE_IN_CPP: &str = "dialect_families.cpp";

/// A source for each header, with nothing else in it.
fn headers_alone() -> Vec<String> {
    let folder = Path::new(SCRATCH).join("c-headers");
    fs::create_dir_all(&folder).expect("a folder for sources");
    let headers = fs::read_dir(Path::new(WORKSPACE).join("mm/include")).expect("headers");
    let sources = headers.map(|header| {
        let name = header.expect("a header").file_name();
        let source = folder.join(&name).with_extension("c");
        let name = name.to_string_lossy();
        // A large program may include a header twice.
        let text = format!("#include \"{name}\"\n#include \"{name}\"\nextern int unused;\n");
        fs::write(&source, text).expect("the folder is there");
        source.display().to_string()
    });
    sources.collect()
}

fn all_sources() -> Vec<String> {
    let originals = ORIGINAL_INTERFACES.map(|name| format!("{PROGRAMS}{name}"));
    headers_alone().into_iter().chain(originals).collect()
}

#[track_caller]
fn is_understood(name: &str, language: &str, dialects: &[&str]) {
    let sources = all_sources();
    assert!(sources.len() >= 8, "{sources:?}");
    are_understood(&sources, name, language, dialects);
    // The interface for new programs does not support C89.
    let newer: Vec<_> = dialects
        .iter()
        .copied()
        .filter(|it| *it != "gnu89")
        .collect();
    are_understood(
        &[format!("{PROGRAMS}{NEW_INTERFACE}")],
        name,
        language,
        &newer,
    );
}

#[track_caller]
fn are_understood(sources: &[String], name: &str, language: &str, dialects: &[&str]) {
    for dialect in dialects {
        let mut command = compiler(name);
        command.args(WARNINGS).args(["-pedantic", "-fsyntax-only"]);
        command.arg(format!("-std={dialect}"));
        command.args(["-x", language]).args(sources);
        let said = said(&command.output().expect("a compiler"));
        assert_eq!(said, Ok(()), "{name} -std={dialect}");
    }
}

#[test]
fn every_dialect_of_c_has_the_headers() {
    is_understood("cc", "c", &OF_C);
    if CLANG.is_there() {
        is_understood(CLANG.name(), "c", &OF_C);
    }
}

#[test]
fn every_dialect_of_cpp_has_the_headers() {
    for compiler in [GXX, CLANGXX] {
        if compiler.is_there() {
            is_understood(compiler.name(), "c++", &OF_CPP);
        }
    }
}

#[test]
fn the_new_interface_is_the_same_in_both_languages() {
    program_is_right(NEW_INTERFACE);
    if GXX.is_there() {
        program_is_right(NEW_INTERFACE_IN_CPP);
    }
}

/// Without `__GNUC__`: other compilers have no statement expressions.
#[test]
fn c_without_extensions_has_the_headers() {
    let plain = ["-std=c99", "-U__GNUC__", "-pedantic-errors"];
    for name in ORIGINAL_INTERFACES {
        let program = Sources::of(&[name]).with(&plain).compile(Form::Shared);
        program.run(&[]).ends_well().reports(&[]);
    }
}
