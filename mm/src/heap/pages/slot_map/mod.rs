//! Which units of a VM page are taken, and which of them form blocks.
//!
//! There are two bit maps, outside of the page. In the first, a bit is set if the unit is *taken*: live, in a
//! cache, or on its way to its owner. In the second, a bit is set if the unit *continues* the block of the unit
//! before. A block of n units is a run of taken units: the first does not continue a block, the other n - 1 do.
//! A page with only blocks of one unit leaves the second map zero, so that map takes no memory, and the common
//! release touches one map only.

mod bits;
mod search;
#[cfg(test)]
mod tests;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::word::{NO_OWNER, Remote, Word};
use bits::next;
pub(in crate::heap) use bits::{for_each_word, ones, ones_of, valid};

/// The two maps of a page.
///
/// # Invariants
///
/// 1. Bits at and above `capacity` say nothing in the first map, and are zero in the second.
/// 2. A unit that continues a block is taken, and so is the unit before it, in words that no thread owns.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct SlotMap<'a> {
    pub(in crate::heap) words: &'a [Word],
    /// Empty if no unit continues a block.
    pub(in crate::heap) continues: &'a [AtomicU64],
    pub(in crate::heap) capacity: usize,
    pub(in crate::heap) view: View<'a>,
}

/// How the map shows words with an owner.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) enum View<'a> {
    /// All their units count as taken, since only the owner may take them.
    Unowned,
    /// As they are.
    All,
    /// As they would be after the family reclaimed them: the units that other threads released are free.
    /// `remotes` are the units that other threads released of each word; it is empty if they released none.
    Reclaimed { remotes: &'a [Remote] },
}

/// Units side by side.
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
            View::Unowned if it.is_owned_by(NO_OWNER) => taken,
            View::Unowned => valid,
            View::Reclaimed { remotes } => taken & !remotes.get(word).map_or(0, Remote::bits),
        }
    }

    /// The units of word `word` that are part of a row, as a mask.
    pub(in crate::heap) fn in_larger_blocks(&self, word: usize) -> u64 {
        let before_continued = self.continued_in(word) >> 1 | self.continued_in(word + 1) << 63;
        self.continued_in(word) | before_continued
    }

    /// The units of word `word` that continue a block, as a mask.
    pub(in crate::heap) fn continued_in(&self, word: usize) -> u64 {
        self.continues
            .get(word)
            .map_or(0, |word| word.load(Relaxed))
    }

    /// Takes the units of `mask` in word `word`, as blocks of one unit.
    pub(in crate::heap) fn take(&self, word: usize, mask: u64) {
        let all = &self.words[word];
        all.set_taken(all.taken() | mask);
    }

    /// Frees the units of `mask` in word `word`, which are blocks of one unit.
    pub(in crate::heap) fn free(&self, word: usize, mask: u64) {
        let all = &self.words[word];
        all.set_taken(all.taken() & !mask);
    }

    /// Takes a run as one block.
    pub(in crate::heap) fn take_run(&self, run: Run) {
        for_each_word(run, |word, mask| self.take(word, mask));
        set(self.continues, run.tail());
    }

    /// Frees the block at `run`.
    pub(in crate::heap) fn free_run(&self, run: Run) {
        for_each_word(run, |word, mask| self.free(word, mask));
        clear(self.continues, run.tail());
    }

    /// Frees the units at the end of a block, which keeps its other units.
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

    /// The first unit of the block that contains unit `index`; `None` if the unit is free.
    pub(in crate::heap) fn first_of_block(&self, index: usize) -> Option<usize> {
        let first = (0..=index).rev().find(|unit| !self.continues(*unit));
        first.filter(|_| self.is_taken(index))
    }

    /// The number of taken units.
    pub(in crate::heap) fn taken_units(&self) -> usize {
        let words = 0..self.words();
        words
            .map(|word| self.taken_in(word).count_ones() as usize)
            .sum()
    }

    /// The number of blocks, live or in a cache.
    pub(in crate::heap) fn blocks(&self) -> usize {
        self.taken_units() - ones_in(self.continues)
    }

    /// The bits of word `word` that stand for units.
    pub(in crate::heap) fn valid(&self, word: usize) -> u64 {
        valid(self.capacity, word)
    }
}

impl Run {
    /// The run without its first unit: the units that continue the block.
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
