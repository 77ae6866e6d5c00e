//! Several threads, each with its own values.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::{Load, live, rows};
use crate::contract::values::Plain;
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::each;
use mm_benches_common::random::Random;

/// The number of values of each thread in [`replace`].
const LIVE: u32 = 1_000;
/// The number of values that each thread replaces in a round.
const OF_A_ROUND: u32 = 100_000;

/// The times at which a thread started and ended the measured work.
type Span = (Instant, Instant);

/// `load.live` threads replace random values of their own.
pub(super) fn replace<R: Rival>(load: Load) -> Vec<f64> {
    let figure = measure(load, OF_A_ROUND, || {
        let places = Random::new().sequence(OF_A_ROUND, LIVE);
        let mut store = R::Store::<Plain>::default();
        let mut values = live::fill::<Plain, _>(&mut store, LIVE);
        move || live::replace_each::<Plain, _>(&mut store, &mut values, &places)
    });
    vec![figure]
}

/// `load.live` threads allocate 10,000 values each, and release them in the same order.
pub(super) fn in_order<R: Rival>(load: Load) -> Vec<f64> {
    const LIVE: u32 = 10_000;
    let figure = measure(load, LIVE, || {
        let mut store = R::Store::<Plain>::default();
        let mut values = Vec::with_capacity(LIVE as usize);
        move || {
            values.extend((0..LIVE).map(|number| store.keep(Plain::of(number))));
            live::empty::<Plain, _>(&mut store, black_box(&mut values));
        }
    });
    vec![figure]
}

/// `load.live` threads allocate 100,000 values each, and release them in a random order, always the same one.
pub(super) fn shuffled<R: Rival>(load: Load) -> Vec<f64> {
    const LIVE: u32 = 100_000;
    let figure = measure(load, LIVE, || {
        let mut order: Vec<u32> = (0..LIVE).collect();
        Random::new().shuffle(&mut order);
        let mut store = R::Store::<Plain>::default();
        let mut values: Vec<Option<_>> = (0..LIVE).map(|_| None).collect();
        move || {
            for (place, number) in values.iter_mut().zip(0..) {
                *place = Some(store.keep(Plain::of(number)));
            }
            for &place in &order {
                let held = values[place as usize].take();
                held.into_iter().for_each(|held| store.release(held));
            }
        }
    });
    vec![figure]
}

/// `load.live` threads replace zeroed rows of 1 to 30 values.
pub(super) fn rows<R: Rival>(load: Load) -> Vec<f64> {
    if rows::Rows::<R>::new(30).is_none() {
        return Vec::new();
    }
    let figure = measure(load, rows::OF_A_ROUND, || {
        let mut rows = rows::Rows::<R>::new(30).expect("the rival has rows");
        move || rows.replace_all()
    });
    vec![figure]
}

/// `load.live` threads do `load.rounds` rounds of `operations` each.
///
/// The figure is the time that one CPU needs for one operation. It does not rise if there are more threads
/// than CPUs.
fn measure<W: FnMut()>(load: Load, operations: u32, make: impl Fn() -> W + Sync) -> f64 {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    let threads = u64::from(load.live);
    let spans = run(load, &make);
    let start = spans.iter().map(|(start, _)| *start).min();
    let end = spans.iter().map(|(_, end)| *end).max();
    let wall = end.expect("there are threads") - start.expect("there are threads");
    let operations = threads * u64::from(load.rounds) * u64::from(operations);
    each(wall, operations / threads.min(cpus))
}

/// Runs the threads, and returns their spans. They measure themselves, because this thread may wake up last.
fn run<W: FnMut()>(load: Load, make: &(impl Fn() -> W + Sync)) -> Vec<Span> {
    let barrier = Barrier::new(load.live as usize);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..load.live)
            .map(|_| scope.spawn(|| repeat(make(), load.rounds, &barrier)))
            .collect();
        let spans = threads.into_iter().map(thread::ScopedJoinHandle::join);
        spans.map(|span| span.expect("no thread panics")).collect()
    })
}

fn repeat(mut round: impl FnMut(), rounds: u32, barrier: &Barrier) -> Span {
    round();
    barrier.wait();
    let start = Instant::now();
    (0..rounds).for_each(|_| round());
    (start, Instant::now())
}
