//! What is said of a family that grows.

use core::time::Duration;

use crate::profile::FamilyProfile;
use crate::snapshot::FamilyKey;

/// A family that grows steadily, as of one moment.
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
    /// What tells the family from every other one.
    pub key: FamilyKey,
    /// How long it has grown, as far as that was judged: the rise may have begun earlier.
    pub growing_for: Duration,
    /// Units by which the floor of live units rises in a second.
    pub units_per_second: f64,
    /// Bytes of these units.
    pub bytes_per_second: f64,
    /// Units of the live blocks.
    pub live_units: u64,
    /// What is live of the family, and who allocated it: since the family was suspected, unless it
    /// was tracked before.
    pub profile: FamilyProfile,
}
