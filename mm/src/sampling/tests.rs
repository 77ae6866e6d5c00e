//! Draws and weights together: what a thread samples stands for what it allocated.

use super::estimate::{Estimate, Weight};
use super::{begin_with_seed, due, is_at_step, set_interval};
use crate::heap::HugePages;
use crate::heap::hardening::{self, Contents, Hardening};

const RUNS: u32 = 4_000;
const INTERVAL: u32 = 65_536;

/// Sizes, and how many blocks of each a run allocates, in turn.
const CLASSES: [(usize, u32); 6] = [
    (16, 40_000),
    (1_000, 1_000),
    (30_000, 200),
    (70_000, 200),
    (150_000, 200),
    (600_000, 50),
];

/// What the samples of blocks of one size stand for.
fn estimate(size: usize, count: u32) -> Estimate {
    let drawn = u32::try_from(size).expect("small");
    let one = |_| {
        let interval = is_at_step(size).then(|| due(size)).flatten()?;
        Some(Weight::of(size, drawn, interval).blocks())
    };
    (0..count).filter_map(one).sum()
}

#[test]
fn samples_have_no_bias() {
    // Threads sample only once the options are known; another test may have chosen them.
    hardening::choose(Contents::Untyped, Hardening::default(), HugePages::Auto);
    set_interval(INTERVAL as usize);
    let mut errors = [(0.0, 0.0, 0_u32); CLASSES.len()];
    for run in 0..RUNS {
        begin_with_seed(run.into());
        for ((size, count), (sum, squares, held)) in CLASSES.iter().zip(&mut errors) {
            let found = estimate(*size, *count);
            let error = found.value() - f64::from(*count);
            *sum += error;
            *squares += error * error;
            let (low, high) = found.interval();
            *held += u32::from((low..=high).contains(&f64::from(*count)));
        }
    }
    let runs = f64::from(RUNS);
    for ((size, count), (sum, squares, held)) in CLASSES.iter().zip(errors) {
        let mean = sum / runs;
        let standard_error = ((squares / runs - mean * mean) / runs).sqrt();
        let part = f64::from(held) / runs;
        println!("{count} blocks of {size}: {mean:.4} +- {standard_error:.4}, held {part}");
        assert!(mean.abs() <= 3.0 * standard_error, "{size}: {mean}");
        // The last class is sampled so often that few numbers of misses are possible.
        assert!(
            *size > 500_000 || (0.93..=0.97).contains(&part),
            "{size}: {part}"
        );
    }
}
