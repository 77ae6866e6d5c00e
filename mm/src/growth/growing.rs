//! A family that grows: what the watcher keeps of it, and what it reports.

use core::time::Duration;

use super::detector::Rise;
use crate::family::PageFamily;
use crate::profile::FamilyProfile;
use crate::snapshot::FamilyKey;

/// A family that grows steadily, with its figures at one moment.
///
/// Displayed, it is one line: the family, its rate, and the call sites that hold most of it.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// let watch = mm::watch().every(Duration::from_secs(1)).start()?;
/// for growth in watch.growing() {
///     println!("{growth}");
///     assert!(growth.units_per_second > 0.0);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Growth {
    /// Short name: that of the type, or the one given.
    pub name: &'static str,
    /// Full path of the type; of a run-time family, its name.
    pub path: &'static str,
    /// Key that identifies the family uniquely.
    pub key: FamilyKey,
    /// Time since the rise began. It counts only the time that was judged: the rise may have begun
    /// earlier.
    pub growing_for: Duration,
    /// Rise of the floor of live units, in units per second.
    pub units_per_second: f64,
    /// The same rise in bytes per second.
    pub bytes_per_second: f64,
    /// Units of the live blocks.
    pub live_units: u64,
    /// The family's live figures and call sites. Call sites are recorded since the family became a
    /// suspect, or longer if it was tracked before.
    pub profile: FamilyProfile,
}

/// A family on the list of those that grow steadily.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrowingFamily {
    pub(super) family: &'static PageFamily,
    pub(super) rise: Rise,
}

impl GrowingFamily {
    /// Returns the family's growth and its figures. `now` is the time since the watcher started. Takes the
    /// family's lock.
    pub(super) fn growth(self, now: Duration) -> Growth {
        let profile = self.family.profile();
        let unit = Duration::from_secs(profile.unit_size).as_secs_f64();
        let since = Duration::try_from_secs_f64(self.rise.since).unwrap_or_default();
        Growth {
            name: profile.name,
            path: profile.path,
            key: profile.key,
            growing_for: now.saturating_sub(since),
            units_per_second: self.rise.rate,
            bytes_per_second: self.rise.rate * unit,
            live_units: profile.live_units,
            profile,
        }
    }
}

/// A family that grows, for tests of other modules.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::profile::CallSite;
    use crate::profile::samples::family;

    /// Returns the growth of a family of 208-byte units that were allocated at these sites.
    pub(crate) fn session(sites: Vec<CallSite>) -> Growth {
        let profile = family(sites);
        Growth {
            name: profile.name,
            path: profile.path,
            key: profile.key,
            growing_for: Duration::from_secs(48),
            units_per_second: 1.004,
            bytes_per_second: 208.8,
            live_units: 1_204,
            profile,
        }
    }
}
