//! Resident memory of the process, as the kernel reports it. Each rival runs in a separate process.

use std::fs;
use std::hint::black_box;
use std::mem::MaybeUninit;

use super::Load;
use crate::contract::values::Plain;
use crate::contract::{Rival, Store, Value};
use mm_benches_common::clock::count;
use mm_benches_common::random::Random;

/// Returns the bytes for each of `load.live` values, and the share that stays after all are released in
/// order.
pub(super) fn in_order<R: Rival>(load: Load) -> Vec<f64> {
    measure::<R>(load, |_| (), || ())
}

/// Returns the share that stays after all are released in random order and the rival was asked to return
/// memory.
pub(super) fn shuffled<R: Rival>(load: Load) -> Vec<f64> {
    let shuffle = |values: &mut Vec<_>| Random::new().shuffle(values);
    measure::<R>(load, shuffle, R::trim).split_off(1)
}

type Held<R> = <<R as Rival>::Store<Plain> as Store<Plain>>::Held;

fn measure<R: Rival>(
    load: Load,
    reorder: impl FnOnce(&mut Vec<Held<R>>),
    trim: impl FnOnce(),
) -> Vec<f64> {
    let mut store = R::Store::<Plain>::default();
    let mut values = resident_places(load.live);
    let before = resident_bytes();
    values.extend((0..load.live).map(|number| store.keep(Plain::of(number))));
    let grown = resident_bytes() - before;
    reorder(&mut values);
    values.drain(..).for_each(|held| store.release(held));
    trim();
    let kept = (resident_bytes() - before).max(0.0);
    vec![grown / count(load.live.into()), 100.0 * kept / grown]
}

/// Makes slots for `count` values, in memory that was written to already.
pub(super) fn resident_places<H>(count: u32) -> Vec<H> {
    let mut places = Vec::with_capacity(count as usize);
    // Without `black_box` the compiler could leave out the write.
    for place in black_box(places.spare_capacity_mut()) {
        *place = MaybeUninit::zeroed();
    }
    black_box(places)
}

/// Returns the resident bytes of the process. Source: `proc_pid_status(5)`, in KiB.
pub(super) fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the figures are for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    1_024.0 * kib.expect("the kernel says how much is resident")
}
