//! The difference between two snapshots.

use core::cmp::Ordering;

use super::{FamilyDiff, FamilySnapshot, Snapshot};

/// The changes from one snapshot to another, family by family.
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

/// The change of a figure from one snapshot to a later one.
pub(super) trait Change: Sized {
    /// Type of the figure.
    type Figure;

    /// Subtracts `earlier` from `later`; a family that is missing has 0.
    fn between(later: Option<Self::Figure>, earlier: Option<Self::Figure>) -> Self;

    fn is_change(&self) -> bool;
}

impl Change for i64 {
    type Figure = u64;

    fn between(later: Option<u64>, earlier: Option<u64>) -> Self {
        signed_difference(later.unwrap_or(0), earlier.unwrap_or(0))
    }

    fn is_change(&self) -> bool {
        *self != 0
    }
}

/// The change of a figure that may be unknown; unknown itself if one of both figures is.
impl Change for Option<i64> {
    type Figure = Option<u64>;

    fn between(later: Option<Option<u64>>, earlier: Option<Option<u64>>) -> Self {
        let (later, earlier) = (later.unwrap_or(Some(0))?, earlier.unwrap_or(Some(0))?);
        Some(signed_difference(later, earlier))
    }

    fn is_change(&self) -> bool {
        self.is_some_and(|change| change != 0)
    }
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
