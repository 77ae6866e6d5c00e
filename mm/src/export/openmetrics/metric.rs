//! The list of all metrics.

use crate::snapshot::{FamilySnapshot, Snapshot};

/// One metric: what is written before its samples, and where their figures come from.
pub(super) struct Metric<F> {
    /// Name without the suffix of its kind.
    pub(super) name: &'static str,
    /// Unit, which is also the end of the name.
    pub(super) unit: Option<&'static str>,
    /// Whether the figure may fall.
    pub(super) kind: Kind,
    /// What the figure says, in one line without characters that would have to be escaped.
    pub(super) help: &'static str,
    /// Reads the figure.
    pub(super) figure: F,
}

/// How a figure changes over time.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It rises and falls.
    Gauge,
    /// It never falls.
    Counter,
}

impl Kind {
    /// Returns the name of the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }

    /// Returns the end of the names of samples.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Gauge => "",
            Self::Counter => "_total",
        }
    }
}

/// Reads a figure of a family; `None` if the system does not report it.
type OfFamily = fn(&FamilySnapshot) -> Option<u64>;

/// Reads a figure of the process; `None` if the system does not report it.
type OfProcess = fn(&Snapshot) -> Option<u64>;

/// Describes a metric that rises and falls.
const fn gauge<F: Copy>(
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    figure: F,
) -> Metric<F> {
    Metric {
        name,
        unit: Some(unit),
        kind: Kind::Gauge,
        help,
        figure,
    }
}

/// Describes a metric that counts.
const fn counter<F: Copy>(
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    figure: F,
) -> Metric<F> {
    Metric {
        kind: Kind::Counter,
        ..gauge(name, unit, help, figure)
    }
}

/// Metrics of the process.
pub(super) const PROCESS_METRICS: &[Metric<OfProcess>] = &[
    gauge(
        "mm_os_page_bytes",
        "bytes",
        "Bytes of one page of the operating system.",
        |s| Some(s.os_page_bytes),
    ),
    gauge(
        "mm_process_resident_bytes",
        "bytes",
        "Resident bytes of the whole process.",
        |s| s.process_resident_bytes,
    ),
    gauge(
        "mm_records_resident_bytes",
        "bytes",
        "Resident bytes of the maps, records and tables of mm.",
        |s| s.records_resident_bytes,
    ),
    Metric {
        name: "mm_resident_is_measured",
        unit: None,
        kind: Kind::Gauge,
        help: "1 if the resident bytes of all families and of the records of mm are known, 0 if \
               the system does not say some, which then have no sample.",
        figure: |s| Some(s.resident_is_measured.into()),
    },
];

/// Metrics of each family.
pub(super) const FAMILY_METRICS: &[Metric<OfFamily>] = &[
    gauge("mm_family_unit_bytes", "bytes", "Bytes of one unit.", |f| {
        Some(f.unit_size)
    }),
    gauge(
        "mm_family_live_blocks",
        "blocks",
        "Blocks handed out and not released.",
        |f| Some(f.live_blocks),
    ),
    gauge(
        "mm_family_live_units",
        "units",
        "Units of the live blocks.",
        |f| Some(f.live_units),
    ),
    gauge(
        "mm_family_live_bytes",
        "bytes",
        "Bytes of the live units.",
        |f| Some(f.live_bytes),
    ),
    gauge(
        "mm_family_peak_live_bytes",
        "bytes",
        "Highest number of live bytes seen, to within one cache per thread.",
        |f| Some(f.peak_live_bytes),
    ),
    gauge(
        "mm_family_free_blocks",
        "blocks",
        "Longest runs of free units inside VM pages in use.",
        |f| Some(f.free_blocks),
    ),
    gauge(
        "mm_family_free_units",
        "units",
        "Units of the free blocks.",
        |f| Some(f.free_units),
    ),
    gauge(
        "mm_family_largest_free_block_units",
        "units",
        "Units of the largest free block.",
        |f| Some(f.largest_free_block),
    ),
    gauge(
        "mm_family_cached_units",
        "units",
        "Units in the caches of threads, neither live nor free.",
        |f| Some(f.cached_units),
    ),
    gauge("mm_family_vm_pages", "pages", "VM pages in use.", |f| {
        Some(f.vm_pages)
    }),
    gauge(
        "mm_family_mapped_bytes",
        "bytes",
        "Bytes of address space in use by VM pages.",
        |f| Some(f.mapped_bytes),
    ),
    gauge(
        "mm_family_resident_bytes",
        "bytes",
        "Bytes of VM pages that are backed by memory.",
        |f| f.resident_bytes,
    ),
    gauge(
        "mm_family_occupied_page_bytes",
        "bytes",
        "Bytes of the VM pages that hold at least one live or cached unit.",
        |f| Some(f.occupied_page_bytes),
    ),
    gauge(
        "mm_family_occupied_page_free_bytes",
        "bytes",
        "Bytes of free units in the VM pages that hold at least one live or cached unit.",
        |f| Some(f.occupied_page_free_bytes),
    ),
    gauge(
        "mm_family_reclaimable_bytes",
        "bytes",
        "Bytes that a trim would give back to the system now.",
        |f| Some(f.reclaimable_bytes),
    ),
    counter(
        "mm_family_allocated_blocks",
        "blocks",
        "Blocks handed out.",
        |f| Some(f.blocks_allocated),
    ),
    counter(
        "mm_family_released_blocks",
        "blocks",
        "Blocks released.",
        |f| Some(f.blocks_released),
    ),
    counter(
        "mm_family_kernel_calls",
        "calls",
        "Calls into the kernel for the memory of the family.",
        |f| Some(f.kernel_calls),
    ),
];
