//! The workloads.

mod catalogue;
mod churn;
mod families;
mod hand_over;
mod idle;
mod larson;
mod live;
mod memory;
mod one;
mod order;
mod replace;
mod rows;
mod threads;
mod trees;

pub(crate) use self::catalogue::catalogue;
pub(crate) use self::families::OneFamily;

/// One workload, compiled for one rival.
pub(crate) struct Workload {
    /// The rows of the table that the workload fills.
    pub(crate) rows: Vec<Row>,
    /// Whether each rival runs it in a process of its own.
    pub(crate) is_alone: bool,
    pub(crate) load: Load,
    /// Measures. Returns one figure for each row, or none if the rival cannot do it.
    pub(crate) measure: fn(Load) -> Vec<f64>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// The name of the row, which also selects it.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) table: Table,
}

/// The two tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// The workloads with targets.
    Anchors,
    /// All others.
    Further,
}

/// The size of a workload.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// The number of live values, or another number in the row's name.
    pub(crate) live: u32,
    /// The number of rounds. It is fixed, so that the memory of all rivals ages by the same work.
    pub(crate) rounds: u32,
}

impl Load {
    /// Returns a smaller load, for a trial run.
    pub(crate) fn quick(self) -> Self {
        let live = self.live.min(100_000);
        let rounds = (self.rounds / 10).max(1);
        Self { live, rounds }
    }

    /// Returns the number of values that are allocated and released.
    pub(crate) fn operations(self) -> u64 {
        u64::from(self.live) * u64::from(self.rounds)
    }
}
