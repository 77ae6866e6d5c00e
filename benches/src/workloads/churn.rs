//! Random values among many are released, and as many are allocated again.

use std::cell::Cell;

use super::{Load, live};
use crate::contract::values::Plain;
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// Releases 64 of 1,000 values at random, and allocates as many.
pub(super) fn few<R: Rival>(load: Load) -> Vec<f64> {
    measure::<R>(load, 1_000)
}

/// Releases 8,000 of 100,000 values at random, and allocates as many.
pub(super) fn many<R: Rival>(load: Load) -> Vec<f64> {
    measure::<R>(load, 100_000)
}

/// Releases `load.live` of `all` values, then allocates as many in their places.
fn measure<R: Rival>(load: Load, all: u32) -> Vec<f64> {
    // The places of sixteen rounds; then they repeat.
    let places = Random::new().sequence(load.live * 16, all);
    let mut store = R::Store::<Plain>::default();
    let filled = live::fill::<Plain, _>(&mut store, all);
    let mut values: Vec<_> = filled.into_iter().map(Some).collect();
    let done = Cell::new(0_u64);
    let mut round = |places: &[u32]| {
        for &place in places {
            if let Some(held) = values[place as usize].take() {
                store.release(held);
                done.set(done.get() + 1);
            }
        }
        for &place in places {
            let value = &mut values[place as usize];
            if value.is_none() {
                *value = Some(store.keep(Plain::of(place)));
            }
        }
    };
    let chunks = || places.chunks_exact(load.live as usize);
    chunks().for_each(&mut round);
    done.set(0);
    let timed_chunks = chunks().cycle().take(load.rounds as usize);
    let took = timed(|| timed_chunks.for_each(&mut round));
    vec![each(took.wall, done.get())]
}
