//! One value at a time: allocated, written, released.

use std::hint::black_box;

use super::Load;
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::{each, timed};

/// The number of values in a round.
const BATCH: u32 = 1_000;

/// Allocates, writes and releases one value.
pub(super) fn measure<R: Rival, T: Value>(load: Load) -> Vec<f64> {
    let mut store = R::Store::<T>::default();
    batch(&mut store);
    let took = timed(|| (0..load.rounds).for_each(|_| batch(&mut store)));
    let operations = u64::from(BATCH) * u64::from(load.rounds);
    vec![each(took.wall, operations)]
}

fn batch<T: Value, S: Store<T>>(store: &mut S) {
    for number in 0..BATCH {
        let held = store.keep(T::of(number));
        store.release(black_box(held));
    }
}
