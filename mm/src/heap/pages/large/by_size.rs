//! Runs that hold no block, by their size.

use super::Large;
use crate::heap::ground::List;

/// One list for each power of two.
const LISTS: usize = usize::BITS as usize;

/// Runs of one list that a search looks at.
const LOOKS: usize = 16;

/// Runs in lists by their size.
#[derive(Debug)]
pub(super) struct RunsBySize {
    lists: [List<Large>; LISTS],
    /// A bit for each list that is not empty.
    filled: u64,
}

impl RunsBySize {
    pub(super) const fn new() -> Self {
        Self {
            lists: [const { List::new() }; LISTS],
            filled: 0,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Large> {
        self.lists.iter().flat_map(List::iter)
    }

    /// Adds a run that is on no list.
    pub(super) fn add(&mut self, run: &'static Large) {
        let list = run.bytes().ilog2();
        self.lists[list as usize].push(run);
        self.filled |= 1 << list;
    }

    /// Removes a run, which has the size that it was added with.
    pub(super) fn remove(&mut self, run: &'static Large) {
        let number = run.bytes().ilog2();
        let list = &mut self.lists[number as usize];
        list.remove(run);
        if list.newest().is_none() {
            self.filled &= !(1 << number);
        }
    }

    /// Finds a run that fits, in the list of the block's size or in one of larger runs: the shortest of the first few
    /// of a list.
    pub(super) fn find(&self, bytes: usize, align: usize) -> Option<&'static Large> {
        let mut filled = self.filled & (u64::MAX << bytes.ilog2());
        while filled != 0 {
            let some = self.lists[filled.trailing_zeros() as usize].iter();
            let fitting = some.take(LOOKS).filter(|run| run.fits(bytes, align));
            if let Some(best) = fitting.min_by_key(|run| run.bytes()) {
                return Some(best);
            }
            filled &= filled - 1;
        }
        None
    }
}
