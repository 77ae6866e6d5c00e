//! What an idle program keeps after a burst of work.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use mm_benches_common::random::Random;

use crate::memory::resident;
use crate::sizes::{JSON, sizes};

/// The name, which selects this instead of a row.
pub const BURST: &str = "burst";

/// What is measured: the name of each figure, and what it is. All are in MB.
pub const BURST_FIGURES: [(&str, &str); 3] = [
    (
        "burst, all",
        "resident growth when four threads made 250,000 blocks each, of the sizes of a JSON parser",
    ),
    (
        "burst, released",
        "what of it is resident when they have released all in random order",
    ),
    ("burst, idle", "and when they have slept for 10 s"),
];

/// Seconds that the threads sleep.
const IDLE: u64 = 10;

const THREADS: usize = 4;
const BLOCKS: u32 = 250_000;

/// Does the work, and prints the figures.
pub(crate) fn measure(seconds: Option<u64>) {
    let steps = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| work(&steps));
        }
        steps.wait();
        let before = resident();
        let print = |(name, _): (&str, &str)| println!("{name}\t{}", resident() - before);
        let [all, released, idle] = BURST_FIGURES;
        steps.wait();
        steps.wait();
        print(all);
        steps.wait();
        steps.wait();
        print(released);
        thread::sleep(Duration::from_secs(seconds.unwrap_or(IDLE)));
        print(idle);
        steps.wait();
    });
}

/// Makes blocks and releases them, one step after the other, and waits for the end as threads of a pool do.
fn work(steps: &Barrier) {
    // What is there before the burst.
    let new = sizes(JSON, BLOCKS);
    let mut order: Vec<u32> = (0..BLOCKS).collect();
    Random::new().shuffle(&mut order);
    let mut blocks: Vec<Vec<u8>> = vec![Vec::new(); new.len()];
    steps.wait();
    steps.wait();
    for (block, size) in blocks.iter_mut().zip(new) {
        *block = black_box(vec![1; size]);
    }
    steps.wait();
    steps.wait();
    for place in order {
        drop(std::mem::take(&mut blocks[place as usize]));
    }
    steps.wait();
    steps.wait();
}
