//! Several threads, each with values of its own.

use std::sync::Barrier;
use std::thread;

use super::{Load, live};
use crate::clock::{each, timed};
use crate::random::Random;
use crate::rivals::Rival;
use crate::values::Plain;

/// Values that each thread has.
const LIVE: u32 = 1_000;
/// Values that each replaces in a round.
const OF_A_ROUND: u32 = 100_000;

/// Lets `load.live` threads replace random ones of their own values.
///
/// The figure is the time of one CPU for one value: it stays the same where more threads than
/// CPUs only share them.
pub(super) fn measure<R: Rival>(load: Load) -> Option<Vec<f64>> {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    let threads = u64::from(load.live);
    let barrier = Barrier::new(load.live as usize + 1);
    let took = thread::scope(|scope| {
        for _ in 0..load.live {
            scope.spawn(|| replace::<R>(load, &barrier));
        }
        barrier.wait();
        timed(|| {
            barrier.wait();
        })
    });
    let operations = threads * u64::from(load.rounds) * u64::from(OF_A_ROUND);
    Some(vec![each(took.wall, operations / threads.min(cpus))])
}

fn replace<R: Rival>(load: Load, barrier: &Barrier) {
    let places = Random::new().sequence(OF_A_ROUND, LIVE);
    let mut store = R::Store::<Plain>::default();
    let mut values = live::fill::<Plain, _>(&mut store, LIVE);
    let mut round = || live::replace_each::<Plain, _>(&mut store, &mut values, &places);
    round();
    barrier.wait();
    (0..load.rounds).for_each(|_| round());
    barrier.wait();
    live::empty::<Plain, _>(&mut store, &mut values);
}
