//! Random distances between samples.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::os::clock;

/// The step of the numbers. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The seed of the next thread.
static SEEDS: AtomicU64 = AtomicU64::new(0);

/// The random numbers of one thread.
#[derive(Debug)]
pub(super) struct Random(Cell<u64>);

impl Random {
    pub(super) const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// Begins the numbers of a thread. They differ from those of other threads.
    pub(super) fn begin(&self) {
        if SEEDS.load(Relaxed) == 0 {
            // The kernel loads each process, and places each stack, at other addresses.
            let place = core::ptr::from_ref(self).addr() as u64;
            seed(place ^ u64::from(clock::ticks()) << 40);
        }
        let seed = SEEDS.fetch_add(GOLDEN, Relaxed);
        self.0.set(mixed(seed));
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(GOLDEN);
        self.0.set(state);
        mixed(state)
    }

    /// Draws the distance to the next sample, in whole bytes, from an exponential distribution of this mean.
    ///
    /// A block of `size` bytes holds the sample if the distance is less than `size`. As `size` is a whole number,
    /// rounding down does not change that.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "53 bits of a random number; the distance is at most 37 times the mean, and positive"
    )]
    pub(super) fn distance(&self, mean: u32) -> u64 {
        let random = (self.next() >> 11) + 1;
        let uniform = random as f64 / (1_u64 << 53) as f64;
        (-uniform.ln() * f64::from(mean)) as u64
    }
}

/// Makes the numbers of threads that begin later, and of later processes, differ from those of other runs.
pub(super) fn seed(seed: u64) {
    SEEDS.store(mixed(seed) | 1, Relaxed);
}

fn mixed(state: u64) -> u64 {
    let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    #[test]
    fn distances_are_exponential() {
        const DRAWS: u32 = 400_000;
        let random = Random::new();
        let drawn: Vec<_> = (0..DRAWS).map(|_| random.distance(4_096)).collect();
        for size in [1, 16, 1_000, 4_096, 10_000, 30_000] {
            let hits = drawn.iter().filter(|distance| **distance < size).count();
            let p = -(-(size as f64) / 4_096.0).exp_m1();
            let expected = p * f64::from(DRAWS);
            let sigma = (expected * (1.0 - p)).sqrt();
            let error = hits as f64 - expected;
            assert!(error.abs() < 4.0 * sigma, "{size}: {error} of {sigma}");
        }
    }
}
