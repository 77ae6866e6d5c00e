//! What changed between two snapshots.

use core::cmp::Ordering;

use super::{FamilyKey, FamilySnapshot, Label, Location, Snapshot};

/// What changed from one snapshot to another, family by family.
///
/// Displayed, it is a table of the families that changed, the one whose live bytes grew most
/// first. It is plain text, without colour.
///
/// | column | meaning |
/// | --- | --- |
/// | LIVE UNITS +/-, LIVE BYTES +/- | change in live units, and in their bytes |
/// | BLOCKS ALLOCATED, RELEASED | blocks handed out and released in between |
///
/// # Examples
///
/// ```
/// use mm::PageFamily;
/// use std::alloc::Layout;
///
/// let rows = PageFamily::register("diff-doc:rows", Layout::new::<u64>())?;
/// let before = mm::snapshot();
/// rows.alloc(2)?;
/// let diff = mm::snapshot().diff(&before);
///
/// let grown = diff.changed().find(|family| family.name == "diff-doc:rows").unwrap();
/// assert_eq!((grown.live_units, grown.live_bytes, grown.blocks_allocated), (2, 16, 1));
/// assert!(diff.to_string().contains("+16"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SnapshotDiff {
    /// All families of either snapshot, changed or not, sorted by path, then by location.
    pub families: Vec<FamilyDiff>,
}

/// What changed in one family: each figure of the later snapshot less that of the earlier.
///
/// A family that is missing from one of them counts as zeros there. Changes saturate at the limits of
/// `i64`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FamilyDiff {
    /// Short name: that of the type, or the one given.
    pub name: &'static str,
    /// Full path of the type; of a run-time family, its name.
    pub path: &'static str,
    /// Where the family was defined.
    pub location: Location,
    /// Key that identifies the family uniquely.
    pub key: FamilyKey,
    /// Change in VM pages in use.
    pub vm_pages: i64,
    /// Change in bytes of address space in use by VM pages.
    pub mapped_bytes: i64,
    /// Change in those bytes that are backed by memory; `None` if they are unknown in either
    /// snapshot.
    pub resident_bytes: Option<i64>,
    /// Change in blocks handed out and not released.
    pub live_blocks: i64,
    /// Change in units of the live blocks.
    pub live_units: i64,
    /// Change in bytes of the live units.
    pub live_bytes: i64,
    /// Change in free blocks.
    pub free_blocks: i64,
    /// Change in units of the free blocks.
    pub free_units: i64,
    /// Change in units in threads' caches.
    pub cached_units: i64,
    /// Change in the highest `live_bytes` seen.
    pub peak_live_bytes: i64,
    /// Blocks handed out in between.
    pub blocks_allocated: i64,
    /// Blocks released in between.
    pub blocks_released: i64,
    /// Calls into the kernel in between.
    pub kernel_calls: i64,
    /// Which text identifies the family uniquely.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) label: Label,
}

impl Snapshot {
    /// Returns what changed since an earlier snapshot; see [`SnapshotDiff`].
    ///
    /// Families are the same when their key is.
    #[must_use]
    pub fn diff(&self, earlier: &Self) -> SnapshotDiff {
        let mut later = sorted(self).into_iter().peekable();
        let mut earlier = sorted(earlier).into_iter().peekable();
        let pairs = core::iter::from_fn(|| {
            let order = match (later.peek(), earlier.peek()) {
                (Some(l), Some(e)) => l.key.cmp(&e.key),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let later = later.next_if(|_| order.is_le());
            let earlier = earlier.next_if(|_| order.is_ge());
            FamilyDiff::between(later, earlier)
        });
        SnapshotDiff {
            families: pairs.collect(),
        }
    }
}

impl SnapshotDiff {
    /// Returns an iterator over the families with a changed figure, in the order of paths.
    pub fn changed(&self) -> impl Iterator<Item = &FamilyDiff> {
        self.families.iter().filter(|family| family.is_changed())
    }
}

impl FamilyDiff {
    /// Returns whether any figure changed.
    ///
    /// # Examples
    ///
    /// ```
    /// let snapshot = mm::snapshot();
    /// let diff = snapshot.diff(&snapshot);
    /// assert!(!diff.families.iter().any(|family| family.is_changed()));
    /// ```
    #[must_use]
    pub fn is_changed(&self) -> bool {
        // An unknown figure counts as no change.
        let resident = self.resident_bytes.unwrap_or(0);
        let pages = [self.vm_pages, self.mapped_bytes, resident];
        let live = [self.live_blocks, self.live_units, self.live_bytes];
        let free = [self.free_blocks, self.free_units, self.cached_units];
        let since_start = [
            self.peak_live_bytes,
            self.blocks_allocated,
            self.blocks_released,
            self.kernel_calls,
        ];
        let all = pages.iter().chain(&live).chain(&free).chain(&since_start);
        all.into_iter().any(|change| *change != 0)
    }

    /// Subtracts figure by figure; `None` when there is no family at all.
    fn between(later: Option<&FamilySnapshot>, earlier: Option<&FamilySnapshot>) -> Option<Self> {
        let family = later.or(earlier)?;
        let change = |figure: fn(&FamilySnapshot) -> u64| {
            signed_difference(later.map_or(0, figure), earlier.map_or(0, figure))
        };
        Some(Self {
            name: family.name,
            path: family.path,
            location: family.location,
            key: family.key,
            vm_pages: change(|f| f.vm_pages),
            mapped_bytes: change(|f| f.mapped_bytes),
            resident_bytes: change_in_resident(later, earlier),
            live_blocks: change(|f| f.live_blocks),
            live_units: change(|f| f.live_units),
            live_bytes: change(|f| f.live_bytes),
            free_blocks: change(|f| f.free_blocks),
            free_units: change(|f| f.free_units),
            cached_units: change(|f| f.cached_units),
            peak_live_bytes: change(|f| f.peak_live_bytes),
            blocks_allocated: change(|f| f.blocks_allocated),
            blocks_released: change(|f| f.blocks_released),
            kernel_calls: change(|f| f.kernel_calls),
            label: family.label,
        })
    }
}

/// Subtracts the resident bytes, if both are known.
fn change_in_resident(
    later: Option<&FamilySnapshot>,
    earlier: Option<&FamilySnapshot>,
) -> Option<i64> {
    let of = |family: Option<&FamilySnapshot>| family.map_or(Some(0), |f| f.resident_bytes);
    Some(signed_difference(of(later)?, of(earlier)?))
}

/// Returns a snapshot's families in the order of their keys.
///
/// They usually are sorted already, but the caller may have changed the list.
fn sorted(snapshot: &Snapshot) -> Vec<&FamilySnapshot> {
    let mut families: Vec<_> = snapshot.families.iter().collect();
    families.sort_by_key(|family| family.key);
    families
}

/// Subtracts, cut to what fits.
fn signed_difference(later: u64, earlier: u64) -> i64 {
    if later >= earlier {
        i64::try_from(later - earlier).unwrap_or(i64::MAX)
    } else {
        i64::try_from(earlier - later).map_or(i64::MIN, |fall| -fall)
    }
}
