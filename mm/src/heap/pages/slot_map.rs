//! Which units of a VM page are taken, and how they join to blocks.
//!
//! Two bit maps out of line. *Taken*: the unit is live or in a cache. *Joined*: the unit belongs
//! to the block of the unit before it. A block of n units is a taken run whose first bit is not
//! joined and whose other n - 1 are. The second map says where blocks do *not* start rather than
//! where they do, so a page with only blocks of one unit leaves it zero: such a map is never
//! written, takes no memory, and the common release touches one map alone.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::word::{NOBODY, Remote, Word};

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

impl<'a> SlotMap<'a> {
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

    /// All longest runs of free units, in order.
    pub(in crate::heap) fn free_runs(&self) -> impl Iterator<Item = Run> + use<'a> {
        self.free_runs_from(0)
    }

    /// The runs of free units at and after unit `from`, in order.
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

    /// The first free run of at least `units` units; or a length that no free run exceeds, below
    /// `units`.
    pub(in crate::heap) fn find_run(&self, units: usize) -> Result<usize, usize> {
        if units < 64 {
            self.find_short_run(units)
        } else {
            self.find_long_run(units)
        }
    }

    /// As [`find_run`](Self::find_run), for runs that reach the end of a word.
    fn find_long_run(&self, units: usize) -> Result<usize, usize> {
        // Free units at the end of the words before. What lies inside of a word is shorter.
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

    /// As [`find_run`](Self::find_run), for runs that may lie inside of a word; finds the longest.
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

    /// Free unit number `nth` of the page, from 0.
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

    /// The longest run of free units around the free unit `index`.
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

/// Which bits of word `word` stand for units of a page of `capacity`.
#[inline]
pub(in crate::heap) fn valid(capacity: usize, word: usize) -> u64 {
    match capacity.saturating_sub(word * 64) {
        units @ 0..64 => !(u64::MAX << units),
        _ => u64::MAX,
    }
}

/// The bits that are set: mostly all or none, which takes no time.
#[inline]
pub(in crate::heap) fn ones(word: u64) -> u32 {
    match word {
        0 => 0,
        u64::MAX => u64::BITS,
        some => some.count_ones(),
    }
}

/// The bits of `free` at which `units` bits in a row are set.
fn starts_of_runs(free: u64, units: usize) -> u64 {
    // Each bit says that the `known` bits from it on are set; that number doubles.
    let (mut starts, mut known) = (free, 1);
    while known < units && starts != 0 {
        let more = known.min(units - known);
        starts &= starts >> more;
        known += more;
    }
    starts
}

/// The longest run of bits set in `free`, or `known` if none is longer.
fn longest_in(free: u64, known: usize) -> usize {
    let mut longest = known;
    let mut starts = starts_of_runs(free, longest + 1);
    while starts != 0 {
        longest += 1;
        starts &= free
            .checked_shr(u32::try_from(longest).unwrap_or(64))
            .unwrap_or(0);
    }
    longest
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

/// Which bits of `word` are set, lowest first.
pub(in crate::heap) fn ones_of(mut word: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then_some(word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        lowest
    })
}

/// Calls `f` with each word that `run` touches, and the run's bits there.
pub(in crate::heap) fn for_each_word(run: Run, mut f: impl FnMut(usize, u64)) {
    let (mut from, end) = (run.first, run.first + run.units);
    while from < end {
        let in_word = (64 - from % 64).min(end - from);
        f(from / 64, (u64::MAX >> (64 - in_word)) << (from % 64));
        from += in_word;
    }
}

/// Which bit is number `nth` of those that are set, from 0.
fn nth_one(mut bits: u64, nth: usize) -> u32 {
    (0..nth).for_each(|_| bits &= bits - 1);
    bits.trailing_zeros()
}

/// Index of the first unit at or after `from` whose bit is set in what `look` says of its word, or
/// `capacity`.
fn next(from: usize, capacity: usize, look: impl Fn(usize) -> u64) -> usize {
    if from >= capacity {
        return capacity;
    }
    let mut seen = u64::MAX << (from % 64);
    for word in from / 64..capacity.div_ceil(64) {
        let hits = look(word) & seen;
        if hits != 0 {
            return capacity.min(word * 64 + hits.trailing_zeros() as usize);
        }
        seen = u64::MAX;
    }
    capacity
}

fn ones_in(map: &[AtomicU64]) -> usize {
    map.iter()
        .map(|word| word.load(Relaxed).count_ones() as usize)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Take { pick: usize, units: usize },
        Free { pick: usize },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let take =
            (any::<usize>(), 1..200_usize).prop_map(|(pick, units)| Step::Take { pick, units });
        let free = any::<usize>().prop_map(|pick| Step::Free { pick });
        proptest::collection::vec(prop_oneof![take, free], 0..80)
    }

    /// The slow way: one entry for each unit, the number of its block.
    fn free_runs_of(owners: &[Option<usize>]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (index, _) in owners
            .iter()
            .enumerate()
            .filter(|(_, owner)| owner.is_none())
        {
            match runs.last_mut() {
                Some(run) if run.first + run.units == index => run.units += 1,
                _ => runs.push(Run {
                    first: index,
                    units: 1,
                }),
            }
        }
        runs
    }

    proptest! {
        #[test]
        fn runs_match_the_slow_way(capacity in 1..500_usize, steps in steps()) {
            let words = capacity.div_ceil(64);
            let all: Vec<Word> = (0..words).map(|_| bytemuck::Zeroable::zeroed()).collect();
            let continues: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
            let map = SlotMap { words: &all, continues: &continues, capacity, view: View::Unowned };
            let mut owners: Vec<Option<usize>> = vec![None; capacity];
            let mut blocks: Vec<Run> = Vec::new();
            for step in steps {
                match step {
                    Step::Take { pick, units } => {
                        let fitting: Vec<Run> = map.free_runs().filter(|run| run.units >= units).collect();
                        if fitting.is_empty() { continue; }
                        let run = Run { first: fitting[pick % fitting.len()].first, units };
                        map.take_run(run);
                        owners[run.first..run.first + units].fill(Some(run.first));
                        blocks.push(run);
                    }
                    Step::Free { pick } => {
                        if blocks.is_empty() { continue; }
                        let run = blocks.swap_remove(pick % blocks.len());
                        map.free_run(run);
                        owners[run.first..run.first + run.units].fill(None);
                    }
                }
                prop_assert_eq!(map.free_runs().collect::<Vec<_>>(), free_runs_of(&owners));
                prop_assert_eq!(map.blocks(), blocks.len());
                for units in [1, 2, 3, 17, 63, 64, 65, 130] {
                    let runs = free_runs_of(&owners);
                    let longest = runs.iter().map(|run| run.units).max().unwrap_or(0);
                    let first = runs.into_iter().find(|run| run.units >= units);
                    match first {
                        Some(run) => prop_assert_eq!(map.find_run(units), Ok(run.first)),
                        None => {
                            let bound = map.find_run(units).expect_err("there is no such run");
                            prop_assert!((longest..units).contains(&bound));
                        }
                    }
                }
                for run in free_runs_of(&owners) {
                    prop_assert_eq!(map.free_run_around(run.first + run.units / 2), run);
                }
                let free = (0..capacity).filter(|unit| owners[*unit].is_none());
                let nth_free = (0..).map_while(|nth| map.nth_free(nth));
                prop_assert!(nth_free.eq(free));
                let behind = map.free_runs_from(capacity / 2).next();
                let is_free = |unit: &usize| owners[*unit].is_none();
                prop_assert_eq!(behind.map(|run| run.first), (capacity / 2..capacity).find(is_free));
                prop_assert_eq!(map.taken_units(), owners.iter().flatten().count());
                for block in &blocks {
                    prop_assert_eq!(map.block_units(block.first), block.units);
                    prop_assert!(map.is_taken(block.first) && !map.continues(block.first));
                }
            }
        }

        #[test]
        fn words_hand_out_only_units(capacity in 1..300_usize) {
            let words = capacity.div_ceil(64);
            let all: Vec<Word> = (0..words).map(|_| bytemuck::Zeroable::zeroed()).collect();
            let map = SlotMap { words: &all, continues: &[], capacity, view: View::All };
            for word in 0..words {
                let free = map.free_in(word);
                map.take(word, free);
                prop_assert_eq!(map.free_in(word), 0);
                map.free(word, free & 1);
            }
            prop_assert_eq!(map.taken_units(), capacity - words);
        }
    }
}
