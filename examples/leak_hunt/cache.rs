//! Answers that were given before.

use std::collections::{HashMap, VecDeque};

use mm::{MmBox, MmManaged};

/// Answers that are to be kept.
const MOST: usize = 200;

/// A question: two words, by their numbers.
pub(crate) type Words = (u32, u32);

/// Lines that have both words.
#[derive(MmManaged)]
pub(crate) struct Answer {
    lines: usize,
    hits: usize,
}

/// What happens to answers that nobody asks for any more.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Eviction {
    /// They stay: the mistake that is hunted.
    Forgotten,
    /// The oldest goes when there are too many.
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

    /// The number of lines, from the cache or from `find`.
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
