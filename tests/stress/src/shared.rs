//! State that all threads of a run share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use mm::{FamilySnapshot, PageFamily, RegisterError, Snapshot};
use parking_lot::Mutex;

use crate::Options;
use crate::counts::{Counts, Sums};
use crate::difference::Difference;
use crate::exchange::Exchange;
use crate::gate::Gate;
use crate::held::Wrong;
use crate::kinds::{self, Kind};

/// Slots through which blocks go from thread to thread.
const SLOTS: usize = 2_048;

/// Runs of this process: names of families must be new in each.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// What all threads of a run share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    /// By the number of the kind.
    pub(crate) families: Vec<&'static PageFamily>,
    /// The figures before the first operation.
    pub(crate) start: Vec<FamilySnapshot>,
    /// One for each worker, and the last for the main thread.
    pub(crate) lanes: Vec<Lane>,
    pub(crate) exchange: Exchange,
    pub(crate) gate: Gate,
    pub(crate) snapshots: AtomicU64,
    first: Mutex<Option<Difference>>,
}

/// A place for one thread after the other.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) counts: Counts,
    /// Operations until the worker goes to the gate. Stored by the worker alone.
    pub(crate) left: AtomicU64,
    /// Workers that came and went.
    pub(crate) workers: AtomicU64,
}

impl Shared {
    /// Prepares a run.
    pub(crate) fn new(options: Options) -> Result<Self, RegisterError> {
        let families = kinds::families(RUNS.fetch_add(1, Relaxed))?;
        let start = of_families(&families, &mm::snapshot());
        Ok(Self {
            start,
            families,
            lanes: (0..=options.threads).map(|_| Lane::default()).collect(),
            exchange: Exchange::new(SLOTS, options.threads),
            gate: Gate::default(),
            snapshots: AtomicU64::new(0),
            first: Mutex::new(None),
            options,
        })
    }

    /// The family of a kind.
    pub(crate) fn family(&self, kind: Kind) -> &'static PageFamily {
        self.families[kind as usize]
    }

    /// What the program itself counted.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for lane in &self.lanes {
            lane.counts.add_to(&mut sums);
        }
        sums
    }

    /// Takes a snapshot; the figures of the run's families, by the number of the kind.
    pub(crate) fn snapshot(&self) -> Vec<FamilySnapshot> {
        self.snapshots.fetch_add(1, Relaxed);
        of_families(&self.families, &mm::snapshot())
    }

    /// Threads that came and went.
    pub(crate) fn workers(&self) -> u64 {
        self.lanes
            .iter()
            .map(|lane| lane.workers.load(Relaxed))
            .sum()
    }

    /// Notes a difference, and ends the run.
    pub(crate) fn note(&self, difference: Difference) {
        let mut first = self.first.lock();
        first.get_or_insert(difference);
        drop(first);
        self.gate.open_for_good();
    }

    /// Notes what is wrong with a block, and ends the run.
    #[cold]
    pub(crate) fn note_wrong(&self, kind: Kind, units: usize, wrong: Wrong) {
        let (figure, expected, found) = wrong.described(units, self.family(kind));
        let family = self.family(kind).name().to_owned();
        self.note(Difference {
            family,
            figure,
            expected,
            found,
        });
    }

    /// The first difference that was noted.
    pub(crate) fn first_difference(&self) -> Option<Difference> {
        self.first.lock().clone()
    }
}

impl Wrong {
    /// What differs, what it should be, and what it is.
    fn described(self, units: usize, family: &PageFamily) -> (String, String, String) {
        match self {
            Self::Content(address, damage) => (
                format!("content of the block of {units} units at {address:#x}"),
                format!("{:#018x}", damage.expected),
                format!("{:#018x}", damage.found),
            ),
            Self::Alignment(address) => (
                format!("address of a new block of {units} units"),
                format!("a multiple of {}", family.layout().align()),
                format!("{address:#x}"),
            ),
            Self::Bytes { expected, found } => (
                format!("bytes of a new block of {units} units"),
                expected.to_string(),
                found.to_string(),
            ),
            Self::Refused(error) => (
                format!("release of a block of {units} units"),
                "it is taken back".to_owned(),
                error.to_string(),
            ),
        }
    }
}

/// The figures of `families`, in their order.
fn of_families(families: &[&'static PageFamily], snapshot: &Snapshot) -> Vec<FamilySnapshot> {
    let figures = families.iter().map(|family| snapshot.family(family.path()));
    figures
        .map(|figures| figures.expect("listed").clone())
        .collect()
}
