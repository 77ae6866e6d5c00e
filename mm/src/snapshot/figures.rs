//! The table of a family's figures.
//!
//! A macro makes from it the fields of [`FamilySnapshot`] and [`FamilyDiff`], the sums over all families, and
//! the metrics of OpenMetrics. From it and from the C struct, tests write the JSON schema, the table in
//! `docs/figures.md` and the header; see "Adding a figure" in CONTRIBUTING.md.

use core::fmt::{self, Display, Formatter};

use super::diff::Change;
use super::{FILL_CLASSES, FamilyKey, FillClass, Label, Location, Snapshot};

/// A figure of a `T`, described for output in OpenMetrics, JSON and C.
pub(crate) struct Figure<T> {
    /// Name of the field in the snapshot and in the C struct, and of the key in JSON.
    #[cfg(test)]
    pub(crate) name: &'static str,
    /// Name in OpenMetrics, without the `_total` of a counter; `None` if the figure never changes and follows
    /// from the unit's size.
    pub(crate) metric: Option<&'static str>,
    /// Unit of the figure; `None` for a boolean.
    pub(crate) unit: Option<&'static str>,
    /// How the figure changes over time.
    pub(crate) kind: Kind,
    /// Meaning of the figure.
    pub(crate) help: Help,
    /// Reads the figure; `None` if the system does not report it.
    pub(crate) of: fn(&T) -> Option<u64>,
}

/// How a figure changes over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It rises and falls.
    Gauge,
    /// It never falls.
    Counter,
}

/// The first paragraph of a figure's documentation, as one line.
#[derive(Clone, Copy)]
pub(crate) struct Help(&'static [&'static str]);

impl Display for Help {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let paragraph = self.0.iter().take_while(|line| !line.is_empty());
        for (nth, line) in paragraph.enumerate() {
            f.write_str(if nth > 0 { " " } else { "" })?;
            f.write_str(line.trim_ascii())?;
        }
        Ok(())
    }
}

