//! Threads: each for itself, in batches from one to another, and heirs of what others made.

use std::hint::black_box;
use std::sync::mpsc::sync_channel;
use std::thread;

use mm_benches_common::random::Random;

use super::{Round, Row, row};
use crate::sizes::{JSON, sizes};

/// Operations of one thread in one round.
const OPERATIONS: u32 = 200_000;

pub(super) fn list() -> Vec<Row> {
    let rows = [
        row(
            "threads, replace",
            "two threads replace random ones of their 1,000 blocks of the sizes of a JSON parser",
            (1_000, 20),
            replace,
        ),
        row(
            "hand-over",
            "batches of 100 texts through a `sync_channel`, released by another thread",
            (100, 20),
            hand_over,
        ),
        row(
            "larson",
            "two threads replace random ones of 1,000 of 10 to 500 bytes, end, and hand over to others",
            (1_000, 20),
            larson,
        ),
    ];
    let threaded = |row| Row {
        is_threaded: true,
        ..row
    };
    rows.map(threaded).into()
}

type Blocks = Vec<Vec<u8>>;

fn block(size: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(size);
    block.push(1);
    black_box(block)
}

/// Replaces blocks at these places by others of these sizes.
fn replace_all(blocks: &mut Blocks, sizes: &[usize], places: &[u32]) {
    for (&size, &place) in sizes.iter().zip(places) {
        let old = &mut blocks[place as usize];
        drop(std::mem::take(old));
        *old = block(size);
    }
}

fn replace(live: u32) -> Round {
    let new = sizes(JSON, OPERATIONS);
    let places = Random::new().sequence(OPERATIONS, live);
    Box::new(move || {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut blocks = vec![Vec::new(); live as usize];
                    replace_all(&mut blocks, &new, &places);
                });
            }
        });
        u64::from(OPERATIONS) * 2
    })
}

fn hand_over(batch: u32) -> Round {
    let new = sizes(JSON, OPERATIONS);
    Box::new(move || {
        let (send, receive) = sync_channel::<Blocks>(10);
        thread::scope(|scope| {
            scope.spawn(move || receive.into_iter().for_each(drop));
            for sizes in new.chunks(batch as usize) {
                let blocks = sizes.iter().map(|&size| block(size)).collect();
                send.send(blocks).expect("the other thread receives");
            }
            drop(send);
        });
        OPERATIONS.into()
    })
}

/// Each round is one generation of two threads: they inherit the blocks of the generation before. The work is that
/// of Larson and Krishnan, "Memory allocation for long-running server applications" (1998).
fn larson(live: u32) -> Round {
    let mut random = Random::new();
    let mut new_sizes = |count| -> Vec<usize> {
        let sizes = (0..count).map(|_| 10 + random.below(490) as usize);
        sizes.collect()
    };
    let new = new_sizes(OPERATIONS);
    let first = new_sizes(live);
    let mut of_two: [Blocks; 2] = [(); 2].map(|()| first.iter().copied().map(block).collect());
    let places = random.sequence(OPERATIONS, live);
    Box::new(move || {
        thread::scope(|scope| {
            for blocks in &mut of_two {
                let (new, places) = (&new, &places);
                scope.spawn(move || replace_all(blocks, new, places));
            }
        });
        // The next thread gets the blocks of the other.
        of_two.swap(0, 1);
        u64::from(OPERATIONS) * 2
    })
}
