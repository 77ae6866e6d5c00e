//! Released runs whose memory the family keeps.

use super::Large;
use super::by_size::RunsBySize;
use crate::heap::ground::{GRANULE, List, Neighbours, Node};
use crate::os::clock;

/// Bytes of memory that released runs keep together, at most, unless live blocks use more.
const MOST: usize = 8 << 20;

/// Bytes of memory that a released run keeps if it is the only one, at most.
const LARGEST: usize = 32 << 20;

/// A family that needs memory again within so many milliseconds after it gave some back keeps as much the next time.
/// If it does not use it for as long, it gives it back.
const MEMORY: u64 = 4_000;

/// The kind of the list of kept runs, newest first.
#[derive(Debug)]
pub(in crate::heap) struct ByAge;

impl Node<ByAge> for Large {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.by_age
    }
}

/// Kept runs, by size and by age.
#[derive(Debug)]
pub(super) struct KeptRuns {
    by_size: RunsBySize,
    by_age: List<Large, ByAge>,
    oldest: Option<&'static Large>,
    bytes: usize,
    /// When memory was last given back because too much was kept, in milliseconds.
    given_back: u64,
    /// Bytes that were needed again soon after memory was given back.
    missed: usize,
    /// When that was, or when memory was last used that is kept because of it.
    needed: u64,
    /// The most bytes of live blocks since then.
    peak: usize,
}

impl KeptRuns {
    pub(super) const fn new() -> Self {
        Self {
            by_size: RunsBySize::new(),
            by_age: List::new(),
            oldest: None,
            bytes: 0,
            given_back: 0,
            missed: 0,
            needed: 0,
            peak: 0,
        }
    }

    /// Adds a run, whose memory was last used at the moment `used`.
    pub(super) fn add(&mut self, run: &'static Large, used: u64) {
        run.keep(used);
        self.by_size.add(run);
        self.by_age.push(run);
        self.oldest.get_or_insert(run);
        self.bytes += run.bytes();
    }

    pub(super) fn remove(&mut self, run: &'static Large) {
        if self.oldest.is_some_and(|oldest| core::ptr::eq(oldest, run)) {
            self.oldest = List::<Large, ByAge>::before(run);
        }
        self.by_size.remove(run);
        self.by_age.remove(run);
        self.bytes -= run.bytes();
    }

    /// Takes a run that fits, while live blocks use `live` bytes.
    pub(super) fn take(
        &mut self,
        bytes: usize,
        align: usize,
        live: usize,
    ) -> Option<&'static Large> {
        let run = self.by_size.find(bytes, align)?;
        if self.missed > 0 && self.bytes > MOST.max(live) {
            self.needed = now();
        }
        self.remove(run);
        Some(run)
    }

    /// Whether a run fits a block of `bytes` bytes.
    pub(super) fn has(&self, bytes: usize) -> bool {
        self.by_size.find(bytes, GRANULE).is_some()
    }

    /// Takes the run that was added first, because too much is kept.
    pub(super) fn take_oldest(&mut self) -> Option<&'static Large> {
        let run = self.oldest?;
        self.remove(run);
        Some(run)
    }

    /// Notes that memory was given back at the moment `at` because too much was kept.
    pub(super) fn account_given_back(&mut self, at: u64) {
        self.given_back = at;
    }

    /// Notes that no kept run fits a block of `bytes` bytes, while live blocks use `live` bytes.
    pub(super) fn account_missed(&mut self, bytes: usize, live: usize) {
        let now = now();
        if now.saturating_sub(self.given_back) < MEMORY {
            self.peak = self.peak.max(live);
            // Without a bound, it would rise for ever where no kept run fits.
            self.missed = (self.missed + bytes).min(self.peak * 2);
            self.needed = now;
        }
    }

    /// Takes a run that was last used before the moment `before`.
    pub(super) fn take_unused_since(&mut self, before: u64) -> Option<&'static Large> {
        let run = self.by_age.iter().find(|run| run.used() < before)?;
        self.remove(run);
        Some(run)
    }

    /// Whether more is kept at the moment `now` than may be while live blocks use `live` bytes.
    ///
    /// A program whose large blocks come and go needs memory beside that of the live ones: a new block seldom
    /// fits where one was released. When its blocks go for good, what is kept goes with them.
    pub(super) fn is_too_much(&mut self, live: usize, now: u64) -> bool {
        if self.missed > 0 && now.saturating_sub(self.needed) > MEMORY {
            (self.missed, self.peak) = (0, 0);
        }
        let is_one = self.by_age.iter().nth(1).is_none();
        let most = if is_one { LARGEST } else { MOST };
        self.bytes > most.max(live).max(self.missed)
    }
}

/// The present, in the unit of [`Large::used`].
pub(super) fn now() -> u64 {
    clock::milliseconds()
}
