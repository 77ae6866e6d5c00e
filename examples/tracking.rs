//! The cost of tracking and of limits, as a table in Markdown.
//!
//! Each row is measured in a process of its own. Times are medians of 5, in nanoseconds for each operation.
//! An argument divides the number of operations.

mod timing;

use std::env;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use mm::{Limit, LimitGroup, MmBox, MmManaged, Track};

use timing::{Value, median, pairs, pairs_on_two_threads, replace, resident_each};

/// The rows: a name, and a function that turns on tracking or a limit.
const ROWS: [(&str, fn()); 9] = [
    ("off", || ()),
    ("off again, after `Track::All`", off_again),
    ("`Track::Every(1_000)`", || mm::track(Track::Every(1_000))),
    ("`Track::All`", || mm::track(Track::All)),
    ("`Track::All`, backtraces of 16", with_backtraces),
    ("`set_limit`", || limited(1)),
    ("`set_limit`, while 64 threads have caches", || limited(64)),
    ("`set_soft_limit`", soft),
    ("`LimitGroup`", grouped),
];

const COLUMNS: [&str; 5] = [
    "allocate and release one",
    "the same on two threads",
    "replace one of 1,000",
    "row of 1 to 30 of 1,000",
    "resident bytes a value",
];

/// The environment variable that tells a process which row to measure.
const ROW: &str = "MM_EXAMPLE_TRACKING";

const FAR_AWAY: Limit = Limit::units(1 << 40);

fn main() {
    let divisor = env::args().nth(1).map_or(1, |text| {
        text.parse().expect("the argument is a whole number")
    });
    if let Ok(row) = env::var(ROW) {
        let (_, switch_on) = ROWS[row.parse::<usize>().expect("a number")];
        switch_on();
        return measure(divisor);
    }
    println!("| | {} |", COLUMNS.join(" | "));
    println!("| --- |{}", " ---: |".repeat(COLUMNS.len()));
    for (row, (name, _)) in ROWS.iter().enumerate() {
        println!("| {name} | {} |", measured(row, divisor));
    }
}

/// The cells of one row.
fn measured(row: usize, divisor: usize) -> String {
    let program = env::current_exe().expect("the program knows its own path");
    let mut child = Command::new(program);
    child.arg(divisor.to_string()).env(ROW, row.to_string());
    let output = child.output().expect("the program starts itself");
    assert!(output.status.success(), "row {row}: {output:?}");
    String::from_utf8(output.stdout).expect("numbers are text")
}

fn off_again() {
    mm::track(Track::All);
    drop(MmBox::new(Value::of(1)));
    mm::track(Track::Off);
}

fn with_backtraces() {
    mm::record_backtraces(16);
    mm::track(Track::All);
}

/// Limits the family while a number of threads have caches of it, and keep them.
fn limited(threads: usize) {
    let ready: &Barrier = Box::leak(Box::new(Barrier::new(threads + 1)));
    for _ in 0..threads {
        thread::spawn(|| {
            drop(MmBox::new(Value::of(1)));
            ready.wait();
            loop {
                thread::park();
            }
        });
    }
    ready.wait();
    Value::page_family().set_limit(FAR_AWAY);
}

fn soft() {
    Value::page_family().set_soft_limit(FAR_AWAY, |_| unreachable!("far away"));
}

fn grouped() {
    static GROUP: LimitGroup = LimitGroup::new(1 << 50);
    GROUP.add(Value::page_family());
}

fn measure(divisor: usize) {
    let steps = 400_000 / divisor;
    let value = |number: u32| MmBox::new(Value::of(number));
    let row = |number: u32| MmBox::from_fn(number as usize % 30 + 1, |_| Value::of(number));
    // First, before other measurements leave memory.
    let resident = resident_each(1_000_000 / divisor);
    let cells = [
        median(steps, || pairs(steps)),
        median(steps, || pairs_on_two_threads(steps)),
        replace(1_000, steps, value),
        replace(1_000, steps / 4, row),
        resident,
    ];
    print!("{}", cells.map(|cell| format!("{cell:.1}")).join(" | "));
}
