//! Families for a test, and the figures that it compares.

use std::alloc::Layout;
use std::fmt;

use mm::{FamilySnapshot, PageFamily, Snapshot};

/// Registers a family of units of `size` bytes.
///
/// # Panics
///
/// If the name is taken.
#[must_use]
pub fn family(name: &str, size: usize, align: usize) -> &'static PageFamily {
    let layout = Layout::from_size_align(size, align).expect("a layout");
    PageFamily::register(name, layout).expect("a new name")
}

/// Returns what a snapshot says of a family, which is checked.
///
/// # Panics
///
/// If the walker finds something else.
#[must_use]
pub fn figures(family: &'static PageFamily) -> FamilySnapshot {
    family.check().expect("the walker finds the same");
    snapshot_of(family)
}

/// Returns what a snapshot says of a family, unchecked: other threads may be at work.
///
/// # Panics
///
/// If the family is not listed.
#[must_use]
pub fn snapshot_of(family: &'static PageFamily) -> FamilySnapshot {
    let snapshot = mm::snapshot();
    snapshot.family(family.path()).expect("listed").clone()
}

/// Returns the live blocks, the live units and the cached units of a family.
///
/// # Panics
///
/// As [`snapshot_of`].
#[must_use]
pub fn counts(family: &'static PageFamily) -> (u64, u64, u64) {
    let now = snapshot_of(family);
    (now.live_blocks, now.live_units, now.cached_units)
}

/// Whether mm is the global allocator of the tests. Then the harness, std and the tests themselves allocate from mm.
pub const IS_GLOBAL: bool = cfg!(feature = "global");

/// Leaves free memory in the size classes that checks and reports need, if mm is the global allocator: a test that uses
/// up all memory goes on to check what mm keeps.
///
/// # Panics
///
/// If the walker finds something else than mm keeps.
pub fn keep_room_for_checks() {
    if IS_GLOBAL {
        // One of each class, and two of most.
        let small = (1..64).map(|eighth| eighth * 8);
        let sizes = small.chain((1..=128).map(|half| half * 512));
        let rooms: Vec<_> = sizes.map(Vec::<u8>::with_capacity).collect();
        let snapshot = mm::snapshot();
        drop((snapshot.memory_usage(None).to_string(), snapshot, rooms));
        mm::check().expect("the walker finds the same");
    }
}

/// Returns the families of types, and those that were registered: not those of the global allocator.
pub fn typed(snapshot: &Snapshot) -> impl Iterator<Item = &FamilySnapshot> {
    let families = snapshot.families.iter();
    families.filter(|family| !family.name.starts_with("(untyped"))
}

/// Whether mm asks the kernel how much memory backs its pages.
const IS_MEASURED: bool = cfg!(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
));

/// Returns the resident bytes of a family; what it has mapped where they are not measured.
///
/// # Panics
///
/// If they are not known though they are measured.
#[must_use]
pub fn resident(of: &FamilySnapshot) -> u64 {
    assert!(of.resident_bytes.is_some() || !IS_MEASURED, "{of:?}");
    of.resident_bytes.unwrap_or(of.mapped_bytes)
}

/// Returns the resident bytes of mm's records; 0 where they are not measured.
///
/// # Panics
///
/// As [`resident`].
#[must_use]
pub fn records(of: &Snapshot) -> u64 {
    assert!(of.records_resident_bytes.is_some() || !IS_MEASURED);
    of.records_resident_bytes.unwrap_or(0)
}

/// What a test did to mm. Shown as a line that SECURITY.md adds up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Pointers and sizes that no caller should pass.
    pub bad_inputs: usize,
    /// Calls that the system refused, processes and threads that ended where they should not.
    pub faults: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bad_inputs, faults } = self;
        write!(
            f,
            "bad inputs: {bad_inputs}, faults injected: {faults}, lost: 0"
        )
    }
}
