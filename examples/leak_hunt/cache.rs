//! A cache of answers.

use std::collections::{HashMap, VecDeque};

use mm::{MmBox, MmManaged};

/// The number of answers to keep.
const MOST: usize = 200;

/// A question: two words, by their numbers.
pub(crate) type Words = (u32, u32);

/// An answer: the number of lines that have both words.
#[derive(MmManaged)]
pub(crate) struct Answer {
    lines: usize,
    hits: usize,
}

/// Whether the cache evicts old answers.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Eviction {
    /// It does not. This is the leak to find.
    Forgotten,
    /// It evicts the oldest answer if there are too many.
    Oldest,
}

pub(crate) struct Cache {
    answers: HashMap<Words, MmBox<Answer>>,
    order: VecDeque<Words>,
    eviction: Eviction,
}

impl Cache {
    pub(crate) fn new(eviction: Eviction) -> Self {
        Self {
            answers: HashMap::new(),
            order: VecDeque::new(),
            eviction,
        }
    }

    /// Returns the number of lines, from the cache or from `find`.
    pub(crate) fn answer(&mut self, words: Words, find: impl FnOnce() -> usize) -> usize {
        if let Some(known) = self.answers.get_mut(&words) {
            known.hits += 1;
            return known.lines;
        }
        let lines = find();
        let answer = MmBox::new(Answer { lines, hits: 0 });
        self.answers.insert(words, answer);
        if self.eviction == Eviction::Oldest {
            self.evict(words);
        }
        lines
    }

    fn evict(&mut self, newest: Words) {
        self.order.push_back(newest);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}
