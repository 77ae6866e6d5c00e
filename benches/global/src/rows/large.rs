//! Zeroed blocks, and blocks so large that the kernel is asked for them.

use std::hint::black_box;

use mm_benches_common::random::Random;

use super::{Round, Row, row};

/// Operations of one round.
const OPERATIONS: u32 = 1_000;

/// The size of a VM page, in bytes.
const PAGE: usize = 4_096;

pub(super) fn list() -> Vec<Row> {
    vec![
        row(
            "zeroed, small",
            "replace a random one of 1,000 zeroed blocks of 16 to 1,024 bytes",
            (1_024, 200),
            zeroed,
        ),
        row(
            "zeroed, middle",
            "the same of 1 to 64 KiB, of which the first byte is written",
            (64 << 10, 50),
            zeroed,
        ),
        row(
            "zeroed, large",
            "the same of 64 KiB to 1 MiB",
            (1 << 20, 20),
            zeroed,
        ),
        row(
            "large, ends",
            "replace a random one of 16 blocks of 128 KiB to 8 MiB, and write to both ends",
            (16, 30),
            large_ends,
        ),
        row(
            "large, pages",
            "the same, and write to each of its VM pages",
            (16, 5),
            large_pages,
        ),
    ]
}

/// Replaces blocks from a sixteenth of `largest` bytes, or 16, up to it.
fn zeroed(largest: u32) -> Round {
    let least = (largest / 64).max(16);
    let mut random = Random::new();
    let sizes = random.sequence(OPERATIONS, largest - least);
    let places = random.sequence(OPERATIONS, 1_000);
    let mut blocks: Vec<Vec<u8>> = vec![Vec::new(); 1_000];
    Box::new(move || {
        for (&size, &place) in sizes.iter().zip(&places) {
            let old = &mut blocks[place as usize];
            drop(std::mem::take(old));
            let mut block = vec![0; (least + size) as usize];
            block[0] = 1;
            *old = black_box(block);
        }
        OPERATIONS.into()
    })
}

fn large_ends(live: u32) -> Round {
    large(live, |block| {
        block[0].write(1);
        block[block.len() - 1].write(1);
    })
}

fn large_pages(live: u32) -> Round {
    large(live, |block| {
        for page in block.chunks_mut(PAGE) {
            page[0].write(1);
        }
    })
}

type Uninit = std::mem::MaybeUninit<u8>;

fn large(live: u32, write: fn(&mut [Uninit])) -> Round {
    let (least, most) = (128 << 10, 8 << 20);
    let mut random = Random::new();
    // As many of each doubling.
    let sizes: Vec<u32> = (0..OPERATIONS)
        .map(|_| {
            let top = most >> random.below(6);
            (top / 2 + random.below(top / 2)).max(least)
        })
        .collect();
    let places = random.sequence(OPERATIONS, live);
    let mut blocks: Vec<Box<[Uninit]>> = (0..live).map(|_| Box::from([])).collect();
    Box::new(move || {
        for (&size, &place) in sizes.iter().zip(&places) {
            let old = &mut blocks[place as usize];
            drop(std::mem::take(old));
            let mut block = Box::new_uninit_slice(size as usize);
            write(&mut block);
            *old = black_box(block);
        }
        OPERATIONS.into()
    })
}
