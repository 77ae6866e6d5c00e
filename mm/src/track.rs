//! Whether a family records who allocates.

/// Which allocations are recorded, with call site, thread and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Track {
    /// None, and what was recorded is forgotten.
    #[default]
    Off,
    /// Each.
    All,
    /// The first, and of each family every so-many-th from there on; 0 and 1 are as `All`.
    Every(u32),
}
