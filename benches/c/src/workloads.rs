//! The workloads. They do the same as the Rust workloads of the same names.

use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

use crate::loops::{Loops, Places, Room};

/// A row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    rounds: u32,
    measure: fn(Loops, u32) -> f64,
}

/// All rows, in the order of the table.
pub(crate) const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "pair",
        what: "allocate, write, release one",
        rounds: 20_000,
        measure: pair,
    },
    Workload {
        name: "replace 1,000",
        what: "replace a random one of 1,000",
        rounds: 100,
        measure: replace,
    },
    Workload {
        name: "in order 1,000",
        what: "allocate 1,000, release them in order",
        rounds: 10_000,
        measure: in_order,
    },
    Workload {
        name: "rows 1..30",
        what: "replace a random one of 4,096 rows of 1 to 30",
        rounds: 20,
        measure: rows,
    },
];

impl Workload {
    /// Returns the nanoseconds of one operation.
    pub(crate) fn measure(&self, loops: Loops, is_quick: bool) -> f64 {
        let rounds = if is_quick {
            self.rounds / 10
        } else {
            self.rounds
        };
        (self.measure)(loops, rounds)
    }
}

fn pair(loops: Loops, rounds: u32) -> f64 {
    const BATCH: usize = 1_000;
    rounds_of(BATCH, rounds, || loops.pair(BATCH))
}

fn in_order(loops: Loops, rounds: u32) -> f64 {
    const VALUES: usize = 1_000;
    let mut room = Room::for_blocks(VALUES);
    rounds_of(VALUES, rounds, || loops.in_order(&mut room))
}

fn replace(loops: Loops, rounds: u32) -> f64 {
    const VALUES: u32 = 1_000;
    let places = Places::random(&mut Random::new(), 100 * VALUES, VALUES);
    let mut blocks = loops.blocks(VALUES as usize);
    rounds_of(places.count(), rounds, || blocks.replace(&places))
}

fn rows(loops: Loops, rounds: u32) -> f64 {
    const LIVE: u32 = 4_096;
    const OF_A_ROUND: u32 = 100_000;
    let mut random = Random::new();
    let places = Places::random(&mut random, OF_A_ROUND, LIVE);
    let lengths = random.sequence(OF_A_ROUND, 30);
    let mut blocks = loops.blocks(LIVE as usize);
    rounds_of(places.count(), rounds, || {
        blocks.replace_by_rows(&places, &lengths);
    })
}

/// Runs a round once untimed, and some rounds timed.
fn rounds_of(operations: usize, rounds: u32, mut round: impl FnMut()) -> f64 {
    round();
    let took = timed(|| (0..rounds).for_each(|_| round()));
    each(took.wall, operations as u64 * u64::from(rounds))
}
