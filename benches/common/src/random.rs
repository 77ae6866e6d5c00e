//! Random sequences, the same in all runs and for all rivals.

/// Marsaglia's xorshift of 64 bits.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence. All sequences start with the same state.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "no number is the one to begin with by itself"
    )]
    pub fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    /// Returns a number below `end`.
    ///
    /// # Panics
    ///
    /// If `end` is 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(end)).expect("it is below `end`")
    }

    /// Returns `count` numbers below `end`.
    ///
    /// # Panics
    ///
    /// If `end` is 0.
    pub fn sequence(&mut self, count: u32, end: u32) -> Vec<u32> {
        (0..count).map(|_| self.below(end)).collect()
    }

    /// Shuffles, by Fisher and Yates.
    ///
    /// # Panics
    ///
    /// If there are 2^32 items or more.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let end = u32::try_from(last + 1).expect("no workload has that many values");
            items.swap(last, self.below(end) as usize);
        }
    }
}
