//! Searches in a map: for runs of free units, and for a free unit by its number.

use super::bits::{longest_in, next, nth_one, starts_of_runs};
use super::{Run, SlotMap};

impl<'a> SlotMap<'a> {
    /// All longest runs of free units, by address.
    pub(in crate::heap) fn free_runs(&self) -> impl Iterator<Item = Run> + use<'a> {
        self.free_runs_from(0)
    }

    /// The runs of free units at and after unit `from`, by address.
    pub(in crate::heap) fn free_runs_from(
        &self,
        mut from: usize,
    ) -> impl Iterator<Item = Run> + use<'a> {
        let map = *self;
        core::iter::from_fn(move || {
            let first = next(from, map.capacity, |word| map.free_in(word));
            from = next(first, map.capacity, |word| map.taken_in(word));
            (first < from).then_some(Run {
                first,
                units: from - first,
            })
        })
    }

    /// Finds the first free run of at least `units` units. If there is none, returns a bound below `units`: no
    /// free run is longer.
    pub(in crate::heap) fn find_run(&self, units: usize) -> Result<usize, usize> {
        if units < 64 {
            self.find_short_run(units)
        } else {
            self.find_long_run(units)
        }
    }

    /// As [`find_run`](Self::find_run), for runs so long that they reach the end of a word.
    fn find_long_run(&self, units: usize) -> Result<usize, usize> {
        // Free units at the end of the words before. A run inside of a word has fewer than 64 units.
        let (mut carried, mut longest) = (0, 63);
        for word in 0..self.words() {
            let taken = !self.free_in(word);
            longest = longest.max(carried + taken.trailing_zeros() as usize);
            if longest >= units {
                return Ok(word * 64 - carried);
            }
            carried = match taken {
                0 => carried + 64,
                _ => taken.leading_zeros() as usize,
            };
        }
        Err(longest)
    }

    /// As [`find_run`](Self::find_run), for runs that may lie inside of a word. Returns the exact longest run.
    fn find_short_run(&self, units: usize) -> Result<usize, usize> {
        // Free units at the end of the word before, and the longest run so far.
        let (mut carried, mut longest) = (0, 0);
        for word in 0..self.words() {
            let free = self.free_in(word);
            let reaches = carried + free.trailing_ones() as usize;
            if reaches >= units {
                return Ok(word * 64 - carried);
            }
            longest = longest.max(reaches);
            // Most words of a full page end here.
            if free.count_ones() as usize > longest {
                let starts = starts_of_runs(free, units);
                if starts != 0 {
                    return Ok(word * 64 + starts.trailing_zeros() as usize);
                }
                longest = longest_in(free, longest);
            }
            carried = free.leading_ones() as usize;
        }
        Err(longest)
    }

    /// The `nth` free unit of the page, counted from 0.
    pub(in crate::heap) fn nth_free(&self, mut nth: usize) -> Option<usize> {
        for word in 0..self.words() {
            let free = self.free_in(word);
            let units = free.count_ones() as usize;
            if nth < units {
                return Some(word * 64 + nth_one(free, nth) as usize);
            }
            nth -= units;
        }
        None
    }

    /// The longest run of free units that contains the free unit `index`.
    pub(in crate::heap) fn free_run_around(&self, index: usize) -> Run {
        let first = self.taken_before(index).map_or(0, |taken| taken + 1);
        let end = next(index, self.capacity, |word| self.taken_in(word));
        Run {
            first,
            units: end - first,
        }
    }

    /// The last taken unit before `index`.
    fn taken_before(&self, index: usize) -> Option<usize> {
        let mut seen = !(u64::MAX << (index % 64));
        for word in (0..=index / 64).rev() {
            let hits = self.taken_in(word) & seen;
            if hits != 0 {
                return Some(word * 64 + 63 - hits.leading_zeros() as usize);
            }
            seen = u64::MAX;
        }
        None
    }
}
