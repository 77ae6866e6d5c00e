//! The summary of a run without differences.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use crate::counts::{self, Sums};
use crate::shared::Shared;

/// What a run without differences did.
#[derive(Debug)]
pub struct Summary {
    families: Vec<&'static str>,
    sums: Sums,
    rounds: u64,
    snapshots: u64,
    workers: u64,
}

impl Summary {
    pub(crate) fn new(shared: &Shared, rounds: u64) -> Self {
        Self {
            families: shared.families.iter().map(|family| family.name()).collect(),
            sums: shared.sums(),
            rounds,
            snapshots: shared.snapshots.load(Relaxed),
            workers: shared.workers(),
        }
    }

    /// Returns the allocations and releases of all families.
    #[must_use]
    pub fn operations(&self) -> u64 {
        counts::operations(&self.sums)
    }

    /// Returns the fewest operations that any family had.
    #[must_use]
    pub fn fewest_operations(&self) -> u64 {
        let operations = self.sums.iter().map(counts::Sum::operations);
        operations.min().unwrap_or(0)
    }

    /// Returns how often all figures were compared while no thread worked.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns how many snapshots were taken, most of them while threads worked.
    #[must_use]
    pub fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// Returns how many threads came and went.
    #[must_use]
    pub fn workers(&self) -> u64 {
        self.workers
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rounds, snapshots, ..
        } = self;
        for (name, sum) in self.families.iter().zip(&self.sums) {
            let (operations, live) = (sum.operations(), sum.allocated - sum.released);
            writeln!(
                to,
                "{name:<18} {operations:>12} operations, live {live}, quiescent points {rounds}, \
                 snapshots {snapshots}, differences: 0"
            )?;
        }
        let (operations, workers) = (self.operations(), self.workers);
        write!(
            to,
            "{:<18} {operations:>12} operations of {workers} threads",
            "all families"
        )
    }
}
