//! The workloads for which there are targets; all use 36-byte values.

use super::{Measure, row, times};
use crate::contract::Rival;
use crate::contract::values::Plain;
use crate::workloads::{Table, Workload, hand_over, larson, memory, one, order, replace, rows};

/// Returns the anchors, in the order of their table.
pub(super) fn list<R: Rival>() -> Vec<Workload> {
    let mut list = timed::<R>();
    list.extend(resident(memory::in_order::<R>, memory::shuffled::<R>));
    list.iter_mut().for_each(anchor);
    list
}

/// The workloads with targets, except those of memory.
fn timed<R: Rival>() -> Vec<Workload> {
    let hand_over = Workload {
        rows: vec![
            row(
                "hand-over",
                "batches of 100 through a `sync_channel`, released by another thread",
                "ns",
            ),
            row("hand-over, CPU", "the same, CPU time of both threads", "ns"),
        ],
        ..times("", "", (100, 60_000), hand_over::measure::<R>)
    };
    vec![
        times(
            "pair",
            "allocate, write, release one",
            (1, 50_000),
            one::measure::<R, Plain>,
        ),
        times(
            "replace 1,000",
            "replace a random one of 1,000",
            (1_000, 400),
            replace::measure::<R, Plain>,
        ),
        times(
            "replace 1 M",
            "replace a random one of 1,000,000",
            (1_000_000, 2),
            replace::measure::<R, Plain>,
        ),
        times(
            "in order 1,000",
            "allocate 1,000, release them in order",
            (1_000, 20_000),
            order::in_order::<R, Plain>,
        ),
        times(
            "in order 1 M",
            "allocate 1,000,000, release them in order",
            (1_000_000, 20),
            order::in_order::<R, Plain>,
        ),
        times(
            "shuffled 1 M",
            "allocate 1,000,000, release them in random order",
            (1_000_000, 10),
            order::shuffled::<R, Plain>,
        ),
        hand_over,
        times(
            "larson",
            "two threads replace random ones of 1,000, end, and hand over to others",
            (1_000, 200),
            larson::measure::<R>,
        ),
        times(
            "rows 1..30",
            "replace a random one of 4,096 zeroed rows of 1 to 30 values",
            (30, 20),
            rows::measure::<R>,
        ),
        times(
            "rows 1..300",
            "replace a random one of 4,096 zeroed rows of 1 to 300 values",
            (300, 5),
            rows::measure::<R>,
        ),
    ]
}

fn anchor(workload: &mut Workload) {
    for row in &mut workload.rows {
        row.table = Table::Anchors;
    }
}

/// The memory of ten million values, as the kernel reports it.
fn resident(in_order: Measure, shuffled: Measure) -> Vec<Workload> {
    let alone = |rows, measure| Workload {
        rows,
        is_alone: true,
        ..times("", "", (10_000_000, 1), measure)
    };
    let bytes = row(
        "resident",
        "resident bytes of one of 10,000,000 values",
        "B",
    );
    let kept = row(
        "kept",
        "resident after all are released in order, of the growth",
        "%",
    );
    let trimmed = row(
        "kept, shuffled",
        "the same in random order, then `mm::trim()`",
        "%",
    );
    vec![
        alone(vec![bytes, kept], in_order),
        alone(vec![trimmed], shuffled),
    ]
}
