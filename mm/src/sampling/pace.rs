//! How often a thread samples: less often than the interval says while it allocates so fast that samples would cost
//! more than about a hundredth of its time.

use core::cell::Cell;

use super::settings;
use crate::os::clock;

/// Samples after which a thread compares the time that they took with the time that they may take.
const SAMPLES: u32 = 32;

/// The ticks that so many samples take at least: a sample costs about half a microsecond, a hundredth of a tick.
const LEAST_TICKS: u32 = 24;

/// After so many ticks the thread samples more often again.
const MOST_TICKS: u32 = 3 * LEAST_TICKS;

/// The pace of one thread.
#[derive(Debug)]
pub(super) struct Pace {
    /// The interval doubles so often.
    shift: Cell<u32>,
    samples: Cell<u32>,
    /// When the first of the samples was.
    since: Cell<u32>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            shift: Cell::new(0),
            samples: Cell::new(0),
            since: Cell::new(0),
        }
    }

    /// Counts a sample, and returns the interval of the next one, where `interval` is to be chosen.
    ///
    /// The answer depends on earlier allocations alone, so that estimates stay unbiased: each sample keeps the interval
    /// that chose it.
    pub(super) fn next(&self, interval: u32) -> u32 {
        let samples = self.samples.get() + 1;
        self.samples.set(samples);
        if samples >= SAMPLES {
            self.compare(clock::ticks());
        }
        let slower = u64::from(interval) << self.shift.get();
        u32::try_from(slower).map_or(settings::LARGEST, |slower| {
            slower.min(settings::LARGEST.max(interval))
        })
    }

    fn compare(&self, now: u32) {
        let took = now.wrapping_sub(self.since.replace(now));
        self.samples.set(0);
        let shift = self.shift.get();
        if took < LEAST_TICKS {
            self.shift.set((shift + 1).min(settings::LARGEST.ilog2()));
        } else if took > MOST_TICKS {
            self.shift.set(shift.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: u32 = 64 << 10;

    #[test]
    fn a_fast_thread_samples_less_often_and_a_slow_one_as_often_as_it_should() {
        let pace = Pace::new();
        let mut now = 1;
        let mut after = |ticks| {
            now += ticks;
            pace.compare(now);
            pace.next(INTERVAL)
        };
        after(LEAST_TICKS);
        assert_eq!(after(LEAST_TICKS - 1), 2 * INTERVAL);
        assert_eq!(after(LEAST_TICKS), 2 * INTERVAL);
        assert_eq!(after(0), 4 * INTERVAL);
        (0..40).for_each(|_| assert!(after(0) <= settings::LARGEST));
        (0..40).for_each(|_| _ = after(MOST_TICKS + 1));
        assert_eq!(after(MOST_TICKS + 1), INTERVAL);
    }
}
