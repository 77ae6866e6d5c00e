//! The samples of one family, whose parts add up to the family's figures.

use core::iter::once;

use crate::profile::{CallSite, FamilyProfile};

/// A number of blocks, and the number of their units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) blocks: u64,
    pub(super) units: u64,
}

/// Sums and products stop at `u64::MAX`. Real figures do not reach it.
impl Blocks {
    /// Returns the figures multiplied by a number.
    fn times(self, factor: u64) -> Self {
        Self {
            blocks: self.blocks.saturating_mul(factor),
            units: self.units.saturating_mul(factor),
        }
    }

    /// Returns the sum.
    fn plus(self, more: Self) -> Self {
        Self {
            blocks: self.blocks.saturating_add(more.blocks),
            units: self.units.saturating_add(more.units),
        }
    }

    /// Returns the difference, or zero if it is negative.
    fn less(self, some: Self) -> Self {
        Self {
            blocks: self.blocks.saturating_sub(some.blocks),
            units: self.units.saturating_sub(some.units),
        }
    }
}

/// The origin of some blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// A recorded call site.
    Site(&'a CallSite),
    /// A call that was not recorded.
    NotRecorded,
    /// Not a leak: the blocks are kept on purpose.
    Kept,
}

/// Blocks of one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) origin: Origin<'a>,
    /// The live blocks.
    pub(super) live: Blocks,
    /// The blocks allocated since the start of the process.
    pub(super) allocated: Blocks,
}

impl Part<'_> {
    /// Returns whether there are no blocks.
    fn is_empty(&self) -> bool {
        self.live == Blocks::default() && self.allocated == Blocks::default()
    }
}

/// Returns the parts of a family that are not empty.
pub(super) fn parts(family: &FamilyProfile) -> impl Iterator<Item = Part<'_>> {
    let parts = sites(family).chain([kept(family), not_recorded(family)]);
    parts.filter(|part| !part.is_empty())
}

/// Returns the parts of the call sites. With sampling, a recorded block stands for the unrecorded ones, too.
fn sites(family: &FamilyProfile) -> impl Iterator<Item = Part<'_>> {
    let interval = u64::from(family.every.max(1));
    family.sites.iter().map(move |site| {
        let live = Blocks {
            blocks: site.live_blocks,
            units: site.live_units,
        };
        let recorded = Blocks {
            blocks: site.blocks_recorded,
            units: site.units_recorded,
        };
        Part {
            origin: Origin::Site(site),
            live: live.times(interval),
            allocated: recorded.times(interval),
        }
    })
}

/// Returns the part of kept blocks, without their call sites.
fn kept(family: &FamilyProfile) -> Part<'_> {
    Part {
        origin: Origin::Kept,
        live: Blocks {
            blocks: family.kept_blocks,
            units: family.kept_units,
        },
        allocated: Blocks::default(),
    }
}

/// Returns the part of the blocks that are in no other part.
fn not_recorded(family: &FamilyProfile) -> Part<'_> {
    let others = || sites(family).chain(once(kept(family)));
    let all_live = Blocks {
        blocks: family.live_blocks,
        units: family.live_units,
    };
    let live = others().fold(all_live, |left, part| left.less(part.live));
    let recorded = others().fold(Blocks::default(), |sum, part| sum.plus(part.allocated));
    let blocks = family.blocks_allocated.saturating_sub(recorded.blocks);
    // The units of released blocks are unknown: each block had at least one.
    let gone = blocks.saturating_sub(live.blocks);
    let allocated = Blocks {
        blocks,
        units: live.units.saturating_add(gone),
    };
    Part {
        origin: Origin::NotRecorded,
        live,
        allocated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{profile, site, untracked};

    /// Returns the live and the allocated `[blocks, units]` of each part.
    fn figures(family: &FamilyProfile) -> Vec<[u64; 4]> {
        parts(family)
            .map(|part| {
                let Part {
                    live, allocated, ..
                } = part;
                [live.blocks, live.units, allocated.blocks, allocated.units]
            })
            .collect()
    }

    #[test]
    fn recorded_blocks_and_the_rest() {
        let expected = [
            [40, 80, 80, 160],
            [20, 40, 40, 80],
            [0, 0, 7, 9],
            // Kept.
            [10, 10, 0, 0],
            // 30 live blocks have 40 units, and 843 released blocks have one each.
            [30, 40, 873, 883],
        ];
        assert_eq!(figures(&profile().families[0]), expected);
    }

    #[test]
    fn samples_stand_for_others() {
        let expected = [
            [500, 1_000, 1_000, 2_000],
            [200, 400, 400, 800],
            [5, 2, 100, 97],
        ];
        assert_eq!(figures(&profile().families[2]), expected);
    }

    #[test]
    fn live_parts_make_the_whole() {
        for family in profile().families {
            let [blocks, units] = figures(&family)
                .iter()
                .fold([0, 0], |[blocks, units], part| {
                    [blocks + part[0], units + part[1]]
                });
            assert_eq!([blocks, units], [family.live_blocks, family.live_units]);
        }
    }

    #[test]
    fn a_rest_is_never_below_zero() {
        let mut family = untracked("A", 8, 5);
        family.every = 1_000;
        family.sites = vec![site("a.rs", 1, 3)];
        assert_eq!(figures(&family), [[3_000, 6_000, 6_000, 12_000]]);
        family.every = u32::MAX;
        family.sites[0].live_units = u64::MAX;
        assert_eq!(figures(&family)[0][1], u64::MAX);
    }

    #[test]
    fn an_unused_family_has_no_parts() {
        assert_eq!(parts(&untracked("A", 8, 0)).count(), 0);
    }
}
