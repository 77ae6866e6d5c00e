//! The last walk, so that the next need not find anew what did not change: most stacks differ in their inner frames
//! alone.
//!
//! To unwind a frame is a function of its registers and of the words that are read from the stack. The memo has both
//! for each frame. Where a new walk comes to the registers of a frame of the memo, and all words from there on have the
//! values that they had, the rest of the stack is the same. So this is no guess.

/// Frames that are remembered at most.
const MOST: usize = 128;

/// Words that may be read to unwind one frame.
const WORDS: usize = 2;

/// The registers that unwinding depends on, besides the address of code.
pub(super) type Registers = [u64; 3];

/// A frame, and what was read to find its caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) address: u64,
    pub(super) registers: Registers,
    pub(super) words: Words,
}

/// Words of the stack: their addresses and their values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    read: [(u64, u64); WORDS],
    count: usize,
}

/// The frames of the last walk, the outermost first.
#[derive(Debug)]
pub(super) struct Memo {
    steps: Vec<Step>,
}

/// How far a walk has come in the frames of the memo.
pub(super) struct Place(usize);

impl Step {
    /// A place for a frame.
    pub(super) const fn none() -> Self {
        Self {
            address: 0,
            registers: [0; 3],
            words: Words {
                read: [(0, 0); WORDS],
                count: 0,
            },
        }
    }
}

impl Words {
    /// Forgets all words.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a word that was read.
    pub(super) fn add(&mut self, address: u64, value: u64) {
        if let Some(place) = self.read.get_mut(self.count) {
            *place = (address, value);
        }
        self.count += 1;
    }

    /// Whether there were few enough words to remember them all.
    fn are_all(&self) -> bool {
        self.count <= WORDS
    }

    fn get(&self) -> &[(u64, u64)] {
        &self.read[..self.count.min(WORDS)]
    }
}

impl Memo {
    pub(super) fn new() -> Self {
        Self {
            steps: Vec::with_capacity(MOST),
        }
    }

    /// Where a new walk begins to look.
    pub(super) fn begin(&self) -> Place {
        Place(self.steps.len())
    }

    /// The frames outside of the one at `address` with these registers, the innermost first, if the memo has that
    /// frame and what it read is still there. Forgets the frames inside of it.
    pub(super) fn rest_of(
        &mut self,
        place: &mut Place,
        address: u64,
        registers: Registers,
        mut read: impl FnMut(u64) -> Result<u64, ()>,
    ) -> Option<impl Iterator<Item = u64>> {
        let stack = registers[0];
        let is_inside = |step: &Step| step.registers[0] < stack;
        while place.0 > 0 && is_inside(&self.steps[place.0 - 1]) {
            place.0 -= 1;
        }
        let known = &self.steps[..place.0];
        let last = known.last()?;
        if last.address != address || last.registers != registers {
            return None;
        }
        let mut is_same = |step: &Step| {
            let mut words = step.words.get().iter();
            words.all(|(address, value)| read(*address) == Ok(*value))
        };
        if let Some(changed) = known.iter().rposition(|step| !is_same(step)) {
            place.0 = changed;
            return None;
        }
        self.steps.truncate(place.0);
        let outer = self.steps.iter().rev().skip(1);
        Some(outer.map(|step| step.address))
    }

    /// Forgets all frames.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
    }

    /// Adds the frames of a walk, the innermost first, inside of those that the memo has.
    pub(super) fn add(&mut self, inner: &[Step]) {
        let fits = self.steps.len() + inner.len() <= MOST;
        if !fits || !inner.iter().all(|step| step.words.are_all()) {
            return self.clear();
        }
        self.steps.extend(inner.iter().rev());
    }
}
