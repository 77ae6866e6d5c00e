//! Random numbers for the order in which units are handed out.

use core::hash::BuildHasher;
use std::hash::RandomState;
use std::process;

/// The random numbers of one family. They differ between processes, but are not meant for secrets.
///
/// A forked child must make a new value.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014: `SplitMix`.
#[derive(Debug)]
pub(in crate::heap) struct Random {
    state: Option<u64>,
}

impl Random {
    pub(in crate::heap) const fn new() -> Self {
        Self { state: None }
    }

    /// Returns a number below `end`, which is not 0.
    pub(in crate::heap) fn below(&mut self, end: usize) -> usize {
        let high = (u128::from(self.next()) * end as u128) >> 64;
        usize::try_from(high).unwrap_or(0)
    }

    fn next(&mut self) -> u64 {
        // The process is part of the seed: otherwise all children of one fork would share the state.
        let seed = || RandomState::new().hash_one(process::id());
        let state = self
            .state
            .unwrap_or_else(seed)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.state = Some(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_every_number_and_no_other() {
        let mut random = Random::new();
        let mut seen = [false; 10];
        (0..10_000).for_each(|_| seen[random.below(10)] = true);
        assert_eq!(seen, [true; 10]);
        assert_eq!(random.below(1), 0);
    }
}
