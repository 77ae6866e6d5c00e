//! Shared code of the examples that measure. Times are medians of 5, in nanoseconds for each operation.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

use mm::{MmBox, MmManaged};

const REPEATS: usize = 5;

/// The allocated value, of 36 bytes.
#[derive(MmManaged)]
pub(crate) struct Value {
    _words: [u32; 9],
}

impl Value {
    pub(crate) fn of(number: u32) -> Self {
        Self {
            _words: [number; 9],
        }
    }
}

/// Returns the nanoseconds of one of `steps` steps.
pub(crate) fn median(steps: usize, mut run: impl FnMut()) -> f64 {
    let mut times = [(); REPEATS].map(|()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.sort_by(f64::total_cmp);
    let steps = u32::try_from(steps.max(1)).expect("few steps");
    1e9 * times[REPEATS / 2] / f64::from(steps)
}

/// Allocates and releases one value after the other.
pub(crate) fn pairs(steps: usize) {
    (0..steps).for_each(|_| drop(black_box(MmBox::new(Value::of(1)))));
}

/// Does the same on two threads at once.
pub(crate) fn pairs_on_two_threads(steps: usize) {
    thread::scope(|scope| {
        let other = scope.spawn(|| pairs(steps));
        pairs(steps);
        other.join().expect("it only allocates");
    });
}

/// Replaces random blocks among a number of live ones.
pub(crate) fn replace<T>(live: usize, steps: usize, make: impl Fn(u32) -> T) -> f64 {
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

/// Returns the bytes by which the process grows for each of a number of values.
pub(crate) fn resident_each(values: usize) -> f64 {
    let mut all = Vec::with_capacity(values);
    all.resize_with(values, || None);
    let before = black_box(resident_bytes());
    all.fill_with(|| Some(MmBox::new(Value::of(1))));
    let grown = (resident_bytes() - before).max(0.0);
    grown / f64::from(u32::try_from(values).expect("few values"))
}

/// Returns the resident bytes of the process. Source: `proc_pid_status(5)`, in KiB.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the figures are for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    1_024.0 * kib.expect("the kernel says how much is resident")
}
