//! Which units of a VM page are taken, and how they join to blocks.
//!
//! Two bit maps out of line. *Taken*: the unit is live or in a cache. *Joined*: the unit belongs
//! to the block of the unit before it. A block of n units is a taken run whose first bit is not
//! joined and whose other n - 1 are. The second map says where blocks do *not* start rather than
//! where they do, so a page with only blocks of one unit leaves it zero: such a map is never
//! written, takes no memory, and the common release touches one map alone.

mod bits;
mod search;
#[cfg(test)]
mod tests;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::word::{NOBODY, Remote, Word};
use bits::next;
pub(in crate::heap) use bits::{for_each_word, ones, ones_of, valid};

/// The two maps of one page.
///
/// # Invariants
///
/// 1. Bits at and above `capacity` say nothing in the first map, and are zero in the second.
/// 2. A unit that continues a block is taken, and so is the unit before it, in words that no thread owns.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct SlotMap<'a> {
    pub(in crate::heap) words: &'a [Word],
    /// Empty where no unit continues a block.
    pub(in crate::heap) continues: &'a [AtomicU64],
    pub(in crate::heap) capacity: usize,
    pub(in crate::heap) view: View<'a>,
}

/// What is said of units in words that a thread owns.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) enum View<'a> {
    /// That all are taken: only the owner may take them.
    Unowned,
    /// What is so.
    All,
    /// What would be so once the owners were kept out and had collected what others released: those units are
    /// free. With what others released of each word; none where they released nothing.
    GivenUp { remotes: &'a [Remote] },
}

/// A run of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::heap) struct Run {
    pub(in crate::heap) first: usize,
    pub(in crate::heap) units: usize,
}

impl SlotMap<'_> {
    /// Words of the map.
    pub(in crate::heap) fn words(&self) -> usize {
        self.words.len()
    }

    /// The free units of word `word`, as a mask.
    pub(in crate::heap) fn free_in(&self, word: usize) -> u64 {
        !self.taken_in(word) & self.valid(word)
    }

    /// The taken units of word `word`, as a mask.
    pub(in crate::heap) fn taken_in(&self, word: usize) -> u64 {
        let (it, valid) = (&self.words[word], self.valid(word));
        let taken = it.taken() & valid;
        match self.view {
            View::All => taken,
            View::Unowned if it.is_owned_by(NOBODY) => taken,
            View::Unowned => valid,
            View::GivenUp { remotes } => taken & !remotes.get(word).map_or(0, Remote::bits),
        }
    }

    /// The units of word `word` that are part of a larger block, as a mask.
    pub(in crate::heap) fn in_larger_blocks(&self, word: usize) -> u64 {
        let before_continued = self.continued_in(word) >> 1 | self.continued_in(word + 1) << 63;
        self.continued_in(word) | before_continued
    }

    /// The units that continue a block of word `word`, as a mask.
    pub(in crate::heap) fn continued_in(&self, word: usize) -> u64 {
        self.continues
            .get(word)
            .map_or(0, |word| word.load(Relaxed))
    }

    /// Takes the units of `mask` in word `word`, each a block of its own.
    pub(in crate::heap) fn take(&self, word: usize, mask: u64) {
        let all = &self.words[word];
        all.set_taken(all.taken() | mask);
    }

    /// Frees the units of `mask` in word `word`, each a block of its own.
    pub(in crate::heap) fn free(&self, word: usize, mask: u64) {
        let all = &self.words[word];
        all.set_taken(all.taken() & !mask);
    }

    /// Takes a run as one block.
    pub(in crate::heap) fn take_run(&self, run: Run) {
        for_each_word(run, |word, mask| self.take(word, mask));
        set(self.continues, run.tail());
    }

    /// Frees the block that is `run`.
    pub(in crate::heap) fn free_run(&self, run: Run) {
        for_each_word(run, |word, mask| self.free(word, mask));
        clear(self.continues, run.tail());
    }

    /// Frees units at the end of a block, which keeps its others.
    pub(in crate::heap) fn free_end(&self, run: Run) {
        for_each_word(run, |word, mask| self.free(word, mask));
        clear(self.continues, run);
    }

    /// Makes a block start at the unit `index`, which continues one.
    pub(in crate::heap) fn split_at(&self, index: usize) {
        clear(
            self.continues,
            Run {
                first: index,
                units: 1,
            },
        );
    }

    pub(in crate::heap) fn is_taken(&self, index: usize) -> bool {
        self.taken_in(index / 64) >> (index % 64) & 1 != 0
    }

    pub(in crate::heap) fn continues(&self, index: usize) -> bool {
        self.continued_in(index / 64) >> (index % 64) & 1 != 0
    }

    /// Units of the block that starts at `first`.
    pub(in crate::heap) fn block_units(&self, first: usize) -> usize {
        if self.continues.is_empty() {
            return 1;
        }
        let starts = |word| !self.continued_in(word);
        next(first + 1, self.capacity, starts) - first
    }

    /// The first taken unit at or after `from`.
    pub(in crate::heap) fn next_taken(&self, from: usize) -> Option<usize> {
        let found = next(from, self.capacity, |word| self.taken_in(word));
        (found < self.capacity).then_some(found)
    }

    /// The first unit of the block that unit `index` is part of; none if it is free.
    pub(in crate::heap) fn first_of_block(&self, index: usize) -> Option<usize> {
        let first = (0..=index).rev().find(|unit| !self.continues(*unit));
        first.filter(|_| self.is_taken(index))
    }

    /// Taken units.
    pub(in crate::heap) fn taken_units(&self) -> usize {
        let words = 0..self.words();
        words
            .map(|word| self.taken_in(word).count_ones() as usize)
            .sum()
    }

    /// Blocks that are live or in a cache.
    pub(in crate::heap) fn blocks(&self) -> usize {
        self.taken_units() - ones_in(self.continues)
    }

    /// Which bits of word `word` stand for units.
    pub(in crate::heap) fn valid(&self, word: usize) -> u64 {
        valid(self.capacity, word)
    }
}

impl Run {
    /// The run without its first unit: the bits that join.
    fn tail(self) -> Self {
        Self {
            first: self.first + 1,
            units: self.units - 1,
        }
    }
}

fn set(map: &[AtomicU64], run: Run) {
    for_each_word(run, |word, mask| {
        map[word].store(map[word].load(Relaxed) | mask, Relaxed);
    });
}

fn clear(map: &[AtomicU64], run: Run) {
    for_each_word(run, |word, mask| {
        map[word].store(map[word].load(Relaxed) & !mask, Relaxed);
    });
}

fn ones_in(map: &[AtomicU64]) -> usize {
    map.iter()
        .map(|word| word.load(Relaxed).count_ones() as usize)
        .sum()
}
