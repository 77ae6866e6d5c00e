//! The families that are named now.

use core::time::Duration;

use super::Growth;
use super::suspect::Rise;
use crate::family::PageFamily;

/// A family that grows steadily.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) family: &'static PageFamily,
    pub(super) rise: Rise,
}

impl Named {
    /// Describes the family at `now`, measured from the start. Takes the family's lock.
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
