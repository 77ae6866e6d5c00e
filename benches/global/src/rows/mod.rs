//! The rows of the table.

mod boxes;
mod growing;
mod large;
mod mixed;
mod threads;

/// A row: work with a name.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name, which selects it.
    pub name: &'static str,
    /// The work, in a few words.
    pub what: &'static str,
    /// How much there is to do.
    pub load: Load,
    /// Whether the work is shared by threads, so that wall time is another figure than CPU time.
    pub is_threaded: bool,
    /// Prepares the work of a number of live values, and returns the function that does one round of it.
    pub(crate) prepare: fn(u32) -> Round,
}

/// Does one round, and returns the number of operations that it did.
pub(crate) type Round = Box<dyn FnMut() -> u64>;

/// How much there is to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The number of live values, or the size of what grows.
    pub live: u32,
    /// The number of measured rounds.
    pub rounds: u32,
}

/// Returns all rows, in the order of the table.
#[must_use]
pub fn rows() -> Vec<Row> {
    let lists = [
        mixed::list(),
        boxes::list(),
        growing::list(),
        large::list(),
        threads::list(),
    ];
    lists.into_iter().flatten().collect()
}

/// A row of one thread.
fn row(
    name: &'static str,
    what: &'static str,
    (live, rounds): (u32, u32),
    prepare: fn(u32) -> Round,
) -> Row {
    Row {
        name,
        what,
        load: Load { live, rounds },
        is_threaded: false,
        prepare,
    }
}
