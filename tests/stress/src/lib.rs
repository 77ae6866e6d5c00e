//! Threads that come and go, allocate, hand over and release, while every figure is watched.
//!
//! - Each of some *lanes* has one worker at a time, and soon another: workers end by themselves or by a
//!   panic, with or without live blocks.
//! - Blocks of many families and lengths go from worker to worker. Each is filled with a cookie, which is
//!   checked when the block is released.
//! - A watcher takes snapshots all the time, and checks what must hold at any moment.
//! - After every round all workers wait at a gate. Then the snapshot, the walker and the program's
//!   own counts must be the same.

mod choice;
mod compare;
mod cookie;
mod counts;
mod difference;
mod exchange;
mod gate;
mod hand;
mod held;
mod kinds;
mod shared;
mod summary;
mod watcher;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

pub use crate::difference::Difference;
pub use crate::summary::Summary;

use crate::hand::Hand;
use crate::shared::Shared;

/// After so many rounds mm trims.
const TRIM: u64 = 5;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Allocations and releases, of all threads together, after which the run ends.
    pub operations: u64,
    /// Threads that work at a time.
    pub threads: usize,
    /// Where the random numbers come from. How threads take turns is chance.
    pub seed: u64,
    /// After this time the run ends.
    pub most_time: Duration,
    /// Operations of each thread between two comparisons.
    pub round: u64,
    /// Whether tracking and limits come and go meanwhile.
    pub switch: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Operations of all threads so far.
    pub operations: u64,
    /// Quiescent points so far.
    pub rounds: u64,
    /// Snapshots so far.
    pub snapshots: u64,
    /// Threads that came and went.
    pub workers: u64,
    /// Bytes of live blocks.
    pub live_bytes: u64,
}

/// Works until the options say that it is enough; calls `report` after each round.
///
/// # Errors
///
/// The first difference that was found. Threads that still run then end soon.
///
/// # Panics
///
/// When the system gives no threads, or mm no families.
pub fn run(options: Options, report: impl FnMut(Progress)) -> Result<Summary, Difference> {
    let shared = Arc::new(Shared::new(options).expect("new families"));
    let done = Arc::new(AtomicBool::new(false));
    let watcher = thread::spawn({
        let (shared, done) = (Arc::clone(&shared), Arc::clone(&done));
        move || watcher::watch(&shared, &done)
    });
    let keep = |lane| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || worker::keep(&shared, lane))
    };
    let keepers: Vec<_> = (0..options.threads).map(keep).collect();
    let rounds = rounds(&shared, report);
    shared.gate.open_for_good();
    for keeper in keepers {
        keeper.join().expect("keepers do not panic");
    }
    release_all(&shared);
    done.store(true, Relaxed);
    watcher.join().expect("the watcher does not panic");
    if shared.first_difference().is_none()
        && let Err(difference) = compare::end(&shared)
    {
        shared.note(difference);
    }
    match shared.first_difference() {
        Some(first) => Err(first),
        None => Ok(Summary::new(&shared, rounds)),
    }
}

/// Compares after every round, until it is enough or there is a difference; how many there were.
fn rounds(shared: &Shared, mut report: impl FnMut(Progress)) -> u64 {
    let (start, mut rounds) = (Instant::now(), 0);
    while shared.gate.wait_for(shared.options.threads) {
        rounds += 1;
        if let Err(difference) = compare_round(shared, rounds) {
            shared.note(difference);
            break;
        }
        let progress = Progress::new(shared, rounds);
        report(progress);
        let is_time_over = start.elapsed() >= shared.options.most_time;
        if is_time_over || progress.operations >= shared.options.operations {
            break;
        }
        shared.gate.open();
    }
    rounds
}

/// Compares at a quiescent point, and sometimes trims and compares again.
fn compare_round(shared: &Shared, round: u64) -> Result<(), Difference> {
    compare::all(shared)?;
    if round.is_multiple_of(TRIM) {
        mm::trim();
        compare::all(shared)?;
    }
    Ok(())
}

/// Releases what the workers left.
fn release_all(shared: &Arc<Shared>) {
    let mut hand = Hand::new(
        Arc::clone(shared),
        shared.options.threads,
        shared.options.seed,
    );
    for slot in 0..shared.exchange.slots() {
        hand.clear(slot);
    }
    for lane in 0..shared.options.threads {
        while hand.receive(lane) {}
    }
}

impl Progress {
    fn new(shared: &Shared, rounds: u64) -> Self {
        let sums = shared.sums();
        let live = shared.families.iter().zip(&sums).map(|(family, sum)| {
            (sum.allocated_units - sum.released_units) * family.layout().size() as u64
        });
        Self {
            operations: counts::operations(&sums),
            rounds,
            snapshots: shared.snapshots.load(Relaxed),
            workers: shared.workers(),
            live_bytes: live.sum(),
        }
    }
}