/// Returns the first text of a list of at most one, if there is one.
const fn optional(text: &[&'static str]) -> Option<&'static str> {
    match text {
        [text] => Some(*text),
        _ => None,
    }
}

/// Generates the types and functions that contain every figure, from one row for each figure.
///
/// The first paragraph of a row's documentation is the figure's help in other formats. `Counter of blocks` is
/// its kind and its unit. The other parts are optional:
///
/// - `as "metric"`: the name in OpenMetrics.
/// - `change type`: a [`FamilyDiff`] has the figure, as a field of that type.
/// - `sum "docs"`: a [`Snapshot`] has a method for the sum over all families, with that documentation.
macro_rules! family_figures {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis $name:ident: $type:ty,
        $kind:ident of $unit:ident $(as $metric:literal)?
        $(, change $change:ty)?
        $(, sum $sum:literal)?;
    )+) => {
        /// The figures of one page family at one moment.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[non_exhaustive]
        pub struct FamilySnapshot {
            /// Short name: the type's, or the one that the family was registered with.
            pub name: &'static str,
            /// Full path of the type, or the name of a run-time family.
            pub path: &'static str,
            /// Where the family was defined.
            pub location: Location,
            /// Key that identifies the family uniquely.
            pub key: FamilyKey,
            /// Whether the family was registered while the program ran.
            pub run_time: bool,
            /// Whether the family is a size class of [`Global`](crate::Global), whose blocks have no type.
            pub untyped: bool,
            $($(#[doc = $doc])+ $vis $name: $type,)+
            /// Classes of VM pages in use, each of pages that are about equally full, emptiest first.
            pub(crate) fill: [FillClass; FILL_CLASSES],
            /// The kind of text that identifies the family uniquely; `Snapshot::new` sets it.
            #[cfg_attr(feature = "serde", serde(skip))]
            pub(crate) label: Label,
        }

        /// What changed in one family: each figure of the later snapshot less that of the earlier.
        ///
        /// A family that is missing from one of them counts as zeros there. Changes saturate at the
        /// limits of `i64`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[non_exhaustive]
        pub struct FamilyDiff {
            /// Short name: the type's, or the one that the family was registered with.
            pub name: &'static str,
            /// Full path of the type, or the name of a run-time family.
            pub path: &'static str,
            /// Where the family was defined.
            pub location: Location,
            /// Key that identifies the family uniquely.
            pub key: FamilyKey,
            $($(
                #[doc = concat!(
                    "Change in [`", stringify!($name), "`](FamilySnapshot::", stringify!($name), "), in ",
                    stringify!($unit), "."
                )]
                pub $name: $change,
            )?)+
            /// The kind of text that identifies the family uniquely.
            #[cfg_attr(feature = "serde", serde(skip))]
            pub(crate) label: Label,
        }

        impl FamilyDiff {
            /// Returns whether any figure changed. An unknown figure counts as unchanged.
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
                false $($(|| <$change as Change>::is_change(&self.$name))?)+
            }

            /// Subtracts figure by figure; `None` when there is no family at all.
            pub(super) fn between(
                later: Option<&FamilySnapshot>,
                earlier: Option<&FamilySnapshot>,
            ) -> Option<Self> {
                let family = later.or(earlier)?;
                Some(Self {
                    name: family.name,
                    path: family.path,
                    location: family.location,
                    key: family.key,
                    $($($name: {
                        let of = |family: &FamilySnapshot| family.$name;
                        <$change as Change>::between(later.map(of), earlier.map(of))
                    },)?)+
                    label: family.label,
                })
            }
        }

        /// Sums saturate at `u64::MAX`, far above real figures.
        ///
        /// # Examples
        ///
        /// ```
        /// use mm::PageFamily;
        /// use std::alloc::Layout;
        ///
        /// let rows = PageFamily::register("totals-doc:rows", Layout::new::<u32>())?;
        /// let before = mm::snapshot();
        /// rows.alloc(25)?;
        /// let after = mm::snapshot();
        /// assert_eq!(after.live_bytes() - before.live_bytes(), 100);
        /// assert_eq!(after.live_units() - before.live_units(), 25);
        /// assert_eq!(after.live_blocks() - before.live_blocks(), 1);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        impl Snapshot {
            $($(
                #[doc = $sum]
                #[must_use]
                pub fn $name(&self) -> u64 {
                    self.total(|family| family.$name)
                }
            )?)+
        }

        /// The figures of a family, in the order of its fields.
        pub(crate) const FAMILY_FIGURES: &[Figure<FamilySnapshot>] = &[
            $(Figure {
                #[cfg(test)]
                name: stringify!($name),
                metric: optional(&[$($metric)?]),
                unit: Some(stringify!($unit)),
                kind: Kind::$kind,
                help: Help(&[$($doc),+]),
                of: |family| Option::from(family.$name),
            },)+
        ];

        #[cfg(test)]
        impl FamilySnapshot {
            /// Returns a family whose figures are all 0.
            pub(crate) fn empty(
                name: &'static str,
                path: &'static str,
                location: Location,
                key: FamilyKey,
            ) -> Self {
                Self {
                    name,
                    path,
                    location,
                    key,
                    run_time: false,
                    untyped: false,
                    $($name: 0_u64.into(),)+
                    fill: [FillClass::default(); FILL_CLASSES],
                    label: Label::default(),
                }
            }

            /// Sets each figure, in the order of the table, to what `next` returns.
            pub(crate) fn set_figures(&mut self, mut next: impl FnMut() -> u64) {
                $(self.$name = next().into();)+
            }
        }
    };
}

