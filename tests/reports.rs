//! What the print functions do with standard output, seen from another process.
//!
//! The process is this test's own program, told by a variable which role to play.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod unmeasured;

use std::alloc::Layout;
use std::env;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use mm::PageFamily;

/// The variable that makes the program play the child's part.
const ROLE: &str = "MM_REPORTS_ROLE";

/// The child's answer when all its calls came back.
const SURVIVED: i32 = 42;

/// What the child prints before its first report, so that the harness's own lines can be cut.
const READY: &str = "<ready>\n";

/// Plays the child's part; without the variable there is nothing to do.
#[test]
fn child() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    for number in 0..200 {
        let family = PageFamily::register(&format!("family-{number}"), Layout::new::<u64>());
        family.unwrap().alloc(3).unwrap();
    }
    io::stdout().write_all(READY.as_bytes()).unwrap();
    io::stdout().flush().unwrap();
    // The parent says when to go on by closing our input.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    mm::print_registered_page_families();
    mm::print_memory_usage(None);
    mm::print_memory_usage("family-7");
    mm::print_memory_usage("famili-7");
    mm::print_block_usage();
    // The harness would not survive a closed pipe.
    std::process::exit(SURVIVED);
}

fn command() -> Command {
    let mut command = mm_tests::command("child");
    command
        .env(ROLE, "child")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Reads until the child is about to print, byte by byte so that no report is taken.
fn wait_until_ready(child: &mut Child) {
    let out = child.stdout.as_mut().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(READY.as_bytes()) {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
}

fn text_of_reports(no_color: Option<&str>) -> String {
    let mut command = command();
    command.env_remove("NO_COLOR");
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    let mut child = command.spawn().unwrap();
    wait_until_ready(&mut child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(SURVIVED));
    String::from_utf8(output.stdout).unwrap()
}

fn rows_of(text: &str, name: &str) -> usize {
    let is_row = |line: &&str| line.split(' ').next() == Some(name);
    text.lines().filter(is_row).count()
}

#[test]
fn a_pipe_gets_whole_reports_without_colour() {
    for no_color in [None, Some(""), Some("1")] {
        let text = text_of_reports(no_color);
        assert!(!text.contains('\u{1b}'));
        assert!(text.ends_with('\n'));
        // Three tables of all, and one of one.
        assert_eq!(rows_of(&text, "family-199"), 3);
        assert_eq!(rows_of(&text, "family-7"), 4);
        let unknown = "no page family is named `famili-7`; similar names: `family-7`";
        assert!(text.lines().any(|line| line.starts_with(unknown)));
    }
}

#[test]
fn a_closed_pipe_is_ignored() {
    let mut child = command().stderr(Stdio::piped()).spawn().unwrap();
    wait_until_ready(&mut child);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(SURVIVED));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
