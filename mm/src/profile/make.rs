//! From families to profiles.

use crate::family::PageFamily;
use crate::registry::families;

use super::{FamilyProfile, Profile};

/// Copies who allocated what is live.
#[must_use]
pub fn profile() -> Profile {
    Profile {
        families: families().map(PageFamily::profile).collect(),
    }
}

impl PageFamily {
    /// Copies who allocated what is live of this family.
    #[must_use]
    pub fn profile(&'static self) -> FamilyProfile {
        let figures = self.figures();
        FamilyProfile {
            name: self.name(),
            path: self.path(),
            location: self.location(),
            unit_size: self.layout().size() as u64,
            live_blocks: figures.live_blocks,
            live_units: figures.live_units,
            kept_blocks: 0,
            kept_units: 0,
            unrecorded_blocks: figures.live_blocks,
            unrecorded_units: figures.live_units,
            blocks_allocated: figures.blocks_allocated,
            every: 0,
            sites: Vec::new(),
        }
    }

    /// Says which allocations of this family are recorded from now on.
    pub fn track(&'static self, _which: crate::Track) {}
}
