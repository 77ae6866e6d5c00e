//! The list of all workloads.

mod anchors;
mod further;

use super::{Load, Row, Table, Workload};
use crate::contract::Rival;

/// Returns all workloads, compiled for one rival.
pub(crate) fn catalogue<R: Rival>() -> Vec<Workload> {
    let mut list = anchors::list::<R>();
    list.extend(further::list::<R>());
    list
}

type Measure = fn(Load) -> Vec<f64>;

/// A workload with one row of times.
fn times(name: &'static str, what: &'static str, load: (u32, u32), measure: Measure) -> Workload {
    let (live, rounds) = load;
    Workload {
        rows: vec![row(name, what, "ns")],
        is_alone: false,
        load: Load { live, rounds },
        measure,
    }
}

fn row(name: &'static str, what: &'static str, unit: &'static str) -> Row {
    Row {
        name,
        what,
        unit,
        table: Table::Further,
    }
}
