//! The expected output of programs.

use std::fs;
use std::path::Path;

use crate::compile::{Form, PROGRAMS, Sources, TESTS};
use crate::run::{Ran, without_addresses};

/// Starts a comment with the message that its line writes to standard error.
const SAYS: &str = "/* says: ";

/// Starts a comment with the message of a function, which does not know its caller's line.
const SAYS_IN: &str = "/* says in ";

/// Compiles and runs a program in all forms. It must end well, with the expected output.
#[track_caller]
pub(crate) fn is_right(sources: &Sources) {
    is_right_as(sources, &Form::all());
}

/// Does the same for one source.
#[track_caller]
pub(crate) fn program_is_right(name: &'static str) {
    is_right(&Sources::of(&[name]));
}

/// Does the same in these forms.
#[track_caller]
pub(crate) fn is_right_as(sources: &Sources, forms: &[Form]) {
    let messages = messages_of(sources.first());
    for form in forms {
        let ran = sources.compile(*form).run(&[]);
        ran.ends_well().reports(&messages);
        prints_golden(sources.first(), &ran);
    }
}

/// Returns the lines that a program writes to standard error, in the order of its source.
pub(crate) fn messages_of(name: &str) -> Vec<String> {
    let file = format!("{PROGRAMS}{name}");
    let text = fs::read_to_string(Path::new(TESTS).join(&file)).expect("a program");
    let lines = (1..).zip(text.lines());
    lines
        .filter_map(|(line, text)| message(&file, line, text))
        .collect()
}

fn message(file: &str, line: usize, text: &str) -> Option<String> {
    let told = |begin| {
        let (_, rest) = text.split_once(begin)?;
        rest.strip_suffix(" */")
    };
    if let Some(says) = told(SAYS) {
        return Some(format!("mm: {file}:{line}: {says}"));
    }
    Some(format!("mm: {}", told(SAYS_IN)?))
}

/// Checks that a program printed the text of its golden file, or nothing if there is none.
#[track_caller]
fn prints_golden(name: &str, ran: &Ran) {
    let golden = Path::new(TESTS).join("c/golden").join(name);
    let golden = golden.with_extension("txt");
    let printed = as_golden(&ran.stdout);
    if std::env::var_os("MM_UPDATE_GOLDEN").is_some() && golden.exists() {
        fs::write(&golden, &printed).expect("the folder is there");
    }
    let text = fs::read_to_string(&golden).unwrap_or_default();
    assert!(printed == text, "\n--- {name}\n{text}\n--- now\n{printed}");
}

/// Masks the parts that differ between machines: numbers of kernel calls, and addresses with the spaces after
/// them, which depend on their length.
pub(crate) fn as_golden(printed: &str) -> String {
    const CALLS: &str = "#Sys Calls ";
    const ADDRESS: &str = "0x..";
    let lines = without_addresses(printed);
    let lines = lines
        .split_inclusive('\n')
        .map(|line| match line.split_once(CALLS) {
            Some((before, _)) => format!("{before}{CALLS}..\n"),
            None => line.to_owned(),
        });
    let lines: String = lines.collect();
    let mut parts = lines.split(ADDRESS);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let rest = part.trim_start_matches(' ');
        let gap = if rest == part { "" } else { "  " };
        format!("{all}{ADDRESS}{gap}{rest}")
    })
}
