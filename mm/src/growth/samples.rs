//! A family that grows, made by hand for the tests.

use core::time::Duration;

use super::Growth;
use crate::profile::CallSite;
use crate::profile::samples::family;

/// Makes the growth of a family of 208-byte units that were allocated at these sites.
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
