//! The memory that sleeping threads hold, and that a thread leaves to the next one. Each rival runs in a
//! separate process.

use std::sync::Barrier;
use std::thread;

use super::Load;
use super::memory::{resident_bytes, resident_places};
use crate::contract::values::Plain;
use crate::contract::{Families, Rival, Store, Value};
use mm_benches_common::random::Random;

type Sent<R> = <R as Rival>::Sent;
type Held<R> = <Sent<R> as Store<Plain>>::Held;

/// Returns the MB by which the process grew while `load.rounds` threads made ten values each in each of
/// `load.live` families.
pub(super) fn families<R: Rival>(load: Load) -> Vec<f64> {
    let families = load.live as usize;
    let leave = || R::Families::leave(families, 10);
    let before = resident_bytes();
    let grown = while_they_sleep(vec![leave; load.rounds as usize], || grown_since(before));
    vec![grown]
}

/// Returns the MB by which the process grew while one thread made `load.live` values and released all but
/// `load.rounds` of 100, and another thread then made as many.
pub(super) fn thinned<R: Rival>(load: Load) -> Vec<f64> {
    let first = resident_places(load.live);
    let second = resident_places(load.live);
    let before = resident_bytes();
    let thin = || {
        let (mut store, mut values) = fill::<R>(load, first);
        thin::<R>(&mut store, &mut values, load.rounds);
        (store, values)
    };
    let grown = while_they_sleep(vec![thin], || {
        while_they_sleep(vec![|| fill::<R>(load, second)], || grown_since(before))
    });
    vec![grown]
}

/// Returns the MB by which the process is larger after `load.rounds` threads made `load.live` values each and
/// released them in order, and the rival was asked to return memory. The threads still live.
pub(super) fn in_order<R: Rival>(load: Load) -> Vec<f64> {
    emptied::<R>(load, |_| ())
}

/// Does the same with releases in random order.
pub(super) fn shuffled<R: Rival>(load: Load) -> Vec<f64> {
    emptied::<R>(load, |values| Random::new().shuffle(values))
}

fn emptied<R: Rival>(load: Load, reorder: fn(&mut [Option<Held<R>>])) -> Vec<f64> {
    let places: Vec<_> = (0..load.rounds)
        .map(|_| resident_places(load.live))
        .collect();
    let before = resident_bytes();
    let threads = places.into_iter().map(|places| {
        move || {
            let (mut store, mut values) = fill::<R>(load, places);
            reorder(&mut values);
            let all = values.drain(..).flatten();
            all.for_each(|held| store.release(held));
            (store, values)
        }
    });
    let grown = while_they_sleep(threads.collect(), || {
        R::trim();
        grown_since(before)
    });
    vec![grown]
}

fn fill<R: Rival>(load: Load, mut places: Vec<Option<Held<R>>>) -> (Sent<R>, Vec<Option<Held<R>>>) {
    let mut store = Sent::<R>::default();
    let values = (0..load.live).map(|number| Some(store.keep(Plain::of(number))));
    places.extend(values);
    (store, places)
}

/// Releases all but `percent` of 100 values, at random.
fn thin<R: Rival>(store: &mut Sent<R>, values: &mut [Option<Held<R>>], percent: u32) {
    let mut random = Random::new();
    let released = values.iter_mut().filter(|_| random.below(100) >= percent);
    released
        .filter_map(Option::take)
        .for_each(|held| store.release(held));
}

/// Does each piece of work on a thread of its own. The thread keeps the result, and sleeps until `look` has
/// returned.
fn while_they_sleep<T, W>(works: Vec<W>, look: impl FnOnce() -> f64) -> f64
where
    W: FnOnce() -> T + Send,
{
    let (done, end) = (Barrier::new(works.len() + 1), Barrier::new(works.len() + 1));
    thread::scope(|scope| {
        for work in works {
            scope.spawn(|| {
                let _kept = work();
                done.wait();
                end.wait();
            });
        }
        done.wait();
        let seen = look();
        end.wait();
        seen
    })
}

/// Converts bytes to MB.
fn grown_since(before: f64) -> f64 {
    (resident_bytes() - before) / 1e6
}
