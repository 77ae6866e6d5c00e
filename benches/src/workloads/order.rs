//! Many values are allocated, then all are released.

use std::hint::black_box;
use std::time::Duration;

use super::{Load, live};
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// Allocates `load.live` values and releases them in the same order.
pub(super) fn in_order<R: Rival, T: Value>(load: Load) -> Vec<f64> {
    let mut store = R::Store::<T>::default();
    let mut values = Vec::with_capacity(load.live as usize);
    let mut round = || {
        allocate::<T, _>(&mut store, &mut values, load.live);
        live::empty::<T, _>(&mut store, black_box(&mut values));
    };
    round();
    let took = timed(|| (0..load.rounds).for_each(|_| round()));
    vec![each(took.wall, load.operations())]
}

/// Allocates `load.live` values and releases them in random order. The shuffle is not timed.
pub(super) fn shuffled<R: Rival, T: Value>(load: Load) -> Vec<f64> {
    let mut random = Random::new();
    let mut store = R::Store::<T>::default();
    let mut values = Vec::with_capacity(load.live as usize);
    let mut round = || -> Duration {
        let filling = timed(|| allocate::<T, _>(&mut store, &mut values, load.live));
        random.shuffle(&mut values);
        let emptying = timed(|| live::empty::<T, _>(&mut store, &mut values));
        filling.wall + emptying.wall
    };
    round();
    let took = (0..load.rounds).map(|_| round()).sum();
    vec![each(took, load.operations())]
}

fn allocate<T: Value, S: Store<T>>(store: &mut S, values: &mut Vec<S::Held>, count: u32) {
    values.extend((0..count).map(|number| store.keep(T::of(number))));
}
