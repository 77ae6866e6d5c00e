//! The simulated server of Larson and Krishnan: each thread replaces random values of its own, starts another
//! thread, hands its values over, and ends.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::{Load, live};
use crate::contract::values::Plain;
use crate::contract::{Rival, Store};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// The number of lines of threads. One thread of each line is alive at a time.
const LINES: u32 = 2;
/// The number of values that a thread replaces before it ends.
const OF_A_LIFE: u32 = 50_000;

type Held<R> = <<R as Rival>::Sent as Store<Plain>>::Held;

/// The state that a thread leaves to the next one.
struct Estate<R: Rival> {
    store: R::Sent,
    values: Vec<Held<R>>,
    places: Vec<u32>,
}

impl<R: Rival> Estate<R> {
    fn new(load: Load) -> Self {
        let mut store = R::Sent::default();
        let values = live::fill::<Plain, _>(&mut store, load.live);
        let places = Random::new().sequence(OF_A_LIFE, load.live);
        Self {
            store,
            values,
            places,
        }
    }

    fn live(&mut self) {
        live::replace_each::<Plain, _>(&mut self.store, &mut self.values, &self.places);
    }
}

impl<R: Rival> Drop for Estate<R> {
    fn drop(&mut self) {
        live::empty::<Plain, _>(&mut self.store, &mut self.values);
    }
}

/// Runs `load.rounds` threads of each line, one after the other.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let (sender, receiver) = channel();
    let estates: Vec<_> = (0..LINES).map(|_| Estate::<R>::new(load)).collect();
    let took = timed(|| {
        for estate in estates {
            descend(estate, load.rounds, sender.clone());
        }
        (0..LINES).for_each(|_| drop(receiver.recv()));
    });
    let operations_of_a_line = u64::from(OF_A_LIFE) * u64::from(load.rounds);
    vec![each(took.wall, operations_of_a_line)]
}

/// Starts a thread that does its work, and starts the next one at its end.
fn descend<R: Rival>(mut estate: Estate<R>, lives: u32, last: Sender<Estate<R>>) {
    thread::spawn(move || {
        estate.live();
        match lives {
            0 | 1 => drop(last.send(estate)),
            _ => descend(estate, lives - 1, last),
        }
    });
}
