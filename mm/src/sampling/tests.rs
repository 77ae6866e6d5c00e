//! Draws and weights together: what a thread samples stands for what it allocated.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::estimate::{Estimate, Weight};
use super::{begin_with_seed, due, interval, is_at_step, set_interval, settings};
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

/// How far estimates are from the truth, over many runs.
#[derive(Clone, Copy, Default)]
struct Errors {
    sum: f64,
    squares: f64,
    /// Runs whose interval held the truth.
    held: u32,
}

impl Errors {
    fn add(&mut self, found: Estimate, truth: u32) {
        let truth = f64::from(truth);
        let error = found.value() - truth;
        self.sum += error;
        self.squares += error * error;
        let (low, high) = found.interval();
        self.held += u32::from((low..=high).contains(&truth));
    }

    /// Fails if the mean error is not zero, as far as chance allows. Returns the part of the runs whose interval held
    /// the truth.
    #[track_caller]
    fn check(self, what: &str) -> f64 {
        let runs = f64::from(RUNS);
        let mean = self.sum / runs;
        let standard_error = ((self.squares / runs - mean * mean) / runs).sqrt();
        let part = f64::from(self.held) / runs;
        println!("{what}: {mean:.4} +- {standard_error:.4}, held {part}");
        assert!(
            mean.abs() <= 3.0 * standard_error,
            "{what}: {mean} of {standard_error}"
        );
        part
    }
}

/// The tests change settings of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Threads sample only once the options are known; another test may have chosen them.
    hardening::choose(Contents::Untyped, Hardening::default(), HugePages::Auto);
    alone
}

#[test]
fn samples_have_no_bias() {
    let _alone = alone();
    set_interval(INTERVAL as usize);
    let mut errors = [Errors::default(); CLASSES.len()];
    for run in 0..RUNS {
        begin_with_seed(run.into());
        for ((size, count), errors) in CLASSES.iter().zip(&mut errors) {
            errors.add(estimate(*size, *count), *count);
        }
    }
    for ((size, count), errors) in CLASSES.iter().zip(errors) {
        let part = errors.check(&format!("{count} blocks of {size}"));
        // The last class is sampled so often that few numbers of misses are possible.
        assert!(
            *size > 500_000 || (0.93..=0.97).contains(&part),
            "{size}: {part}"
        );
    }
}

/// Each run has its interval doubled in its middle, as too many sampled blocks are live.
#[test]
fn samples_have_no_bias_while_the_interval_doubles() {
    const BLOCKS: u32 = 4_000;
    const BEFORE: u32 = 300;
    let _alone = alone();
    let others = settings::MOST_LIVE - BEFORE as usize;
    (0..others).for_each(|_| settings::account_begun());
    let mut errors = [Errors::default(); 2];
    for run in 0..RUNS {
        set_interval(INTERVAL as usize);
        begin_with_seed(u64::from(run) << 32);
        let mut found = [Estimate::default(); 2];
        let mut intervals = [0; 2];
        for block in 0..BLOCKS * 2 {
            let which = block as usize % 2;
            let size = [10_000, 40_000][which];
            let Some(current) = is_at_step(size as usize)
                .then(|| due(size as usize))
                .flatten()
            else {
                continue;
            };
            settings::account_begun();
            intervals[usize::from(current != INTERVAL)] += 1;
            found[which] += Weight::of(size as usize, size, current).blocks();
        }
        assert_eq!(interval(), 2 * INTERVAL, "doubled once");
        assert!(
            intervals.iter().all(|samples| *samples > BEFORE),
            "{intervals:?}"
        );
        (0..intervals.iter().sum()).for_each(|_| settings::account_ended());
        for (found, errors) in found.into_iter().zip(&mut errors) {
            errors.add(found, BLOCKS);
        }
    }
    (0..others).for_each(|_| settings::account_ended());
    for errors in errors {
        let part = errors.check("doubled");
        assert!((0.93..=0.97).contains(&part), "{part}");
    }
}
