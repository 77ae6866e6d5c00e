//! Workloads for cases that the others do not cover.

use super::{Measure, row, times};
use crate::contract::Rival;
use crate::contract::values::{Large, Plain, Small};
use crate::workloads::{
    Workload, churn, families, hand_over, idle, one, order, replace, threads, trees,
};

/// Returns the further workloads, in the order of their table.
pub(super) fn list<R: Rival>() -> Vec<Workload> {
    let lists = [
        sizes::<R>(),
        used_in_turn(families::measure::<R>),
        growth(order::in_order::<R, Plain>),
        overflowing::<R>(),
        sharing::<R>(),
        held::<R>(),
    ];
    lists.into_iter().flatten().collect()
}

/// Values of other sizes.
fn sizes<R: Rival>() -> Vec<Workload> {
    vec![
        times(
            "trees",
            "binary trees of depth 18, built and released; for each node",
            (18, 10),
            trees::measure::<R>,
        ),
        times(
            "pair, 16 B",
            "allocate, write, release one of 16 bytes",
            (1, 50_000),
            one::measure::<R, Small>,
        ),
        times(
            "pair, 256 B",
            "allocate, write, release one of 256 bytes",
            (1, 20_000),
            one::measure::<R, Large>,
        ),
        times(
            "replace 1,000, 16 B",
            "replace a random one of 1,000 of 16 bytes",
            (1_000, 400),
            replace::measure::<R, Small>,
        ),
        times(
            "replace 1,000, 256 B",
            "replace a random one of 1,000 of 256 bytes",
            (1_000, 150),
            replace::measure::<R, Large>,
        ),
        times(
            "in order 1 M, 16 B",
            "allocate 1,000,000 of 16 bytes, release them in order",
            (1_000_000, 20),
            order::in_order::<R, Small>,
        ),
        times(
            "in order 1 M, 256 B",
            "allocate 1,000,000 of 256 bytes, release them in order",
            (1_000_000, 3),
            order::in_order::<R, Large>,
        ),
    ]
}

/// More and more families.
fn used_in_turn(measure: Measure) -> Vec<Workload> {
    vec![
        times(
            "families 1",
            "replace the one value of 1 family",
            (1, 30_000_000),
            measure,
        ),
        times(
            "families 10",
            "replace the one value of each of 10 families in turn",
            (10, 3_000_000),
            measure,
        ),
        times("families 100", "the same with 100", (100, 200_000), measure),
        times(
            "families 1,000",
            "the same with 1,000",
            (1_000, 20_000),
            measure,
        ),
        times(
            "families 10,000",
            "the same with 10,000",
            (10_000, 1_000),
            measure,
        ),
    ]
}

/// More and more live values.
fn growth(measure: Measure) -> Vec<Workload> {
    let list = vec![
        times(
            "live 1,000",
            "allocate 1,000, release them in order",
            (1_000, 20_000),
            measure,
        ),
        times(
            "live 10 k",
            "the same with 10,000",
            (10_000, 1_000),
            measure,
        ),
        times(
            "live 100 k",
            "the same with 100,000",
            (100_000, 200),
            measure,
        ),
        times(
            "live 1 M",
            "the same with 1,000,000",
            (1_000_000, 20),
            measure,
        ),
        times(
            "live 10 M",
            "the same with 10,000,000",
            (10_000_000, 3),
            measure,
        ),
        times(
            "live 50 M",
            "the same with 50,000,000",
            (50_000_000, 3),
            measure,
        ),
    ];
    list.into_iter().map(alone_if_large).collect()
}

/// Gives a workload a process for each rival if the memory that the rivals keep would add up.
fn alone_if_large(workload: Workload) -> Workload {
    Workload {
        is_alone: workload.load.live > 1_000_000,
        ..workload
    }
}

