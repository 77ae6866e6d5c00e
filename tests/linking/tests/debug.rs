//! The forms that cargo builds for tests anyway; `tests/linking/run` has all of them.

use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mm-test-linking");
const HOST: &str = env!("CARGO_BIN_EXE_mm-test-linking-host");

/// Runs a program, which ends with an error if a family is missing or a figure is wrong.
fn succeeds(command: &mut Command) {
    let output = command.output().expect("cargo built it");
    assert!(output.status.success(), "{output:?}");
    let families = String::from_utf8(output.stdout).expect("a number is text");
    let families: usize = families.trim().parse().expect("it prints a number");
    assert!(families > 0);
}

#[test]
fn a_program_lists_all_families() {
    succeeds(&mut Command::new(PROGRAM));
}

/// Cargo leaves the plugin beside the tests.
#[test]
#[cfg(target_os = "linux")]
fn a_plugin_lists_all_families() {
    let test = std::env::current_exe().expect("a test has a file");
    let plugin = test.with_file_name("libmm_test_linking.so");
    succeeds(Command::new(HOST).arg(plugin).arg("0"));
}
