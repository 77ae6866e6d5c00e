//! Every figure of one moment, as plain data.
//!
//! Nothing here points into the heap; every report is made from a [`Snapshot`] and nothing else.
//! Figures are `u64` and say their unit: bytes, units (of one family's size) or blocks.

mod diff;
mod family;
mod figures;
mod key;
mod label;
mod location;
mod lookup;
mod shares;
mod totals;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

pub use self::diff::SnapshotDiff;
pub use self::figures::{FamilyDiff, FamilySnapshot};
pub use self::key::FamilyKey;
pub use self::location::Location;

pub(crate) use self::family::{FILL_CLASSES, FillClass};
pub(crate) use self::figures::{FAMILY_FIGURES, Figure, Kind, PROCESS_FIGURES};
pub(crate) use self::key::{Identity, Path};
pub(crate) use self::label::Label;
pub(crate) use self::lookup::{Wanted, one_of};
pub(crate) use self::shares::PageShares;

/// Every figure of every family at one moment.
///
/// # Examples
///
/// ```
/// use mm::PageFamily;
/// use std::alloc::Layout;
///
/// let rows = PageFamily::register("snapshot-doc:rows", Layout::new::<[u32; 4]>())?;
/// rows.alloc(3)?;
///
/// let snapshot = mm::snapshot();
/// assert_eq!(snapshot.family("snapshot-doc:rows").unwrap().live_bytes, 48);
/// println!("{}", snapshot.memory_usage(None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// Bytes of one OS page.
    pub os_page_bytes: u64,
    /// All families, sorted by key: by path, then by location.
    pub families: Vec<FamilySnapshot>,
    /// Resident bytes of the whole process; `None` if the system does not report them. If they are known
    /// too, it is never less than the resident bytes of families and records together.
    pub process_resident_bytes: Option<u64>,
    /// Resident bytes of mm's own maps, records and tables; `None` if the system does not report them.
    pub records_resident_bytes: Option<u64>,
    /// Whether `records_resident_bytes` and the `resident_bytes` of all families are known.
    pub resident_is_measured: bool,
}

/// A snapshot's figures of the process as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessFigures {
    /// Bytes of one OS page.
    pub(crate) os_page_bytes: u64,
    /// Resident bytes of the whole process.
    pub(crate) resident_bytes: Option<u64>,
    /// Resident bytes of mm's own maps, records and tables.
    pub(crate) records_resident_bytes: Option<u64>,
    /// Whether `records_resident_bytes` and the families' resident bytes are known.
    pub(crate) resident_is_measured: bool,
}

impl Snapshot {
    /// Sorts the families, and gives each the shortest label that identifies it.
    ///
    /// The families may come in any order and with any label. Allocates, so no lock of the heap
    /// may be held.
    pub(crate) fn new(process: ProcessFigures, mut families: Vec<FamilySnapshot>) -> Self {
        families.sort_by_key(|family| family.key);
        label::assign(&mut families);
        Self {
            os_page_bytes: process.os_page_bytes,
            families,
            process_resident_bytes: process.resident_bytes,
            records_resident_bytes: process.records_resident_bytes,
            resident_is_measured: process.resident_is_measured,
        }
    }

    /// Finds the one family with this key, path or name, or end of a path.
    ///
    /// A key always selects its family, whatever the names of others. A path takes precedence over a name: if
    /// one family has the text as its path, it is selected even if others have the text as their name.
    /// If no name and no path is exactly this text, it may be the last segments of a path: `b::Node` finds
    /// `a::b::Node`, but `ode` does not. Returns `None` if no family matches, and if the text is ambiguous;
    /// [`families_named`](Self::families_named) returns all matches.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("family-doc:rows", Layout::new::<u64>())?;
    /// let snapshot = mm::snapshot();
    /// assert_eq!(snapshot.family("family-doc:rows").unwrap().unit_size, 8);
    /// assert!(snapshot.family("family-doc:row").is_none());
    /// # Ok::<(), mm::RegisterError>(())
    /// ```
    #[must_use]
    pub fn family(&self, name_or_path: &str) -> Option<&FamilySnapshot> {
        one_of(&self.families, name_or_path, |f| (f.name, f.path, f.key))
    }

    /// Returns an iterator over every family whose name, path or key is exactly `name`, in the order of
    /// paths. If there is none, it yields those whose path ends with it, as for [`family`](Self::family).
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("named-doc:rows", Layout::new::<u64>())?;
    /// let snapshot = mm::snapshot();
    /// assert_eq!(snapshot.families_named("named-doc:rows").count(), 1);
    /// assert_eq!(snapshot.families_named("named-doc").count(), 0);
    /// # Ok::<(), mm::RegisterError>(())
    /// ```
    pub fn families_named(&self, name: &str) -> impl Iterator<Item = &FamilySnapshot> {
        let wanted = self.wanted(name);
        let all = self.families.iter();
        all.filter(move |f| wanted.includes((f.name, f.path, f.key)))
    }

    /// Returns an iterator over the size classes of [`Global`](crate::Global) that were used; it is empty if the
    /// program has another global allocator.
    ///
    /// The report on memory has one row for all of them, `(untyped)`; `memory_usage("(untyped)")` has one for each.
    pub fn untyped(&self) -> impl Iterator<Item = &FamilySnapshot> {
        self.families.iter().filter(|family| family.untyped)
    }

    /// Returns the selection of families by a text.
    pub(crate) fn wanted<'a>(&self, text: &'a str) -> Wanted<'a> {
        Wanted::of(text, &self.families, |f| (f.name, f.path, f.key))
    }
}
