//! Operations on live values that several workloads share.

use std::mem;

use crate::contract::{Store, Value};

/// Allocates `count` values, in order.
pub(super) fn fill<T: Value, S: Store<T>>(store: &mut S, count: u32) -> Vec<S::Held> {
    (0..count).map(|number| store.keep(T::of(number))).collect()
}

/// Releases values in the order of the list.
pub(super) fn empty<T: Value, S: Store<T>>(store: &mut S, values: &mut Vec<S::Held>) {
    values.drain(..).for_each(|held| store.release(held));
}

/// Replaces a value as an assignment to a box does: allocates the new one, then releases the old one.
#[inline]
pub(super) fn replace<T: Value, S: Store<T>>(store: &mut S, held: &mut S::Held, value: T) {
    let old = mem::replace(held, store.keep(value));
    store.release(old);
}

/// Replaces the values at `places`, one after the other.
#[inline]
pub(super) fn replace_each<T: Value, S: Store<T>>(
    store: &mut S,
    values: &mut [S::Held],
    places: &[u32],
) {
    for &place in places {
        replace(store, &mut values[place as usize], T::of(place));
    }
}
