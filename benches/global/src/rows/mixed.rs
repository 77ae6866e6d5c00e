//! Blocks of the sizes that parsers request.

use std::hint::black_box;

use mm_benches_common::random::Random;

use super::{Round, Row, row};
use crate::sizes::{JSON, SQL, Shares, sizes};

/// Operations of one round.
const OPERATIONS: u32 = 100_000;

pub(super) fn list() -> Vec<Row> {
    vec![
        row(
            "json, replace 1,000",
            "replace a random one of 1,000 blocks of the sizes of a JSON parser",
            (1_000, 100),
            |live| replace(JSON, live),
        ),
        row(
            "json, replace 100 k",
            "the same of 100,000",
            (100_000, 50),
            |live| replace(JSON, live),
        ),
        row(
            "json, in order",
            "allocate 100,000 of the same sizes, release them in order",
            (100_000, 50),
            |live| in_order(JSON, live),
        ),
        row(
            "json, shuffled",
            "the same, released in random order",
            (100_000, 30),
            |live| shuffled(JSON, live),
        ),
        row(
            "sql, replace 1,000",
            "replace a random one of 1,000 blocks of the sizes of a SQL parser",
            (1_000, 100),
            |live| replace(SQL, live),
        ),
        row(
            "sql, in order",
            "allocate 10,000 of the same sizes, release them in order",
            (10_000, 100),
            |live| in_order(SQL, live),
        ),
        row(
            "sql, shuffled",
            "allocate 100,000 of the same sizes, release them in random order",
            (100_000, 30),
            |live| shuffled(SQL, live),
        ),
    ]
}

/// Allocates a block and writes to it.
fn block(size: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(size);
    block.push(1);
    black_box(block)
}

fn replace(shares: Shares, live: u32) -> Round {
    let new = sizes(shares, OPERATIONS);
    let places = Random::new().sequence(OPERATIONS, live);
    let mut blocks: Vec<_> = sizes(shares, live).into_iter().map(block).collect();
    Box::new(move || {
        for (&size, &place) in new.iter().zip(&places) {
            // The old block is released first, as by a program that replaces what it no longer needs.
            let old = &mut blocks[place as usize];
            drop(std::mem::take(old));
            *old = block(size);
        }
        OPERATIONS.into()
    })
}

fn in_order(shares: Shares, live: u32) -> Round {
    let new = sizes(shares, live);
    let mut blocks = Vec::with_capacity(new.len());
    Box::new(move || {
        blocks.extend(new.iter().map(|&size| block(size)));
        blocks.clear();
        live.into()
    })
}

fn shuffled(shares: Shares, live: u32) -> Round {
    let new = sizes(shares, live);
    let mut places: Vec<u32> = (0..live).collect();
    Random::new().shuffle(&mut places);
    let mut blocks = Vec::with_capacity(new.len());
    Box::new(move || {
        blocks.extend(new.iter().map(|&size| block(size)));
        for &place in &places {
            drop(std::mem::take(&mut blocks[place as usize]));
        }
        blocks.clear();
        live.into()
    })
}
