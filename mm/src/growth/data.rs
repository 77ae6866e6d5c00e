//! The description of a family that grows.

use core::time::Duration;

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
    /// How long it has grown, within the time that was judged: the rise may have begun earlier.
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