family_figures! {
    /// Bytes of one unit.
    pub unit_size: u64, Gauge of bytes as "mm_family_unit_bytes";

    /// Alignment of a unit, in bytes.
    pub unit_align: u64, Gauge of bytes;

    /// Units that fit into one VM page; 0 when units have no size, 1 when a unit is larger.
    pub units_per_page: u64, Gauge of units;

    /// Units that fit into the first VM page of the family.
    ///
    /// Always equal to `units_per_page`.
    pub first_page_units: u64, Gauge of units;

    /// Blocks handed out and not released.
    pub live_blocks: u64, Gauge of blocks as "mm_family_live_blocks", change i64,
        sum "Returns the blocks of all families that are handed out and not released.";

    /// Units of the live blocks.
    pub live_units: u64, Gauge of units as "mm_family_live_units", change i64,
        sum "Returns the live units of all families, whose units differ in size.";

    /// Bytes of the live units.
    pub live_bytes: u64, Gauge of bytes as "mm_family_live_bytes", change i64,
        sum "Returns the bytes of all live units.";

    /// Bytes that the program requested for the live units.
    ///
    /// Less than `live_bytes` only for the size classes of [`Global`](crate::Global), whose units may be longer
    /// than what was requested.
    pub requested_bytes: u64, Gauge of bytes as "mm_family_requested_bytes", change i64,
        sum "Returns the bytes that the program requested for all live units.";

    /// Highest number of live bytes seen, to within one cache per thread.
    pub peak_live_bytes: u64, Gauge of bytes as "mm_family_peak_live_bytes", change i64;

    /// Maximal runs of free units inside VM pages in use.
    pub free_blocks: u64, Gauge of blocks as "mm_family_free_blocks", change i64;

    /// Units of the free blocks.
    pub free_units: u64, Gauge of units as "mm_family_free_units", change i64;

    /// Units of the largest free block.
    pub(crate) largest_free_block: u64, Gauge of units as "mm_family_largest_free_block_units";

    /// Units in the caches of threads, neither live nor free.
    ///
    /// A cached row may be handed out for a shorter one. The units that it has too many count here until the row is
    /// released. If only one thread uses the family, a snapshot frees these units before it counts.
    pub cached_units: u64, Gauge of units as "mm_family_cached_units", change i64,
        sum "Returns the cached units of all families, whose units differ in size.";

    /// VM pages in use.
    ///
    /// These are the pages from which units were taken since the page was made or given back. The memory of
    /// others is the kernel's, except where a huge OS page backs several VM pages.
    pub vm_pages: u64, Gauge of pages as "mm_family_vm_pages", change i64,
        sum "Returns the VM pages in use of all families.";

    /// Bytes of address space in use by VM pages.
    pub mapped_bytes: u64, Gauge of bytes as "mm_family_mapped_bytes", change i64,
        sum "Returns the bytes of address space in use by all VM pages.";

    /// Bytes of VM pages that are backed by memory.
    ///
    /// As reported by the kernel; `None`, not 0, if the kernel does not report all of them. The figure
    /// excludes swap, and is less than the live bytes if zeroed units were never written to. A large
    /// family may have more resident than mapped bytes, since a huge OS page backs VM pages before they
    /// are in use; `trim` returns that memory.
    ///
    /// Before Linux 6.7, and without `/proc`, pages that were only read are counted too.
    pub resident_bytes: Option<u64>, Gauge of bytes as "mm_family_resident_bytes", change Option<i64>;

    /// Bytes of the VM pages that hold at least one live or cached unit.
    pub(crate) occupied_page_bytes: u64, Gauge of bytes as "mm_family_occupied_page_bytes";

    /// Bytes of free units in the VM pages that hold at least one live or cached unit.
    pub(crate) occupied_page_free_bytes: u64,
        Gauge of bytes as "mm_family_occupied_page_free_bytes";

    /// Bytes that a trim would give back to the system now.
    pub(crate) reclaimable_bytes: u64, Gauge of bytes as "mm_family_reclaimable_bytes";

    /// Blocks handed out since the start of the process.
    pub blocks_allocated: u64, Counter of blocks as "mm_family_allocated_blocks", change i64,
        sum "Returns the blocks handed out since start.";

    /// Blocks released since the start of the process.
    pub blocks_released: u64, Counter of blocks as "mm_family_released_blocks", change i64,
        sum "Returns the blocks released since start.";

    /// Calls into the kernel for the memory of the family since the start of the process.
    pub kernel_calls: u64, Counter of calls as "mm_family_kernel_calls", change i64,
        sum "Returns the calls into the kernel for families' memory since start.";
}

/// The figures of the process.
pub(crate) const PROCESS_FIGURES: &[Figure<Snapshot>] = &[
    Figure {
        #[cfg(test)]
        name: "os_page_bytes",
        metric: Some("mm_os_page_bytes"),
        unit: Some("bytes"),
        kind: Kind::Gauge,
        help: Help(&["Bytes of one page of the operating system."]),
        of: |all| Some(all.os_page_bytes),
    },
    Figure {
        #[cfg(test)]
        name: "process_resident_bytes",
        metric: Some("mm_process_resident_bytes"),
        unit: Some("bytes"),
        kind: Kind::Gauge,
        help: Help(&["Resident bytes of the whole process."]),
        of: |all| all.process_resident_bytes,
    },
    Figure {
        #[cfg(test)]
        name: "records_resident_bytes",
        metric: Some("mm_records_resident_bytes"),
        unit: Some("bytes"),
        kind: Kind::Gauge,
        help: Help(&["Resident bytes of the maps, records and tables of mm."]),
        of: |all| all.records_resident_bytes,
    },
    Figure {
        #[cfg(test)]
        name: "resident_is_measured",
        metric: Some("mm_resident_is_measured"),
        unit: None,
        kind: Kind::Gauge,
        help: Help(&[
            "1 if the resident bytes of all families and of the records of mm are known, 0 if",
            "the system does not say some, which then have no sample.",
        ]),
        of: |all| Some(all.resident_is_measured.into()),
    },
];
