//! What ripgrep does: a pattern in all files of a tree.

use std::path::Path;
use std::sync::mpsc;

use grep_regex::RegexMatcher;
use grep_searcher::{SearcherBuilder, sinks::Lossy};
use ignore::{WalkBuilder, WalkState};

use crate::process;

/// What is looked for.
const PATTERN: &str = r"\bunsafe\s+(fn|impl)\s+\w+";

/// Searches the tree `sources` with two threads, and collects the lines with their numbers.
pub(super) fn run(input: &Path) {
    let matcher = RegexMatcher::new(PATTERN).expect("a pattern");
    let (send, receive) = mpsc::channel();
    let walk = WalkBuilder::new(input.join("sources"))
        .standard_filters(false)
        .follow_links(true)
        .threads(2)
        .build_parallel();
    walk.run(|| {
        let (matcher, send) = (matcher.clone(), send.clone());
        let mut searcher = SearcherBuilder::new().line_number(true).build();
        Box::new(move |entry| {
            let entry = entry.expect("the tree is readable");
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                let mut lines = Vec::new();
                let sink = Lossy(|number, line| {
                    lines.push((number, line.to_owned()));
                    Ok(true)
                });
                // A binary file is no mistake.
                let _ = searcher.search_path(&matcher, entry.path(), sink);
                send.send((entry.into_path(), lines))
                    .expect("the receiver is alive");
            }
            WalkState::Continue
        })
    });
    drop(send);
    let found: Vec<_> = receive.into_iter().collect();
    let lines: usize = found.iter().map(|(_, lines)| lines.len()).sum();
    drop(found);
    process::print_usage(lines as u64);
}
