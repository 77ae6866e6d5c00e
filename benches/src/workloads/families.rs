//! Families used in turn: each has one live value, and the values are replaced one family after the other.

use std::hint::black_box;
use std::{iter, mem};

use super::{Load, live};
use crate::contract::values::Plain;
use crate::contract::{Families, Rival, Store, Value};
use mm_benches_common::clock::{each, timed};

/// Replaces the value of each of `load.live` families.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let Some(mut families) = R::Families::new(load.live as usize) else {
        return Vec::new();
    };
    families.replace_all(1);
    let took = timed(|| (0..load.rounds).for_each(|round| families.replace_all(round)));
    vec![each(took.wall, load.operations())]
}

/// The same for rivals without families: values of one type in the same sequence. Each is also replaced by a
/// call through a pointer.
pub(crate) struct OneFamily<S: Store<Plain>> {
    store: S,
    slots: Vec<Slot<S>>,
}

struct Slot<S: Store<Plain>> {
    replace: Replace<S>,
    held: S::Held,
}

type Replace<S> = fn(&mut S, &mut <S as Store<Plain>>::Held, u32);

impl<S: Store<Plain>> Families for OneFamily<S> {
    fn new(count: usize) -> Option<Self> {
        let mut store = S::default();
        let mut slot = |_| {
            let held = store.keep(Plain::of(0));
            let replace = black_box(replace::<S> as Replace<S>);
            Slot { replace, held }
        };
        let slots = (0..count).map(&mut slot).collect();
        Some(Self { store, slots })
    }

    fn leave(count: usize, each: u32) -> bool {
        let mut store = S::default();
        for number in (0..each).flat_map(|number| iter::repeat_n(number, count)) {
            // Without this the compiler could leave out the unused values.
            mem::forget(black_box(store.keep(Plain::of(number))));
        }
        mem::forget(store);
        true
    }

    fn replace_all(&mut self, number: u32) {
        for Slot { replace, held } in &mut self.slots {
            replace(&mut self.store, held, number);
        }
    }
}

fn replace<S: Store<Plain>>(store: &mut S, held: &mut S::Held, number: u32) {
    live::replace(store, held, Plain::of(number));
}
