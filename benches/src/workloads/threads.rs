//! Several threads, each with values of its own.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::{Load, live};
use crate::rivals::Rival;
use crate::values::Plain;
use mm_benches_common::clock::each;
use mm_benches_common::random::Random;

/// Values that each thread has.
const LIVE: u32 = 1_000;
/// Values that each replaces in a round.
const OF_A_ROUND: u32 = 100_000;

/// When a thread started and ended what is measured.
type Span = (Instant, Instant);

/// Lets `load.live` threads replace random ones of their own values.
///
/// The figure is the time of one CPU for one value: it stays the same where more threads than
/// CPUs only share them.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    let threads = u64::from(load.live);
    let spans = run::<R>(load);
    let start = spans.iter().map(|(start, _)| *start).min();
    let end = spans.iter().map(|(_, end)| *end).max();
    let wall = end.expect("there are threads") - start.expect("there are threads");
    let operations = threads * u64::from(load.rounds) * u64::from(OF_A_ROUND);
    vec![each(wall, operations / threads.min(cpus))]
}

/// Runs the threads; returns their spans. They measure themselves, as this thread may wake up last.
fn run<R: Rival>(load: Load) -> Vec<Span> {
    let barrier = Barrier::new(load.live as usize);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..load.live)
            .map(|_| scope.spawn(|| replace::<R>(load.rounds, &barrier)))
            .collect();
        let spans = threads.into_iter().map(thread::ScopedJoinHandle::join);
        spans.map(|span| span.expect("no thread panics")).collect()
    })
}

fn replace<R: Rival>(rounds: u32, barrier: &Barrier) -> Span {
    let places = Random::new().sequence(OF_A_ROUND, LIVE);
    let mut store = R::Store::<Plain>::default();
    let mut values = live::fill::<Plain, _>(&mut store, LIVE);
    let mut round = || live::replace_each::<Plain, _>(&mut store, &mut values, &places);
    round();
    barrier.wait();
    let start = Instant::now();
    (0..rounds).for_each(|_| round());
    let end = Instant::now();
    live::empty::<Plain, _>(&mut store, &mut values);
    (start, end)
}
