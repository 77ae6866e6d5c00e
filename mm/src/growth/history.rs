//! The history of one family: floors on several time scales.

use core::array;

use super::clock::Clock;
use super::ring::Ring;
use super::trend::Point;
use super::{KEPT, LEVELS};

/// The newest floors of each level.
///
/// A *floor* is the fewest live units in a segment, a run of samples. A segment of level 0 has two
/// samples, and each further level joins two segments of the one before.
#[derive(Debug)]
pub(super) struct History {
    floors: [Ring<u64, KEPT>; LEVELS],
    /// Floors of the segments that have not ended.
    open: [u64; LEVELS],
}

impl History {
    /// Makes an empty history.
    pub(super) fn new() -> Self {
        Self {
            floors: [Ring::new(0); LEVELS],
            open: [u64::MAX; LEVELS],
        }
    }

    /// Adds the clock's newest sample.
    pub(super) fn add(&mut self, clock: &Clock, live_units: u64) {
        let mut lowest = live_units;
        for level in 0..LEVELS {
            self.open[level] = self.open[level].min(lowest);
            if !clock.ends_segment(level) {
                break;
            }
            lowest = core::mem::replace(&mut self.open[level], u64::MAX);
            self.floors[level].push(lowest);
        }
    }

    /// The newest floor of level 0, if there is one.
    pub(super) fn floor(&self) -> Option<u64> {
        self.floors[0].newest::<1>().map(|[floor]| floor)
    }

    /// The newest `COUNT` floors of a level, and when their segments ended.
    pub(super) fn points<const COUNT: usize>(
        &self,
        clock: &Clock,
        level: usize,
    ) -> Option<[Point; COUNT]> {
        let floors = self.floors.get(level)?.newest::<COUNT>()?;
        let ends = clock.ends::<COUNT>(level)?;
        Some(array::from_fn(|nth| Point::new(ends[nth], floors[nth])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_floor_is_the_fewest_of_its_segment() {
        let (mut clock, mut history) = (Clock::new(), History::new());
        for (second, units) in [7, 5, 9, 8, 6, 7, 1, 4].into_iter().enumerate() {
            clock.tick(Duration::from_secs(second as u64));
            history.add(&clock, units);
        }
        let floors = |level| history.points::<2>(&clock, level).expect("two");
        assert_eq!(floors(0), [Point::new(5.0, 6), Point::new(7.0, 1)]);
        assert_eq!(floors(1), [Point::new(3.0, 5), Point::new(7.0, 1)]);
        assert!(history.points::<2>(&clock, 2).is_none());
        assert_eq!(history.floor(), Some(1));
    }
}
