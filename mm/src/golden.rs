//! Texts that are compared with files, for tests.
//!
//! `MM_UPDATE_GOLDEN=1 cargo test -p mm --lib` writes the files again. Read the difference before a commit.

use std::fmt::Display;

/// Compares a text, and the line feed that `println!` adds, with a file below `src`.
macro_rules! check_golden {
    ($path:expr, $text:expr) => {
        crate::golden::compare(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/", $path),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/", $path)),
            &$text,
        )
    };
}
pub(crate) use check_golden;

#[track_caller]
pub(crate) fn compare(path: &str, golden: &str, text: &dyn Display) {
    let text = format!("{text}\n");
    if std::env::var_os("MM_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
        return;
    }
    assert!(text == golden, "\n--- {path}\n{golden}\n--- now\n{text}");
}

/// Compares `text` with the part of a file from `start` up to `end`, both left out.
///
/// `path` is relative to the package.
#[track_caller]
pub(crate) fn compare_part(path: &str, [start, end]: [&str; 2], text: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(&path).expect("the file is there");
    let (before, rest) = file.split_once(start).expect("the start of the part");
    let (part, after) = rest.split_once(end).expect("the end of the part");
    if std::env::var_os("MM_UPDATE_GOLDEN").is_some() {
        let now = [before, start, text, end, after].concat();
        return std::fs::write(path, now).expect("the file is writable");
    }
    assert!(part == text, "\n--- {path}\n{part}\n--- now\n{text}");
}
