//! Blocks by themselves, and as nodes of trees and maps.

use std::collections::BTreeMap;
use std::hint::black_box;

use super::{Round, Row, row};

pub(super) fn list() -> Vec<Row> {
    vec![
        row(
            "pair, 40 B",
            "allocate, write to, release a block of 40 bytes",
            (100_000, 100),
            pair::<5>,
        ),
        row(
            "pair, 1 KiB",
            "the same of 1 KiB",
            (10_000, 100),
            pair::<128>,
        ),
        row(
            "pair, 16 KiB",
            "the same of 16 KiB",
            (1_000, 100),
            pair::<2048>,
        ),
        row(
            "trees",
            "binary trees of boxes of depth 18, built and released; for each node",
            (18, 15),
            trees,
        ),
        row(
            "maps of texts",
            "a `BTreeMap` of 10,000 texts to texts, built and dropped; for each entry",
            (10_000, 30),
            map_of_texts,
        ),
    ]
}

fn pair<const WORDS: usize>(count: u32) -> Round {
    Box::new(move || {
        for number in 0..count {
            // Only the first of the words is written, so that the time is that of the allocator.
            let mut words = Vec::with_capacity(WORDS);
            words.push(u64::from(number));
            drop(black_box(words));
        }
        count.into()
    })
}

#[expect(dead_code, reason = "the children are there to be released")]
struct Tree([Option<Box<Tree>>; 2]);

fn trees(depth: u32) -> Round {
    Box::new(move || {
        drop(black_box(tree(depth)));
        (2 << depth) - 1
    })
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "the box is what is measured"
)]
fn tree(depth: u32) -> Box<Tree> {
    let child = || depth.checked_sub(1).map(tree);
    Box::new(Tree([child(), child()]))
}

fn map_of_texts(entries: u32) -> Round {
    let keys: Vec<String> = (0..entries)
        .map(|number| format!("key {}", number.wrapping_mul(2_654_435_761)))
        .collect();
    Box::new(move || {
        let entry = |key: &String| (key.clone(), key.repeat(3));
        let map: BTreeMap<String, String> = keys.iter().map(entry).collect();
        drop(black_box(map));
        entries.into()
    })
}
