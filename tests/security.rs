//! SECURITY.md names the tests behind its lines. They exist.

use std::fs;
use std::path::{Path, PathBuf};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SECURITY: &str = include_str!("../SECURITY.md");

/// What stands in backticks and looks like the path of a test.
fn names() -> impl Iterator<Item = &'static str> {
    let quoted = SECURITY.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let is_path = name.split("::").count() > 1 && !name.split("::").any(str::is_empty);
        // Types begin with a capital letter, and files do not.
        is_path && !name.contains(char::is_uppercase) && !name.starts_with(':')
    })
}

/// The file that a module's path leads to, below a folder.
fn file_of(folder: &str, modules: &[&str]) -> Option<PathBuf> {
    let path = Path::new(WORKSPACE).join(folder).join(modules.join("/"));
    let candidates = [
        path.with_extension("rs"),
        path.join("mod.rs"),
        path.join("main.rs"),
    ];
    candidates.into_iter().find(|file| file.is_file())
}

/// Whether there is such a test, or such a file with tests.
fn exists(name: &str) -> bool {
    let (folder, path) = match name.strip_prefix("mm::") {
        Some(path) => ("mm/src", path),
        None => ("tests", name),
    };
    let mut modules: Vec<_> = path.split("::").collect();
    let test = modules.pop().expect("a name has two parts");
    let text = file_of(folder, &modules).map(|file| fs::read_to_string(file).expect("readable"));
    let is_there = |text: String| match test {
        "*" => text.contains("#[test]"),
        _ => text.contains(&format!("fn {test}(")),
    };
    text.is_some_and(is_there)
}

#[test]
fn every_line_names_tests_that_exist() {
    let missing: Vec<_> = names().filter(|name| !exists(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(names().count() > 50);
}

#[test]
fn every_promise_has_a_test_or_a_command() {
    let rows = SECURITY.lines().filter(|line| line.starts_with("| "));
    let promises = rows.filter(|row| row.matches('|').count() == 3);
    let bare: Vec<_> = promises
        .filter(|row| !row.contains("---") && !row.contains("shown by"))
        .filter(|row| {
            !row.rsplit('|')
                .nth(1)
                .is_some_and(|shown| shown.contains('`'))
        })
        .collect();
    assert_eq!(bare, Vec::<&str>::new());
}
