//! What it costs to sample stacks: the same work with and without samples, in turn.
//!
//! ```sh
//! cargo run --release --example sampling
//! ```

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

/// Frames between `main` and an allocation, and different stacks.
const DEPTH: u32 = 40;
const STACKS: u32 = 2_000;

/// Allocations from one stack before the next. They are released together.
const BATCH: usize = 64;

/// Bytes of a block on average.
const MEAN: f64 = 512.0;

/// Allocations of a run.
const ALLOCATIONS: usize = 1 << 23;

/// Runs of each setting.
const ROUNDS: usize = 9;

/// The settings, and how much smaller the work is.
const SETTINGS: [(&str, usize); 4] = [
    ("sample=off", 1),
    ("sample=64KiB", 1),
    ("sample=16KiB", 1),
    ("sample=1", 64),
];

fn main() {
    if let Some(part) = env::args().nth(1) {
        println!("{}", run(part.parse().expect("a number")));
        return;
    }
    let mut times = [const { Vec::new() }; SETTINGS.len()];
    for _ in 0..ROUNDS {
        for ((options, part), times) in SETTINGS.iter().zip(&mut times) {
            times.push(in_child(options, *part));
        }
    }
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("{DEPTH} frames deep, {STACKS} stacks, blocks of {MEAN} bytes on average:");
    for ((options, _), time) in SETTINGS.iter().zip(medians) {
        let more = time - medians[0];
        // So many allocations of the mean size are a gigabyte.
        let share = more * 1e9 / MEAN / 1e9;
        println!(
            "{options:14} {time:7.2} ns for each allocation; at 1 GB/s {:.2} % of a CPU more",
            100.0 * share
        );
    }
}

/// Runs this program again, and returns the nanoseconds that each allocation took.
fn in_child(options: &str, part: usize) -> f64 {
    let program = env::current_exe().expect("this program");
    let mut child = Command::new(program);
    let output = child
        .arg(part.to_string())
        .env("MM_OPTIONS", options)
        .output();
    let text = String::from_utf8(output.expect("a child").stdout).expect("a text");
    text.trim().parse().expect("a number")
}

/// Allocates from all stacks in turn; returns the nanoseconds that each allocation took.
fn run(part: usize) -> f64 {
    let rounds = ALLOCATIONS / BATCH / part;
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    // The first rounds store the stacks, and make room for sampled blocks of all sizes.
    for stack in (0..4).flat_map(|_| 0..STACKS) {
        left(stack, DEPTH / 2, &mut kept);
    }
    let start = Instant::now();
    for (stack, _) in (0..STACKS).cycle().zip(0..rounds) {
        left(stack, DEPTH / 2, &mut kept);
    }
    let allocations = u32::try_from(rounds * BATCH).expect("few");
    start.elapsed().as_secs_f64() * 1e9 / f64::from(allocations)
}

/// Goes down a path that the bits of `path` choose.
#[inline(never)]
fn left(path: u32, depth: u32, kept: &mut Vec<Vec<u8>>) {
    descend(path, depth - 1, kept);
    black_box(());
}

#[inline(never)]
fn right(path: u32, depth: u32, kept: &mut Vec<Vec<u8>>) {
    descend(path, depth - 1, kept);
    black_box(());
}

#[inline(never)]
fn descend(path: u32, depth: u32, kept: &mut Vec<Vec<u8>>) {
    match depth {
        0 => allocate(kept),
        _ if path & 1 == 0 => left(path >> 1, depth, kept),
        _ => right(path >> 1, depth, kept),
    }
    black_box(());
}

#[inline(never)]
fn allocate(kept: &mut Vec<Vec<u8>>) {
    for number in 0..BATCH {
        // From 16 to 1,008 bytes.
        let bytes = 16 + number * 31 % 63 * 16;
        kept.push(black_box(Vec::with_capacity(bytes)));
    }
    kept.clear();
}
