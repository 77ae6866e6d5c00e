//! Random replacement among live values.

use super::{Load, live};
use crate::contract::{Rival, Value};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// Replaces random values among `load.live`. A round replaces a million.
pub(super) fn measure<R: Rival, T: Value>(load: Load) -> Vec<f64> {
    let places = Random::new().sequence(1_000_000.min(100 * load.live), load.live);
    let mut store = R::Store::<T>::default();
    let mut values = live::fill::<T, _>(&mut store, load.live);
    let mut round = || live::replace_each::<T, _>(&mut store, &mut values, &places);
    round();
    let took = timed(|| (0..load.rounds).for_each(|_| round()));
    live::empty::<T, _>(&mut store, &mut values);
    let operations = places.len() as u64 * u64::from(load.rounds);
    vec![each(took.wall, operations)]
}