/// Workloads that overflow a cache.
fn overflowing<R: Rival>() -> Vec<Workload> {
    let handed = |live, rounds| Workload {
        rows: vec![
            row(
                "hand-over 2,000",
                "batches of 2,000 through a `sync_channel`, released by another thread",
                "ns",
            ),
            row(
                "hand-over 2,000, CPU",
                "the same, CPU time of both threads",
                "ns",
            ),
        ],
        ..times("", "", (live, rounds), hand_over::measure::<R>)
    };
    vec![
        times(
            "shuffled 10 k",
            "allocate 10,000, release them in random order",
            (10_000, 500),
            order::shuffled::<R, Plain>,
        ),
        times(
            "shuffled 1 M, 16 B",
            "allocate 1,000,000 of 16 bytes, release them in random order",
            (1_000_000, 5),
            order::shuffled::<R, Small>,
        ),
        times(
            "churn 1,000",
            "release 64 of 1,000 at random, allocate 64",
            (64, 40_000),
            churn::few::<R>,
        ),
        times(
            "churn 100 k",
            "release 8,000 of 100,000 at random, allocate 8,000",
            (8_000, 300),
            churn::many::<R>,
        ),
        handed(2_000, 2_000),
    ]
}

/// More and more threads.
fn sharing<R: Rival>() -> Vec<Workload> {
    vec![
        times(
            "threads 1",
            "1 thread replaces random ones of its 1,000; CPUs x time for each",
            (1, 400),
            threads::replace::<R>,
        ),
        times(
            "threads 2",
            "the same with 2 threads",
            (2, 200),
            threads::replace::<R>,
        ),
        times(
            "threads 4",
            "the same with 4 threads",
            (4, 100),
            threads::replace::<R>,
        ),
        times(
            "threads 8",
            "the same with 8 threads",
            (8, 50),
            threads::replace::<R>,
        ),
        times(
            "in order, 1 thread",
            "1 thread allocates 10,000, releases them in order; CPUs x time for each",
            (1, 2_000),
            threads::in_order::<R>,
        ),
        times(
            "in order, 2 threads",
            "the same with 2 threads",
            (2, 2_000),
            threads::in_order::<R>,
        ),
        times(
            "in order, 8 threads",
            "the same with 8 threads",
            (8, 500),
            threads::in_order::<R>,
        ),
        times(
            "shuffled, 1 thread",
            "1 thread allocates 100,000, releases them in random order; CPUs x time for each",
            (1, 100),
            threads::shuffled::<R>,
        ),
        times(
            "shuffled, 2 threads",
            "the same with 2 threads",
            (2, 100),
            threads::shuffled::<R>,
        ),
        times(
            "shuffled, 8 threads",
            "the same with 8 threads",
            (8, 25),
            threads::shuffled::<R>,
        ),
        times(
            "rows, 1 thread",
            "1 thread replaces random ones of its 4,096 rows of 1 to 30; CPUs x time for each",
            (1, 20),
            threads::rows::<R>,
        ),
        times(
            "rows, 2 threads",
            "the same with 2 threads",
            (2, 20),
            threads::rows::<R>,
        ),
    ]
}

/// How much memory sleeping threads hold.
fn held<R: Rival>() -> Vec<Workload> {
    let held = |name, what, load, measure| Workload {
        rows: vec![row(name, what, "MB")],
        is_alone: true,
        ..times("", "", load, measure)
    };
    vec![
        held(
            "held, families",
            "resident when 64 threads have made ten values each of 1,000 families",
            (1_000, 64),
            idle::families::<R>,
        ),
        held(
            "held, 10 %",
            "when one thread kept 10 % of a million values, and another made a million",
            (1_000_000, 10),
            idle::thinned::<R>,
        ),
        held(
            "held, 50 %",
            "the same with 50 %",
            (1_000_000, 50),
            idle::thinned::<R>,
        ),
        held(
            "held, in order",
            "when 64 threads made 1 MB each and released it in order, after `mm::trim()`",
            (27_778, 64),
            idle::in_order::<R>,
        ),
        held(
            "held, shuffled",
            "the same in random order",
            (27_778, 64),
            idle::shuffled::<R>,
        ),
    ]
}
