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

/// What one workload does, for one rival.
pub(crate) struct Workload {
    /// The rows of the table that it fills.
    pub(crate) rows: Vec<Row>,
    /// Whether each rival runs it in a process of its own.
    pub(crate) is_alone: bool,
    pub(crate) load: Load,
    /// Measures; one figure for each row, or none if the rival cannot do it.
    pub(crate) measure: fn(Load) -> Vec<f64>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// What the row is called, and chosen by.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) table: Table,
}

/// The two tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// The workloads by which targets are set.
    Anchors,
    /// All others.
    Further,
}

/// How much a workload has to do.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Values that are live at a time, or what else the row is named after.
    pub(crate) live: u32,
    /// How often it is done. Fixed, so that every rival ages its memory by the same work.
    pub(crate) rounds: u32,
}

impl Load {
    /// Returns a smaller load, for trying.
    pub(crate) fn quick(self) -> Self {
        let live = self.live.min(100_000);
        let rounds = (self.rounds / 10).max(1);
        Self { live, rounds }
    }

    /// Returns the number of values that come and go.
    pub(crate) fn operations(self) -> u64 {
        u64::from(self.live) * u64::from(self.rounds)
    }
}
