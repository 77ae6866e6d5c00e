//! Counts instructions; `mm-gate` runs it and compares. Nothing here is timed.
//!
//! Callgrind counts from the entry of a function to its return, and only in functions of the
//! name that is given. So no figure has the warm-up, a thread's start or a wake-up in it.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::must_use_candidate,
    clippy::used_underscore_binding,
    reason = "gungraun's macros write functions and modules to their own liking"
)]

mod counted;

use std::hint::black_box;
use std::thread;

use gungraun::{Callgrind, EntryPoint, LibraryBenchmarkConfig};
use gungraun::{library_benchmark, library_benchmark_group, main};
use mm::MmManaged;

use counted::{Instance, Slots, Value};

/// How often each is done; `mm-gate` divides by it.
const TIMES: usize = 1_000;

const VALUE: Value = Value([7; 9]);
const INSTANCE: Instance<[u32; 9]> = Instance([7; 9]);
const OF_LIBRARY: mm_gate_counts::Value = mm_gate_counts::Value([7; 9]);

/// Counts in functions of this name. Caches are not simulated: instructions depend on no cache.
fn count_in(name: &str) -> LibraryBenchmarkConfig {
    // Addresses of instructions, for the listing of the pair.
    let mut callgrind = Callgrind::with_args(["--cache-sim=no", "--dump-instr=yes"]);
    callgrind.entry_point(EntryPoint::Custom(name.to_owned()));
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// Makes empty slots, and fills and clears them once, so that caches and pages are there.
fn slots(count: usize) -> Box<Slots> {
    let mut slots: Box<Slots> = (0..count).map(|_| None).collect();
    counted::fill(black_box(&VALUE), &mut slots);
    counted::clear(&mut slots);
    slots
}

#[library_benchmark(config = count_in("mm_gate_pair"))]
#[bench::one(drop(slots(1)))]
fn pair(_warm: ()) {
    for _ in 0..TIMES {
        counted::mm_gate_pair(black_box(&VALUE));
    }
}

#[library_benchmark(config = count_in("mm_gate_instance_pair"))]
#[bench::one(drop(mm::MmBox::new(INSTANCE)))]
fn instance_pair(_warm: ()) {
    for _ in 0..TIMES {
        counted::mm_gate_instance_pair(black_box(&INSTANCE));
    }
}

#[library_benchmark(config = count_in("mm_gate_library_pair"))]
#[bench::one(drop(mm::MmBox::new(OF_LIBRARY)))]
fn library_pair(_warm: ()) {
    for _ in 0..TIMES {
        mm_gate_counts::mm_gate_library_pair(black_box(&OF_LIBRARY));
    }
}

#[library_benchmark(config = count_in("mm_gate_pairs"))]
#[bench::one(drop(slots(1)))]
fn pairs(_warm: ()) {
    counted::mm_gate_pairs(black_box(&VALUE), black_box(TIMES));
}

#[library_benchmark(config = count_in("mm_gate_loop"))]
fn bare_loop() {
    counted::mm_gate_loop(black_box(&VALUE), black_box(TIMES));
}

#[library_benchmark(config = count_in("mm_gate_batch"))]
#[bench::one(slots(TIMES))]
fn batch(mut slots: Box<Slots>) {
    counted::mm_gate_batch(black_box(&VALUE), &mut slots);
}

#[library_benchmark(config = count_in("mm_gate_hand_*"))]
#[bench::one(slots(TIMES))]
fn hand_over(mut slots: Box<Slots>) {
    counted::mm_gate_hand_out(black_box(&VALUE), &mut slots);
    let other = thread::spawn(move || counted::mm_gate_hand_back(&mut slots));
    other.join().expect("releasing does not panic");
}

#[library_benchmark(config = count_in("mm_gate_xcalloc"))]
#[bench::one(drop(Value::xcalloc(3)))]
fn xcalloc(_warm: ()) {
    for _ in 0..TIMES {
        counted::mm_gate_xcalloc();
    }
}

library_benchmark_group!(
    name = figures;
    benchmarks = pair, instance_pair, library_pair, pairs, bare_loop, batch, hand_over, xcalloc
);
main!(library_benchmark_groups = figures);
