//! Does the work named by its argument [`TIMES`] or [`MANY`] times. `mm-gate` runs it under callgrind, and
//! selects the functions that callgrind counts. Nothing is timed.
//!
//! Callgrind counts from the entry of such a function to its return. So no figure includes a warm-up, the
//! start of a thread or a wake-up.

mod counted;

use std::alloc::Layout;
use std::hint::black_box;
use std::process::ExitCode;
use std::thread;

use mm::{MmBox, MmManaged, PageFamily};

use counted::{Instance, Slots, Value};

/// The number of repetitions of most work. `mm-gate` divides by it.
const TIMES: usize = 1_000;

/// The number of repetitions of work that overflows a cache.
const MANY: usize = 100_000;

const VALUE: Value = Value([7; 9]);
const INSTANCE: Instance<[u32; 9]> = Instance([7; 9]);
const OF_LIBRARY: mm_gate_counts::Value = mm_gate_counts::Value([7; 9]);

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "pair" => pair(),
        "instance_pair" => instance_pair(),
        "library_pair" => library_pair(),
        "run_time_pair" => run_time_pair(),
        "pairs" => pairs(),
        "bare_loop" => counted::mm_gate_loop(black_box(&VALUE), black_box(TIMES)),
        "batch" => counted::mm_gate_batch(black_box(&VALUE), &mut slots(TIMES)),
        "in_order" => counted::mm_gate_batch(black_box(&VALUE), &mut slots(MANY)),
        "shuffled" => shuffled(),
        "hand_over" => hand_over(),
        "xcalloc" => xcalloc(),
        _ => {
            eprintln!("nothing is counted under the name {name:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Makes empty slots, and fills and clears them once, so that caches and pages exist.
fn slots(count: usize) -> Box<Slots> {
    let mut slots: Box<Slots> = (0..count).map(|_| None).collect();
    counted::fill(black_box(&VALUE), &mut slots);
    counted::clear(&mut slots);
    slots
}

fn pair() {
    drop(slots(1));
    for _ in 0..TIMES {
        counted::mm_gate_pair(black_box(&VALUE));
    }
}

fn instance_pair() {
    drop(MmBox::new(INSTANCE));
    for _ in 0..TIMES {
        counted::mm_gate_instance_pair(black_box(&INSTANCE));
    }
}

fn library_pair() {
    drop(MmBox::new(OF_LIBRARY));
    for _ in 0..TIMES {
        mm_gate_counts::mm_gate_library_pair(black_box(&OF_LIBRARY));
    }
}

fn run_time_pair() {
    let layout = Layout::new::<[u32; 9]>();
    let family = PageFamily::register("gate", layout).expect("the name is free");
    let first = family.alloc(1).expect("there is memory");
    // SAFETY: `alloc` gave the block of one unit, which is not used any more.
    unsafe { family.release_sized(first, 1) };
    for _ in 0..TIMES {
        counted::mm_gate_run_time_pair(black_box(family));
    }
}

fn pairs() {
    drop(slots(1));
    counted::mm_gate_pairs(black_box(&VALUE), black_box(TIMES));
}

/// Releases in a random order, always the same one. The warm-up does the same, so that memory is in the same
/// state.
fn shuffled() {
    let mut order: Vec<usize> = (0..MANY).collect();
    let mut random = 1_u64;
    for place in (1..MANY).rev() {
        // Marsaglia, "Xorshift RNGs", 2003.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(
            place,
            usize::try_from(random).map_or(0, |random| random % (place + 1)),
        );
    }
    let mut slots = slots(MANY);
    counted::fill(black_box(&VALUE), &mut slots);
    order.iter().for_each(|&place| slots[place] = None);
    counted::mm_gate_shuffled(black_box(&VALUE), &mut slots, &order);
}

fn hand_over() {
    let mut slots = slots(TIMES);
    counted::mm_gate_hand_out(black_box(&VALUE), &mut slots);
    let other = thread::spawn(move || counted::mm_gate_hand_back(&mut slots));
    other.join().expect("releasing does not panic");
}

fn xcalloc() {
    drop(Value::xcalloc(3));
    for _ in 0..TIMES {
        counted::mm_gate_xcalloc();
    }
}
