//! Arithmetic on the bits of a word, and on runs of bits over several words.

use super::Run;

/// The bits of word `word` that stand for units of a page of `capacity` units.
#[inline]
pub(in crate::heap) fn valid(capacity: usize, word: usize) -> u64 {
    match capacity.saturating_sub(word * 64) {
        units @ 0..64 => !(u64::MAX << units),
        _ => u64::MAX,
    }
}

/// The number of set bits. Usually all or none are set, and then this takes no time.
#[inline]
pub(in crate::heap) fn ones(word: u64) -> u32 {
    match word {
        0 => 0,
        u64::MAX => u64::BITS,
        some => some.count_ones(),
    }
}

/// The bits of `free` from which on `units` bits side by side are set.
pub(super) fn starts_of_runs(free: u64, units: usize) -> u64 {
    // Each bit of `starts` says that the `known` bits from it on are set. `known` doubles each time.
    let (mut starts, mut known) = (free, 1);
    while known < units && starts != 0 {
        let more = known.min(units - known);
        starts &= starts >> more;
        known += more;
    }
    starts
}

/// The longest run of set bits in `free`, or `known` if none is longer.
pub(super) fn longest_in(free: u64, known: usize) -> usize {
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

/// The numbers of the set bits, lowest first.
pub(in crate::heap) fn ones_of(mut word: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then_some(word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        lowest
    })
}

/// Calls `f` with each word that `run` touches, and with the run's bits there.
pub(in crate::heap) fn for_each_word(run: Run, mut f: impl FnMut(usize, u64)) {
    let (mut from, end) = (run.first, run.first + run.units);
    while from < end {
        let in_word = (64 - from % 64).min(end - from);
        f(from / 64, (u64::MAX >> (64 - in_word)) << (from % 64));
        from += in_word;
    }
}

/// The number of the `nth` set bit, counted from 0.
pub(super) fn nth_one(mut bits: u64, nth: usize) -> u32 {
    (0..nth).for_each(|_| bits &= bits - 1);
    bits.trailing_zeros()
}

/// Index of the first unit at or after `from` whose bit is set in `look(word)`; `capacity` if there is none.
pub(super) fn next(from: usize, capacity: usize, look: impl Fn(usize) -> u64) -> usize {
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
