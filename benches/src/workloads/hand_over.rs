//! One thread allocates, and another one releases.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::Load;
use crate::contract::values::Plain;
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::{each, timed};

/// The number of batches that may wait in the channel.
const WAITING: usize = 64;

type Held<R> = <<R as Rival>::Sent as Store<Plain>>::Held;

/// Sends batches of `load.live` values through a bounded channel to a thread that releases them.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let Some(release) = R::Sent::release_anywhere() else {
        return Vec::new();
    };
    let mut store = R::Sent::default();
    let warming = Load {
        rounds: load.rounds / 10 + 1,
        ..load
    };
    hand_over::<R>(&mut store, release, warming);
    let took = timed(|| hand_over::<R>(&mut store, release, load));
    let figure = |time| each(time, load.operations());
    vec![figure(took.wall), figure(took.cpu)]
}

fn hand_over<R: Rival>(store: &mut R::Sent, release: fn(Held<R>), load: Load) {
    let (sender, receiver) = sync_channel(WAITING);
    thread::scope(|scope| {
        scope.spawn(move || release_all(&receiver, release));
        for _ in 0..load.rounds {
            let batch = (0..load.live).map(|number| store.keep(Plain::of(number)));
            let sent = sender.send(batch.collect());
            sent.expect("the other thread receives until this one hangs up");
        }
        drop(sender);
    });
}

fn release_all<H>(receiver: &Receiver<Vec<H>>, release: fn(H)) {
    for batch in receiver {
        batch.into_iter().for_each(release);
    }
}
