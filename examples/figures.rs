//! Measures the figures of the README, and prints each one beside its target.
//!
//! Each measurement runs in a process of its own, so that it does not use the memory of another one. The exit
//! code is 0 if all targets are met. A size is the growth of the whole process, with mm's records, as Linux
//! reports it.

use std::alloc::Layout;
use std::env;
use std::fs;
use std::hint::black_box;
use std::iter;
use std::process::{Command, ExitCode};
use std::time::Instant;

use mm::{MmBox, MmManaged, PageFamily};

#[derive(MmManaged)]
struct Value([u32; 9]);

/// Ten million slots, empty at first.
type Places = Vec<Option<MmBox<Value>>>;

/// A name for the command line, and a function that prints rows and returns whether the targets are met.
type Measurement = (&'static str, fn() -> bool);

const VALUES: u32 = 10_000_000;
const REPEATS: usize = 11;
const MEASUREMENTS: [Measurement; 4] = [
    ("in-order", in_order),
    ("random-order", random_order),
    ("thousand-families", thousand_families),
    ("ten-thousand-families", ten_thousand_families),
];

fn main() -> ExitCode {
    let wanted = env::args().nth(1);
    if let Some((_, measure)) = MEASUREMENTS
        .iter()
        .find(|(name, _)| wanted.as_deref() == Some(name))
    {
        return ExitCode::from(u8::from(!measure()));
    }
    println!("{:<58} {:>9}  {:>9}", "figure", "measured", "at most");
    let runs = MEASUREMENTS.map(|(name, _)| run_alone(name));
    ExitCode::from(u8::from(runs.contains(&false)))
}

fn run_alone(measurement: &str) -> bool {
    let program = env::current_exe().expect("the program knows its own path");
    let status = Command::new(program).arg(measurement).status();
    status.expect("the program starts itself").success()
}

/// Prints a row of the table, and returns whether the target is met.
fn row(figure: &str, measured: f64, at_most: f64, unit: &str) -> bool {
    let is_met = measured <= at_most;
    let mark = if is_met { "" } else { "  MISSED" };
    println!("{figure:<58} {measured:>9.2}  {at_most:>9.2} {unit}{mark}");
    is_met
}

fn in_order() -> bool {
    let mut places = places();
    let before = resident_bytes();
    fill(&mut places);
    let grown = growth_since(before);
    let each = grown / f64::from(VALUES);
    let took = median_milliseconds();

    release(&mut places);
    let kept = 100.0 * growth_since(before) / grown;
    row(
        "resident bytes per 36-byte value, 10,000,000 live",
        each,
        36.6,
        "B",
    ) & row("snapshot of 10,000,000 live values", took, 10.0, "ms")
        & row("memory kept, all released in order", kept, 1.5, "% of peak")
}

fn random_order() -> bool {
    let mut places = places();
    let before = resident_bytes();
    fill(&mut places);
    let grown = growth_since(before);

    shuffle(&mut places);
    release(&mut places);
    mm::trim();
    let kept = 100.0 * growth_since(before) / grown;
    row(
        "memory kept, all released in random order, then trim()",
        kept,
        1.5,
        "% of peak",
    )
}

fn thousand_families() -> bool {
    let before = resident_bytes();
    add_families(1_000);
    let grown = growth_since(before) / f64::from(1 << 20);
    row("1,000 families with one value each", grown, 12.0, "MiB")
}

fn ten_thousand_families() -> bool {
    add_families(10_000);
    let took = median_milliseconds();
    row(
        "snapshot of 10,000 families with one value each",
        took,
        20.0,
        "ms",
    )
}

/// Makes the slots, in memory that was written to.
fn places() -> Places {
    let mut places: Places = iter::repeat_with(|| None).take(VALUES as usize).collect();
    for place in &mut places {
        // Without `black_box` the compiler could leave out the write.
        *black_box(place) = None;
    }
    places
}

fn fill(places: &mut Places) {
    for (place, number) in places.iter_mut().zip(0..) {
        *place = Some(MmBox::new(Value([number; 9])));
    }
    assert!(
        places
            .iter()
            .flatten()
            .all(|value| value.0[0] == value.0[8])
    );
}

fn release(places: &mut Places) {
    for place in places {
        *place = None;
    }
}

/// Shuffles (Fisher-Yates) with Marsaglia's xorshift, the same way each time.
fn shuffle(places: &mut Places) {
    let mut random = 88_172_645_463_325_252_u64;
    for last in (1..places.len()).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let other = random % (last as u64 + 1);
        places.swap(last, usize::try_from(other).expect("it is at most `last`"));
    }
}

/// Registers families of differing sizes, and writes one value into each.
fn add_families(count: usize) {
    for number in 0..count {
        let layout = Layout::from_size_align(24 + 8 * (number % 30), 8).expect("a power of two");
        let family = PageFamily::register(&format!("family-{number}"), layout);
        let value = family.expect("each name is new").alloc(1);
        let value = value.expect("there is memory").cast::<u64>();
        // SAFETY: the unit is new, of at least 24 bytes, and aligned to 8.
        unsafe { value.write(1) };
    }
}

fn median_milliseconds() -> f64 {
    let mut times = [(); REPEATS].map(|()| {
        let start = Instant::now();
        black_box(mm::snapshot());
        start.elapsed().as_secs_f64() * 1_000.0
    });
    times.sort_by(f64::total_cmp);
    times[REPEATS / 2]
}

fn growth_since(before: f64) -> f64 {
    (resident_bytes() - before).max(0.0)
}

/// Returns the resident bytes of the process. Source: `proc_pid_status(5)`, in KiB.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the figures are for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    1_024.0 * kib.expect("the kernel says how much is resident")
}
