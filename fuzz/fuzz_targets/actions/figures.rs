//! Checks of snapshots.

use mm::{FamilySnapshot, PageFamily, Snapshot};

use crate::families::Family;
use crate::oracle::Tally;

/// The figures of the input's families before the input.
pub struct Before(Vec<FamilySnapshot>);

impl Before {
    pub fn read(families: &[&'static dyn Family]) -> Self {
        let snapshot = mm::snapshot();
        let find = |family: &&'static dyn Family| find(&snapshot, family.page_family()).clone();
        Self(families.iter().map(find).collect())
    }

    /// Requires that the figures of each family in `snapshot` are those of the oracle.
    pub fn compare(
        &self,
        snapshot: &Snapshot,
        families: &[&'static dyn Family],
        tallies: &[Tally],
    ) {
        for ((family, before), tally) in families.iter().zip(&self.0).zip(tallies) {
            compare(find(snapshot, family.page_family()), before, tally);
        }
        typed(snapshot).for_each(consistent);
        let blocks: u64 = tallies.iter().map(|tally| tally.blocks).sum();
        let live: u64 = typed(snapshot).map(|family| family.live_blocks).sum();
        assert_eq!(live, blocks, "no other family has blocks");
    }
}

/// Requires that the three reports can be written, and that each family is listed.
pub fn reports(snapshot: &Snapshot, families: &[&'static dyn Family]) {
    let list = snapshot.page_families().to_string();
    let memory = snapshot.memory_usage(None).to_string();
    let blocks = snapshot.block_usage().to_string();
    assert!(!memory.is_empty() && !blocks.is_empty());
    for family in families {
        assert!(list.contains(family.page_family().name()), "{list}");
    }
}

/// Requires that nothing is left: no block, no cached unit, no page.
pub fn nothing_left(snapshot: &Snapshot) {
    for family in typed(snapshot) {
        let left = (family.live_units, family.cached_units, family.vm_pages);
        assert_eq!(left, (0, 0, 0), "{family:?}");
        let bytes = (family.mapped_bytes, family.resident_bytes.unwrap_or(0));
        assert_eq!(bytes, (0, 0), "{family:?}");
    }
}

/// The families without those of the global allocator.
fn typed(snapshot: &Snapshot) -> impl Iterator<Item = &FamilySnapshot> {
    let families = snapshot.families.iter();
    families.filter(|family| !family.name.starts_with("(untyped"))
}

fn find<'a>(snapshot: &'a Snapshot, family: &PageFamily) -> &'a FamilySnapshot {
    snapshot.family(family.path()).expect("listed")
}

fn compare(found: &FamilySnapshot, before: &FamilySnapshot, tally: &Tally) {
    let live = (found.live_blocks, found.live_units);
    assert_eq!(live, (tally.blocks, tally.units), "{found:?}");
    let allocated = found.blocks_allocated - before.blocks_allocated;
    assert_eq!(allocated, tally.allocated, "{found:?}");
    assert!(found.blocks_released >= before.blocks_released, "{found:?}");
    assert!(found.peak_live_bytes >= before.peak_live_bytes, "{found:?}");
    assert!(found.kernel_calls >= before.kernel_calls, "{found:?}");
}

/// Checks the equations that hold for one family while no call is running.
fn consistent(of: &FamilySnapshot) {
    assert_eq!(
        of.blocks_allocated - of.blocks_released,
        of.live_blocks,
        "{of:?}"
    );
    assert_eq!(of.live_units * of.unit_size, of.live_bytes, "{of:?}");
    assert!(of.live_blocks <= of.live_units, "{of:?}");
    assert!(of.peak_live_bytes >= of.live_bytes, "{of:?}");
    assert!(of.resident_bytes.unwrap_or(0) <= of.mapped_bytes, "{of:?}");
    assert_eq!(of.total_blocks(), of.live_blocks + of.free_blocks, "{of:?}");
    free_blocks(of);
    pages(of);
    shares(of);
}

fn free_blocks(of: &FamilySnapshot) {
    assert!(of.free_blocks <= of.free_units, "{of:?}");
    assert!(of.largest_free_block() <= of.free_units, "{of:?}");
    assert!(
        of.largest_free_block() * of.free_blocks >= of.free_units,
        "{of:?}"
    );
}

/// Requires that all VM pages in use have units, and that the units fit.
fn pages(of: &FamilySnapshot) {
    let units = of.live_units + of.cached_units + of.free_units;
    if of.unit_size == 0 {
        let kept = (of.vm_pages, of.mapped_bytes, units);
        return assert_eq!(kept, (0, 0, of.live_units), "{of:?}");
    }
    assert!(units * of.unit_size <= of.mapped_bytes, "{of:?}");
    assert!(of.vm_pages <= units, "{of:?}");
    assert_eq!(of.vm_pages == 0, of.mapped_bytes == 0, "{of:?}");
}

fn shares(of: &FamilySnapshot) {
    let parts = [
        of.utilisation(),
        of.external_fragmentation(),
        of.internal_fragmentation(),
    ];
    assert!(
        parts.iter().all(|part| (0.0..=1.0).contains(part)),
        "{of:?}"
    );
    let sum: f64 = parts.iter().sum();
    assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9, "{of:?}");
}
