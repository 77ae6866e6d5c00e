//! The cost of each option of the hardened mode on this machine, as a table in Markdown.
//!
//! A process cannot change its options, so each row is measured in a process of its own. Times are medians of
//! 5, in nanoseconds for each operation. An argument divides the number of operations.

mod timing;

use std::env;
use std::process::Command;

use mm::MmBox;

use timing::{Value, median, pairs, pairs_on_two_threads, replace, resident_each};

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

/// The environment variable of a process that measures.
const ROLE: &str = "MM_EXAMPLE_HARDENING";

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
    // First, before other measurements leave memory.
    let resident = resident_each(1_000_000 / divisor);
    let value = |number: u32| MmBox::new(Value::of(number));
    let row = |number: u32| MmBox::from_fn(number as usize % 30 + 1, |_| Value::of(number));
    let large = |number: u32| MmBox::from_fn(2_700, |_| Value::of(number));
    let cells = [
        median(steps, || pairs(steps)),
        median(steps, || pairs_on_two_threads(steps)),
        replace(1_000, steps, value),
        replace(100_000 / divisor, steps, value),
        replace(1_000, steps / 4, row),
        replace(16, steps / 400, large),
        resident,
    ];
    print!("{}", cells.map(|cell| format!("{cell:.1}")).join(" | "));
}
