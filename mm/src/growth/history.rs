//! Floors of live units, on several time scales.
//!
//! A *segment* is a run of samples: two on level 0, and on each further level two segments of the level
//! before. A *floor* is the fewest live units in a segment. All families are sampled at the same moments,
//! so one [`Clock`] counts the samples of all, and each family has a [`History`] of its own.

use core::array;
use core::time::Duration;

use super::trend::Point;

/// Number of floors that are kept of each level.
pub(super) const FLOORS: usize = 24;

/// Number of levels.
pub(super) const LEVELS: usize = 10;

/// Counts samples, and keeps the times at which the newest segments of each level ended.
#[derive(Debug)]
pub(super) struct Clock {
    samples: u64,
    seconds: f64,
    ends: [Ring<f64, FLOORS>; LEVELS],
}

impl Clock {
    /// Makes a clock that has counted no sample.
    pub(super) fn new() -> Self {
        Self {
            samples: 0,
            seconds: 0.0,
            ends: [Ring::new(0.0); LEVELS],
        }
    }

    /// Counts a sample. `now` is the time since the watcher started.
    pub(super) fn tick(&mut self, now: Duration) {
        self.samples += 1;
        self.seconds = now.as_secs_f64();
        for level in 0..LEVELS {
            if self.ends_segment(level) {
                self.ends[level].push(self.seconds);
            }
        }
    }

    /// Returns the time of the newest sample, in seconds since the watcher started.
    pub(super) fn now(&self) -> f64 {
        self.seconds
    }

    /// Whether the newest sample is the last one of a segment of this level.
    pub(super) fn ends_segment(&self, level: usize) -> bool {
        self.samples.is_multiple_of(2 << level)
    }

    /// Returns the seconds from the end of the first of the newest `COUNT` segments to that of the last.
    pub(super) fn span<const COUNT: usize>(&self, level: usize) -> Option<f64> {
        let ends = self.ends[level].newest::<COUNT>()?;
        Some(ends.last()? - ends.first()?)
    }
}

/// The newest floors of one family.
#[derive(Debug)]
pub(super) struct History {
    floors: [Ring<u64, FLOORS>; LEVELS],
    /// The fewest live units so far in the current segment of each level.
    current: [u64; LEVELS],
}

impl History {
    /// Makes an empty history.
    pub(super) fn new() -> Self {
        Self {
            floors: [Ring::new(0); LEVELS],
            current: [u64::MAX; LEVELS],
        }
    }

    /// Adds the clock's newest sample. Returns the floor of level 0 if its segment ended.
    pub(super) fn add(&mut self, clock: &Clock, live_units: u64) -> Option<u64> {
        let mut lowest = live_units;
        for level in 0..LEVELS {
            self.current[level] = self.current[level].min(lowest);
            if !clock.ends_segment(level) {
                break;
            }
            lowest = core::mem::replace(&mut self.current[level], u64::MAX);
            self.floors[level].push(lowest);
        }
        let [floor] = self.floors[0].newest()?;
        clock.ends_segment(0).then_some(floor)
    }

    /// Returns the newest `COUNT` floors of a level with the times at which their segments ended.
    pub(super) fn points<const COUNT: usize>(
        &self,
        clock: &Clock,
        level: usize,
    ) -> Option<[Point; COUNT]> {
        let floors = self.floors.get(level)?.newest::<COUNT>()?;
        let ends = clock.ends[level].newest::<COUNT>()?;
        Some(array::from_fn(|nth| Point::new(ends[nth], floors[nth])))
    }
}

/// The newest `KEPT` of the items that were pushed.
#[derive(Clone, Copy, Debug)]
struct Ring<T, const KEPT: usize> {
    items: [T; KEPT],
    pushed: usize,
}

impl<T: Copy, const KEPT: usize> Ring<T, KEPT> {
    /// Makes an empty ring. `filler` is in the array, but is never returned.
    fn new(filler: T) -> Self {
        Self {
            items: [filler; KEPT],
            pushed: 0,
        }
    }

    /// Adds an item. It replaces the oldest one if the ring is full.
    fn push(&mut self, item: T) {
        self.items[self.pushed % KEPT] = item;
        self.pushed += 1;
    }

    /// Returns the newest `COUNT` items, the oldest of them first; `None` if there are fewer.
    fn newest<const COUNT: usize>(&self) -> Option<[T; COUNT]> {
        const { assert!(COUNT <= KEPT) };
        let first = self.pushed.checked_sub(COUNT)?;
        Some(array::from_fn(|nth| self.items[(first + nth) % KEPT]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_the_fewest_of_its_segment() {
        let (mut clock, mut history) = (Clock::new(), History::new());
        let samples = [7, 5, 9, 8, 6, 7, 1, 4].into_iter().enumerate();
        let of_level_0 = samples.map(|(second, units)| {
            clock.tick(Duration::from_secs(second as u64));
            history.add(&clock, units)
        });
        let of_level_0: Vec<_> = of_level_0.flatten().collect();
        assert_eq!(of_level_0, [5, 8, 6, 1]);
        let floors = |level| history.points::<2>(&clock, level).expect("two");
        assert_eq!(floors(0), [Point::new(5.0, 6), Point::new(7.0, 1)]);
        assert_eq!(floors(1), [Point::new(3.0, 5), Point::new(7.0, 1)]);
        assert!(history.points::<2>(&clock, 2).is_none());
    }

    #[test]
    fn a_ring_keeps_the_newest_in_order() {
        let mut ring = Ring::<_, 3>::new(0);
        assert_eq!(ring.newest::<1>(), None);
        (1..=5).for_each(|item| ring.push(item));
        assert_eq!(ring.newest::<3>(), Some([3, 4, 5]));
        assert_eq!(ring.newest::<2>(), Some([4, 5]));
    }
}
