//! A sample family with call sites, for tests.

use core::time::Duration;

use super::{CallSite, FamilyProfile};
use crate::snapshot::{FamilyKey, Location};

/// Makes a call site in `src/cache.rs`.
pub(crate) fn site(line: u32, thread: &'static str, live_units: u64) -> CallSite {
    CallSite {
        location: Location::new("src/cache.rs", line, 9, ""),
        thread,
        frames: Box::default(),
        live_blocks: live_units,
        live_units,
        oldest: Some(Duration::from_secs(40)),
        value: None,
        value_unreadable: false,
        blocks_recorded: live_units,
        units_recorded: live_units,
    }
}

/// Makes the profile of a family of 208-byte units that were allocated at these sites.
pub(crate) fn family(sites: Vec<CallSite>) -> FamilyProfile {
    let (name, path) = ("Session", "indexd::session::Session");
    let location = Location::new("src/session.rs", 41, 1, "0.1.0");
    let key = FamilyKey::made(name, path, location, 1);
    FamilyProfile {
        name,
        path,
        location,
        key,
        unit_size: 208,
        live_blocks: 1_204,
        live_units: 1_204,
        kept_blocks: 0,
        kept_units: 0,
        unrecorded_blocks: 1_181,
        unrecorded_units: 1_181,
        blocks_allocated: 2_000,
        every: 1,
        lacked_room: false,
        sites,
    }
}
