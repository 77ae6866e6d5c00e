//! When samples were taken: the same moments for all families.

use core::time::Duration;

use super::ring::Ring;
use super::{KEPT, LEVELS};

/// Counts samples, and knows when the newest segments of each level ended.
#[derive(Debug)]
pub(super) struct Clock {
    samples: u64,
    seconds: f64,
    ends: [Ring<f64, KEPT>; LEVELS],
}

impl Clock {
    /// Starts without a sample.
    pub(super) fn new() -> Self {
        Self {
            samples: 0,
            seconds: 0.0,
            ends: [Ring::new(0.0); LEVELS],
        }
    }

    /// Counts a sample taken at `now`, measured from the start.
    pub(super) fn tick(&mut self, now: Duration) {
        self.samples += 1;
        self.seconds = now.as_secs_f64();
        for level in 0..LEVELS {
            if self.ends_segment(level) {
                self.ends[level].push(self.seconds);
            }
        }
    }

    /// When the newest sample was taken, in seconds since the start.
    pub(super) fn now(&self) -> f64 {
        self.seconds
    }

    /// Whether the newest sample is the last of a segment of this level: of two samples on level
    /// 0, and of twice as many on each further one.
    pub(super) fn ends_segment(&self, level: usize) -> bool {
        self.samples.is_multiple_of(2 << level)
    }

    /// When the newest `COUNT` segments of a level ended, in seconds since the start.
    pub(super) fn ends<const COUNT: usize>(&self, level: usize) -> Option<[f64; COUNT]> {
        self.ends[level].newest()
    }

    /// How long the newest `COUNT` segments of a level took without the first, in seconds.
    pub(super) fn span<const COUNT: usize>(&self, level: usize) -> Option<f64> {
        let ends = self.ends::<COUNT>(level)?;
        Some(ends.last()? - ends.first()?)
    }
}
