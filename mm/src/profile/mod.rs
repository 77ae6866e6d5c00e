//! Profiles: live blocks by family and by call site.

mod at_exit;
mod collect;
mod display;
mod inherited;
#[cfg(test)]
pub(crate) mod samples;
mod symbols;

use std::time::Duration;

use crate::heap::OTHER_SITES;
use crate::snapshot::{FamilyKey, Location, one_of};

pub(crate) use at_exit::adopt_in_child;
pub use at_exit::{LeaksAtExit, report_leaks_at_exit};
pub(crate) use collect::{leaks, leaks_of_scope, profile};
pub use symbols::Frame;
#[cfg(feature = "backtrace")]
pub(crate) use symbols::LOOKING_UP;
#[cfg(feature = "backtrace")]
pub use symbols::record_backtraces;

/// Live blocks by family and by call site, at one moment.
///
/// [`profile`](crate::profile()) and [`leaks`](crate::leaks()) make it. Its `Display` lists the families with
/// leaked blocks, the one with the most bytes first, each with its call sites. A leaked block is live and not
/// kept on purpose. The text has no colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Profile {
    /// The families, sorted by key: by path, then by location.
    pub families: Vec<FamilyProfile>,
}

/// The live blocks of one family, and their call sites.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FamilyProfile {
    /// Short name: the type's, or the one that the family was registered with.
    pub name: &'static str,
    /// Full path of the type, or the name of a run-time family.
    pub path: &'static str,
    /// Where the family was defined.
    pub location: Location,
    /// Key that identifies the family uniquely.
    pub key: FamilyKey,
    /// Bytes of one unit.
    pub unit_size: u64,
    /// Blocks handed out and not released.
    pub live_blocks: u64,
    /// Units of the live blocks.
    pub live_units: u64,
    /// Live blocks that are kept on purpose; see [`Kept`](crate::Kept).
    pub kept_blocks: u64,
    /// Units of the kept blocks.
    pub kept_units: u64,
    /// Live blocks without a known call site, except kept ones. Such a block was allocated while the family
    /// was not tracked, or fell between two samples, or there was no memory for its record, or its units have
    /// size zero.
    pub unrecorded_blocks: u64,
    /// Units of the unrecorded blocks.
    pub unrecorded_units: u64,
    /// Blocks handed out since the start of the process.
    pub blocks_allocated: u64,
    /// One block in this many is recorded; 1 if every block is, and 0 if the family is not tracked.
    pub every: u32,
    /// Whether there was once no memory for the record of a block.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) lacked_room: bool,
    /// Call sites of the recorded blocks, the one with the most live units first. Kept blocks do not
    /// count as live here.
    pub sites: Vec<CallSite>,
}

/// One place in the program that allocated, on one thread.
///
/// With sampling (see [`Track::Every`](crate::Track::Every)) it counts only the recorded blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CallSite {
    /// Where the call was; the crate's version is unknown.
    ///
    /// Records of call sites, with their stacks, take 12 MiB at most. All further sites share one record, whose
    /// `line` is 0, and whose `file` is a text in parentheses; see [`is_others`](Self::is_others).
    pub location: Location,
    /// Name of the thread that called, or an empty text if it has none.
    pub thread: &'static str,
    /// Return addresses of the calling functions, the innermost first; empty unless backtraces
    /// are recorded.
    pub frames: Box<[usize]>,
    /// Recorded blocks that are live.
    pub live_blocks: u64,
    /// Units of these blocks.
    pub live_units: u64,
    /// Age of the oldest of these blocks; `None` if there is none, or if the system has no clock.
    pub oldest: Option<Duration>,
    /// First bytes of the oldest of these blocks, if they were requested and could be read; see
    /// [`leaks_with_values`](crate::leaks_with_values).
    pub value: Option<Box<[u8]>>,
    /// Whether these bytes were requested, but the system did not let mm read them. `value` is `None` then.
    pub value_unreadable: bool,
    /// Blocks recorded since tracking began, live or released.
    pub blocks_recorded: u64,
    /// Units of these blocks.
    pub units_recorded: u64,
}

impl Profile {
    /// Returns whether no block is leaked, which means live and not kept on purpose.
    ///
    /// ```
    /// #[derive(mm::MmManaged)]
    /// struct Emp(u32);
    ///
    /// let emp = mm::MmBox::new(Emp(1));
    /// assert!(!mm::leaks().is_empty());
    /// drop(emp);
    /// assert!(mm::leaks().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.families
            .iter()
            .all(|family| family.leaked_blocks() == 0)
    }

    /// Returns the family of this key, path or name, as [`Snapshot::family`](crate::Snapshot::family) does.
    ///
    /// ```
    /// #[derive(mm::MmManaged)]
    /// struct Profiled(u32);
    ///
    /// assert!(mm::profile().family("Profiled").is_some());
    /// assert!(mm::profile().family("Nobody").is_none());
    /// ```
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&FamilyProfile> {
        one_of(&self.families, name, |family| {
            (family.name, family.path, family.key)
        })
    }
}

impl CallSite {
    /// Returns whether this is the record that all further call sites share; see [`location`](Self::location).
    #[must_use]
    pub fn is_others(&self) -> bool {
        self.location.line == 0 && self.location.file == OTHER_SITES
    }
}

impl FamilyProfile {
    /// Returns the bytes of the live units.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.live_units * self.unit_size
    }

    /// Returns the number of leaked blocks: live blocks that are not kept on purpose.
    #[must_use]
    pub fn leaked_blocks(&self) -> u64 {
        self.live_blocks.saturating_sub(self.kept_blocks)
    }

    /// Returns the units of the leaked blocks.
    #[must_use]
    pub fn leaked_units(&self) -> u64 {
        self.live_units.saturating_sub(self.kept_units)
    }
}
