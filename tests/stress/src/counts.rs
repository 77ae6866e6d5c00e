//! The program's own counts: the oracle.
//!
//! Each lane counts for itself, and only the one thread that works in it stores: with a plain load
//! and a plain store, not with an atomic addition. An allocation is counted before the call and a
//! release after it, so that a concurrent reader never finds fewer live blocks than there are.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::kinds::Kind;

/// How many families there are.
const FAMILIES: usize = Kind::ALL.len();

/// Blocks and their units, of one family and one lane.
#[derive(Debug, Default)]
struct Tally {
    blocks: AtomicU64,
    units: AtomicU64,
}

/// What one lane allocated and released. Far enough from the next lane's not to share a line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counts {
    allocated: [Tally; FAMILIES],
    released: [Tally; FAMILIES],
}

/// The counts of one family, summed over all lanes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) allocated: u64,
    pub(crate) allocated_units: u64,
    pub(crate) released: u64,
    pub(crate) released_units: u64,
}

/// The sums of all families.
pub(crate) type Sums = [Sum; FAMILIES];

impl Counts {
    /// Counts a block that is about to be allocated.
    pub(crate) fn allocate(&self, kind: Kind, units: usize) {
        self.allocated[kind as usize].add(units);
    }

    /// Counts a block that was released.
    pub(crate) fn release(&self, kind: Kind, units: usize) {
        self.released[kind as usize].add(units);
    }

    /// Adds what this lane counted to the sums.
    pub(crate) fn add_to(&self, sums: &mut Sums) {
        let lane = self.allocated.iter().zip(&self.released);
        for (sum, (allocated, released)) in sums.iter_mut().zip(lane) {
            sum.allocated += allocated.blocks.load(Acquire);
            sum.allocated_units += allocated.units.load(Acquire);
            sum.released += released.blocks.load(Acquire);
            sum.released_units += released.units.load(Acquire);
        }
    }
}

impl Tally {
    fn add(&self, units: usize) {
        // Whoever reads the one must find what came before it.
        let sum = self.blocks.load(Relaxed) + 1;
        self.blocks.store(sum, Release);
        let sum = self.units.load(Relaxed) + units as u64;
        self.units.store(sum, Release);
    }
}

impl Sum {
    /// Allocations and releases.
    pub(crate) fn operations(&self) -> u64 {
        self.allocated + self.released
    }
}

/// All operations of all families.
pub(crate) fn operations(sums: &Sums) -> u64 {
    sums.iter().map(Sum::operations).sum()
}
