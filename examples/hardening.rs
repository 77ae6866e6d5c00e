//! What each option of the hardened mode costs on this machine, as a table in Markdown.
//!
//! Options are chosen once a process, so each row is one of its own. Times are medians of 5, in
//! nanoseconds an operation; an argument divides how much is done.

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::thread;
use std::time::Instant;

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Value {
    _words: [u32; 9],
}

impl Value {
    fn of(number: u32) -> Self {
        Self {
            _words: [number; 9],
        }
    }
}

const ROWS: [&str; 7] = [
    "",
    "zero",
    "poison",
    "random",
    "guard",
    "quarantine=1MiB",
    "random,poison,guard,quarantine=1MiB",
];

const COLUMNS: [&str; 7] = [
    "allocate and release one",
    "the same on two threads",
    "replace one of 1,000",
    "one of 100,000",
    "row of 1 to 30 of 1,000",
    "96 KB block of 16",
    "resident bytes a value",
];

/// Tells a process that it is to measure.
const ROLE: &str = "MM_EXAMPLE_HARDENING";

const REPEATS: usize = 5;

fn main() {
    let divisor = env::args().nth(1).map_or(1, |text| {
        text.parse().expect("the argument is a whole number")
    });
    if env::var_os(ROLE).is_some() {
        return measure(divisor);
    }
    println!("| `MM_OPTIONS` | {} |", COLUMNS.join(" | "));
    println!("| --- |{}", " ---: |".repeat(COLUMNS.len()));
    for options in ROWS {
        println!("| `{options}` | {} |", measured_with(options, divisor));
    }
}

/// The cells of one row.
fn measured_with(options: &str, divisor: usize) -> String {
    let program = env::current_exe().expect("the program knows its own path");
    let mut child = Command::new(program);
    child.arg(divisor.to_string());
    child.env(ROLE, "1").env("MM_OPTIONS", options);
    let output = child.output().expect("the program starts itself");
    assert!(output.status.success(), "{options}: {output:?}");
    String::from_utf8(output.stdout).expect("numbers are text")
}

fn measure(divisor: usize) {
    let steps = 400_000 / divisor;
    // First, while there is no memory that others left.
    let resident = resident_each(1_000_000 / divisor);
    let value = |number: u32| MmBox::new(Value::of(number));
    let row = |number: u32| MmBox::from_fn(number as usize % 30 + 1, |_| Value::of(number));
    let large = |number: u32| MmBox::from_fn(2_700, |_| Value::of(number));
    let cells = [
        median(steps, || pairs(steps)),
        median(steps, || {
            thread::scope(|scope| {
                let other = scope.spawn(|| pairs(steps));
                pairs(steps);
                other.join().expect("it only allocates");
            });
        }),
        replace(1_000, steps, value),
        replace(100_000 / divisor, steps, value),
        replace(1_000, steps / 4, row),
        replace(16, steps / 400, large),
        resident,
    ];
    print!("{}", cells.map(|cell| format!("{cell:.1}")).join(" | "));
}

/// Nanoseconds of one of `steps` steps.
fn median(steps: usize, mut run: impl FnMut()) -> f64 {
    let mut times = [(); REPEATS].map(|()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.sort_by(f64::total_cmp);
    let steps = u32::try_from(steps.max(1)).expect("few steps");
    1e9 * times[REPEATS / 2] / f64::from(steps)
}

fn pairs(steps: usize) {
    (0..steps).for_each(|_| drop(black_box(MmBox::new(Value::of(1)))));
}

/// Replaces random ones of so many blocks, which outlive the others.
fn replace<T>(live: usize, steps: usize, make: impl Fn(u32) -> T) -> f64 {
    let mut blocks: Vec<_> = (0..).map(&make).take(live).collect();
    let mut random = 1_u32;
    median(steps, || {
        for _ in 0..steps {
            // Marsaglia's xorshift.
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            blocks[random as usize % live] = make(random);
        }
    })
}

/// Bytes that the process grows by, for each of so many values.
fn resident_each(values: usize) -> f64 {
    let mut all = Vec::with_capacity(values);
    all.resize_with(values, || None);
    let before = black_box(resident_bytes());
    all.fill_with(|| Some(MmBox::new(Value::of(1))));
    let grown = (resident_bytes() - before).max(0.0);
    grown / f64::from(u32::try_from(values).expect("few values"))
}

/// Resident bytes of the process. Source: `proc_pid_status(5)`, in KiB.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the figures are for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    1_024.0 * kib.expect("the kernel says how much is resident")
}
