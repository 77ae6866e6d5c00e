//! A search engine's indexer.

use std::fs;
use std::path::Path;

use ignore::WalkBuilder;
use tantivy::schema::{STORED, STRING, Schema, TEXT};
use tantivy::{Index, doc};

use crate::process;

/// Bytes that the one indexing thread may use before it writes a segment.
const BUDGET: usize = 50_000_000;

/// Indexes the Rust files of the tree `sources`, in memory.
pub(super) fn run(input: &Path) {
    let mut schema = Schema::builder();
    let path = schema.add_text_field("path", STRING | STORED);
    let body = schema.add_text_field("body", TEXT);
    let index = Index::create_in_ram(schema.build());
    let mut writer = index.writer_with_num_threads(1, BUDGET).expect("a writer");
    let walk = WalkBuilder::new(input.join("sources"))
        .standard_filters(false)
        .follow_links(true)
        .build();
    for entry in walk {
        let entry = entry.expect("the tree is readable");
        if entry.path().extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let name = entry.path().display().to_string();
        writer
            .add_document(doc!(path => name, body => text))
            .expect("a document");
    }
    writer.commit().expect("a commit");
    writer.wait_merging_threads().expect("the merges end");
    let reader = index.reader().expect("a reader");
    process::print_usage(reader.searcher().num_docs());
}
